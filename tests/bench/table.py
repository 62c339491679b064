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
    at_least: float | None = None

    @property
    def holds(self) -> bool:
        """Within its bounds; a figure without a bound holds."""
        return (self.at_most is None or self.value <= self.at_most) and (self.at_least is None or self.value >= self.at_least)

    @property
    def bound(self) -> str:
        """In words; empty for none."""
        bounds = ((sign, bound) for sign, bound in (("≥", self.at_least), ("≤", self.at_most)) if bound is not None)
        return ", ".join(f"{sign} {bound:g}" for sign, bound in bounds)


@dataclass
class Table:
    """The figures of one bench."""

    title: str
    about: str
    rows: list[Row] = field(default_factory=list)

    def as_markdown(self) -> str:
        lines = [f"## {self.title}", "", self.about, "", "| figure | value | bound | |", "|---|---|---|---|"]
        for row in self.rows:
            verdict = "" if not row.bound else "holds" if row.holds else "**missed**"
            lines.append(f"| {row.what} | {row.value:.3g} {row.unit}".rstrip() + f" | {row.bound} | {verdict} |")
        return "\n".join(lines) + "\n"
