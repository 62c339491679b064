"""What governs a ModelDeployment, gathered for the plan, and what comes of approvals, told to their authors."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from slipway.cluster.client import Cluster
from slipway.cluster.http import ApiError
from slipway.cluster.resources import (
    APPROVAL_POLICY,
    CONTROLLER_REVISION,
    MODEL_APPROVAL,
    MODEL_DEPLOYMENT,
    MODEL_VERSION,
    NAMESPACE,
    Manifest,
)
from slipway.cluster.store import Store
from slipway.plan.gate.types import Elsewhere, Word
from slipway.plan.names import STAGE_LABEL, version_name
from slipway.plan.requested import SERVICE_ACCOUNT
from slipway.plan.types import Governance, Plan
from slipway.reconcile.guard import Guard
from slipway.reconcile.observe import owned_by
from slipway.reconcile.provenance import Provenance

log = logging.getLogger(__name__)

ANSWER_AGAIN_SECONDS = 2.0
MOST_ELSEWHERE = 100
"""Other deployments looked at: the first of them that serves the bytes is enough."""


class Governing:
    """Looks at policies, approvals and approved revisions; without a guard nothing governs."""

    def __init__(self, store: Store, cluster: Cluster, provenance: Provenance, guard: Guard | None) -> None:
        self._store = store
        self._cluster = cluster
        self._provenance = provenance
        self._guard = guard

    async def look(self, manifest: Manifest, may: Mapping[str, bool] | None = None) -> Governance | None:
        """None where nothing governs. `may`: the answers of `ask`."""
        meta = manifest["metadata"]
        stage = self._stage(meta["namespace"])
        if self._guard is None or not stage:
            return None
        written = self._store.of_deployment(CONTROLLER_REVISION, meta["namespace"], meta["name"])
        trusted, distrusted = await self._provenance.sort(meta["uid"], [known for known in written if owned_by(known, meta["uid"])])
        return Governance(
            stage=stage,
            policies=tuple(self._store.all(APPROVAL_POLICY)),
            approvals=tuple(self._store.of_deployment(MODEL_APPROVAL, meta["namespace"], meta["name"])),
            snapshots=tuple(trusted),
            distrusted=distrusted,
            taken=max((known["revision"] for known in written), default=0),
            elsewhere=tuple(self._elsewhere(manifest)),
            guard=self._guard.trouble,
            valid_from=self._guard.valid_from,
            may=may or {},
        )

    def _stage(self, namespace: str) -> str:
        found = self._store.get(NAMESPACE, "", namespace)
        return str((found["metadata"].get("labels") or {}).get(STAGE_LABEL, "")) if found else ""

    def _elsewhere(self, manifest: Manifest) -> Iterator[Elsewhere]:
        """Who else serves the bytes that are asked for."""
        meta, spec = manifest["metadata"], manifest["spec"]
        version = self._store.get(MODEL_VERSION, meta["namespace"], version_name(spec.get("model", ""), spec.get("version", "")))
        digest = ((version or {}).get("spec", {}).get("artifact") or {}).get("digest", "")
        for other in self._store.serving(digest)[:MOST_ELSEWHERE] if digest else ():
            status = other["status"]
            if other["metadata"]["uid"] != meta["uid"] and status.get("digestSince"):
                since = datetime.fromisoformat(status["digestSince"])
                yield Elsewhere(self._stage(other["metadata"]["namespace"]), digest, since)

    async def ask(self, manifest: Manifest, words: Iterable[Word]) -> dict[str, bool]:
        """Whether the authors still have the right to their words: what they had when they spoke may have been taken from them.

        The admission policies are looked at once more, too: they let the words in.

        Raises:
            ApiError: the apiserver did not answer.

        """
        namespace, name = manifest["metadata"]["namespace"], manifest["metadata"]["name"]
        words = tuple(words)
        if self._guard:
            await self._guard.look(since=max(word.created for word in words) + timedelta(seconds=1))
        return {word.uid: await self._may(namespace, name, word) for word in words}

    async def _may(self, namespace: str, name: str, word: Word) -> bool:
        if word.decision == "Override":
            return await self._cluster.may(word.approver, word.groups, namespace, "override", MODEL_DEPLOYMENT.plural, name)
        verbs = ("approve", "automate") if word.approver.startswith(SERVICE_ACCOUNT) else ("approve",)
        for verb in verbs:
            if not await self._cluster.may(word.approver, word.groups, namespace, verb, "approvalroles", word.role or ""):
                return False
        return True

    async def find_stage(self, manifest: Manifest) -> bool:
        """Whether the namespace has a stage after all, where something is to start and none is known: its watch may lag.

        Raises:
            ApiError: the apiserver did not answer.

        """
        namespace = manifest["metadata"]["namespace"]
        if self._guard is None or self._stage(namespace):
            return False
        found = await self._cluster.get(NAMESPACE, "", namespace)
        if found is None or STAGE_LABEL not in (found["metadata"].get("labels") or {}):
            return False
        self._store.put(NAMESPACE, found)
        return True

    async def answer(self, manifest: Manifest, plan: Plan) -> float | None:
        """Writes what came of each approval into its status. Returns a delay when one could not be written."""
        meta, delay = manifest["metadata"], None
        for approval in self._store.of_deployment(MODEL_APPROVAL, meta["namespace"], meta["name"]):
            status: Mapping[str, Any] | None = plan.answers.get(approval["metadata"]["uid"])
            if status and status != approval.get("status"):
                try:
                    self._store.put(MODEL_APPROVAL, await self._cluster.apply_status(approval, status))
                except ApiError as error:
                    log.warning("approval %s could not be answered: %s", approval["metadata"]["name"], error)
                    delay = ANSWER_AGAIN_SECONDS
        return delay

    async def forget(self, namespace: str, name: str) -> None:
        """The deployment is gone, and with it what approvals were about; nobody else may delete them."""
        for approval in self._store.of_deployment(MODEL_APPROVAL, namespace, name):
            await self._cluster.delete(approval)
            self._store.remove(MODEL_APPROVAL, approval)
