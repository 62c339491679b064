"""What the watches have told: the newest known state of every object, indexed by what a reconcile asks for."""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson

from slipway.cluster.resources import (
    CHILD_KINDS,
    CONTROLLER_REVISION,
    CRON_JOB,
    MODEL_APPROVAL,
    MODEL_DEPLOYMENT,
    MODEL_MONITOR,
    MODEL_VERSION,
    POD,
    Manifest,
    Resource,
)
from slipway.telemetry import metrics

DEPLOYMENT_LABEL = "slipway.dev/deployment"
MONITOR_LABEL, MONITOR_NAMESPACE_LABEL = "slipway.dev/monitor", "slipway.dev/monitor-namespace"
"""On a CronJob: the name and namespace of the ModelMonitor that it runs."""

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
"""kubectl's copy of the whole object, in the object."""

MAX_BURIED = 10_000
"""Deletions remembered at most."""

MAX_STRINGS = 20_000
"""Strings that are known at once, to be shared; then it begins anew."""
_strings: dict[str, str] = {}

Key = tuple[str, str]
"""Namespace and name."""
Group = tuple[str, str, str]
"""Kind, namespace and what its members have in common."""
PACKED = (*CHILD_KINDS, CONTROLLER_REVISION, CRON_JOB)
"""Of which there are many to each of ours."""


@dataclass(frozen=True, slots=True)
class _Known:
    """One object: what is compared often, and the rest as it is held."""

    version: int
    uid: str
    groups: tuple[Group, ...]
    held: Manifest | bytes
    """Children as JSON: a dict of the same takes five times the memory, and few are read."""

    @property
    def manifest(self) -> Manifest:
        found: Manifest = orjson.loads(self.held) if isinstance(self.held, bytes) else self.held
        return found


class Store:
    """Objects by kind and key. Older states never replace newer ones, so answers to our own writes may be put in at once."""

    def __init__(self) -> None:
        self._objects: dict[str, dict[Key, _Known]] = defaultdict(dict)
        self._groups: dict[Group, set[Key]] = defaultdict(set)
        self._buried: OrderedDict[tuple[str, Key], int] = OrderedDict()

    def is_news(self, resource: Resource, manifest: Manifest) -> bool:
        """False when this state or a newer one is known, or that the object was deleted since."""
        key, version = key_of(manifest), int(manifest["metadata"]["resourceVersion"])
        known = self._objects[resource.kind].get(key)
        return version > self._buried.get((resource.kind, key), -1) and (known is None or version > known.version)

    def put(self, resource: Resource, manifest: Manifest) -> bool:
        """Keeps the object if it is news; whether it is."""
        if not self.is_news(resource, manifest):
            return False
        key = key_of(manifest)
        if known := self._objects[resource.kind].get(key):
            self._ungroup(key, known)
        self._objects[resource.kind][key] = new = _known(resource, manifest)
        for group in new.groups:
            self._groups[group].add(key)
        metrics.OBJECTS.labels(resource.kind).set(len(self._objects[resource.kind]))
        return True

    def remove(self, resource: Resource, manifest: Manifest) -> bool:
        """Forgets the object; False when it was not known, or a newer one has taken its name."""
        key, meta = key_of(manifest), manifest["metadata"]
        known = self._objects[resource.kind].get(key)
        if known is None or (known.uid != meta["uid"] and known.version > int(meta["resourceVersion"])):
            return False
        self._ungroup(key, known)
        del self._objects[resource.kind][key]
        self._bury(resource, key, manifest)
        metrics.OBJECTS.labels(resource.kind).set(len(self._objects[resource.kind]))
        return True

    def newest(self, resource: Resource) -> int:
        """The highest resourceVersion of all that is known of the resource; 0 for nothing."""
        return max((known.version for known in self._objects[resource.kind].values()), default=0)

    def versions(self, resource: Resource, namespace: str | None = None) -> dict[Key, int]:
        """The resourceVersions of all that is known; of one namespace, if it is given."""
        return {key: known.version for key, known in self._objects[resource.kind].items() if namespace in (None, key[0])}

    def get(self, resource: Resource, namespace: str, name: str) -> Manifest | None:
        known = self._objects[resource.kind].get((namespace, name))
        return known.manifest if known else None

    def count(self, resource: Resource) -> int:
        return len(self._objects[resource.kind])

    def all(self, resource: Resource) -> Iterator[Manifest]:
        for known in list(self._objects[resource.kind].values()):
            yield known.manifest

    def of_deployment(self, resource: Resource, namespace: str, name: str) -> list[Manifest]:
        """Children or pods that carry the deployment's label; approvals and monitors that name it."""
        return self._group(resource, (resource.kind, namespace, f"deployment/{name}"))

    def of_monitor(self, namespace: str, name: str) -> list[Manifest]:
        """CronJobs that carry the ModelMonitor's labels."""
        return self._group(CRON_JOB, (CRON_JOB.kind, namespace, f"monitor/{name}"))

    def of_model(self, resource: Resource, namespace: str, model: str) -> list[Manifest]:
        """ModelVersions or ModelDeployments of a model."""
        return self._group(resource, (resource.kind, namespace, f"model/{model}"))

    def of_version(self, namespace: str, name: str) -> list[Manifest]:
        """ModelDeployments that ask for a ModelVersion."""
        return self._group(MODEL_DEPLOYMENT, (MODEL_DEPLOYMENT.kind, namespace, f"version/{name}"))

    def serving(self, digest: str) -> list[Manifest]:
        """ModelDeployments of all namespaces that serve these bytes."""
        return self._group(MODEL_DEPLOYMENT, (MODEL_DEPLOYMENT.kind, "", f"digest/{digest}"))

    def waiting(self) -> list[Manifest]:
        """ModelDeployments of all namespaces that wait for approval."""
        return self._group(MODEL_DEPLOYMENT, (MODEL_DEPLOYMENT.kind, "", "waiting"))

    def of_namespace(self, namespace: str) -> list[Manifest]:
        """ModelDeployments of the namespace."""
        return self._group(MODEL_DEPLOYMENT, (MODEL_DEPLOYMENT.kind, namespace, "all"))

    def _group(self, resource: Resource, group: Group) -> list[Manifest]:
        objects = self._objects[resource.kind]
        return [objects[key].manifest for key in sorted(self._groups.get(group, ()))]

    def _bury(self, resource: Resource, key: Key, manifest: Manifest) -> None:
        """Remembers the deletion for a while: an answer to our own earlier write may arrive after it."""
        self._buried[resource.kind, key] = int(manifest["metadata"]["resourceVersion"])
        self._buried.move_to_end((resource.kind, key))
        if len(self._buried) > MAX_BURIED:
            self._buried.popitem(last=False)

    def _ungroup(self, key: Key, known: _Known) -> None:
        for group in known.groups:
            members = self._groups[group]
            members.discard(key)
            if not members:
                del self._groups[group]


