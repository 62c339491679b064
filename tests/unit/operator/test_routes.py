"""Whom a watch event wakes."""

from __future__ import annotations

from typing import Any

import pytest

from slipway.cluster.resources import SERVICE
from slipway.cluster.store import Store
from slipway.reconcile.queue import ObjectKey
from slipway.reconcile.routes import affected

LABELS = {"app.kubernetes.io/managed-by": "slipway", "slipway.dev/deployment": "churn"}
OWNER = {"apiVersion": "slipway.dev/v1alpha1", "kind": "ModelDeployment", "name": "churn", "uid": "u", "controller": True}
FOREIGN = {"apiVersion": "example.com/v1", "kind": "ModelDeployment", "name": "churn", "uid": "u"}


def woken(**meta: Any) -> list[str]:
    child = {"metadata": {"namespace": "n", "name": "churn"} | meta}
    keys = [key for key, _ in affected(SERVICE, child, Store(), asks_otherwise=True)]
    assert all(key == ObjectKey("ModelDeployment", "n", key.name) for key in keys)
    return [key.name for key in keys]


@pytest.mark.parametrize(
    ("meta", "owners"),
    [
        ({"labels": LABELS, "ownerReferences": [OWNER]}, ["churn"]),
        ({"labels": LABELS}, ["churn"]),
        ({"ownerReferences": [OWNER]}, ["churn"]),
        ({"labels": None, "ownerReferences": [OWNER]}, ["churn"]),
        ({"labels": {"slipway.dev/deployment": "other"}, "ownerReferences": [OWNER]}, ["churn", "other"]),
        ({"ownerReferences": [FOREIGN]}, []),
        ({}, []),
    ],
)
def test_a_child_wakes_its_owner_by_label_and_by_reference(meta: dict[str, Any], owners: list[str]) -> None:
    assert woken(**meta) == owners
