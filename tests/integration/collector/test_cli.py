"""The command line against a real collector: truths in, a row and its truth out, one person's rows erased."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from slipway.cli.cluster import Access, connect
from slipway.cli.predictions.collector import Given
from slipway.cli.records.answer import NOTHING, Answer, lines, looked_up
from tests.cluster.control_plane import ControlPlane
from tests.integration.collector.lab import BUCKET, Lab
from tests.integration.collector.process import Collector
from tests.integration.collector.samples import rows, stream, uuid7
from tests.integration.samples import monitor

TRUTHS = "customer_id,left\n70,1\n71,0\n99,1\n"


class People:
    """Somebody with a kubeconfig that has a certificate alone, and with a token."""

    def __init__(self, plane: ControlPlane, collector: Collector, namespace: str, token: str) -> None:
        self.plane, self.url, self.namespace, self.token = plane, f"http://127.0.0.1:{collector.port}", namespace, token

    def run(self, *arguments: str, token: bool = True) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", "from slipway.cli import main; main()", *arguments]
        where = ["-n", self.namespace, "--kubeconfig", str(self.plane.kubeconfig), "--collector", self.url]
        env = os.environ | ({"SLIPWAY_TOKEN": self.token} if token else {})
        return subprocess.run([*command, *where], capture_output=True, text=True, env=env, stdin=subprocess.DEVNULL, check=False)

    def look(self, prediction: str) -> Answer:
        access = Access(str(self.plane.kubeconfig), None, self.namespace)
        return looked_up(Given(access, self.token, self.url), connect(access), "churn", prediction)


@pytest.fixture
def people(plane: ControlPlane, collector: Collector, namespace: str, reader: str) -> People:
    return People(plane, collector, namespace, reader)


@pytest.fixture
def ids(lab: Lab, collector: Collector, namespace: str) -> list[str]:
    """Predictions about the customers 70 and 71."""
    ids = [uuid7(), uuid7()]
    features: dict[str, Any] = {
        "in_age": pa.array([30, 31]),
        "out_predict": pa.array([1, 0]),
        "key_customer_id": pa.array([70, 71]),
    }
    answer = collector.send(lab.pod_token(namespace, "churn"), stream(rows(namespace, "churn", ids, **features)))
    assert answer.status == 200, answer
    return ids


def test_a_row_gets_its_truth_and_is_erased(tmp_path: Path, people: People, ids: list[str]) -> None:
    file = tmp_path / "truths.csv"
    file.write_text(TRUTHS)
    pushed = people.run("actuals", "push", str(file), "-d", "churn", "--key", "customer_id", "--value", "left", "-o", "json")
    assert pushed.returncode == 0, pushed.stderr
    assert json.loads(pushed.stdout) == {"accepted": 3, "duplicate": 0, "unmatched": 1, "late": 0}

    (row,) = people.look(ids[1]).rows
    assert (row["in_age"], row["out_predict"], row["key_customer_id"], row["version"]) == (31, 0, 71, "3")
    assert ("It saw", "age=31") in list(lines(people.look(ids[1]).as_json(ids[1])))

    assert "--yes" in people.run("erase", "churn", "--where", "customer_id=71").stderr
    assert people.look(ids[1]).rows
    erased = people.run("erase", "churn", "--where", "customer_id=71", "--yes")
    assert erased.stdout == "Erased: 1 predictions, 1 actuals.\n", erased.stderr
    assert people.look(ids[1]).note == NOTHING
    assert people.look(ids[0]).rows, "somebody else's"


def test_by_prediction_id_the_truth_is_shown(tmp_path: Path, people: People, ids: list[str]) -> None:
    file = tmp_path / "truths.csv"
    file.write_text(f"prediction_id,value,time\n{ids[0]},true,2026-11-22\n")
    told = people.run("actuals", "push", str(file), "-d", "churn")
    assert told.stdout == "1 accepted\n", told.stderr
    found = people.look(ids[0])
    assert ("Truth", "predict=true (2026-11-22T00:00:00Z)") in list(lines(found.as_json(ids[0])))


def test_the_report_of_a_monitors_run(lab: Lab, people: People, tmp_path: Path) -> None:
    lab.account(people.namespace, "churn")
    lab.kube.apply(monitor(people.namespace, "daily"))
    assert "no run of ModelMonitor daily has left a report yet: run it" in people.run("monitor", "report", "daily").stderr
    place = f"{people.namespace}/churn/monitors/daily/daily-1"
    folder = lab.store.folder / BUCKET / "log" / place
    folder.mkdir(parents=True)
    (folder / "report.html").write_text("<p>drift</p>")
    at = dict.fromkeys(("finishedAt", "windowFrom", "windowTo"), "2026-11-23T12:00:00Z")
    run = at | {"id": "daily-1", "verdict": "Critical", "report": f"s3://{BUCKET}/log/{place}/report.html"}
    lab.kube.patch("ModelMonitor", people.namespace, "daily", {"status": {"run": run}}, "status")

    assert people.run("monitor", "report", "daily").stdout == "<p>drift</p>"
    file = tmp_path / "report.html"
    assert people.run("monitor", "report", "daily", "--to", str(file)).stderr == f"{file}: the report of run daily-1\n"
    assert file.read_text() == "<p>drift</p>"
    gone = people.run("monitor", "report", "daily", "--run", "daily-0", "-o", "json")
    assert (gone.returncode, gone.stdout) == (1, "")
    assert f"there is no report.json of run daily-0 of ModelMonitor {people.namespace}/daily, or no more" in gone.stderr
    people.token = lab.person("nobody")
    assert "may not get predictions.slipway.dev of ModelDeployment" in people.run("monitor", "report", "daily").stderr


def test_a_certificate_is_no_token(people: People, ids: list[str]) -> None:
    refused = people.run("erase", "churn", "--where", "customer_id=70", "--yes", token=False)
    assert refused.returncode == 1
    assert "kubectl create token NAME -n" in refused.stderr


def test_who_has_no_right_is_told_which(lab: Lab, people: People, ids: list[str]) -> None:
    people.token = lab.person("nobody")
    refused = people.run("erase", "churn", "--where", "customer_id=70", "--yes")
    assert "may not delete predictions.slipway.dev of ModelDeployment" in refused.stderr
    assert "may not get predictions" in people.look(ids[0]).note