def key_of(manifest: Manifest) -> Key:
    meta = manifest["metadata"]
    return meta.get("namespace", ""), meta["name"]


def _known(resource: Resource, manifest: Manifest) -> _Known:
    kept, meta = _kept(resource, manifest), manifest["metadata"]
    groups = tuple(_groups(resource, kept))
    held = _packed(kept) if resource in PACKED else _shared(kept)
    return _Known(int(meta["resourceVersion"]), meta.get("uid", ""), groups, held)


def _packed(manifest: Manifest) -> bytes:
    """As JSON. A copy: what orjson returns keeps the room that it was written in, several times its length."""
    return bytes(memoryview(orjson.dumps(manifest)))


def _kept(resource: Resource, manifest: Manifest) -> Manifest:
    """What is remembered of an object: not who wrote which field, and not a pod's spec."""
    meta = {key: value for key, value in manifest["metadata"].items() if key != "managedFields"}
    if "annotations" in meta:
        meta["annotations"] = {key: value for key, value in meta["annotations"].items() if key != LAST_APPLIED}
    kept = {"apiVersion": resource.api_version, "kind": resource.kind} | manifest | {"metadata": meta}
    if resource is POD:
        kept.pop("spec", None)
    return kept


def _shared(value: Any) -> Any:
    """The value with equal strings only once: thousands of objects say the same."""
    if isinstance(value, str):
        return _once(value)
    if isinstance(value, dict):
        return {_once(key): _shared(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_shared(item) for item in value]
    return value


def _once(text: str) -> str:
    """An equal string that is there already. Not `sys.intern`: Python 3.12 keeps its strings for ever, and resourceVersions are all new."""
    if len(_strings) >= MAX_STRINGS:
        _strings.clear()
    return _strings.setdefault(text, text)


def _by_status(kind: str, namespace: str, status: Manifest) -> list[Group]:
    groups = [(kind, namespace, "all")]
    if digest := status.get("digest"):
        groups.append((kind, "", f"digest/{digest}"))
    if (status.get("approval") or {}).get("state") == "Waiting":
        groups.append((kind, "", "waiting"))
    return groups


def _of_its_monitor(manifest: Manifest) -> list[Group]:
    labels = manifest["metadata"].get("labels") or {}
    namespace, name = labels.get(MONITOR_NAMESPACE_LABEL), labels.get(MONITOR_LABEL)
    return [(CRON_JOB.kind, namespace, f"monitor/{name}")] if namespace and name else []


def _groups(resource: Resource, manifest: Manifest) -> list[Group]:
    namespace = manifest["metadata"].get("namespace", "")
    if resource in (MODEL_DEPLOYMENT, MODEL_VERSION):
        spec = manifest["spec"]
        groups = [(resource.kind, namespace, f"model/{spec.get('model', '')}")]
        if resource is MODEL_DEPLOYMENT:
            groups.append((resource.kind, namespace, f"version/{spec.get('model', '')}-{spec.get('version', '')}"))
            groups += _by_status(resource.kind, namespace, manifest.get("status") or {})
        return groups
    if resource is CRON_JOB:
        return _of_its_monitor(manifest)
    if resource in (MODEL_APPROVAL, MODEL_MONITOR):
        return [(resource.kind, namespace, f"deployment/{manifest['spec']['deployment']}")]
    label = (manifest["metadata"].get("labels") or {}).get(DEPLOYMENT_LABEL)
    return [(resource.kind, namespace, f"deployment/{label}")] if label else []
