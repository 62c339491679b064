"""A Delta table to which every change is made exactly once, however many collectors work on it."""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date

import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, Field, Schema, Transaction
from deltalake.exceptions import CommitFailedError, TableNotFoundError
from deltalake.schema import PrimitiveType
from deltalake.transaction import AddAction, RemoveAction

from slipway.collector import metrics
from slipway.collector.batch.layout import BASES, PARTITION, Columns, table_schema
from slipway.collector.errors import Refused, unavailable
from slipway.collector.log.files import STATISTICS
from slipway.collector.log.place import open_store, storage_options
from slipway.collector.settings import LogPlace

log = logging.getLogger(__name__)

CONFLICT_TRIES = 60
TROUBLE_TRIES = 2
"""Of a commit whose outcome is not known, or that met other trouble than a conflict."""
PAUSE_SECONDS = 0.02
MAX_PAUSE_SECONDS = 1.0
ORIGINAL = "slipway.name"
"""In a column's metadata: its name before it was cleaned."""
CONFIGURATION = {
    "delta.dataSkippingStatsColumns": ",".join(STATISTICS),
    "delta.logRetentionDuration": "interval 1 days",
    "delta.deletedFileRetentionDuration": "interval 1 days",
    "delta.setTransactionRetentionDuration": "interval 30 days",
    "delta.checkpointInterval": "100",
}
_DELTA = {pa.int64(): "long", pa.float64(): "double", pa.bool_(): "boolean", pa.string(): "string"}
_ARROW = {name: kind for kind, name in _DELTA.items()}


@dataclass(frozen=True)
class Change:
    """One version of a table: files that come, files that go, and the transactions of applications that it completes."""

    adds: Sequence[AddAction] = ()
    removes: Sequence[RemoveAction] = ()
    transactions: Sequence[Transaction] = ()
    new: Columns = field(default_factory=Columns)
    """Columns that must be there first: then the proposal is asked again."""


Propose = Callable[[DeltaTable], Change | None]
"""What to do to the table as it is now; None: nothing (any more)."""


