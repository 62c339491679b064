"""Small files of a day become large ones, sorted by id, so that one id is looked for in few of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

import obstore
import pyarrow as pa
from deltalake import DeltaTable
from obstore.exceptions import NotFoundError

from slipway.collector.find import Finder
from slipway.collector.log.files import put
from slipway.collector.log.table import Change, DataFile, Snapshot, Table, files_of

MEMORY = 192 * 2**20
"""Bytes of the rows that are sorted at once, about; the whole takes some times that."""
FULL = 0.5
"""A file of this part of `MEMORY` is large enough."""
AT_ONCE = 1000
"""Files that become one."""
TODAY, BEFORE = 16, 2
"""So many small files of a day are worth a new one: today's go on coming."""
VALUE, FIXED = 10, 150
"""Bytes of a row in memory: for each column of a feature, and for all others; about."""


def compact(table: Table, finder: Finder, today: date) -> int:
    """Makes as many files into few as it can; how many went. Memory stays within a few times `MEMORY`. Blocks: for threads."""
    snapshot = table.snapshot()
    gone = 0
    for group in groups(snapshot, today) if snapshot else ():
        gone += len(group) if _merge(table, finder, group) else 0
    return gone


def groups(snapshot: Snapshot, today: date) -> Iterator[list[DataFile]]:
    """Files that become one each: of one day, those written first first."""
    width = FIXED + VALUE * len(snapshot.columns.types)
    days: dict[date, list[DataFile]] = {}
    for file in snapshot.files:
        if file.rows * width < FULL * MEMORY:
            days.setdefault(file.day, []).append(file)
    for day, files in days.items():
        for group in _filled(sorted(files, key=lambda file: file.written), width):
            if len(group) >= (TODAY if day >= today else BEFORE):
                yield group


def _filled(files: Sequence[DataFile], width: int) -> Iterator[list[DataFile]]:
    group: list[DataFile] = []
    room = MEMORY
    for file in files:
        if group and (file.rows * width > room or len(group) == AT_ONCE):
            yield group
            group, room = [], MEMORY
        group.append(file)
        room -= file.rows * width
    if group:
        yield group


def _merge(table: Table, finder: Finder, group: Sequence[DataFile]) -> bool:
    """Whether it became part of the table: not if one of the files left it meanwhile, by erasure, retention, or another collector."""
    try:
        rows = pa.concat_tables([_rows(table, finder, file) for file in group], promote_options="default")
    except (FileNotFoundError, NotFoundError):
        return False
    add = put(table.store, group[0].day, rows.sort_by([("prediction_id", "ascending"), ("row", "ascending")]), data_change=False)
    wanted = {file.path for file in group}

    def propose(handle: DeltaTable) -> Change | None:
        there = {file.path for file in files_of(handle)}
        return Change([add], [file.removed(False) for file in group]) if wanted <= there else None

    if not table.commit(propose):
        obstore.delete(table.store, add.path)
        return False
    return True


def _rows(table: Table, finder: Finder, file: DataFile) -> pa.Table:
    with finder.footers.open(table.store, file) as opened:
        return opened.read()
