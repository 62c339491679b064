"""Monitors in the chart: what the operator is told, what a run may do and where it writes, and that nothing secret is in a ConfigMap."""

from __future__ import annotations

import json
from typing import Any

import pytest

from slipway.api.v1alpha1.model_monitor import ModelMonitorStatus
from slipway.settings import Monitoring, settings_from
from tests.unit.chart.helm import VARIANTS, Manifest, one, refusal, render
from tests.unit.chart.test_prediction_log import granted
from tests.unit.chart.test_render import environment, kinds

OFF: dict[str, Any] = {"monitoring": {"enabled": False}}


def told(manifests: list[Manifest]) -> Monitoring:
    found = settings_from(environment(manifests)).monitoring
    assert found is not None
    return found


def test_the_operator_is_told_of_the_pods() -> None:
    found = told(render(VARIANTS["monitors"]))
    assert (found.image, found.pull_secrets) == ("slipway-monitor:0.1.0", ("registry",))
    assert (found.log_secret, found.store_secret, found.log_ca) == ("slipway-predictions", "slipway-object-store", "")
    assert found.notifier_secrets == {"growth-chat": "growth-chat"}
    assert found.placement == {"priorityClassName": "low", "nodeSelector": {"disk": "fast"}}
    assert found.resources["limits"] == {"memory": "1Gi"}


def test_what_it_names_is_rendered() -> None:
    manifests = render()
    found = told(manifests)
    one(manifests, "ServiceAccount", found.service_account)
    for name in (found.config, found.notifiers):
        one(manifests, "ConfigMap", name)
    pods = one(manifests, "NetworkPolicy", "slipway-monitor")["spec"]["podSelector"]["matchLabels"]
    assert pods.items() <= found.labels.items()
    writers = one(manifests, "NetworkPolicy", "slipway-predictions")["spec"]["ingress"][0]["from"]
    assert {"podSelector": {"matchLabels": pods}} in writers


def test_how_long_reports_stay_is_told() -> None:
    assert one(render(), "ConfigMap", told(render()).config)["data"]["SLIPWAY_REPORT_DAYS"] == "400"
    assert "reportDays" in refusal({"monitoring": {"reportDays": -1}})


def test_notifiers_are_told_without_their_secrets() -> None:
    text = one(render(VARIANTS["monitors"]), "ConfigMap", "slipway-notifiers")["data"]["notifiers.json"]
    assert json.loads(text) == {
        "growth-chat": {"type": "Slack"},
        "mail": {"type": "SMTP", "host": "smtp.example.com", "port": 587, "from": "slipway@example.com", "to": ["ds@example.com"]},
    }
    assert json.loads(one(render(), "ConfigMap", "slipway-notifiers")["data"]["notifiers.json"]) == {}


def test_a_run_reads_what_it_is_about_and_writes_one_status() -> None:
    wanted = {
        "": [
            (["modelmonitors", "modeldeployments", "modelversions", "models"], ["get"]),
            (["modelmonitors/status"], ["patch"]),
        ]
    }
    found = {where: [(rule["resources"], rule["verbs"]) for rule in rules] for where, rules in granted(render(), "slipway-monitor").items()}
    assert found == wanted
    named = granted(render({"watchNamespaces": ["growth", "risk"]}), "slipway-monitor")
    assert {where: [(rule["resources"], rule["verbs"]) for rule in rules] for where, rules in named.items()} == {
        "growth": wanted[""],
        "risk": wanted[""],
    }


def test_a_run_may_say_what_it_found_and_no_more() -> None:
    """Every other field of the status is named in the policy."""
    (ran,) = one(render(), "ValidatingAdmissionPolicy", "slipway-status")["spec"]["variables"]
    fields = {field.serialization_alias or field.alias or name for name, field in ModelMonitorStatus.model_fields.items()} - {"run"}
    for field in fields:
        assert f"object.?status.?{field} == oldObject.?status.?{field}" in ran["expression"]


@pytest.mark.parametrize("values", [OFF, {"predictionLog": {"enabled": False}}], ids=["monitoring", "log"])
def test_without_it_there_is_nothing_but_the_right_to_clean_up(values: dict[str, Any]) -> None:
    manifests = render(values)
    assert settings_from(environment(manifests)).monitoring is None
    assert not [m for m in manifests if m["metadata"]["name"] in ("slipway-monitor", "slipway-notifiers")]
    assert "Role" in kinds(manifests)
    one(manifests, "Role", "slipway-monitors")


@pytest.mark.parametrize(
    ("notifier", "complaint"),
    [
        ({"type": "Slack"}, "needs existingSecret"),
        ({"type": "SMTP", "host": "h"}, "needs host, from and to"),
        ({"type": "Pager"}, "at '/monitoring/notifiers/n/type'"),
        ({"type": "SMTP", "password": "secret"}, "'password' not allowed"),
    ],
)
def test_refused(notifier: dict[str, Any], complaint: str) -> None:
    assert complaint in refusal({"monitoring": {"notifiers": {"n": notifier}}})
