"""Leader election by a Lease, fenced by the apiserver.

The elector keeps the Lease; the admission policy `slipway-leader-fence` lets only its holder write. So a leader that is paused
or cut off can do no harm, and this file only has to be live, not safe: see docs/adr/0003-elector-and-fence.md.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from slipway.cluster.client import Cluster
from slipway.cluster.http import ApiError, Conflict
from slipway.cluster.resources import LEASE, Manifest
from slipway.telemetry import metrics

LEASE_NAME = "slipway-operator"
RELEASE_TRIES = 3
log = logging.getLogger(__name__)


class LeaseLost(Exception):
    """Another replica leads now, or the Lease could not be renewed in time. The process ends and starts afresh."""


@dataclass
class _Seen:
    """The Lease as last read, and when (monotonic) its record last changed: other clocks are never trusted."""

    record: tuple[str, str] = ("", "")
    since: float = 0.0


class Elector:
    """Acquires the Lease, renews it, and gives it up on shutdown."""

    def __init__(
        self, cluster: Cluster, namespace: str, identity: str, lease_seconds: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._cluster = cluster
        self._namespace = namespace
        self._identity = identity
        self._duration = lease_seconds
        self._retry = lease_seconds / 5
        self._timeout = lease_seconds / 4
        self._clock = clock
        self._seen = _Seen()
        self.leading = asyncio.Event()

    async def run(self) -> None:
        """Competes until leading, then renews for ever.

        Raises:
            LeaseLost: leadership ended; the process must end too.

        """
        began = self._clock()
        while not await self._attempt():
            await asyncio.sleep(self._retry)
            began = self._clock()
        log.info("leading as %s", self._identity)
        metrics.LEADER.set(1)
        self.leading.set()
        try:
            await self._renew(began)
        finally:
            metrics.LEADER.set(0)
            self.leading.clear()

    async def _renew(self, renewed: float) -> None:
        """Renews until that fails for two thirds of the Lease's duration, counted from when the last good renewal was *sent*."""
        while True:
            left = renewed + self._duration * 2 / 3 - self._clock()
            try:
                async with asyncio.timeout(left):
                    await asyncio.sleep(self._retry)
                    began = self._clock()
                    kept = await self._attempt()
            except TimeoutError:
                raise LeaseLost("the Lease could not be renewed in time") from None
            if kept:
                renewed = began
            elif self._seen.record[0] != self._identity:
                raise LeaseLost(f"the Lease is held by {self._seen.record[0] or 'nobody'}")

    async def release(self) -> None:
        """Gives the Lease up, if it is held, so that another replica takes over at once; `run` must have ended."""
        for _ in range(RELEASE_TRIES):
            try:
                lease = await self._cluster.get(LEASE, self._namespace, LEASE_NAME, self._timeout)
                if lease and lease["spec"].get("holderIdentity") == self._identity:
                    lease["spec"] |= {"holderIdentity": "", "renewTime": _now(), "leaseDurationSeconds": 1}
                    await self._cluster.put(LEASE, lease, self._timeout)
                return
            except Conflict:  # a renewal that was cut off has landed after all
                continue
            except ApiError as error:
                log.warning("the Lease could not be released: %s", error)
                return

    async def _attempt(self) -> bool:
        """One try to take or renew the Lease; False when another holds it or the apiserver does not answer."""
        try:
            lease = await self._cluster.get(LEASE, self._namespace, LEASE_NAME, self._timeout)
            if lease is None:
                await self._cluster.put(LEASE, self._new_lease(), self._timeout)
                return True
            self._observe(lease)
            holder = lease["spec"].get("holderIdentity") or ""
            if holder not in ("", self._identity) and not self._expired(lease):
                return False
            await self._cluster.put(LEASE, self._taken(lease, holder), self._timeout)
            self._seen.record = (self._identity, self._seen.record[1])
            return True
        except ApiError as error:
            if isinstance(error, Conflict) or error.reason == "AlreadyExists":
                log.debug("another replica was quicker: %s", error)
            else:
                log.warning("the Lease cannot be taken or renewed: %s", error)
        return False

    def _observe(self, lease: Manifest) -> None:
        record = (lease["spec"].get("holderIdentity") or "", lease["spec"].get("renewTime") or "")
        if record != self._seen.record:
            self._seen = _Seen(record, self._clock())

    def _expired(self, lease: Manifest) -> bool:
        """Not renewed for its whole duration since this process first saw its present record."""
        return self._clock() - self._seen.since > float(lease["spec"].get("leaseDurationSeconds") or self._duration)

    def _new_lease(self) -> Manifest:
        return {
            "apiVersion": LEASE.api_version,
            "kind": "Lease",
            "metadata": {"name": LEASE_NAME, "namespace": self._namespace},
            "spec": self._spec(transitions=0),
        }

    def _taken(self, lease: Manifest, holder: str) -> Manifest:
        transitions = int(lease["spec"].get("leaseTransitions") or 0)
        if holder == self._identity:
            return lease | {"spec": lease["spec"] | {"renewTime": _now(), "leaseDurationSeconds": self._whole_seconds()}}
        return lease | {"spec": self._spec(transitions + 1)}

    def _spec(self, transitions: int) -> dict[str, object]:
        return {
            "holderIdentity": self._identity,
            "leaseDurationSeconds": self._whole_seconds(),
            "acquireTime": _now(),
            "renewTime": _now(),
            "leaseTransitions": transitions,
        }

    def _whole_seconds(self) -> int:
        return max(1, round(self._duration))


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
