"""The apiserver's refusals in the user's words."""

from __future__ import annotations

import json

import pytest

from slipway.cli.cluster import SLIPWAY, Access, Reply, path, refusal


def test_path() -> None:
    assert path("v1", "pods", "growth", "p") == "/api/v1/namespaces/growth/pods/p"
    assert path("apps/v1", "deployments") == "/apis/apps/v1/deployments"


def test_kubectl_gets_the_same_choice() -> None:
    assert Access().kubectl_flags == []
    assert Access("/tmp/k", "prod").kubectl_flags == ["--kubeconfig", "/tmp/k", "--context", "prod"]


@pytest.mark.parametrize(
    ("code", "body", "said"),
    [
        (401, {"message": "Unauthorized"}, "log in again"),
        (403, {"message": 'pods is forbidden: User "a" cannot list resource "pods"'}, 'cannot list resource "pods": ask whoever'),
        (404, None, "install Slipway first"),
        (404, {"message": 'models.slipway.dev "x" not found', "details": {"name": "x"}}, 'models.slipway.dev "x" not found'),
        (422, {"message": "ModelVersion is invalid: immutable"}, "ModelVersion is invalid: immutable"),
        (500, None, "404 page not found"),
    ],
)
def test_refusals(code: int, body: dict[str, object] | None, said: str) -> None:
    content = b"404 page not found" if body is None else json.dumps(body).encode()
    assert said in refusal(Reply(code, content), path(SLIPWAY, "models", "growth"))
