"""`kubectl slipway audit` as it is run: on a store that is named, and on the one that the cluster names."""

from __future__ import annotations

import asyncio
import base64
import csv
import io
import json
import os
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from slipway.cli import main
from slipway.objectstore.s3 import S3Store
from tests.integration.ledger.samples import BUCKET, VERIFIER, entries, entry, open_ledger
from tests.integration.ledger.test_attacks import change, flip
from tests.kube import Kube
from tests.s3 import Server


@dataclass(frozen=True)
class Shown:
    """What the command printed, and its exit code."""

    code: int
    stdout: str
    stderr: str


Run = Callable[..., Awaitable[Shown]]


@pytest.fixture
async def store(store: S3Store) -> S3Store:
    """Twenty entries, the last of which a newer writer and a mischievous user had their hands in."""
    odd = replace(entry(19, actor="=cmd()"), message="two\nlines \x1b[31mred", approvers=("bob",), extra={"commit": "abc"})
    async with open_ledger(store) as ledger:
        await ledger.append([*entries(range(10)), *(entry(number, name="other") for number in range(10, 19)), odd])
    return store


@pytest.fixture
def audit(server: Server, prefix: str, tmp_path: Path) -> Run:
    """Runs the command on this test's log."""
    secret = tmp_path / "secret.env"
    secret.write_text("# read-only\n" + "".join(f"{name}={value}\n" for name, value in server.secret.items()))
    place = ["--store", f"s3://{BUCKET}/{prefix}", "--secret-file", str(secret), "--key", VERIFIER.vkey]
    return lambda *arguments, where=place, **environment: run("audit", *arguments, *where, **environment)


async def run(*arguments: str, **environment: str) -> Shown:
    """In a thread, for the command runs a loop of its own; a process each would spend seconds on imports."""
    return await asyncio.to_thread(_run, arguments, environment)


