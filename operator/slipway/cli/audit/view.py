"""Entries as a table, JSON or CSV. What they say came from people: it is shown, never interpreted."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Sequence
from typing import IO, TYPE_CHECKING, Any

from slipway.cli.output import clean, text

if TYPE_CHECKING:
    from rich.table import Table

    from slipway.ledger.reader import Stored

CSV_COLUMNS = (
    "index",
    "time",
    "namespace",
    "kind",
    "name",
    "uid",
    "generation",
    "transition",
    "actors",
    "approvers",
    "reason",
    "message",
    "id",
)
FORMULA = ("=", "+", "-", "@")
NOBODY = "-"


def table(entries: Sequence[Stored]) -> Table:
    """For people."""
    from rich.table import Table

    shown = Table(box=None, pad_edge=False, header_style="bold")
    for head in ("TIME", "NAMESPACE", "NAME", "GEN", "TRANSITION", "ASKED BY", "APPROVED BY", "WHAT"):
        shown.add_column(head, overflow="fold", no_wrap=head in ("TIME", "GEN"))
    for stored in entries:
        entry = stored.entry
        about = entry.object
        cells = [
            f"{entry.time:%Y-%m-%dT%H:%M:%SZ}",
            about.namespace or NOBODY,
            about.name if about.kind == "ModelDeployment" else f"{about.kind} {about.name}",
            about.generation,
            entry.transition,
            ", ".join(entry.actors) or NOBODY,
            ", ".join(entry.approvers) or NOBODY,
            ": ".join(filter(None, (entry.reason, entry.message))),
        ]
        shown.add_row(*(text(cell) for cell in cells))
    return shown


def json_items(entries: Sequence[Stored]) -> Iterator[str]:
    """One JSON array, an entry a line; only ASCII, so that no terminal acts on it."""
    yield "["
    for position, stored in enumerate(entries):
        yield json.dumps(stored.as_json()) + ("," if position < len(entries) - 1 else "")
    yield "]"


def write_csv(entries: Sequence[Stored], stream: IO[str]) -> None:
    """For spreadsheets: nothing that they would run as a formula."""
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(CSV_COLUMNS)
    for stored in entries:
        writer.writerow([_cell(value) for value in _row(stored)])


def _row(stored: Stored) -> list[Any]:
    entry = stored.entry
    about = entry.object
    return [
        stored.index, entry.time.isoformat(), about.namespace, about.kind, about.name, about.uid, about.generation, entry.transition,
        ", ".join(entry.actors), ", ".join(entry.approvers), entry.reason, entry.message, entry.id,
    ]  # fmt: skip


def _cell(value: Any) -> str:
    shown = clean(value)
    return f"'{shown}" if shown.startswith(FORMULA) else shown
