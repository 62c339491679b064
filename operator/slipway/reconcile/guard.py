"""The admission policies make approvals worth something: so the operator looks, once a minute, whether they hold (ADR 0017)."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta

from slipway.api.conditions import Transition
from slipway.api.types import API_VERSION
from slipway.cluster.client import FENCE_MESSAGE, Cluster
from slipway.cluster.http import ApiError, Refused
from slipway.cluster.resources import CONFIG_MAP, Manifest
from slipway.ledger.errors import LedgerError
from slipway.plan.types import EntryDraft
from slipway.reconcile.journal import Journal
from slipway.settings import Settings
from slipway.telemetry import metrics

log = logging.getLogger(__name__)

LOOK_AGAIN_SECONDS = 2.0
"""After a look that failed, or found that they do not hold."""
CONFIG_NAME = "slipway-guard"
REFUSAL = "slipway: "
"""How the messages of our policies begin."""
_POLICIES, _BINDINGS = "validatingadmissionpolicies", "validatingadmissionpolicybindings"


class Guard:
    """Whether the admission policies hold, and since when without a break."""

    def __init__(
        self, cluster: Cluster, journal: Journal, settings: Settings, now: Callable[[], datetime], changed: Callable[[], None]
    ) -> None:
        """`changed` is called when the answer is another one."""
        self._cluster = cluster
        self._journal = journal
        self._namespace = settings.namespace
        self._names = settings.guards
        self._seconds = settings.guard_seconds
        self._now = now
        self._changed = changed
        self._turn = asyncio.Lock()
        self._looked_at = datetime.min.replace(tzinfo=UTC)
        self.trouble = "the admission policies have not been looked at yet"
        self.valid_from: datetime | None = None

    async def run(self) -> None:
        """Looks until cancelled; the first look, `begin`, was before."""
        while True:
            await asyncio.sleep(min(LOOK_AGAIN_SECONDS, self._seconds) if self.trouble else self._seconds)
            await self.begin()

    async def begin(self) -> None:
        """A look; whatever comes of it, `trouble` and `valid_from` say it."""
        try:
            await self.look(self._now())
        except ApiError as error:
            self._say(f"the admission policies could not be looked at: {error.message}", self.valid_from)

    async def look(self, since: datetime) -> None:
        """Looks, unless somebody has looked since then. What is found is remembered in the cluster before anything is done on it.

        Raises:
            ApiError: the apiserver did not answer, so nobody knows.

        """
        async with self._turn:
            if self._looked_at <= since:
                began = self._now()
                await self._look()
                self._looked_at = began

    async def _look(self) -> None:
        policies, bindings = await self._cluster.admission(_POLICIES), await self._cluster.admission(_BINDINGS)
        trouble = next(_weaknesses(self._names, policies, bindings), "") or await self._forge()
        stored = await self._cluster.get(CONFIG_MAP, self._namespace, CONFIG_NAME)
        if stored is None:
            self._say(f"ConfigMap {CONFIG_NAME} is not in namespace {self._namespace}: install the chart again", None)
            return
        known: Mapping[str, str] = stored.get("data") or {}
        found = {"fingerprint": _fingerprint(policies, bindings), "lost": "true" if trouble else "false"}
        valid_from = _time(known.get("validFrom"))
        if valid_from is None or any(known.get(key) != value for key, value in found.items()):
            valid_from = self._now().replace(microsecond=0) + timedelta(seconds=1)  # times of creation are whole seconds
            said = f"approvals given until now count for nothing: {trouble or 'the admission policies were installed or changed'}"
            log.log(logging.ERROR if trouble else logging.WARNING, "%s", said)
            known = {**found, "validFrom": valid_from.isoformat(), "untold": said}
            stored = await self._cluster.merge(CONFIG_MAP, self._namespace, CONFIG_NAME, {"data": known})
        if known.get("untold") and await self._tell(stored, known):
            await self._cluster.merge(CONFIG_MAP, self._namespace, CONFIG_NAME, {"data": {"untold": ""}})
        self._say(trouble, valid_from)

    async def _forge(self) -> str:
        """Approves in somebody else's name, as a dry run; says what is wrong when that is not refused by our policy."""
        spec = {"deployment": "forged", "revision": f"v1:{'0' * 64}", "as": "forged", "decision": "Approve", "approver": "slipway:forged"}
        forged: Manifest = {
            "apiVersion": API_VERSION,
            "kind": "ModelApproval",
            "metadata": {"name": "slipway-probe", "namespace": self._namespace},
            "spec": spec,
        }
        try:
            await self._cluster.create(forged, dry_run=True)
        except Refused as error:
            if REFUSAL in error.message and FENCE_MESSAGE not in error.message:
                return ""
            return f"a forged approval was refused, but not by Slipway's policy: {error.message}"
        return "a forged approval was accepted: the admission policies have no effect"

    async def _tell(self, stored: Manifest, known: Mapping[str, str]) -> bool:
        """Whether the ledger has heard of a loss or change; else it hears of it at a later look."""
        detail = f"{known['validFrom']}@{known['fingerprint']}"
        draft = EntryDraft(
            Transition.POLICIES_LOST, known["untold"], "PoliciesLost", detail, {"fingerprint": known["fingerprint"]}, actors=()
        )
        about = {"apiVersion": CONFIG_MAP.api_version, "kind": CONFIG_MAP.kind} | stored
        try:
            await self._journal.record(about, [draft], self._now())
        except LedgerError as error:
            log.warning("the ledger could not be told: %s", error)
            return False
        return True

    def _say(self, trouble: str, valid_from: datetime | None) -> None:
        other = (self.trouble, self.valid_from) != (trouble, valid_from)
        self.trouble, self.valid_from = trouble, valid_from
        metrics.POLICIES_IN_EFFECT.set(0 if trouble else 1)
        if other:
            log.info("admission policies: %s", trouble or f"in effect since {valid_from}")
            self._changed()


def _weaknesses(names: tuple[str, ...], policies: Mapping[str, Manifest], bindings: Mapping[str, Manifest]) -> Iterator[str]:
    """What is missing or disarmed, by what everybody can see of it."""
    for name in names:
        policy, binding = policies.get(name), bindings.get(name)
        if policy is None or binding is None:
            yield f"{_POLICIES if policy is None else _BINDINGS}/{name} is missing: install the chart again"
        elif policy["spec"].get("failurePolicy", "Fail") != "Fail":
            yield f"{_POLICIES}/{name} has failurePolicy Ignore"
        elif "Deny" not in binding["spec"].get("validationActions", []) or binding["spec"].get("policyName") != name:
            yield f"{_BINDINGS}/{name} does not deny"
        elif binding["spec"].get("matchResources"):
            yield f"{_BINDINGS}/{name} is narrowed by matchResources"


def _fingerprint(*found: Mapping[str, Manifest]) -> str:
    """Other policies, or other versions of them, have another one."""
    metas = [kind[name]["metadata"] for kind in found for name in sorted(kind)]
    parts = [f"{meta['name']}/{meta['uid']}/{meta.get('generation', 0)}" for meta in metas]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]


def _time(text: str | None) -> datetime | None:
    try:
        return datetime.fromisoformat(text).astimezone(UTC) if text else None
    except ValueError:
        return None
