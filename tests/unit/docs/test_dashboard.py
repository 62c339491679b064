"""The dashboard asks for metrics that exist, by labels that they have."""

from __future__ import annotations

import inspect
import json
import re

from prometheus_client.metrics import MetricWrapperBase

from slipway.collector import metrics
from slipway_runtime.capture import metrics as capture
from tests.unit.docs.pages import ROOT

DASHBOARD = json.loads((ROOT / "charts/slipway/files/dashboards/prediction-log.json").read_text())
QUERIES = [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]
SCRAPED = {"namespace", "pod", "le"}
"""Labels that Prometheus adds, and a histogram's own."""
SUFFIX = re.compile(r"_(total|bucket|sum|count)$")


def defined() -> dict[str, set[str]]:
    """Labels by name, without the suffixes of counters and histograms."""
    families = {metric: next(iter(metric.describe())).name for metric in vars(metrics).values() if isinstance(metric, MetricWrapperBase)}
    found = {name: set(metric._labelnames) for metric, name in families.items()}
    written = re.findall(r'"(slipway_capture_\w+)", "[^"]+"(?:, labels=\["(\w+)"\])?', inspect.getsource(capture))
    return found | {name: {label} - {""} for name, label in written}


def test_every_query_asks_for_what_there_is() -> None:
    known = defined()
    assert len(QUERIES) >= 12
    for query in QUERIES:
        (name,) = {SUFFIX.sub("", name) for name in re.findall(r"\bslipway_\w+", query)}
        assert name in known, query
        grouped = {label.strip() for group in re.findall(r"\bby \(([^)]*)\)", query) for label in group.split(",")}
        assert grouped <= known[name] | SCRAPED, query


def test_each_panel_says_what_it_means() -> None:
    panels = DASHBOARD["panels"]
    assert all(panel["title"] and panel["description"] and panel["fieldConfig"]["defaults"]["unit"] for panel in panels)
    assert len({panel["id"] for panel in panels}) == len({panel["title"] for panel in panels}) == len(panels)
    assert {"rows", "bytes", "drop", "lag", "spool", "commit", "files"} <= {
        word for panel in panels for word in ("rows", "bytes", "drop", "lag", "spool", "commit", "files") if word in panel["title"].lower()
    }
