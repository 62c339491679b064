"""docs/approvals.md as it is written: its YAML applied, and its story lived, by people who have the rights it gives them and no others."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import yaml

from tests.cluster.control_plane import ControlPlane
from tests.integration.governance_cli.conftest import PREFIX
from tests.integration.governance_cli.desk import Desk
from tests.integration.ledger_store import LedgerStore
from tests.integration.operator import OperatorProcess
from tests.integration.samples import version
from tests.kube import Kube, Manifest
from tests.unit.docs.pages import ROOT, blocks

PEOPLE = {"anna": "growth-ds", "boris": "risk-team", "dave": "platform-team"}
"""By their names and groups; dave is the page's."""
ASKED = ("ModelDeployment", "ModelApproval")


def page(*kinds: str) -> list[Manifest]:
    """Its objects of these kinds."""
    text = (ROOT / "docs/approvals.md").read_text()
    return [found for _, body in blocks(text, "yaml") for found in yaml.safe_load_all(body) if found["kind"] in kinds]


@pytest.fixture(scope="module")
def prod(plane: ControlPlane, store: LedgerStore, governor: OperatorProcess, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """Namespace growth-prod with the page's policies and roles."""
    prod = Desk(plane, Kube(plane.kubeconfig), store, "growth-prod", tmp_path_factory.mktemp("desk"), PREFIX)
    for manifest in page("Namespace", "ApprovalPolicy", "Role", "RoleBinding"):
        prod.kube.apply(manifest)
    for who, group in PEOPLE.items():
        prod.kubeconfig_of(who, group)
    prod.await_right("dave", "override", "modeldeployments", "churn")
    yield prod
    for policy in page("ApprovalPolicy"):
        prod.kube.delete("ApprovalPolicy", None, policy["metadata"]["name"])
    prod.kube.delete("Namespace", None, prod.namespace)


def test_the_story(prod: Desk) -> None:
    prod.apply("anna", *page("Model"), version(prod.namespace, "4"))
    wish, end = page("ModelDeployment")
    prod.apply("anna", wish)
    revision = prod.await_waiting()
    assert prod.status()["approval"]["policies"] == ["production"]

    assert prod.run("boris", "approve", "churn", "--as", "risk", "--revision", revision).code == 0
    assert "cannot create resource" in prod.run("anna", "approve", "churn", "--as", "risk", "--revision", revision).stderr
    assert prod.run("dave", "approve", "churn", "--as", "platform", "--revision", revision).code == 0
    prod.await_serving("4")

    prod.apply("anna", wish | {"spec": wish["spec"] | {"resources": {"limits": {"memory": "2Gi"}}}})
    waiting = prod.await_waiting(past=revision)
    overridden = prod.run("dave", "override", "churn", "--revision", waiting, "--reason", "out of memory in production")
    assert overridden.code == 0, overridden.stderr
    prod.await_serving("4")

    prod.apply("anna", end)
    prod.await_waiting(past=waiting)
    assert "to be retired: it stops serving for good" in prod.run("boris", "diff", "churn").stdout
    for who, role in (("boris", "risk"), ("dave", "platform")):
        assert prod.run(who, "approve", "churn", "--as", role, "--yes").code == 0
    prod.await_reason("Retired")
    prod.delete("anna")


def test_an_approval_without_the_plugin(prod: Desk) -> None:
    (approval,) = page("ModelApproval")
    answer = prod.say("boris", groups=("risk-team",), **approval["spec"])
    assert answer.landed, answer.message
    assert answer.body["spec"]["approver"] == "boris"


def test_rbac_check_shows_what_the_page_shows(prod: Desk) -> None:
    shown = prod.run("admin", "rbac", "check", "--strict")
    assert shown.code == 0, shown.stdout
    lines = {" ".join(line.split()) for line in shown.stdout.splitlines()}
    (console,) = [body for _, body in blocks((ROOT / "docs/approvals.md").read_text(), "console") if "rbac check" in body]
    told = {" ".join(line.split()) for line in console.splitlines()[1:] if line}
    assert told <= lines, f"{told - lines} is on the page, and not shown"
