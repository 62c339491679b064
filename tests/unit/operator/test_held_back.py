"""What a deployment says while the ledger cannot be written: in its status and in the metrics alike."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from prometheus_client import REGISTRY

from slipway.cluster.client import Cluster
from slipway.cluster.resources import MODEL_DEPLOYMENT, Manifest
from slipway.cluster.store import Store
from slipway.ledger.errors import LedgerError, LedgerForked, LedgerUnavailable
from slipway.plan.types import EntryDraft
from slipway.reconcile.journal import Journal
from slipway.reconcile.reconciler import Reconciler
from tests.unit.operator import test_writes_that_fail as samples

store = samples.store
apiserver = samples.apiserver


class Fails(Journal):
    """A ledger in trouble."""

    def __init__(self, trouble: LedgerError) -> None:
        super().__init__()
        self.trouble = trouble

    async def record(self, manifest: Manifest, drafts: Sequence[EntryDraft], now: datetime) -> None:
        if drafts:
            raise self.trouble


def shown(condition: str, reason: str) -> bool:
    labels = {"namespace": "n", "deployment": "churn", "condition": condition, "reason": reason}
    return REGISTRY.get_sample_value("slipway_deployment_condition", labels) == 1


@pytest.mark.parametrize(
    ("trouble", "phase", "condition", "reason"),
    [
        (LedgerUnavailable("s3://b", "away"), "Progressing", "Reconciling", "LedgerUnavailable"),
        (LedgerForked("entry 7 is another one"), "Failed", "Stalled", "LedgerForked"),
    ],
)
async def test_what_waits_for_the_ledger_says_so(
    apiserver: samples.Apiserver, store: Store, trouble: LedgerError, phase: str, condition: str, reason: str
) -> None:
    now = datetime(2026, 11, 23, 12, tzinfo=UTC)
    reconciler = Reconciler(store, samples.telling(store), Cluster(apiserver), samples.SERVING, Fails(trouble), now=lambda: now)
    assert await reconciler.reconcile(samples.KEY) is not None, "it is looked at again"
    status = (store.get(MODEL_DEPLOYMENT, "n", "churn") or {})["status"]
    assert (status["phase"], status["observedGeneration"]) == (phase, -1)
    assert [c["reason"] for c in status["conditions"] if c["type"] == condition] == [reason]
    assert shown(condition, reason)
    assert not apiserver.attempts, "nothing was applied"
