"""What a window looks like: counts that are merged, drawn up once its last batch has been scanned."""

from __future__ import annotations

from dataclasses import dataclass, field

from slipway.monitor.stats.latency import Latencies
from slipway.monitor.stats.tally import Numbers, Tally, Texts


@dataclass
class Calls:
    """How calls went, each counted once however many rows it had."""

    total: int = 0
    failed: int = 0
    """On the server's side: status 500 and up."""
    refused: int = 0
    """On the caller's side: any other status but 200."""
    latencies: Latencies = field(default_factory=Latencies)

    def merge(self, other: Calls) -> None:
        self.total, self.failed, self.refused = self.total + other.total, self.failed + other.failed, self.refused + other.refused
        self.latencies.merge(other.latencies)


@dataclass
class WindowProfile:
    """A window, by columns of the table."""

    columns: dict[str, Tally]
    rows: int = 0
    """Rows that were answered (status 200)."""
    calls: Calls = field(default_factory=Calls)
    errors: dict[str, str] = field(default_factory=dict)
    """Why a column could not be counted; what was counted of it until then says nothing."""

    def merge(self, other: WindowProfile) -> None:
        """Adds a part of the window that was counted by a fork of the same scanner."""
        self.rows += other.rows
        self.calls.merge(other.calls)
        self.errors |= other.errors
        for name, tally in self.columns.items():
            _merge(tally, other.columns[name])


def _merge(tally: Tally, other: Tally) -> None:
    match tally, other:
        case (Numbers(), Numbers()) | (Texts(), Texts()):
            tally.merge(other)  # type: ignore[arg-type]
        case _:
            raise TypeError("these were not counted by the same scanner")
