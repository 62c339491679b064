"""A bench's result: rows with a value and, where one is promised, the bound."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Row:
    """One figure."""

    what: str
    value: float
    unit: str = ""
    at_most: float | None = None

    @property
    def holds(self) -> bool:
        return self.at_most is None or self.value <= self.at_most


@dataclass
class Table:
    """The figures of one bench."""

    title: str
    about: str
    rows: list[Row] = field(default_factory=list)

    def as_markdown(self) -> str:
        lines = [f"## {self.title}", "", self.about, "", "| figure | value | bound | |", "|---|---|---|---|"]
        for row in self.rows:
            bound = f"≤ {row.at_most:g}" if row.at_most is not None else ""
            verdict = "" if row.at_most is None else "holds" if row.holds else "**missed**"
            lines.append(f"| {row.what} | {row.value:.3g} {row.unit}".rstrip() + f" | {bound} | {verdict} |")
        return "\n".join(lines) + "\n"
