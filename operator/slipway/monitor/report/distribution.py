"""How a column is distributed, beside its baseline."""

from __future__ import annotations

from collections.abc import Sequence

from slipway.monitor.report.shapes import WIDTH, Chart, Rect, Word, clipped, number, percent
from slipway.monitor.result import ColumnReport, Histogram

PLOT = 100.0
"""Height of the tallest bar."""
ROW = 22.0
LABEL = 110.0
SHOWN_CATEGORIES = 10
"""The others are one bar."""
SIDES = ("baseline", "window")


def distribution(column: ColumnReport) -> Chart | None:
    """The window's histogram and the baseline's; None where neither is known."""
    there = column.window or column.baseline
    if there is None:
        return None
    sides = [_shares(side, len(there.counts)) for side in (column.baseline, column.window)]
    if there.edges is not None:
        return _numbers(column.name, there.edges, sides)
    return _categories(column.name, *_grouped(there.categories or [], sides))


def residuals(histogram: Histogram) -> Chart:
    """One histogram of numbers."""
    return _numbers("predicted minus true", histogram.edges or [], [[], _shares(histogram, len(histogram.counts))])


def _shares(histogram: Histogram | None, bins: int) -> list[float]:
    if histogram is None or len(histogram.counts) != bins:
        return []
    total = sum(histogram.counts) or 1
    return [count / total for count in histogram.counts]


def _numbers(name: str, edges: Sequence[float], sides: Sequence[Sequence[float]]) -> Chart:
    """Bins side by side, each as wide as the others: they hold equal shares of the baseline, so their edges tell where it is dense."""
    bins = max(len(side) for side in sides) or 1
    step, top = WIDTH / bins, max((share for side in sides for share in side), default=0.0) or 1.0
    rects = [
        Rect(
            place * step + step * (0.1 + 0.42 * which),
            PLOT - PLOT * share / top,
            step * 0.38,
            PLOT * share / top,
            SIDES[which],
            f"{_bin(edges, place)}: {percent(share)} ({SIDES[which]})",
        )
        for which, side in enumerate(sides)
        for place, share in enumerate(side)
    ]
    return Chart(f"distribution of {name}", PLOT + 18, rects, words=_axis(edges))


def _axis(edges: Sequence[float]) -> list[Word]:
    """The first, the middle and the last edge."""
    if len(edges) < 2:
        return []
    wanted = sorted({0, (len(edges) - 1) // 2, len(edges) - 1})
    anchors = {0: "start", len(edges) - 1: "end"}
    step = WIDTH / (len(edges) - 1)
    return [Word(place * step, PLOT + 14, number(edges[place]), anchors.get(place, "middle")) for place in wanted]


def _bin(edges: Sequence[float], place: int) -> str:
    return f"{number(edges[place])} to {number(edges[place + 1])}" if place + 1 < len(edges) else ""


def _grouped(names: Sequence[str], sides: Sequence[Sequence[float]]) -> tuple[list[str], list[list[float]]]:
    """The most frequent categories of either side, and all others as one."""
    if len(names) <= SHOWN_CATEGORIES + 1:
        return list(names), [list(side) for side in sides]
    first = sorted(range(len(names)), key=lambda place: -max((side[place] for side in sides if side), default=0.0))[:SHOWN_CATEGORIES]
    rest = [place for place in range(len(names)) if place not in first]
    merged = [[*(side[place] for place in first), sum(side[place] for place in rest)] if side else [] for side in sides]
    return [*(names[place] for place in first), f"{len(rest)} others"], merged


def _categories(name: str, names: Sequence[str], sides: Sequence[Sequence[float]]) -> Chart:
    """A row for each category."""
    top = max((share for side in sides for share in side), default=0.0) or 1.0
    room = WIDTH - LABEL
    rects = [
        Rect(
            LABEL,
            place * ROW + 2 + 9 * which,
            max(0.5, room * share / top),
            8,
            SIDES[which],
            f"{clipped(names[place], 100)}: {percent(share)} ({SIDES[which]})",
        )
        for which, side in enumerate(sides)
        for place, share in enumerate(side)
    ]
    words = [Word(LABEL - 6, place * ROW + 14, clipped(text or "(empty)", 17), "end") for place, text in enumerate(names)]
    return Chart(f"distribution of {name}", max(1, len(names)) * ROW, rects, words=words)
