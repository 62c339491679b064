"""Watch handlers: each event goes to the engine, which puts keys on the queue. Nothing is decided here."""

from __future__ import annotations

from typing import Any, cast

import kopf

from slipway.cluster.http import ApiServer
from slipway.cluster.resources import Resource
from slipway.handlers.session import Session
from slipway.reconcile.engine import Engine, label_selector

Watched = tuple[Resource, ...]
RETRY_SECONDS = (0.5, 1.0, 2.0, 4.0)
"""Between tries of one request; a watch then begins anew, for ever."""
RECONNECT_SECONDS = 0.02
"""Between two watches: what changes meanwhile has to be listed before it is seen."""


class NullStorage(kopf.DiffBaseStorage):
    """Kopf's memory of objects, which nothing here needs: it would copy each one twice an event."""

    def build(self, *, body: kopf.Body, extra_fields: Any = None, **_: Any) -> kopf.BodyEssence:
        return cast(kopf.BodyEssence, {})

    def fetch(self, *, body: kopf.Body) -> None:
        return None

    def store(self, *, body: kopf.Body, patch: kopf.Patch, essence: Any) -> None:
        return None


def registry_for(engine: Engine, server: ApiServer, watched: Watched, namespaces: tuple[str, ...]) -> kopf.OperatorRegistry:
    """A kopf registry that hands every watch event to the engine."""
    registry = kopf.OperatorRegistry()
    collections = {resource.path(namespace): (resource, namespace) for resource in watched for namespace in namespaces or (None,)}

    async def login(**_: Any) -> kopf.AiohttpSession:
        """The process's own transport, which renews its credentials by itself."""
        session = cast(Any, Session(server, collections, engine.lister.begin))
        return kopf.AiohttpSession(server=server.address, aiohttp_session=session)

    kopf.on.login(registry=registry)(login)
    for resource in watched:
        _watch(registry, resource, engine)
    return registry


def _watch(registry: kopf.OperatorRegistry, resource: Resource, engine: Engine) -> None:
    async def handle(event: Any, **_: Any) -> None:
        engine.observe(resource, event["type"], event["object"])

    kopf.on.event(resource.group, resource.version, resource.plural, registry=registry, id=f"watch-{resource.plural}")(handle)


def kopf_settings(watched: Watched, namespaces: tuple[str, ...], inactivity_seconds: float) -> kopf.OperatorSettings:
    """Kopf as a watch machine: no annotations, no finalizers, no Events, no peering."""
    settings = kopf.OperatorSettings()
    settings.posting.enabled = False
    settings.peering.standalone = True
    settings.persistence.diffbase_storage = NullStorage()
    settings.persistence.finalizer = "slipway.dev/never-used"
    settings.queueing.idle_timeout = 0.05
    settings.queueing.exit_timeout = 1.0
    settings.watching.inactivity_timeout = inactivity_seconds
    settings.networking.error_backoffs = RETRY_SECONDS
    settings.watching.connect_timeout = 10
    settings.watching.reconnect_backoff = RECONNECT_SECONDS
    settings.scanning.disabled = bool(namespaces)  # namespaced: no right to read CRDs, and no need
    for resource in watched:
        selector = label_selector(resource)
        if selector:
            settings.watching.label_selectors[resource.plural] = selector
    return settings
