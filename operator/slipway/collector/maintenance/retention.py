"""Days that are over their time leave the tables, whole."""

from __future__ import annotations

from datetime import date, timedelta

from deltalake import DeltaTable

from slipway.collector.log.table import Change, Table, files_of


def expire(table: Table, today: date, days: int) -> int:
    """Removes files of days more than `days` ago; how many. Their bytes go with the next vacuum. Blocks: for threads."""
    oldest = today - timedelta(days=days)
    gone = 0

    def propose(handle: DeltaTable) -> Change | None:
        nonlocal gone
        old = [file for file in files_of(handle) if file.day < oldest]
        gone = len(old)
        return Change(removes=[file.removed(True) for file in old]) if old else None

    table.commit(propose)
    return gone
