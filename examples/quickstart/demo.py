"""`make demo`: the main job from end to end on a real cluster, with real data. Run it again as often as you like."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console

sys.path.insert(0, str(Path(__file__).parent))

import checks
import story
import train

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).parent
NAMESPACE, NAME = "quickstart", "breast-cancer"
KUBECONFIG = ROOT / ".cluster/kubeconfig"
WORK = ROOT / "build/quickstart"
CONSOLE = Console(stderr=True, highlight=False)


def main() -> None:
    began = time.monotonic()
    tools = checks.Tools(ROOT, KUBECONFIG, NAMESPACE)
    with chapter("Training two versions on scikit-learn's breast-cancer data (train/test split)"):
        for version, auc in train.train(WORK).items():
            say(f"version {version}: AUC {auc:.4f} on the test rows")
    with chapter("A namespace, a Model, and its first version pushed (digest, upload, lineage)"):
        tools.reset_namespace()
        checks.forget_artifacts(tools)
        tools.kubectl("apply", "-f", str(HERE / "model.yaml"))
        say(tools.slipway("push", str(WORK / "1"), "--model", NAME, "--version", "1"))
    with chapter("Deploying it: kubectl apply, kubectl wait"):
        tools.kubectl("apply", "-f", str(HERE / "deployment.yaml"))
        tools.kubectl("wait", f"modeldeployment/{NAME}", "--for=condition=Ready", "--timeout=180s")
        say(tools.kubectl("get", "slmd"))
    with chapter("All 569 rows over REST and over gRPC: the answers equal the local model's"):
        say(checks.compare_answers(tools, NAME, WORK / "1/model.joblib", "1"))
    with chapter("Upgrading to version 2 under steady load (keep-alive and new connections, no retries)"):
        tally = checks.upgrade_under_load(tools, NAME, WORK / "2", HERE)
        say(f"{tally['ok']} requests answered, by version: {tally['versions']}; failed: {tally['failed']}")
        if tally["failed"]:
            raise SystemExit(f"requests failed during the upgrade: {tally['failures']}")
        say(checks.compare_answers(tools, NAME, WORK / "2/model.joblib", "2"))
    with chapter("A tampered artifact is refused: nothing of it is loaded"):
        say(checks.tampered_is_refused(tools, NAME, WORK / "1"))
    with chapter("What happened, who asked, and the proof: the audit ledger"):
        say(story.what_happened(tools, NAME))
        say(story.rescan(tools))
        say(story.proved_offline(tools, NAME, WORK))
    summary(time.monotonic() - began)


@contextmanager
def chapter(title: str) -> Iterator[None]:
    CONSOLE.print(f"\n[bold cyan]▸ {title}[/]")
    began = time.monotonic()
    yield
    CONSOLE.print(f"  [green]✓[/] {time.monotonic() - began:.1f} s")


def say(text: str) -> None:
    for line in text.rstrip().splitlines():
        CONSOLE.print(f"  {line}", markup=False, soft_wrap=True)


def summary(seconds: float) -> None:
    CONSOLE.print(f"\n[bold green]Done in {seconds:.0f} s.[/] The cluster stays up. Look around:\n")
    for command in (
        f"export KUBECONFIG=$PWD/{os.path.relpath(KUBECONFIG)} PATH=$PWD/.venv/bin:$(echo ~/.cache/slipway/tools/kubernetes-*):$PATH",
        f"kubectl get slipway -n {NAMESPACE}",
        f"kubectl slipway status {NAME} -n {NAMESPACE}",
        f"kubectl slipway status tampered -n {NAMESPACE}",
        f"kubectl describe slmd {NAME} -n {NAMESPACE}",
        f"kubectl slipway audit -n {NAMESPACE}",
        f"kubectl slipway predict {NAME} -n {NAMESPACE} -f build/quickstart/rows.json",
        "make cluster-down",
    ):
        CONSOLE.print(f"  {command}", markup=False, soft_wrap=True)


if __name__ == "__main__":
    try:
        main()
    except subprocess.CalledProcessError as error:
        CONSOLE.print(f"\n[bold red]✗[/] {' '.join(map(str, error.cmd))}\n{error.stdout or ''}{error.stderr or ''}", markup=True)
        sys.exit(1)
    except checks.Mismatch as error:
        CONSOLE.print(f"\n[bold red]✗[/] {error}")
        sys.exit(1)
