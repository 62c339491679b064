"""The store: newest state wins, groups follow."""

from __future__ import annotations

from typing import Any

from slipway.cluster.resources import DEPLOYMENT, MODEL_DEPLOYMENT, POD
from slipway.cluster.store import MAX_STRINGS, Store, _strings


def child(version: int, owner: str = "churn", uid: str = "u") -> dict[str, Any]:
    labels = {"slipway.dev/deployment": owner}
    return {"metadata": {"namespace": "n", "name": "churn", "uid": uid, "resourceVersion": str(version), "labels": labels}}


def test_an_older_state_never_replaces_a_newer_one() -> None:
    store = Store()
    store.put(DEPLOYMENT, child(10))
    store.put(DEPLOYMENT, child(9, owner="other"))
    assert [c["metadata"]["resourceVersion"] for c in store.of_deployment(DEPLOYMENT, "n", "churn")] == ["10"]
    assert store.of_deployment(DEPLOYMENT, "n", "other") == []


def test_groups_follow_labels() -> None:
    store = Store()
    store.put(DEPLOYMENT, child(1))
    store.put(DEPLOYMENT, child(2, owner="other"))
    assert store.of_deployment(DEPLOYMENT, "n", "churn") == []
    assert len(store.of_deployment(DEPLOYMENT, "n", "other")) == 1


def test_a_late_deletion_of_an_old_object_leaves_its_successor() -> None:
    store = Store()
    store.put(DEPLOYMENT, child(20, uid="new"))
    store.remove(DEPLOYMENT, child(15, uid="old"))
    assert store.count(DEPLOYMENT) == 1
    store.remove(DEPLOYMENT, child(21, uid="new"))
    assert store.count(DEPLOYMENT) == 0


def test_an_answer_that_arrives_after_the_deletion_is_no_resurrection() -> None:
    store = Store()
    store.put(DEPLOYMENT, child(10))
    store.remove(DEPLOYMENT, child(12))
    store.put(DEPLOYMENT, child(11))
    assert store.count(DEPLOYMENT) == 0
    store.put(DEPLOYMENT, child(13, uid="again"))
    assert store.count(DEPLOYMENT) == 1


def test_deployments_by_model_and_version() -> None:
    store = Store()
    meta = {"namespace": "n", "name": "d", "uid": "u", "resourceVersion": "1"}
    store.put(MODEL_DEPLOYMENT, {"metadata": meta, "spec": {"model": "m", "version": "1"}})
    assert len(store.of_version("n", "m-1")) == 1
    store.put(MODEL_DEPLOYMENT, {"metadata": meta | {"resourceVersion": "2"}, "spec": {"model": "m", "version": "2"}})
    assert store.of_version("n", "m-1") == []
    assert len(store.of_model(MODEL_DEPLOYMENT, "n", "m")) == 1


def test_only_news_are_news() -> None:
    store = Store()
    assert store.put(DEPLOYMENT, child(10))
    assert not store.put(DEPLOYMENT, child(10)), "our own write, told by the watch too"
    assert not store.put(DEPLOYMENT, child(9))
    assert store.put(DEPLOYMENT, child(11))
    assert store.remove(DEPLOYMENT, child(12))
    assert not store.remove(DEPLOYMENT, child(12))


def test_memory_holds_neither_pod_specs_nor_field_managers_nor_equal_strings_twice() -> None:
    store = Store()
    words = ["".join(["a long ", "status"]) for _ in range(2)]
    for number, word in enumerate(words):
        meta: dict[str, Any] = {"name": f"p{number}", "namespace": "n", "uid": "u", "resourceVersion": "1", "managedFields": [{}]}
        meta |= {"annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{}", "kept": "yes"}}
        store.put(POD, {"metadata": meta, "spec": {"containers": []}, "status": {"phase": word}})
    first, second = store.all(POD)
    assert "spec" not in first
    assert "managedFields" not in first["metadata"]
    assert first["metadata"]["annotations"] == {"kept": "yes"}
    assert first["status"]["phase"] is second["status"]["phase"]


def test_children_are_packed_and_come_back_as_they_were() -> None:
    store = Store()
    packed = child(1) | {"apiVersion": "apps/v1", "kind": "Deployment", "spec": {"replicas": 3, "x": [1.5, None, "ü"]}}
    store.put(DEPLOYMENT, packed)
    assert store.get(DEPLOYMENT, "n", "churn") == packed
    assert store.of_deployment(DEPLOYMENT, "n", "churn") == [packed]
    assert store.versions(DEPLOYMENT) == {("n", "churn"): 1}
    assert store.versions(DEPLOYMENT, "elsewhere") == {}


def test_strings_that_nobody_needs_any_more_are_not_kept() -> None:
    """`sys.intern` keeps them for ever on Python 3.12: each resourceVersion, each time, each message."""
    store = Store()
    for number in range(1, MAX_STRINGS + 10):
        store.put(POD, child(number))
        assert len(_strings) <= MAX_STRINGS
