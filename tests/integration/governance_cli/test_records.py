"""`trace` and `report` of a life that was really lived, read from a real ledger."""

from __future__ import annotations

import json
from pathlib import Path

from tests.integration.governance_cli.desk import Desk
from tests.integration.ledger_store import uri_of
from tests.integration.samples import DIGEST


def place(desk: Desk, folder: Path) -> list[str]:
    """Where the ledger is: this control plane has no platform that says so."""
    secret = folder / "secret.env"
    secret.write_text("".join(f"{name}={value}\n" for name, value in desk.store.server.secret.items()))
    return ["--store", uri_of(desk.prefix), "--secret-file", str(secret), "--key", desk.store.signer(desk.prefix).verifier.vkey]


def test_from_an_answer_to_its_approval(desk: Desk, tmp_path: Path) -> None:
    desk.kubeconfig_of("alice", "system:masters")
    desk.require()
    desk.serve_approved()
    ledger = place(desk, tmp_path)
    desk.await_entry("Serving")

    shown = desk.run("alice", "trace", "0b7a", "--deployment", "churn", "--digest", DIGEST, *ledger)
    assert shown.code == 0, shown.stderr
    for said in ("version 3 of model churn", DIGEST, "approved by bob", "bob as risk", "looked at", "audit prove"):
        assert said in shown.stdout, shown.stdout
    data = desk.run("alice", "trace", "0b7a", "--deployment", "churn", "-o", "json", *ledger).data
    assert (data["started"]["transition"], data["started"]["details"]["requestedBy"]) == ("Approved", ["alice"])
    assert data["proof"]["entry"] in [entry.id for entry in desk.entries()]
    assert data["applied"]["reason"] == "RolloutStarted"
    other = desk.run("alice", "trace", "0b7a", "--deployment", "churn", "--digest", "sha256:" + "0" * 64, *ledger)
    assert (other.code, "another deployment or version answered" in other.stderr) == (1, True)
    report(desk, ledger, tmp_path)


def report(desk: Desk, ledger: list[str], folder: Path) -> None:
    file = folder / "report.html"
    shown = desk.run("alice", "report", "churn", "--to", str(file), *ledger)
    assert shown.code == 0, shown.stderr
    assert "sha256:" in shown.stderr
    page = file.read_text()
    assert "cannot be approved" not in page
    for said in ("Approved revisions", "bob as risk: looked at", "One replica serves", "rolling out version 3"):
        assert said in page
    facts = json.loads(desk.run("alice", "report", "churn", "-o", "json", *ledger).stdout)
    assert facts["facts"] in page, "the same facts, however they are written"
    desk.require(require={"approvals": 1, "fromEachRole": ["audit"]})
    held = desk.run("alice", "report", "churn", "-o", "markdown", *ledger).stdout
    assert "The next change cannot be approved" in held
    assert "no ModelDeployment gone in namespace" in desk.run("alice", "report", "gone", *ledger).stderr
