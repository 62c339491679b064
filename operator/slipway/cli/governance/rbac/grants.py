"""RBAC as it is written: which rules each subject has, and where. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from slipway.cli.cluster import Json

GROUP = "slipway.dev"
ALL = "*"
_CONTROL_PLANE = "kube-system"


@dataclass(frozen=True)
class Rule:
    """One rule of a Role or ClusterRole."""

    verbs: frozenset[str]
    groups: frozenset[str]
    resources: frozenset[str]
    names: frozenset[str]
    """Empty: objects of every name."""

    def allows(self, verb: str, resource: str, name: str | None = None, group: str = GROUP) -> bool:
        """`name` None: objects of at least one name."""
        return (
            not self.verbs.isdisjoint((verb, ALL))
            and not self.groups.isdisjoint((group, ALL))
            and not self.resources.isdisjoint((resource, ALL))
            and (not self.names or name is None or name in self.names)
        )


@dataclass(frozen=True, order=True)
class Subject:
    """To whom something is granted."""

    kind: str
    name: str
    namespace: str = ""

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace + '/' if self.namespace else ''}{self.name}"

    @property
    def is_person(self) -> bool:
        return self.kind == "User" and not self.name.startswith("system:serviceaccount:")


@dataclass(frozen=True)
class Grant:
    """A rule that a subject has."""

    subject: Subject
    rule: Rule
    namespace: str
    """Where it holds; empty for the whole cluster."""
    role: str
    """`Role risk` or `ClusterRole risk`."""
    binding: str

    @property
    def through(self) -> str:
        return f"{self.binding} → {self.role}"

    def holds_in(self, namespace: str) -> bool:
        """`namespace` empty: for objects of the cluster."""
        return self.namespace in ("", namespace)


def grants(roles: Iterable[Json], bindings: Iterable[Json]) -> list[Grant]:
    """What all bindings grant, without what belongs to Kubernetes itself. A binding whose role is not there grants nothing."""
    rules = {(role["kind"], role["metadata"].get("namespace", ""), role["metadata"]["name"]): _rules(role) for role in roles}
    return [grant for binding in bindings for grant in _granted(binding, rules)]


def _granted(binding: Json, rules: dict[tuple[str, str, str], list[Rule]]) -> Iterator[Grant]:
    meta, reference = binding["metadata"], binding["roleRef"]
    namespace = meta.get("namespace", "")
    place = namespace if reference["kind"] == "Role" else ""
    kind = "RoleBinding" if namespace else "ClusterRoleBinding"
    for subject in map(_subject, binding.get("subjects") or []):
        if not _is_kubernetes(subject, reference["name"]):
            for rule in rules.get((reference["kind"], place, reference["name"]), []):
                yield Grant(subject, rule, namespace, f"{reference['kind']} {reference['name']}", f"{kind} {meta['name']}")


def _subject(reference: Json) -> Subject:
    namespace = reference.get("namespace", "") if reference["kind"] == "ServiceAccount" else ""
    return Subject(reference["kind"], reference["name"], namespace)


def _is_kubernetes(subject: Subject, role: str) -> bool:
    """The control plane's own rights: who has those components has the cluster anyway."""
    own = subject.namespace == _CONTROL_PLANE if subject.kind == "ServiceAccount" else subject.name.startswith("system:kube-")
    return own and role.startswith("system:")


def _rules(role: Json) -> list[Rule]:
    return [
        Rule(*(frozenset(rule.get(key) or ()) for key in ("verbs", "apiGroups", "resources", "resourceNames")))
        for rule in role.get("rules") or []
    ]
