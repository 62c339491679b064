"""Whole runs over real tables in a real store."""

from __future__ import annotations

import json
import os
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import obstore
import pyarrow as pa
import pytest

from slipway.cluster.http import Conflict
from slipway.collector.log.place import monitor_folder, open_store
from slipway.monitor.objects import Another
from slipway.monitor.result import Result
from slipway.monitor.run import execute
from slipway.monitor.settings import Notifiers, Who
from slipway.monitor.store import reports
from tests.integration.monitor.lab import Api, Lab
from tests.integration.monitor.web import Web
from tests.unit.monitor.tables import actuals, predictions, write

NOW = datetime.now(UTC).replace(microsecond=0)
ROWS = 1200
SPEC: dict[str, Any] = {
    "serviceHealth": {"maxErrorRate": 0.01, "maxLatencyP99Milliseconds": 300},
    "drift": {},
    "predictionDrift": {},
    "dataQuality": {"maxMissing": 0.05, "maxOutOfRange": 0.05, "maxUnseenCategories": 0.05},
    "performance": {"metrics": [{"name": "accuracy", "warning": 0.8, "critical": 0.6}], "estimate": "Never"},
    "segments": [{"column": "plan"}],
    "staleness": {"maxAgeDays": 36500},
}


def features(shift: float, seed: int, rows: int = ROWS) -> dict[str, Any]:
    """`age` moves by `shift`; `plan` and `income` stay."""
    random = np.random.default_rng(seed)
    age, plan = random.normal(40 + shift, 10, rows), random.choice(["basic", "plus"], rows)
    chance = 1 / (1 + np.exp((40 - age) / 5))
    return {
        "age": age,
        "plan": plan,
        "income": random.normal(1000, 100, rows),
        "predict": (chance > 0.5).astype(int),
        "predict_proba_1": chance,
    }


def reference(**more: Any) -> pa.Table:
    return pa.table(features(0, 1, 5000) | more)


def serve(lab: Lab, shift: float = 0, hours: float = 2, version: int = 1, status: int = 200, seed: int = 2, **more: Any) -> None:
    """A window's answers, as the log has them."""
    found = features(shift, seed)
    logged = {f"{'out' if name.startswith('predict') else 'in'}_{name}": pa.array(values) for name, values in found.items()} | more
    batch = predictions([f"id-{version}-{place}" for place in range(ROWS)], [NOW - timedelta(hours=hours)] * ROWS, **logged)
    batch = batch.set_column(batch.column_names.index("status"), "status", pa.array([status] * ROWS, pa.int32()))
    write(lab.place, "predictions", batch, version)


async def run(lab: Lab, api: Api, code: int = 0, **more: Any) -> dict[str, Any]:
    """A run; its `status.run`."""
    assert await execute(api, lab.settings(**more), NOW) == code
    return api.run


def verdicts(found: dict[str, Any]) -> dict[tuple[str, str, str], str]:
    return {(check["check"], check["measure"], check["column"]): check["verdict"] for check in found["checks"] if not check["segment"]}


async def test_nothing_has_changed(lab: Lab) -> None:
    serve(lab)
    found = await run(lab, lab.objects(SPEC, lab.push(reference())))
    assert set(verdicts(found).values()) == {"Healthy", "NoData"}, found["checks"]
    assert (found["rows"], found["version"], found["generation"], found["verdict"]) == (ROWS, "3", 2, "NoData")
    assert verdicts(found)["Performance", "accuracy", ""] == "NoData"
    assert found["truths"] == {"matched": 0, "waiting": ROWS, "unmatched": 0, "late": 0}


async def test_one_feature_drifts(lab: Lab) -> None:
    serve(lab, shift=10)
    found = await run(lab, lab.objects(SPEC, lab.push(reference())))
    assert found["verdict"] == "Critical"
    assert verdicts(found)["Drift", "psi", "age"] == "Critical"
    assert {verdicts(found)["Drift", "psi", name] for name in ("plan", "income")} == {"Healthy"}
    assert re.match(r"Critical: \w+ psi ", found["message"])


