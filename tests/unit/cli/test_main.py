"""The program as it is run: quick help, exit codes, one line for an error."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = ("kubernetes", "rich", "yaml", "s3fs", "aiobotocore", "cryptography", "numpy", "slipway_runtime", "pyarrow")
NOWHERE = {"KUBECONFIG": os.devnull, "HOME": "/nonexistent"}


def run(*arguments: str, script: str = "from slipway.cli import main; main()", **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {key: value for key, value in os.environ.items() if key not in ("SLIPWAY_DEBUG", "KUBERNETES_SERVICE_HOST")}
    command = [sys.executable, "-c", script, *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=kept | NOWHERE | environment, check=False)


@pytest.mark.parametrize(
    "command",
    [
        [],
        ["push"],
        ["status"],
        ["predict"],
        ["export"],
        ["pending"],
        ["diff"],
        ["approve"],
        ["reject"],
        ["override"],
        ["rbac", "check"],
        ["audit"],
        ["audit", "verify"],
        ["audit", "prove"],
        ["audit", "check"],
        ["trace"],
        ["logs-table"],
        ["erase"],
        ["actuals", "push"],
    ],
)
def test_help_loads_nothing_heavy(command: list[str]) -> None:
    loaded = f"import sys, atexit; atexit.register(lambda: print(sorted(set({HEAVY}) & set(sys.modules)), file=sys.stderr))\n"
    shown = run(*command, "--help", script=f"{loaded}from slipway.cli import main; main()")
    assert shown.returncode == 0
    assert " ".join(["Usage: kubectl slipway", *command]) in shown.stdout
    assert shown.stderr == "[]\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ["status", "churn", "-A"],
        ["push", "model.joblib"],
        ["predict"],
        ["status", "-o", "xml"],
        ["pending", "-A", "-n", "growth"],
        ["rbac", "check", "-A", "-n", "growth"],
        ["approve", "churn", "--yes"],
        ["approve", "churn", "--as", "Risk", "--yes"],
        ["approve", "churn", "--as", "risk"],
        ["approve", "churn", "--as", "risk", "--revision", "v1:3f9a"],
        ["approve", "churn", "--as", "risk", "--yes", "--reason", "x" * 1025],
        ["reject", "churn", "--as", "risk", "--yes"],
        ["override", "churn", "--yes", "--reason", " "],
        ["push", "/nonexistent", "--model", "m", "--version", "1"],
    ],
)
def test_wrong_usage(arguments: list[str]) -> None:
    shown = run(*arguments)
    assert shown.returncode == 2
    assert "Error: " in shown.stderr
    assert "Traceback" not in shown.stderr


def test_an_error_is_one_line(tmp_path: Path) -> None:
    rows = tmp_path / "rows.json"
    rows.write_text("3")
    shown = run("predict", "churn", "-f", str(rows))
    assert (shown.returncode, shown.stdout) == (1, "")
    assert shown.stderr.startswith("error: the rows must be")
    assert shown.stderr.count("\n") == 1
    assert "Traceback" in run("predict", "churn", "-f", str(rows), SLIPWAY_DEBUG="1").stderr


def test_no_cluster() -> None:
    shown = run("status")
    assert shown.returncode == 1
    assert shown.stderr.startswith("error: no cluster to talk to")
    assert shown.stderr.count("\n") == 1
