"""Settings, ids that carry their time, ground truth's rows, what is compacted."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from slipway.collector.batch.layout import Columns
from slipway.collector.find import day_of, stages
from slipway.collector.log.reading import holding, holding_any
from slipway.collector.log.table import DataFile, Snapshot
from slipway.collector.maintenance.compact import MEMORY, groups
from slipway.collector.settings import Limits, settings_from
from slipway.collector.tables import declared
from slipway.collector.truth import arranged, parse

TODAY = date(2026, 11, 29)
NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)


def file(path: str, day: date = TODAY, rows: int = 10, least: str | None = "a", greatest: str | None = "z") -> DataFile:
    return DataFile(path, 1000, rows, day, least, greatest, 0)


# ---- settings


def test_settings() -> None:
    env = {
        "SLIPWAY_LOG_URI": "s3://b/p/",
        "SLIPWAY_LOG_SECRET": "/s",
        "SLIPWAY_LOG_ENDPOINT": "https://e",
        "SLIPWAY_LOG_RETENTION_DAYS": "90",
    }
    settings = settings_from(env)
    assert (settings.log.uri, settings.log.secret, settings.log.overrides) == ("s3://b/p", Path("/s"), {"AWS_ENDPOINT_URL": "https://e"})
    assert (settings.retention_days, settings.late_days, settings.limits) == (90, 30, Limits())


@pytest.mark.parametrize(
    ("env", "message"),
    [
        ({}, "SLIPWAY_LOG_URI"),
        ({"SLIPWAY_LOG_URI": "s3://b", "SLIPWAY_LOG_WORKERS": "0"}, "SLIPWAY_LOG_WORKERS must be a whole number of 1 or more"),
        ({"SLIPWAY_LOG_URI": "s3://b", "SLIPWAY_LOG_RETENTION_DAYS": "-1"}, "SLIPWAY_LOG_RETENTION_DAYS"),
        ({"SLIPWAY_LOG_URI": "s3://b", "SLIPWAY_LOG_LEVEL": "loud"}, "SLIPWAY_LOG_LEVEL"),
    ],
)
def test_settings_that_are_none(env: dict[str, str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        settings_from(env)


def test_a_models_schema() -> None:
    schema = {"inputs": [{"name": "age", "datatype": "INT64"}], "outputs": [{"name": "predict", "datatype": "FP64"}]}
    assert declared({"spec": {"schema": schema}}) == {"in_age": "INT64", "out_predict": "FP64"}
    assert declared({"spec": {"task": "Other"}}) == declared({}) == {}


# ---- where an id is looked for


def test_the_day_in_an_id() -> None:
    assert day_of("017f22e2-79b0-7cc3-98c4-dc0c0c07398f") == date(2022, 2, 22)
    assert day_of("017f22e2-79b0-4cc3-98c4-dc0c0c07398f") is None
    assert day_of("ffffffff-ffff-7fff-8fff-ffffffffffff") is None
    assert day_of("'; --") is None


def test_the_day_first_then_everywhere_else() -> None:
    files = [file(str(ago), date(2022, 2, 22) - timedelta(days=ago)) for ago in range(-3, 4)]
    first, then = stages(files, "017f22e2-79b0-7cc3-98c4-dc0c0c07398f")
    assert [one.path for one in first] == ["-1", "0", "1"]
    assert len(then) == 4
    assert stages(files, "other") == [files]


def test_files_by_their_bounds() -> None:
    files = [file("a", least="a", greatest="f"), file("g", least="g", greatest="m"), file("unknown", least=None, greatest=None)]
    assert [one.path for one in holding(files, "h")] == ["g", "unknown"]
    assert [one.path for one in holding_any(files, ["fz", "n", "c"])] == ["a", "unknown"]
    assert [one.path for one in holding_any(files, ["fz", "n"])] == ["unknown"]


# ---- compaction


def test_what_becomes_one_file() -> None:
    yesterday = TODAY - timedelta(days=1)
    files = [file(f"t{number}") for number in range(15)] + [file(f"y{number}", yesterday) for number in range(2)]
    assert [[one.path for one in group] for group in groups(Snapshot(files, Columns()), TODAY)] == [["y0", "y1"]]
    files += [file("t15"), file("large", rows=MEMORY // 150)]
    assert sorted(len(group) for group in groups(Snapshot(files, Columns()), TODAY)) == [2, 16]


def test_a_group_fits_the_memory() -> None:
    rows = MEMORY // 150 // 3
    files = [file(str(number), TODAY - timedelta(days=1), rows) for number in range(7)]
    assert [len(group) for group in groups(Snapshot(files, Columns()), TODAY)] == [3, 3]


# ---- ground truth


@pytest.mark.parametrize(
    ("value", "number", "label"),
    [(True, 1.0, "true"), (0, 0.0, "0"), (2.5, 2.5, "2.5"), (3.0, 3.0, "3"), ("churned", None, "churned")],
)
def test_values(value: Any, number: float | None, label: str) -> None:
    (row,) = arranged([{"prediction_id": "a", "value": value}], NOW, "alice").to_pylist()
    assert (row["value"], row["label"], row["time"], row["arrived"], row["by"]) == (number, label, NOW, NOW, "alice")


def test_times_and_keys() -> None:
    rows = [
        {"key": {"customer": 7}, "value": 1, "time": "2026-11-01T10:00:00+02:00"},
        {"prediction_id": "a", "value": 1, "time": "2026-11-01"},
    ]
    first, second = arranged(rows, NOW, "alice").to_pylist()
    assert (first["key_customer"], first["time"]) == (7, datetime(2026, 11, 1, 8, tzinfo=UTC))
    assert (second["key_customer"], second["time"]) == (None, datetime(2026, 11, 1, tzinfo=UTC))


def test_keys_of_several_types_are_text() -> None:
    rows = [{"key": {"customer": 7}, "value": 1}, {"key": {"customer": "x"}, "value": 1}]
    assert arranged(rows, NOW, "alice")["key_customer"].to_pylist() == ["7", "x"]


def test_json_of_ground_truth() -> None:
    assert parse(b'{"namespace":"n","deployment":"d","rows":[{"value":1}]}', "application/json", Limits()) == ("n", "d", [{"value": 1}])