async def test_what_is_applied(lab: Lab) -> None:
    serve(lab)
    api = lab.objects(SPEC, lab.push(reference()))
    await run(lab, api)
    (request,) = api.applied
    assert request.path == "/apis/slipway.dev/v1alpha1/namespaces/growth/modelmonitors/daily/status"
    assert (request.query, request.content_type) == ({"fieldManager": "slipway-monitor", "force": "true"}, "application/apply-patch+yaml")
    assert request.body["metadata"] == {"name": "daily", "namespace": "growth", "uid": "uid-1"}
    assert list(request.body["status"]) == ["run"]


async def test_what_is_kept(lab: Lab) -> None:
    serve(lab, shift=10)
    pushed = lab.push(reference())
    found = await run(lab, lab.objects(SPEC, pushed))
    assert lab.names() == [
        f"baselines/{pushed['digest'].replace(':', '-')}.json",
        "daily/daily-1/report.html",
        "daily/daily-1/report.json",
        "daily/history.json",
    ]
    assert found["report"] == f"{lab.place.uri}/growth/churn/monitors/daily/daily-1/report.html"
    assert "<svg" in lab.kept("daily/daily-1/report.html")
    result = Result.model_validate_json(lab.raw("growth/churn/monitors/daily/daily-1/report.json"))
    assert sorted((column.name, column.role) for column in result.columns) == [
        ("age", "Feature"),
        ("income", "Feature"),
        ("plan", "Feature"),
        ("predict", "Output"),
        ("predict_proba_1", "Output"),
    ]
    (point,) = lab.kept("daily/history.json")
    assert point["values"]["Drift/psi/age"] > 0.2
    await run(lab, lab.objects(SPEC, pushed), who=Who("growth", "daily", "uid-1", "daily-2"))
    assert len(lab.kept("daily/history.json")) == 2
    assert "daily/daily-2/report.json" in lab.names()


async def test_old_reports_go(lab: Lab) -> None:
    serve(lab)
    api = lab.objects(SPEC)
    folder = lab.store.folder / lab.place.uri.removeprefix("s3://") / "growth/churn/monitors/daily"
    for days, name in ((31, "daily-1"), (29, "daily-2")):
        await run(lab, api, who=Who("growth", "daily", "uid-1", name))
        written = (NOW - timedelta(days=days)).timestamp()
        for path in (*folder.glob(f"{name}/*"), folder / "history.json"):
            os.utime(path, (written, written))
    await run(lab, api, who=Who("growth", "daily", "uid-1", "daily-3"))
    assert len(lab.names()) == 7, "no bound: they stay for ever"
    await run(lab, api, who=Who("growth", "daily", "uid-1", "daily-3"), report_days=30)
    assert {name.split("/")[1] for name in lab.names()} == {"daily-2", "daily-3", "history.json"}
    assert len(lab.kept("daily/history.json")) == 4


async def test_the_baseline_is_frozen(lab: Lab) -> None:
    """Reference rows are read once: the profile holds even where the file is gone."""
    serve(lab, shift=10)
    pushed = lab.push(reference())
    first = await run(lab, lab.objects(SPEC, pushed))
    obstore.delete(open_store(lab.models, "s3://models"), "growth/churn/3.baseline.parquet")
    assert verdicts(await run(lab, lab.objects(SPEC, pushed))) == verdicts(first)


async def test_reference_rows_that_were_changed(lab: Lab) -> None:
    serve(lab)
    pushed = lab.push(reference())
    lab.push(reference(income=np.zeros(5000)))
    found = await run(lab, lab.objects(SPEC, pushed))
    assert verdicts(found)["Drift", "baseline", ""] == verdicts(found)["PredictionDrift", "baseline", ""] == "Error"
    assert "is not what the version was pushed with" in found["message"]
    assert verdicts(found)["ServiceHealth", "errorRate", ""] == "Healthy"


@pytest.mark.parametrize("key", ["rivals/churn/3.baseline.parquet", "growth/../rivals/3.baseline.parquet", "growth-rows.parquet"])
async def test_reference_rows_of_somebody_else(lab: Lab, key: str) -> None:
    """Even with the right digest, and a profile that is frozen already."""
    serve(lab)
    pushed = lab.push(reference())
    await run(lab, lab.objects(SPEC, pushed))
    found = await run(lab, lab.objects(SPEC, pushed | {"uri": f"s3://models/{key}"}))
    assert verdicts(found)["Drift", "baseline", ""] == "Error"
    assert "must begin with s3://models/growth/" in found["message"]


