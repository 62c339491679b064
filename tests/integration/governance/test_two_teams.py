"""The set-up of examples/governance, and that docs/access.md shows what `kubectl auth can-i` says to it."""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.cluster.tools import binary
from tests.integration.governance import cast
from tests.integration.governance.place import Place, approval, landed, refused
from tests.integration.people import Person
from tests.kube import Kube, load_yaml
from tests.unit.docs.pages import ROOT
from tests.wait import until

EXAMPLE = ROOT / "examples/governance"
PAGE = (ROOT / "docs/access.md").read_text()
QUESTION = re.compile(r"^\$ (kubectl auth can-i [^\n]*)\n((?:(?!\$ |```)[^\n]*\n)+)", re.MULTILINE)
ANSWERS = dict(QUESTION.findall(PAGE))


@pytest.fixture(scope="module")
def prod(kube: Kube, serving: Place) -> Iterator[Place]:
    for name in ("namespaces", "policy", "roles"):
        for manifest in load_yaml(EXAMPLE / f"{name}.yaml"):
            kube.apply(manifest)
    yield Place(serving.plane, kube, "growth-prod")
    for kind, found in (("ApprovalPolicy", "production"), ("Namespace", "growth-prod"), ("Namespace", "growth-staging")):
        kube.delete(kind, None, found)


def test_the_page_has_examples() -> None:
    assert len(ANSWERS) >= 8
    assert {answer.split()[-1] for answer in ANSWERS.values()} == {"yes", "no", "[approve]"}


@pytest.mark.parametrize("question", ANSWERS)
def test_kubectl_says_what_the_page_says(kube: Kube, prod: Place, question: str) -> None:
    expected = ANSWERS[question].strip()
    until(
        lambda: answered(kube.kubeconfig, question) == expected, 20, f"the answer {expected!r}, not {answered(kube.kubeconfig, question)!r}"
    )


def answered(kubeconfig: Path, question: str) -> str:
    """What kubectl prints, warnings before it; of a list, the lines that are asked for."""
    question, _, wanted = question.partition(" | grep ")
    command = [str(binary("kubectl")), f"--kubeconfig={kubeconfig}", *shlex.split(question)[1:]]
    outcome = subprocess.run(command, capture_output=True, text=True, check=False)
    lines = [line.rstrip() for line in (outcome.stderr + outcome.stdout).splitlines()]
    return "\n".join(line for line in lines if line and wanted in line)


@pytest.mark.parametrize(("who", "role"), [("rita", "risk"), ("paul", "platform")])
def test_each_speaks_in_its_own_role(prod: Place, who: str, role: str) -> None:
    other = {"risk": "platform", "platform": "risk"}[role]
    person = cast.person(prod.plane, who, role)
    until(partial(cast.may, person, "approve", "approvalroles", prod.namespace, role), 60, "the role to be granted")
    until(partial(cast.may, person, "create", "modelapprovals", prod.namespace), 60, "the right to create approvals")
    landed(person.send("POST", prod.mine("modelapprovals", ""), approval(**{"as": role})))
    refused(
        person.send("POST", prod.mine("modelapprovals", ""), approval(**{"as": other})), f"{who} may not speak as {other} in growth-prod"
    )


def test_the_growth_team_cannot_approve(prod: Place) -> None:
    alice: Person = cast.person(prod.plane, "alice", "growth")
    until(partial(cast.may, alice, "create", "modeldeployments", prod.namespace), 60, "the team's rights")
    answer = alice.send("POST", prod.mine("modelapprovals", ""), approval())
    assert (answer.code, "cannot create resource" in answer.message) == (403, True)
