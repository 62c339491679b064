"""A deployment reaches nothing of others: no service account but its own, no Secret of another namespace."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.governance.place import Place
from tests.integration.people import Person
from tests.integration.samples import deployment

FIELDS: dict[str, Any] = {
    "serviceAccountName": {"serviceAccountName": "admin"},
    "serviceAccount": {"serviceAccount": "admin"},
    "automountServiceAccountToken": {"automountServiceAccountToken": True},
    "volumes": {"volumes": [{"name": "x", "secret": {"secretName": "theirs"}}]},
    "envFrom": {"envFrom": [{"secretRef": {"name": "theirs"}}]},
    "containers": {"containers": [{"name": "x", "image": "x"}]},
    "hostNetwork": {"hostNetwork": True},
}


@pytest.mark.parametrize("field", FIELDS)
def test_what_names_others_is_no_field(serving: Place, mallory: Person, field: str) -> None:
    manifest = deployment(serving.namespace, "thief", pod=FIELDS[field])
    answer = mallory.send("POST", serving.mine(name="") + "?fieldValidation=Strict", manifest)
    assert answer.code == 400
    assert f'unknown field "spec.pod.{field}"' in answer.message


def test_without_strictness_it_is_dropped(serving: Place, mallory: Person) -> None:
    """Nothing of it is stored, so nothing reaches a pod."""
    manifest = deployment(serving.namespace, "thief", pod={"serviceAccountName": "admin"})
    answer = mallory.send("POST", serving.mine(name="") + "?dryRun=All", manifest)
    assert answer.landed
    assert answer.body["spec"]["pod"] == {}


@pytest.mark.parametrize("name", ["other/theirs", "../theirs", "other:theirs"])
def test_a_secret_is_one_of_the_namespace(serving: Place, mallory: Person, name: str) -> None:
    variable = {"name": "TOKEN", "secretKey": {"name": name, "key": "token"}}
    for pod in ({"env": [variable]}, {"imagePullSecrets": [name]}):
        answer = mallory.send("POST", serving.mine(name=""), deployment(serving.namespace, "thief", pod=pod))
        assert answer.code == 422
        assert name in answer.message
    variable["secretKey"] = {"name": "theirs", "key": "token", "namespace": "other"}
    answer = mallory.send(
        "POST", serving.mine(name="") + "?fieldValidation=Strict", deployment(serving.namespace, "thief", pod={"env": [variable]})
    )
    assert (answer.code, 'unknown field "spec.pod.env[0].secretKey.namespace"' in answer.message) == (400, True)