async def test_no_reference_rows(lab: Lab) -> None:
    serve(lab)
    found = await run(lab, lab.objects(SPEC))
    assert verdicts(found)["Drift", "psi", "age"] == "NoData"
    assert Result.model_validate_json(lab.raw("growth/churn/monitors/daily/daily-1/report.json")).baseline.kind == "None"


async def test_a_past_window(lab: Lab) -> None:
    serve(lab, hours=30)
    serve(lab, hours=2, version=2, shift=10, seed=3)
    past = {"baseline": {"type": "Window", "window": {"days": 7}}}
    found = await run(lab, lab.objects(SPEC | past))
    assert verdicts(found)["Drift", "psi", "age"] == "Critical"
    assert verdicts(found)["Drift", "psi", "plan"] == "Healthy"


async def test_the_truth(lab: Lab) -> None:
    serve(lab)
    told = features(0, 2)["predict"].tolist()
    wrong = [1 - value if place % 2 else value for place, value in enumerate(told)]
    rows = [
        {"prediction_id": f"id-1-{place}", "label": str(value), "value": float(value), "arrived": NOW} for place, value in enumerate(wrong)
    ]
    write(lab.place, "actuals", actuals(rows))
    found = await run(lab, lab.objects(SPEC, lab.push(reference())))
    assert found["truths"]["matched"] == ROWS
    assert verdicts(found)["Performance", "accuracy", ""] == "Critical"
    (accuracy,) = [check for check in found["checks"] if check["check"] == "Performance" and not check["segment"]]
    assert accuracy["value"] == 0.5
    assert found["worstSegment"] in ("plan=basic", "plan=plus")


async def test_features_that_drift_together(lab: Lab) -> None:
    """None for itself: `age` and `twin` used to be the same, and no longer are."""
    serve(lab, **{"in_twin": pa.array(features(0, 7)["age"])})
    pushed = lab.push(reference(twin=features(0, 1, 5000)["age"]))
    found = await run(lab, lab.objects(SPEC | {"drift": {"multivariate": {"warning": 0.6, "critical": 0.7}}}, pushed))
    assert {verdicts(found)["Drift", "psi", name] for name in ("age", "twin")} == {"Healthy"}
    (check,) = [check for check in found["checks"] if check["check"] == "MultivariateDrift"]
    assert check["verdict"] == "Critical", check


async def test_an_estimate_while_the_truth_is_missing(lab: Lab) -> None:
    serve(lab)
    rows = features(0, 1, 5000)
    truth = (np.random.default_rng(5).random(5000) < rows["predict_proba_1"]).astype(int)
    wanted = {"performance": {"metrics": [{"name": "accuracy", "critical": 0.99}]}}
    found = await run(lab, lab.objects(SPEC | wanted, lab.push(reference(truth=truth))))
    (check,) = [check for check in found["checks"] if check["check"] == "EstimatedPerformance"]
    assert check["verdict"] == "Warning", check
    assert check["value"] == pytest.approx(np.mean(np.maximum(rows["predict_proba_1"], 1 - rows["predict_proba_1"])), abs=0.05)
    result = Result.model_validate_json(lab.raw("growth/churn/monitors/daily/daily-1/report.json"))
    assert result.estimate is not None
    assert result.estimate.estimated


async def test_no_estimate_without_truth_in_the_reference(lab: Lab) -> None:
    serve(lab)
    wanted = {"performance": {"metrics": [{"name": "accuracy", "critical": 0.99}]}}
    found = await run(lab, lab.objects(SPEC | wanted, lab.push(reference())))
    (check,) = [check for check in found["checks"] if check["check"] == "EstimatedPerformance"]
    assert (check["verdict"], check.get("value")) == ("NoData", None)


async def test_no_table_yet(lab: Lab) -> None:
    found = await run(lab, lab.objects(SPEC, lab.push(reference())))
    assert (found["rows"], found["verdict"]) == (0, "NoData")
    assert set(found["counts"]) == {"NoData", "Healthy"}


