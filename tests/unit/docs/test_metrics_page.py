"""docs/metrics.md names exactly the metrics that the operator and the collector have, with their types and labels."""

from __future__ import annotations

import re

from prometheus_client import Counter
from prometheus_client.metrics import MetricWrapperBase

from slipway.collector import metrics as collector
from slipway.telemetry import metrics
from tests.unit.docs.pages import ROOT, blocks

PAGE = (ROOT / "docs/metrics.md").read_text()
ROW = re.compile(r"^\| `(slipway_\w+)` \| (\w+) \|([^|]*)\|", re.MULTILINE)
Described = dict[str, tuple[str, tuple[str, ...]]]


def defined() -> Described:
    """Type and labels of every metric of the two, by the name that Prometheus sees."""
    found: Described = {}
    for metric in (*vars(metrics).values(), *vars(collector).values()):
        if isinstance(metric, MetricWrapperBase):
            (family,) = metric.describe()
            name = f"{family.name}_total" if isinstance(metric, Counter) else family.name
            found[name] = (family.type, tuple(metric._labelnames))
    return found


def test_the_table_is_the_code() -> None:
    table = {name: (kind, tuple(re.findall(r"`(\w+)`", labels))) for name, kind, labels in ROW.findall(PAGE)}
    assert table == defined()
    assert len(table) == len(ROW.findall(PAGE)), "a metric is described twice"


def test_queries_ask_for_metrics_that_exist() -> None:
    queries = [body for _, body in blocks(PAGE, "promql")]
    assert len(queries) > 5
    asked = {name for query in queries for name in re.findall(r"\bslipway_\w+", query)}
    assert {re.sub(r"_(bucket|count|sum)$", "", name) for name in asked} <= set(defined())


def test_labels_in_queries_are_the_metrics_own() -> None:
    known = {label for _, labels in defined().values() for label in labels} | {"le", "pod", "code", "model", "version"}
    for _, query in blocks(PAGE, "promql"):
        grouped = [name for group in re.findall(r"\b(?:by|on) \(([^)]*)\)", query) for name in group.split(", ")]
        matched = [name for group in re.findall(r"\{([^}]*)\}", query) for name in re.findall(r"(\w+)=", group)]
        assert {*grouped, *matched} <= known, query
