"""The page as text; as a page it is looked at in tests/integration/monitor/test_page.py."""

from __future__ import annotations

import re
from typing import Any

from slipway.monitor.report.distribution import distribution
from slipway.monitor.report.page import DRAWN_COLUMNS, page
from slipway.monitor.report.plots import histories
from slipway.monitor.report.shapes import number
from slipway.monitor.result import ColumnReport, Histogram, Point
from tests.unit.monitor.results import check, result
from tests.unit.monitor.samples import EVIL, full

PAGE = page(full())


def test_what_users_wrote_is_text() -> None:
    assert EVIL not in PAGE
    assert "&lt;script&gt;alert(1)" in PAGE
    assert "{{7*7}}" in PAGE
    assert not re.search(r"<script|<img|onerror=[^a]", PAGE)


def test_no_address_outside() -> None:
    assert not re.search(r"""(src|href|url)\s*[=(]""", PAGE.replace("img src=x", ""))
    assert "http" not in PAGE.replace("http-equiv", "")


def test_it_is_bounded() -> None:
    many = page(full(columns=3000))
    assert many.count("<svg") == 12 + DRAWN_COLUMNS + 2
    assert "And 2000 more in report.json" in many
    assert len(many) < 2_000_000


def test_a_run_that_found_nothing() -> None:
    empty = page(result())
    assert "NoData" in empty
    assert "<svg" not in empty


def test_a_column_without_a_baseline() -> None:
    column = ColumnReport(name="a", role="Feature", type="Number", rows=3, missing=0, window=Histogram(edges=[0, 1, 2], counts=[1, 3]))
    chart = distribution(column)
    assert chart is not None
    assert [(rect.kind, rect.height) for rect in chart.rects] == [("window", 100 / 3), ("window", 100.0)]
    assert distribution(column.model_copy(update={"window": None})) is None


def test_rare_categories_are_one_bar() -> None:
    names = [f"c{place}" for place in range(30)]
    sides: Any = {side: Histogram(categories=names, counts=list(range(30))) for side in ("baseline", "window")}
    chart = distribution(ColumnReport(name="a", role="Feature", type="Category", rows=3, missing=0, **sides))
    assert chart is not None
    assert [word.text for word in chart.words][-2:] == ["c20", "20 others"]


def test_an_empty_histogram() -> None:
    column = ColumnReport(name="a", role="Feature", type="Category", rows=0, missing=0, window=Histogram(categories=[], counts=[]))
    chart = distribution(column)
    assert chart is not None
    assert chart.rects == []


def test_a_line_needs_two_runs() -> None:
    points = [Point(at=f"2026-11-2{day}T10:00:00Z", verdict="Healthy", values={"Drift/psi/age": 0.1 * day}) for day in range(3)]
    (chart,) = histories(points, [check("Warning", threshold=0.1), check("Warning", column="other"), check("Warning", segment="plan=a")])
    assert chart.title == "Drift psi age"
    assert [line.kind for line in chart.lines] == ["window", "threshold"]
    assert histories(points[:1], [check("Warning")]) == []


def test_numbers_for_people() -> None:
    assert [number(value) for value in (None, 0.0, 12_345.0, 0.123456, 1e-9, -2.5)] == ["–", "0", "12,345", "0.1235", "1e-09", "-2.5"]
