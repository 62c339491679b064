"""The dashboards ask for metrics that exist, by labels that they have."""

from __future__ import annotations

import inspect
import json
import re
from typing import Any

import pytest
from prometheus_client.metrics import MetricWrapperBase

from slipway.collector import metrics as collector
from slipway.telemetry import metrics as operator
from slipway_runtime.capture import metrics as capture
from slipway_runtime.serve import dataplane
from tests.unit.docs.pages import ROOT

DASHBOARDS = {path.stem: json.loads(path.read_text()) for path in sorted((ROOT / "charts/slipway/files/dashboards").glob("*.json"))}
SCRAPED = {"namespace", "pod", "instance", "deployment", "le"}
"""Labels that Prometheus adds, and a histogram's own."""
SUFFIX = re.compile(r"_(total|bucket|sum|count)$")
PROCESS = "process_resident_memory_bytes"


def defined() -> dict[str, set[str]]:
    """Labels by name, without the suffixes of counters and histograms."""
    modules = (*vars(collector).values(), *vars(operator).values())
    families = {metric: next(iter(metric.describe())).name for metric in modules if isinstance(metric, MetricWrapperBase)}
    found = {name: set(metric._labelnames) for metric, name in families.items()}
    written = re.findall(r'"(slipway_capture_\w+)", "[^"]+"(?:, labels=\["(\w+)"\])?', inspect.getsource(capture))
    served = re.findall(r'\("(model_infer_\w+)", "[^"]+", \[([^\]]+)\]', inspect.getsource(dataplane))
    found |= {name: {label} - {""} for name, label in written} | {name: set(re.findall(r'"(\w+)"', labels)) for name, labels in served}
    return found | {PROCESS: set()}


def queries(dashboard: dict[str, Any]) -> list[str]:
    return [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]


@pytest.mark.parametrize("name", DASHBOARDS)
def test_every_query_asks_for_what_there_is(name: str) -> None:
    known = defined()
    assert len(queries(DASHBOARDS[name])) >= 10
    for query in queries(DASHBOARDS[name]):
        names = {SUFFIX.sub("", metric) for metric in re.findall(rf"\b(?:slipway_\w+|model_infer_\w+|{PROCESS})", query)}
        assert names, query
        assert names <= known.keys(), query
        labels = set.union(*(known[metric] for metric in names)) | SCRAPED
        grouped = {label.strip() for group in re.findall(r"\b(?:by|on) \(([^)]*)\)", query) for label in group.split(",")}
        matched = {label for group in re.findall(r"\{([^}]*)\}", query) for label in re.findall(r"(\w+)=", group)}
        assert grouped | matched <= labels, query


@pytest.mark.parametrize("name", DASHBOARDS)
def test_each_panel_says_what_it_means(name: str) -> None:
    panels = DASHBOARDS[name]["panels"]
    assert all(panel["title"] and panel["description"] and panel["fieldConfig"]["defaults"]["unit"] for panel in panels)
    assert len({panel["id"] for panel in panels}) == len({panel["title"] for panel in panels}) == len(panels)


@pytest.mark.parametrize("name", DASHBOARDS)
def test_panels_do_not_overlap(name: str) -> None:
    taken: set[tuple[int, int]] = set()
    for place in (panel["gridPos"] for panel in DASHBOARDS[name]["panels"]):
        cells = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
        assert not cells & taken
        assert place["x"] + place["w"] <= 24
        taken |= cells


def test_there_is_one_for_each_concern() -> None:
    asked = {
        "fleet": {"verdict", "request", "error", "p99", "drift", "last run", "serves"},
        "model": {"request", "failure", "latency", "verdict", "drift", "performance", "truth", "log"},
        "operator": {"leader", "queue", "reconcile", "write", "ledger", "memory", "polic"},
        "prediction-log": {"rows", "bytes", "drop", "lag", "spool", "commit", "files"},
    }
    assert asked.keys() == DASHBOARDS.keys()
    for name, words in asked.items():
        titles = " ".join(panel["title"].lower() for panel in DASHBOARDS[name]["panels"])
        assert {word for word in words if word in titles} == words
        assert DASHBOARDS[name]["uid"] == f"slipway-{name}"