class Table:
    """The table at `uri` of one of `layout.BASES`. Blocks: for threads, which take turns."""

    def __init__(self, uri: str, kind: str, place: LogPlace) -> None:
        self.uri, self.kind, self._place = uri, kind, place
        self._handle: DeltaTable | None = None
        self.store = open_store(place, uri)
        self._lock = threading.RLock()

    def commit(self, propose: Propose, create: bool = False) -> bool:
        """Makes the change that `propose` answers for the table's newest version, if nobody made another one meanwhile; else asks again.

        So whatever `propose` sees in the handle (transactions, files) is so in the version before the change. Returns whether there was
        something to do. Raises Refused (503): it is not known whether the change was made.
        """
        conflicts = trouble = 0
        while True:
            try:
                with self._lock:
                    done = self._try(propose, create)
                if done is not None:
                    return done
            except CommitFailedError as error:
                conflicts += 1
                metrics.CONFLICTS.inc()
                if conflicts == CONFLICT_TRIES:
                    raise unavailable("too many others write this table at this moment") from error
                time.sleep(random.uniform(0, min(MAX_PAUSE_SECONDS, PAUSE_SECONDS * 2 ** min(conflicts, 8))))
            except Refused:
                raise
            except Exception as error:
                trouble += 1
                self._forget()
                log.warning("commit to %s: %s: %s", self.uri, type(error).__name__, error)
                if trouble == TROUBLE_TRIES:
                    raise unavailable(f"the log's store does not answer as it should: {one_line(error)}") from error

    def _try(self, propose: Propose, create: bool) -> bool | None:
        """None: it got its new columns, and is to be asked again."""
        handle = self.load(create)
        change = propose(handle) if handle is not None else None
        if handle is None or change is None:
            return False
        self._make(handle, change)
        return True if not change.new.types else None

    def snapshot(self) -> Snapshot | None:
        """The table's newest version; None if there is none. Raises whatever `deltalake` does."""
        with self._lock:
            handle = self.load()
            return Snapshot(files_of(handle), columns_of(handle, self.kind)) if handle is not None else None

    def vacuum(self, hours: int, unknown: bool) -> list[str]:
        """Removes files that left the table so long ago; with `unknown` also those that never were part of it and are as old."""
        with self._lock:
            handle = self.load()
            if handle is None:
                return []
            return handle.vacuum(hours, dry_run=False, enforce_retention_duration=False, full=unknown)

    def load(self, create: bool = False) -> DeltaTable | None:
        """The table's newest version; None if there is none. Raises whatever `deltalake` does."""
        try:
            if self._handle is None:
                self._handle = self._open(create)
            else:
                self._handle.update_incremental()
        except BaseException:
            self._forget()
            raise
        return self._handle

    def _open(self, create: bool) -> DeltaTable | None:
        options = storage_options(self._place)
        try:
            return DeltaTable(self.uri, storage_options=options)
        except TableNotFoundError:
            if not create:
                return None
        schema, name = table_schema(self.kind), "/".join(self.uri.split("/")[-3:])
        DeltaTable.create(self.uri, schema, "ignore", [PARTITION], name=name, configuration=CONFIGURATION, storage_options=options)
        return DeltaTable(self.uri, storage_options=options)

    def _forget(self) -> None:
        """What is asked next is opened anew, with the keys that hold then."""
        self._handle = None
        self.store = open_store(self._place, self.uri)

    def _make(self, handle: DeltaTable, change: Change) -> None:
        if change.new.types:
            fields = [
                Field(name, PrimitiveType(_DELTA[kind]), nullable=True, metadata={ORIGINAL: change.new.originals[name]})
                for name, kind in change.new.types.items()
            ]
            handle.alter.add_columns(fields, commit_properties=CommitProperties(max_commit_retries=0))
            return
        properties = CommitProperties(max_commit_retries=0, app_transactions=list(change.transactions))
        handle.create_write_transaction(
            [*change.adds, *change.removes], "append", handle.schema(), [PARTITION], commit_properties=properties
        )


@dataclass(frozen=True)
class Snapshot:
    """What a version of the table consists of."""

    files: list[DataFile]
    columns: Columns


def columns_of(handle: DeltaTable, kind: str) -> Columns:
    """The feature columns of the table."""
    schema: Schema = handle.schema()
    types, originals = dict[str, pa.DataType](), dict[str, str]()
    for column in schema.fields:
        if column.name in BASES[kind] or column.name == PARTITION:
            continue
        types[column.name] = _ARROW.get(getattr(column.type, "type", ""), pa.string())
        originals[column.name] = str(column.metadata.get(ORIGINAL, column.name))
    return Columns(types, originals)


@dataclass(frozen=True)
class DataFile:
    """A data file of a table, as the log describes it."""

    path: str
    size: int
    rows: int
    day: date
    least: str | None
    greatest: str | None
    """Of `prediction_id`; None: not known, or all null."""
    written: int
    """Milliseconds since 1970."""

    def removed(self, data_change: bool) -> RemoveAction:
        return RemoveAction(self.path, data_change, int(time.time() * 1000), self.size, {PARTITION: self.day.isoformat()})


def files_of(handle: DeltaTable) -> list[DataFile]:
    """All of them."""
    actions = pa.table(handle.get_add_actions(flatten=True))
    none = [None] * len(actions)
    wanted = ("path", "size_bytes", "num_records", f"partition.{PARTITION}", "min.prediction_id", "max.prediction_id", "modification_time")
    columns = [actions[name].to_pylist() if name in actions.column_names else none for name in wanted]
    return [DataFile(path, size, rows or 0, day, low, high, when) for path, size, rows, day, low, high, when in zip(*columns, strict=True)]


def one_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:300]