async def test_the_server_fails(lab: Lab) -> None:
    serve(lab, status=503)
    found = await run(lab, lab.objects(SPEC, lab.push(reference())))
    assert verdicts(found)["ServiceHealth", "errorRate", ""] == "Critical"
    assert found["rows"] == 0


async def test_a_column_of_another_kind_is_no_end(lab: Lab) -> None:
    serve(lab)
    found = await run(lab, lab.objects(SPEC, lab.push(reference(income=pa.array(["a lot"] * 5000)))))
    assert verdicts(found)["Drift", "psi", "age"] == "Healthy"
    assert verdicts(found)["Drift", "psi", "income"] in ("NoData", "Error")


async def test_the_store_is_away(lab: Lab) -> None:
    api = lab.objects(SPEC)
    away = type(lab.place)("s3://nowhere/log", lab.place.secret)
    found = await run(lab, api, code=1, log=away)
    assert found["verdict"] == "Error"
    assert found["message"]


@pytest.mark.parametrize("gone", ["modeldeployments/churn", "models/churn"])
async def test_what_it_is_about_is_gone(lab: Lab, gone: str) -> None:
    api = lab.objects(SPEC)
    del api.objects[gone]
    found = await run(lab, api, code=1)
    assert found["verdict"] == "Error"
    assert "there is no Model" in found["message"]


@pytest.mark.parametrize("who", [Who("growth", "daily", "uid-0", "daily-1"), Who("growth", "other", "uid-1", "daily-1")])
async def test_nobody_waits_for_it(lab: Lab, who: Who) -> None:
    with pytest.raises(Another):
        await execute(lab.objects(SPEC), lab.settings(who=who), NOW)


async def test_it_is_replaced_meanwhile(lab: Lab) -> None:
    serve(lab)
    api = lab.objects(SPEC)

    async def send(request: Any) -> Any:
        if request.method == "PATCH":
            raise Conflict(409, "Conflict", "uid mismatch")
        return await api(request)

    with pytest.raises(Another):
        await execute(send, lab.settings(), NOW)


async def test_the_owner_cannot_be_told(lab: Lab) -> None:
    serve(lab, shift=10)
    api = lab.objects(SPEC | {"actions": [{"do": "Notify"}]}, lab.push(reference()), owner={"team": "a", "notify": ["chat"]})
    found = await run(lab, api)
    assert found["message"].endswith("not told: chat: no notifier chat is set up")
    assert found["notified"] == ""
    assert found["verdict"] == "Critical"


async def test_the_owner_is_told_once(lab: Lab, server: Web, tmp_path: Path) -> None:
    serve(lab, shift=10)
    config = tmp_path / "notifiers.json"
    config.write_text(json.dumps({"hook": {"type": "Webhook", "url": server.url}}))
    spec, owner = SPEC | {"actions": [{"do": "Notify", "when": ["Drift"]}]}, {"team": "a", "notify": ["hook"]}
    pushed, told = lab.push(reference()), Notifiers(config)
    api = lab.objects(spec, pushed, owner=owner)
    found = await run(lab, api, notifiers=told)
    ((_, body),) = server.taken
    assert [check["column"] for check in body["checks"]] == ["age"]
    assert [request.body["status"]["run"]["notified"][:8] for request in api.applied] == ["", "Critical"]
    again = lab.objects(spec, pushed, status=found, owner=owner)
    assert (await run(lab, again, notifiers=told))["notified"] == found["notified"]
    assert len(server.taken) == 1


async def test_a_page_that_cannot_be_drawn_is_no_end(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: Result) -> str:
        raise ZeroDivisionError("bars")

    serve(lab)
    monkeypatch.setattr("slipway.monitor.run.page", broken)
    found = await run(lab, lab.objects(SPEC))
    assert found["verdict"] != "Error"
    assert "ZeroDivisionError: bars" in lab.kept("daily/daily-1/report.html")


def test_a_history_that_others_broke(lab: Lab) -> None:
    store = open_store(lab.place, lab.place.uri)
    of = monitor_folder("growth", "churn", "daily")
    assert reports.history(store, of) == []
    obstore.put(store, f"{of}/history.json", b'{"no": "list"}')
    assert reports.history(store, of) == []
