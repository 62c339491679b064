"""Charts as rectangles, lines and words in their own coordinates: templates only write them down."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH = 320.0
"""Of every chart, in its own units: about a pixel each on a phone."""


@dataclass(frozen=True)
class Rect:
    """A bar. `kind` is its class in the page's styles."""

    x: float
    y: float
    width: float
    height: float
    kind: str
    title: str = ""


@dataclass(frozen=True)
class Line:
    """A path through points."""

    points: Sequence[tuple[float, float]]
    kind: str

    @property
    def path(self) -> str:
        return " ".join(f"{x:.1f},{y:.1f}" for x, y in self.points)


@dataclass(frozen=True)
class Dot:
    """A point."""

    x: float
    y: float
    radius: float
    kind: str
    title: str = ""


@dataclass(frozen=True)
class Word:
    """A text; `anchor` is SVG's: start, middle or end."""

    x: float
    y: float
    text: str
    anchor: str = "middle"


@dataclass(frozen=True)
class Chart:
    """One drawing."""

    title: str
    height: float
    rects: Sequence[Rect] = ()
    lines: Sequence[Line] = ()
    dots: Sequence[Dot] = ()
    words: Sequence[Word] = ()
    width: float = WIDTH


def number(value: float | None) -> str:
    """A number for people: four digits that count."""
    if value is None:
        return "–"
    if value == int(value) and abs(value) < 1e15:
        return f"{int(value):,}"
    return f"{value:.4g}"


def percent(value: float) -> str:
    """A share for people."""
    return f"{100 * value:.1f} %"


def clipped(text: str, length: int) -> str:
    """The text, cut to so many characters."""
    return text if len(text) <= length else text[: length - 1] + "…"
