"""Who contests what, from managedFields to a message."""

from __future__ import annotations

from typing import Any

import pytest

from slipway.plan.contest import contested_message, last_writer


def entry(manager: str, time: str = "2026-11-23T12:00:00Z", subresource: str = "") -> dict[str, Any]:
    return {"manager": manager, "operation": "Update", "time": time} | ({"subresource": subresource} if subresource else {})


@pytest.mark.parametrize(
    ("entries", "subresource", "writer"),
    [
        ([entry("slipway"), entry("flipper")], "", "flipper"),
        ([entry("old", "2026-11-23T11:00:00Z"), entry("flipper")], "", "flipper"),
        ([entry("slipway"), entry("kube-controller-manager", "2026-11-23T12:01:00Z", "status")], "", None),
        ([entry("slipway"), entry("scaler", subresource="scale")], "", "scaler"),
        ([entry("slipway")], "", None),
        ([], "", None),
        ([entry("slipway", subresource="status"), entry("evil", subresource="status"), entry("kubectl")], "status", "evil"),
        ([entry("slipway", subresource="status"), entry("evil", "2026-11-23T09:00:00Z", "status")], "status", None),
        ([entry("slipway", subresource="status"), entry("kubectl")], "status", None),
    ],
)
def test_last_writer(entries: list[dict[str, Any]], subresource: str, writer: str | None) -> None:
    assert last_writer({"metadata": {"managedFields": entries}}, subresource) == writer


def test_what_is_gone_has_no_writer() -> None:
    assert last_writer(None) is None


def test_the_message_names_what_who_and_what_to_do() -> None:
    message = contested_message(
        {("Service", "churn"): "", ("Deployment", "churn"): "flipper", ("ModelDeployment", "churn"): "evil"}, "churn"
    )
    assert "Deployment churn is changed again and again by field manager flipper" in message
    assert "the status is changed again and again by field manager evil" in message
    assert "Service churn is deleted or changed again and again by somebody" in message
    assert "stop whoever writes it" in message


def test_the_message_is_bounded() -> None:
    message = contested_message({("Service", f"{'n' * 60}{number}"): "m" * 128 for number in range(7)}, "churn")
    assert "and 4 more" in message
    assert len(message) <= 1024
