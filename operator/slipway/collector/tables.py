"""The tables that were used last, open; and what the models say about their columns."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping

from slipway.cluster.client import Cluster
from slipway.cluster.http import ApiError, Transport
from slipway.cluster.resources import MODEL, MODEL_DEPLOYMENT
from slipway.collector.log.place import address, folders, open_store
from slipway.collector.log.table import Table
from slipway.collector.remembered import Remembered
from slipway.collector.settings import LogPlace

OPEN = 256
"""Tables of which this process keeps the list of files."""


class Tables:
    """Opens tables, each kept for the next time. One caller at a time uses a table of one purpose."""

    def __init__(self, place: LogPlace) -> None:
        self._place = place
        self._open: OrderedDict[tuple[str, str], Table] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, namespace: str, deployment: str, kind: str, purpose: str = "write") -> Table:
        """Raises Refused (400) for names that are none."""
        uri = address(self._place.uri, namespace, deployment, kind)
        with self._lock:
            table = self._open.pop((purpose, uri), None) or Table(uri, kind, self._place)
            self._open[purpose, uri] = table
            while len(self._open) > OPEN:
                self._open.popitem(last=False)
            return table

    def deployments(self, namespace: str) -> list[str]:
        """Deployments of the namespace that have tables."""
        return folders(open_store(self._place, self._place.uri), namespace)

    def all(self) -> list[tuple[str, str]]:
        """Namespace and deployment of everything that has tables."""
        store = open_store(self._place, self._place.uri)
        return [(namespace, deployment) for namespace in folders(store) for deployment in folders(store, namespace)]


class Schemas:
    """The datatypes that Models declare for the log."""

    def __init__(self, send: Transport) -> None:
        self._cluster = Cluster(send)
        self._kept: Remembered[tuple[str, str], Mapping[str, str]] = Remembered(entries=2000)

    async def datatypes(self, namespace: str, deployment: str) -> Mapping[str, str]:
        """Datatype by column of a batch (`in_age` → `INT64`); nothing if no Model says it, or while the apiserver does not answer."""

        async def ask() -> Mapping[str, str]:
            owner = await self._cluster.get(MODEL_DEPLOYMENT, namespace, deployment, timeout=5.0)
            name = (owner or {}).get("spec", {}).get("model")
            return declared(await self._cluster.get(MODEL, namespace, name, timeout=5.0) or {}) if name else {}

        try:
            return await self._kept.get((namespace, deployment), ask)
        except ApiError:
            return {}


def declared(model: Mapping[str, object]) -> dict[str, str]:
    """`spec.schema` of a Model, by column."""
    spec = model.get("spec")
    schema = spec.get("schema") if isinstance(spec, dict) else None
    found: dict[str, str] = {}
    for part, prefix in (("inputs", "in_"), ("outputs", "out_")):
        for column in (schema or {}).get(part) or []:
            found[prefix + column["name"]] = column["datatype"]
    return found
