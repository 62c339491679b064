"""What the prediction log has of one answer: what the model saw, what it said, and what turned out to be true."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from slipway.cli.cluster import Cluster, Json
from slipway.cli.errors import CliError
from slipway.cli.predictions.collector import Given, reached

SHOWN_ROWS, SHOWN_COLUMNS = 10, 50
NOTHING = "the prediction log has no row of it (yet): it was not captured, or was deleted or erased since"


@dataclass(frozen=True)
class Answer:
    """The rows of one prediction id; none, and why."""

    rows: tuple[Json, ...] = ()
    actuals: tuple[Json, ...] = ()
    note: str = ""

    def said(self, field: str) -> str:
        """What all rows say alike, such as `version`; empty without rows."""
        return str(self.rows[0].get(field) or "") if self.rows else ""

    def check(self, **headers: str | None) -> None:
        """Whether the answer's headers are what the log has of it; None: not given.

        Raises:
            CliError: they are not.

        """
        for field, given in headers.items():
            if given and self.said(field) not in ("", given):
                raise CliError(f"by the prediction log {field} {self.said(field)} answered, not {given}: the header was altered on its way")

    def as_json(self, prediction: str) -> Json:
        return {"id": prediction, "rows": list(self.rows), "actuals": list(self.actuals), "note": self.note or None}


def looked_up(given: Given, cluster: Cluster, deployment: str, prediction: str) -> Answer:
    """The answer, or why it is not to be had: the rest of a trace is worth showing without it."""
    try:
        with reached(given, cluster) as way:
            found = way.prediction(cluster.namespace, deployment, prediction)
    except CliError as error:
        return Answer(note=str(error))
    rows = tuple(found.get("predictions") or ())
    return Answer(rows, tuple(found.get("actuals") or ()), "" if rows else NOTHING)


def lines(found: Json) -> Iterator[tuple[str, str]]:
    """For people: heads and texts."""
    rows: list[Json] = found["rows"]
    if not rows:
        yield "", found["note"] or NOTHING
        return
    yield "", _call(rows[0])
    for row in rows[:SHOWN_ROWS]:
        which = f"row {row['row'] + 1} of {row['rows']}: " if row.get("rows", 1) > 1 else ""
        yield "It saw", which + (_columns(row, "in_") or "not kept")
        if keys := _columns(row, "key_"):
            yield "Known as", which + keys
        yield "It said", which + (str(row.get("error") or "") or _columns(row, "out_") or "not kept")
        if row.get("other"):
            yield "Beside", which + str(row["other"])
    if len(rows) > SHOWN_ROWS:
        yield "", f"… and {len(rows) - SHOWN_ROWS} more rows: -o json"
    for actual in found["actuals"][:SHOWN_ROWS]:
        yield "Truth", _truth(actual, several=len(rows) > 1)


def _call(row: Json) -> str:
    """How it was asked."""
    caller = f" by {row['caller']} (as the caller says)" if row.get("caller") else ""
    lost = "; its body was too large to be kept" if row.get("truncated") else ""
    asked = f"asked at {row.get('time')} over {row.get('protocol')}{caller}"
    return f"{asked}, answered {row.get('status')} in {_number(row.get('latency_ms'))} ms{lost}"


def _columns(row: Json, prefix: str) -> str:
    named = {name.removeprefix(prefix): value for name, value in row.items() if name.startswith(prefix)}
    said = [f"{name}={_number(value)}" for name, value in list(named.items())[:SHOWN_COLUMNS]]
    return "  ".join([*said, *([f"… and {len(named) - SHOWN_COLUMNS} more: -o json"] if len(named) > SHOWN_COLUMNS else [])])


def _truth(actual: Json, *, several: bool) -> str:
    which = f"row {int(actual.get('row') or 0) + 1}: " if several else ""
    value = actual.get("label", actual.get("value"))
    return f"{which}{actual.get('output', '')}={value} ({actual.get('time', '')}{', late' if actual.get('late') else ''})"


def _number(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)
