"""Watch handlers: each event goes to the engine, which puts keys on the queue. Nothing is decided here."""

from __future__ import annotations

from typing import Any

import kopf

from slipway.cluster.resources import WATCHED, Resource
from slipway.reconcile.engine import Engine, label_selector

INACTIVITY_SECONDS = 70.0
"""The apiserver sends a bookmark every minute: a stream silent for longer is stalled, and opened anew."""


class NullStorage(kopf.DiffBaseStorage):
    """kopf's memory of objects, which nothing here needs."""

    def fetch(self, *, body: kopf.Body) -> None:
        return None

    def store(self, *, body: kopf.Body, patch: kopf.Patch, essence: Any) -> None:
        return None


def registry_for(engine: Engine) -> kopf.OperatorRegistry:
    """A kopf registry that hands every watch event to the engine."""
    registry = kopf.OperatorRegistry()
    kopf.on.login(registry=registry)(_login)
    for resource in WATCHED:
        _watch(registry, resource, engine)
    return registry


def _login(**kwargs: Any) -> kopf.ConnectionInfo | None:
    """The pod's service account, else KUBECONFIG; called again whenever the apiserver stops accepting the credentials."""
    return kopf.login_with_service_account(**kwargs) or kopf.login_with_kubeconfig(**kwargs)


def _watch(registry: kopf.OperatorRegistry, resource: Resource, engine: Engine) -> None:
    async def handle(event: Any, **_: Any) -> None:
        engine.observe(resource, event["type"], event["object"])

    kopf.on.event(resource.group, resource.version, resource.plural, registry=registry, id=f"watch-{resource.plural}")(handle)


def kopf_settings(namespaces: tuple[str, ...]) -> kopf.OperatorSettings:
    """Kopf as a watch machine: no annotations, no finalizers, no Events, no peering."""
    settings = kopf.OperatorSettings()
    settings.posting.enabled = False
    settings.peering.standalone = True
    settings.persistence.diffbase_storage = NullStorage()
    settings.persistence.finalizer = "slipway.dev/never-used"
    settings.queueing.idle_timeout = 0.05
    settings.queueing.exit_timeout = 1.0
    settings.watching.inactivity_timeout = INACTIVITY_SECONDS
    settings.watching.connect_timeout = 10
    settings.scanning.disabled = bool(namespaces)  # namespaced: no right to read CRDs, and no need
    for resource in WATCHED:
        selector = label_selector(resource)
        if selector:
            settings.watching.label_selectors[resource.plural] = selector
    return settings
