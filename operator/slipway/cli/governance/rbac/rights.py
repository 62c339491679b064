"""Who may do what matters for governance, a namespace at a time. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from slipway.cli.cluster import Json
from slipway.cli.governance.rbac.grants import ALL, Grant, Subject

WRITES = ("create", "update", "patch", "delete")
APPROVE, OVERRIDE, DEPLOY = "approve", "override", "deploy"
READ, ERASE, TELL = "read predictions", "erase predictions", "push actuals"
LOG = {READ: ("get", "predictions"), ERASE: ("delete", "predictions"), TELL: ("create", "actuals")}
"""Verb and virtual resource that the collector asks the apiserver about (docs/collector.md)."""
POLICIES, STAGES = "write policies", "label namespaces"


@dataclass(frozen=True)
class Right:
    """Somebody may do something in a namespace, or (empty) in the cluster."""

    namespace: str
    what: str
    role: str
    """For `approve`; `*`: in every role."""
    subject: Subject
    through: tuple[str, ...]

    @property
    def words(self) -> str:
        return f"approve as {self.role}" if self.role else self.what


def rights(found: list[Grant], namespace: str, roles: Iterable[str]) -> list[Right]:
    """In one namespace. `roles`: those that policies ask for; others are found in the rules."""
    named = {name for grant in found if grant.rule.allows("approve", "approvalroles") for name in grant.rule.names}
    asked = [
        *((APPROVE, role, [grant for grant in found if _may_approve(grant, namespace, role)]) for role in _roles({*roles, *named})),
        (OVERRIDE, "", [grant for grant in found if _may(grant, namespace, ("override",), "modeldeployments")]),
        (DEPLOY, "", [grant for grant in found if _may(grant, namespace, WRITES[:3], "modeldeployments")]),
        *((what, "", [grant for grant in found if _may(grant, namespace, (verb,), kind)]) for what, (verb, kind) in LOG.items()),
    ]
    return [right for what, role, given in asked for right in _by_subject(given, namespace, what, role)]


def cluster_rights(found: list[Grant]) -> list[Right]:
    """Of the whole cluster: policies, and the stages of namespaces, which take both rights."""
    writers = [grant for grant in found if _may(grant, "", WRITES, "approvalpolicies")]
    admitted = {grant.subject for grant in found if _may(grant, "", ("update",), "approvalpolicies")}
    labelling = [
        grant
        for grant in found
        if grant.subject in admitted and any(grant.rule.allows(verb, "namespaces", group="") for verb in WRITES[:3])
    ]
    return [*_by_subject(writers, "", POLICIES, ""), *_by_subject(labelling, "", STAGES, "")]


def _may(grant: Grant, namespace: str, verbs: Iterable[str], resource: str) -> bool:
    return grant.holds_in(namespace) and any(grant.rule.allows(verb, resource) for verb in verbs)


def _may_approve(grant: Grant, namespace: str, role: str) -> bool:
    if not grant.holds_in(namespace):
        return False
    return grant.rule.allows("approve", "approvalroles", None if role == ALL else role) and (role != ALL or not grant.rule.names)


def _roles(named: set[str]) -> list[str]:
    """Without any name, whoever may approve in every role is shown all the same."""
    return sorted(named) or [ALL]


def _by_subject(given: list[Grant], namespace: str, what: str, role: str) -> Iterator[Right]:
    through: dict[Subject, dict[str, None]] = {}
    for grant in given:
        through.setdefault(grant.subject, {})[grant.through] = None
    for subject in sorted(through):
        yield Right(namespace, what, role, subject, tuple(through[subject]))


def can_speak(found: list[Grant], right: Right) -> bool:
    """Whether the same subject may create ModelApprovals there, too, and a service account speak at all."""
    creates = any(g.subject == right.subject and _may(g, right.namespace, ("create",), "modelapprovals") for g in found)
    return creates and (right.subject.is_person or right.subject.kind == "Group" or may_automate(found, right))


def may_automate(found: list[Grant], right: Right) -> bool:
    """Whether the subject has the verb `automate` on the role, which service accounts need beside `approve`; never to override."""
    if right.what != APPROVE:
        return False
    name = None if right.role == ALL else right.role
    return any(
        g.subject == right.subject and g.holds_in(right.namespace) and g.rule.allows("automate", "approvalroles", name) for g in found
    )


def policies_of(policies: Iterable[Json], stage: str) -> list[Json]:
    """Those that have a say in namespaces of the stage."""
    return [policy for policy in policies if stage and stage in policy["spec"]["match"]["stages"]]


def roles_of(policies: Iterable[Json]) -> set[str]:
    """The roles that they ask for."""
    return {role for policy in policies for role in policy["spec"].get("require", {}).get("fromEachRole") or []}
