"""What `kubectl slipway status` shows: YAML as the apiserver gives it in, text out."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from slipway.cli.output import console
from slipway.cli.view import table, tree
from slipway.cli.view.problems import problem, problems, troubles
from slipway.cli.view.snapshot import Snapshot
from slipway.cli.view.words import age

FOLDER = Path(__file__).parent / "status"
CASES = sorted(path.stem for path in FOLDER.glob("*.yaml"))
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def snapshot(case: str) -> Snapshot:
    return Snapshot(**yaml.safe_load((FOLDER / f"{case}.yaml").read_text()))


def shown(renderable: Any) -> str:
    stream = io.StringIO()
    console(stream).print(renderable)
    return "\n".join(line.rstrip() for line in stream.getvalue().splitlines()) + "\n"


@pytest.mark.parametrize("case", CASES)
def test_tree(case: str) -> None:
    text = shown(tree.render(snapshot(case), NOW))
    assert text == (FOLDER / f"{case}.txt").read_text()


def test_table() -> None:
    rows = table.rows([snapshot(case).deployment for case in CASES])
    assert shown(table.render(rows, namespaces=True)) == (FOLDER / "all.txt").read_text()
    assert "NAMESPACE" not in shown(table.render(rows, namespaces=False))


def test_reasons_of_pods_follow_those_of_conditions() -> None:
    found = snapshot("failing")
    reasons = [problem.reason for problem in problems(found.deployment, found.of("pods"))]
    assert reasons == ["DigestMismatch", "Unschedulable", "ImagePullFailed", "OOMKilled", "CrashLoop"]


def test_a_ready_deployment_has_no_problem() -> None:
    deployment = {
        "metadata": {"name": "churn", "generation": 1},
        "spec": {},
        "status": {"observedGeneration": 1, "conditions": [{"type": "Ready", "status": "True", "reason": "Serving"}]},
    }
    assert problem(deployment) is None
    assert problems(deployment, []) == []
    behind = deployment | {"metadata": {"name": "churn", "generation": 2}}
    assert (unseen := problem(behind)) is not None
    assert unseen.reason == "NotObserved"


def test_a_pod_without_status_is_in_no_trouble() -> None:
    assert troubles({"metadata": {}, "spec": {}}) == []


@pytest.mark.parametrize(
    ("created", "expected"),
    [
        ("2026-11-23T11:59:18Z", "42s"),
        ("2026-11-23T11:58:30Z", "90s"),
        ("2026-11-23T11:43:00Z", "17m"),
        ("2026-11-23T07:00:00Z", "5h"),
        ("2026-11-20T12:00:00Z", "3d"),
        ("2026-11-23T12:00:05Z", "0s"),
        (None, "?"),
    ],
)
def test_age(created: str | None, expected: str) -> None:
    assert age(created, NOW) == expected


def test_what_sends_the_prediction_log_is_told_last_and_as_such() -> None:
    ended = {"terminated": {"exitCode": 1, "message": "boom"}}
    pod = {
        "metadata": {"name": "p"},
        "status": {
            "initContainerStatuses": [{"name": "capture", "state": ended}],
            "containerStatuses": [{"name": "model", "state": ended}],
        },
    }
    assert [(trouble.where, trouble.reason) for trouble in troubles(pod)] == [("model", "CrashLoop"), ("capture", "CaptureFailed")]
