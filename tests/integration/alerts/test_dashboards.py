"""Every panel of every dashboard shows something, when a real Prometheus scrapes what really runs."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.integration.alerts.life import DEPLOYMENT, NAMESPACE, Life
from tests.prometheus import Prometheus, start_prometheus
from tests.rules import ROOT
from tests.wait import until

DASHBOARDS = {path.stem: json.loads(path.read_text()) for path in sorted((ROOT / "charts/slipway/files/dashboards").glob("*.json"))}
CHOSEN = {"namespace": NAMESPACE, "deployment": DEPLOYMENT, "team": ".*", "__rate_interval": "20s"}
"""What Grafana puts in the place of variables; "All" is `.*`."""


@pytest.fixture(scope="module")
def prometheus(life: Life, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    folder: Path = tmp_path_factory.mktemp("prometheus")
    with start_prometheus(folder, life.targets) as server, life.going_on():
        life.found("Warning")
        yield server


def as_asked(text: str) -> str:
    for name, value in CHOSEN.items():
        text = text.replace(f"${name}", value)
    assert "$" not in text, text
    return text


def shown(prometheus: Prometheus, query: str) -> bool:
    return any(not math.isnan(sample.value) for sample in prometheus.query(query))


def panels() -> Iterator[Any]:
    for name, dashboard in DASHBOARDS.items():
        for panel in dashboard["panels"]:
            yield pytest.param(panel, id=f"{name}-{panel['title']}")


@pytest.mark.parametrize("panel", list(panels()))
def test_a_panel_has_data(panel: dict[str, Any], prometheus: Prometheus) -> None:
    for query in (as_asked(target["expr"]) for target in panel["targets"]):
        until(partial(shown, prometheus, query), 40, f"data for {query}; targets down: {prometheus.down()}", every=0.5)


@pytest.mark.parametrize("name", DASHBOARDS)
def test_variables_offer_what_there_is(name: str, prometheus: Prometheus) -> None:
    for variable in DASHBOARDS[name]["templating"]["list"]:
        if variable["type"] == "query":
            series, label = variable["definition"].removeprefix("label_values(").removesuffix(")").rsplit(", ", 1)
            found = prometheus.values(label, as_asked(series))
            assert CHOSEN[label].replace(".*", "growth") in found
