"""Small plots as inline SVG: no script, no outside address, colours by the page's style."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from html import escape

WIDTH, HEIGHT, MARGIN = 640, 150, 32
KINDS = {"Approved": "good", "Serving": "good", "Overridden": "bad", "Rejected": "bad", "Stalled": "bad", "Requested": "asked"}
"""Classes of transitions; others are plain."""


def metric(name: str, points: Sequence[tuple[str, float]]) -> str:
    """A line over the versions, each point with its value."""
    values = [value for _, value in points]
    low, high = min(values), max(values)
    places = [
        (_across(number, len(points) - 1), HEIGHT - MARGIN - (value - low) / ((high - low) or 1) * (HEIGHT - 2 * MARGIN))
        for number, value in enumerate(values)
    ]
    line = " ".join(f"{x:.0f},{y:.0f}" for x, y in places)
    marks = "".join(
        f'<circle cx="{x:.0f}" cy="{y:.0f}" r="4"/><text x="{x:.0f}" y="{y - 9:.0f}" text-anchor="middle">{value:g}</text>'
        f'<text x="{x:.0f}" y="{HEIGHT - 8}" text-anchor="middle">{escape(version)}</text>'
        for (x, y), (version, value) in zip(places, points, strict=True)
    )
    return _svg(f"{name} by version", f'<polyline points="{line}" fill="none"/>{marks}')


def timeline(moments: Sequence[tuple[str, str]]) -> str:
    """A dot for each transition, in time; hovering tells which."""
    times = [datetime.fromisoformat(at).timestamp() for at, _ in moments]
    first, span = min(times), (max(times) - min(times)) or 1
    dots = "".join(
        f'<circle class="{KINDS.get(what, "plain")}" cx="{_across(time - first, span):.0f}" cy="{60 + 18 * (number % 3)}" r="6">'
        f"<title>{escape(what)} {escape(at)}</title></circle>"
        for number, (time, (at, what)) in enumerate(zip(times, moments, strict=True))
    )
    ends = f'<text x="{MARGIN}" y="{HEIGHT - 8}">{escape(moments[0][0])}</text>'
    ends += f'<text x="{WIDTH - MARGIN}" y="{HEIGHT - 8}" text-anchor="end">{escape(moments[-1][0])}</text>'
    rule = f'<line x1="{MARGIN}" x2="{WIDTH - MARGIN}" y1="120" y2="120"/>'
    return _svg("History in time: green approved or serving, red rejected, stalled or overridden, blue asked for", rule + dots + ends)


def _across(part: float, whole: float) -> float:
    return MARGIN + part / (whole or 1) * (WIDTH - 2 * MARGIN)


def _svg(title: str, inner: str) -> str:
    return (
        f'<figure><svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title)}">{inner}</svg>'
        f"<figcaption>{escape(title)}</figcaption></figure>"
    )