def _run(arguments: Sequence[str], environment: Mapping[str, str]) -> Shown:
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            patch.delenv(name)
        for name, value in ({"KUBECONFIG": os.devnull} | dict(environment)).items():
            patch.setenv(name, value)
        patch.setattr(sys, "argv", ["kubectl-slipway", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
    return Shown(int(ended.value.code or 0), out.getvalue(), err.getvalue())


async def test_listing(store: S3Store, audit: Run) -> None:
    shown = await audit("--deployment", "churn", "-n", "growth", "--by", "alice", "--limit", "2")
    assert shown.code == 0, shown.stderr
    head, *rows = shown.stdout.splitlines()
    assert head.split()[:5] == ["TIME", "NAMESPACE", "NAME", "GEN", "TRANSITION"]
    assert [row.split()[:6] for row in rows] == [[f"2026-11-22T08:0{at}:00Z", "growth", "churn", "1", "Applied", "alice"] for at in (9, 8)]
    assert "the newest 2; --limit 0 shows all" in shown.stderr
    assert "No entries." in (await audit("--since", "2h")).stderr
    assert len((await audit("--since", "2026-11-22T08:15Z")).stdout.splitlines()) == 1 + 5


async def test_json_and_csv(store: S3Store, audit: Run) -> None:
    listed = json.loads((await audit("-o", "json")).stdout)
    assert [item["index"] for item in listed] == list(range(19, -1, -1))
    assert listed[0]["commit"] == "abc"
    assert (listed[0]["id"], listed[0]["message"]) == ("uid-19/1/Applied", "two\nlines \x1b[31mred")
    assert json.loads((await audit("-o", "json", "--by", "nobody")).stdout) == []
    rows = list(csv.DictReader((await audit("-o", "csv", "--by", "bob")).stdout.splitlines()))
    assert [(row["index"], row["actors"], row["message"]) for row in rows] == [("19", "'=cmd()", "two lines [31mred")]
    assert "\x1b" not in (await audit()).stdout


async def test_verify(store: S3Store, audit: Run, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.write_bytes(await store.get("checkpoint"))
    alone = await audit("verify")
    assert alone.code == 0, alone.stderr
    assert "20 entries, 20 of them under the checkpoint" in alone.stdout
    assert "--against" in alone.stderr
    assert "continues the outside checkpoint of 20 entries" in (await audit("verify", "--against", str(kept))).stdout
    await change(store, "tile/entries/000.p/20", flip)
    wrong = await audit("verify", "--against", str(kept))
    assert (wrong.code, wrong.stdout) == (1, "")
    assert "error: THE LEDGER IS NOT WHAT WAS WRITTEN: s3://" in wrong.stderr
    assert (await audit()).stderr.startswith("error: s3://")


async def test_prove_and_check(store: S3Store, audit: Run, tmp_path: Path) -> None:
    file = tmp_path / "proof.json"
    assert (await audit("prove", "uid-7/1/Applied", "-o", str(file))).code == 0
    checked = await run("audit", "check", str(file), "--key", VERIFIER.vkey)
    assert checked.code == 0, checked.stderr
    assert json.loads(checked.stdout)["id"] == "uid-7/1/Applied"
    assert "Proved: entry 7 of 20, signed by slipway.example/ledger" in checked.stderr
    assert (await audit("verify", "--against", str(file))).code == 0
    forged = json.loads(file.read_text())
    forged["entry"] = forged["entry"].replace("alice", "mallory")
    file.write_text(json.dumps(forged))
    refused = await run("audit", "check", str(file), "--key", VERIFIER.vkey)
    assert (refused.code, refused.stdout) == (1, "")
    assert "proves nothing: the entry is not number 7" in refused.stderr
    assert "no entry uid-77/1/Applied" in (await audit("prove", "uid-77/1/Applied")).stderr


async def test_an_entry_that_no_checkpoint_covers(store: S3Store, audit: Run) -> None:
    async with open_ledger(store) as ledger:
        await ledger.append([entry(20)])
        assert json.loads((await audit("-o", "json", "--limit", "1")).stdout)[0]["index"] == 20
        assert "no checkpoint covers it yet" in (await audit("prove", "uid-20/1/Applied")).stderr
    assert (await audit("prove", "uid-20/1/Applied")).code == 0


async def test_what_is_missing_is_named(audit: Run, tmp_path: Path) -> None:
    assert "--store needs --key" in (await run("audit", "--store", "s3://x")).stderr
    assert "is no Ed25519 verifier key" in (await run("audit", "--store", "s3://x", "--key", "x")).stderr
    assert "--store 'x' must be s3://" in (await run("audit", "--store", "x", "--key", VERIFIER.vkey)).stderr
    for since in ("yesterday", "99999999999d", "9999999999999999999w"):
        assert f"--since {since} is neither" in (await audit("--since", since)).stderr
    bad = tmp_path / "bad.env"
    bad.write_text("nonsense")
    assert "must have lines such as" in (await run("audit", "--store", "s3://x", "--key", VERIFIER.vkey, "--secret-file", str(bad))).stderr
    assert "No entries." in (await audit()).stderr


async def test_in_a_cluster(store: S3Store, server: Server, prefix: str, kube: Kube, namespace: str, audit: Run) -> None:
    """ConfigMap and Secret say where it is."""
    where, environment = ["--kubeconfig", str(kube.kubeconfig)], {"SLIPWAY_NAMESPACE": namespace}
    assert "the platform names no ledger (ConfigMap slipway-ledger" in (await audit(where=where, **environment)).stderr
    config = {"uri": f"s3://{BUCKET}/{prefix}"}
    kube.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "slipway-ledger", "namespace": namespace}, "data": config})
    assert "has not published the ledger's key yet" in (await audit(where=where, **environment)).stderr
    config |= {"vkey": VERIFIER.vkey, "secretName": "slipway-ledger-reader", "embedded": "false"}
    kube.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "slipway-ledger", "namespace": namespace}, "data": config})
    assert "no Secret slipway-ledger-reader" in (await audit(where=where, **environment)).stderr
    values = {name: base64.b64encode(value.encode()).decode() for name, value in server.secret.items()}
    kube.apply(
        {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "slipway-ledger-reader", "namespace": namespace}, "data": values}
    )
    listed = await audit("-o", "json", "--deployment", "other", where=where, **environment)
    assert listed.code == 0, listed.stderr
    assert len(json.loads(listed.stdout)) == 9
    assert (await audit("verify", where=where, **environment)).code == 0
