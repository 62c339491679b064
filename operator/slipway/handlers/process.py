"""The life of an operator process: watch always, write only while leading, end in good order."""

from __future__ import annotations

import asyncio
import logging

import kopf
from kopf._core.engines.peering import Identity

from slipway.cluster.client import Cluster
from slipway.cluster.http import ApiServer
from slipway.cluster.leader import Elector, LeaseLost
from slipway.handlers.watch import kopf_settings, registry_for
from slipway.ledger.note import Verifier
from slipway.reconcile.engine import Engine, watched_by
from slipway.reconcile.journal import Journal, mounted_at, opening_of, publish_verifier
from slipway.settings import LedgerPlace, Settings
from slipway.telemetry import http

log = logging.getLogger(__name__)

STOP_SECONDS = 10.0
"""How long reconciles under way may take to end on shutdown; cut off after that, which is safe."""


async def run(settings: Settings) -> int:
    """Runs until asked to end (exit code 0) or until leadership is lost (1)."""
    transport = await ApiServer.connect(len(watched_by(settings)) * max(1, len(settings.watch_namespaces)))
    cluster = Cluster(transport)
    journal = _journal(settings.ledger) if settings.ledger else Journal()
    engine = Engine(cluster, settings, journal)
    elector = Elector(cluster, settings.namespace, settings.identity, settings.lease_seconds)
    watches = asyncio.create_task(_watch(engine, transport, settings))
    leadership = asyncio.create_task(_lead(engine, elector))
    work = asyncio.create_task(_work(engine, elector, journal))
    ledger = asyncio.create_task(_keep_ledger(engine, cluster, journal, elector, settings))
    endpoints = await http.serve(
        settings.http_port,
        healthy=lambda: "the watches ended" if watches.done() else None,
        ready=lambda: None if engine.synced else f"still listing {engine.lister.missing}",
    )
    try:
        await asyncio.wait({watches, leadership, work, ledger}, return_when=asyncio.FIRST_COMPLETED)
        if ledger.done():
            log.error("the ledger's task ended: this is a bug", exc_info=ledger.exception())
        code = await _end(engine, elector, watches, leadership, work)
        return 1 if ledger.done() else code
    finally:
        ledger.cancel()  # closes it in good order: what was appended is signed
        await asyncio.gather(ledger, return_exceptions=True)
        await endpoints.cleanup()
        await transport.close()


def _journal(place: LedgerPlace) -> Journal:
    return Journal(opening_of(place), place.uri, lambda: mounted_at(place))


async def _watch(engine: Engine, transport: ApiServer, settings: Settings) -> None:
    """Kopf's watches, our lists; returns when the process is asked to end (kopf listens for the signals), and takes nothing else with it.

    `kopf.operator` would cancel every task of the process after five seconds: reconciles under way, too.
    """
    namespaces, watched = settings.watch_namespaces, watched_by(settings)
    tasks = await kopf.spawn_tasks(
        registry=registry_for(engine, transport, watched, namespaces),
        settings=kopf_settings(watched, namespaces, settings.watch_inactivity_seconds),
        identity=Identity(settings.identity),  # kopf would look up a user name, which a container's uid has none of
        standalone=True,
        clusterwide=not namespaces,
        namespaces=namespaces,
    )
    tasks = [*tasks, asyncio.create_task(engine.lister.run())]
    begun = asyncio.create_task(engine.list_cron_jobs())
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in (*tasks, begun):
            task.cancel()
        await asyncio.gather(*tasks, begun, return_exceptions=True)


async def _lead(engine: Engine, elector: Elector) -> None:
    """Only a replica that knows everything may lead: until then it could do nothing but stand in the way."""
    await engine.lister.listed.wait()
    log.info("synced")
    await elector.run()


async def _work(engine: Engine, elector: Elector, journal: Journal) -> None:
    await elector.leading.wait()
    await journal.settled()
    await engine.work()


async def _keep_ledger(engine: Engine, cluster: Cluster, journal: Journal, elector: Elector, settings: Settings) -> None:
    """The ledger is open while this replica leads."""

    async def opened(verifier: Verifier) -> None:
        engine.ledger_opened()
        await publish_verifier(cluster, settings.namespace, verifier.vkey)

    await elector.leading.wait()
    await journal.run(opened)


async def _end(
    engine: Engine, elector: Elector, watches: asyncio.Task[None], leadership: asyncio.Task[None], work: asyncio.Task[None]
) -> int:
    """Lets reconciles finish, gives up the Lease, and says why the process ends."""
    lost = leadership.done() and isinstance(leadership.exception(), LeaseLost)
    if lost:
        log.error("leadership lost: %s", leadership.exception())
    else:
        engine.stop()
        await asyncio.wait({work}, timeout=STOP_SECONDS if elector.leading.is_set() else 0)
        leadership.cancel()
        await asyncio.wait({leadership})
        await elector.release()
    failures = [task.exception() for task in (watches, work, leadership) if task.done() and not task.cancelled()]
    for task in (watches, leadership, work):
        task.cancel()
    await asyncio.gather(watches, leadership, work, return_exceptions=True)
    for failure in filter(None, failures):
        if not isinstance(failure, LeaseLost):
            log.error("ended by an error", exc_info=failure)
    return 1 if any(failures) else 0
