"""What of these rights is dangerous, or does not do what it is meant for. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from slipway.cli.cluster import Json
from slipway.cli.governance.rbac.grants import ALL, GROUP, Grant, Rule, Subject
from slipway.cli.governance.rbac.rights import (
    APPROVE,
    DEPLOY,
    OVERRIDE,
    WRITES,
    Right,
    can_speak,
)
from slipway.plan.gate.requirements import unfilled

WARNING, INFORMATION = "Warning", "Information"
EVERYBODY = {"system:authenticated", "system:unauthenticated", "system:serviceaccounts"}
ROOT = Subject("Group", "system:masters")
RBAC = "rbac.authorization.k8s.io"
_IDENTITY_GROUPS = {"", "authentication.k8s.io", ALL}
_PEOPLE = {"users", "groups", "uids", "userextras", ALL}
"""Of the whole cluster: to act as them cannot be granted in a namespace; who acts as any service account acts as the operator, too."""
_STRONG = (*WRITES, "approve", "override", "automate", ALL)


@dataclass(frozen=True, order=True)
class Finding:
    """Something that a person should look at."""

    level: str
    code: str
    namespace: str
    """Empty: in the whole cluster."""
    message: str


def of_grants(found: list[Grant]) -> list[Finding]:
    """Of single rules, each once."""
    return list(dict.fromkeys(finding for grant in found for finding in _of_grant(grant)))


def _of_grant(grant: Grant) -> Iterator[Finding]:
    rule, where, who = grant.rule, grant.namespace, f"{grant.subject} ({grant.through})"
    if _is_admin(grant):
        if grant.subject == ROOT:
            yield Finding(INFORMATION, "ClusterAdmin", "", f"{who} may do everything, and RBAC cannot narrow it: guard its certificates")
        else:
            yield Finding(WARNING, "ClusterAdmin", where, f"{who} may do everything, approve and override included")
        return
    touches = not rule.groups.isdisjoint((GROUP, ALL))
    if ALL in rule.verbs and touches and _governed(rule):
        yield Finding(
            WARNING, "WildcardVerbs", where, f'{who} has verbs: ["*"], which includes approve, automate and override: name the verbs'
        )
    elif ALL in rule.resources and touches and not rule.verbs.isdisjoint(_STRONG):
        said = ", ".join(sorted(rule.verbs))
        yield Finding(WARNING, "WildcardResources", where, f'{who} may {said} resources: ["*"], of {GROUP} all: name the resources')
    yield from _roundabout(grant, who)


def _roundabout(grant: Grant, who: str) -> Iterator[Finding]:
    """Ways to somebody else's rights."""
    rule, where = grant.rule, grant.namespace
    if any(verb.startswith("impersonate") or verb == ALL for verb in rule.verbs) and not rule.groups.isdisjoint(_IDENTITY_GROUPS):
        if not where and not rule.resources.isdisjoint((*_PEOPLE, "serviceaccounts")):
            yield Finding(WARNING, "Impersonate", where, f"{who} may act as somebody else, and approve in their name")
        elif not rule.resources.isdisjoint(("serviceaccounts", ALL)):
            said = f"{who} may act as service accounts, so give none of them automate on a role"
            yield Finding(INFORMATION, "ImpersonateServiceAccount", where, said)
    for verb in ("escalate", "bind"):
        if any(rule.allows(verb, kind, group=RBAC) for kind in ("roles", "clusterroles")):
            yield Finding(WARNING, verb.capitalize(), where, f"{who} may {verb} roles, and so give themselves the right to approve")
    if grant.subject.name in EVERYBODY and any(
        rule.allows(verb, resource)
        for verb, resource in (("approve", "approvalroles"), ("override", "modeldeployments"), ("update", "approvalpolicies"))
    ):
        yield Finding(WARNING, "Everybody", where, f"{who}: that is everybody, or every service account")


def _is_admin(grant: Grant) -> bool:
    rule = grant.rule
    return grant.role == "ClusterRole cluster-admin" or (ALL in rule.verbs and ALL in rule.groups and ALL in rule.resources)


def _governed(rule: Rule) -> bool:
    return not rule.resources.isdisjoint(("approvalroles", "modeldeployments", ALL))


def of_namespace(namespace: str, found: list[Grant], held: list[Right], policies: list[Json]) -> list[Finding]:
    """What the rights of one namespace are together, and whether its policies can hold."""
    approvers = [right for right in held if right.what == APPROVE]
    return [
        *_both(namespace, held),
        *_mute(namespace, found, held),
        *(finding for policy in policies for finding in _of_policy(namespace, policy, [r for r in approvers if can_speak(found, r)])),
    ]


def _both(namespace: str, held: list[Right]) -> Iterator[Finding]:
    deploy = {right.subject for right in held if right.what == DEPLOY}
    for subject in sorted({right.subject for right in held if right.what == APPROVE} & deploy - {ROOT}):
        yield Finding(
            INFORMATION, "DeploysAndApproves", namespace, f"{subject} deploys and approves: with fourEyes, their own changes need others"
        )


def _mute(namespace: str, found: list[Grant], held: list[Right]) -> Iterator[Finding]:
    """Rights to speak that come to nothing."""
    for subject in sorted({right.subject for right in held if right.what in (APPROVE, OVERRIDE) and not can_speak(found, right)}):
        needs = "create on modelapprovals (ClusterRole slipway-approver)"
        said = f"may approve or override, but to say so needs {needs} as well, unless a group of theirs has it"
        if subject.kind == "ServiceAccount":
            said = f"is no person: to approve it needs {needs} and automate on the role as well, and it can never override"
        yield Finding(INFORMATION, "CannotSpeak", namespace, f"{subject} {said}")


def _of_policy(namespace: str, policy: Json, approvers: list[Right]) -> Iterator[Finding]:
    name, require = policy["metadata"]["name"], policy["spec"].get("require", {})
    needed, roles = require.get("approvals", 1), sorted(require.get("fromEachRole") or [])
    holders = {role: {right.subject for right in approvers if right.role in (role, ALL)} for role in roles}
    for role in roles:
        if not holders[role] - {ROOT}:
            said = f"policy {name} asks for an approval as {role}, and nobody may give it here"
            cure = f"grant approve on approvalroles/{role} and create on modelapprovals"
            yield Finding(WARNING, "RoleWithoutHolder", namespace, f"{said}: {cure}")
    people = {right.subject for right in approvers} - {ROOT}
    if not _has_group(people) and len(people) < needed:
        who = ", ".join(map(str, sorted(people))) or "nobody"
        said = f"policy {name} asks for {needed} approvals by different people, and only {who} may approve"
        yield Finding(WARNING, "TooFewPeople", namespace, said)
    elif _crowded({role: found - {ROOT} for role, found in holders.items()}):
        said = f"policy {name} asks for somebody else in each of the roles {', '.join(roles)}, and there are too few people for that"
        yield Finding(WARNING, "TooFewPeople", namespace, said)


def _crowded(holders: Mapping[str, set[Subject]]) -> bool:
    """Whether the roles that have people cannot each have their own. How many are in a group is not known: it fills its role."""
    counted = {role: {str(subject) for subject in found} for role, found in holders.items() if found and not _has_group(found)}
    return bool(unfilled(counted))


def _has_group(people: set[Subject]) -> bool:
    return any(subject.kind == "Group" for subject in people)
