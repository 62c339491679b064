"""Batches of predictions into their table: many in one commit, each once."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal, Protocol

import pyarrow as pa
import pyarrow.compute as pc
from deltalake import DeltaTable, Transaction
from deltalake.transaction import AddAction

from slipway.collector import metrics
from slipway.collector.batch.conform import conform
from slipway.collector.batch.layout import OTHER
from slipway.collector.batch.wire import decode
from slipway.collector.errors import Refused
from slipway.collector.log.files import put_by_day
from slipway.collector.log.table import Change, Table, columns_of
from slipway.collector.settings import Limits
from slipway.collector.who import Pod

log = logging.getLogger(__name__)

State = Literal["Stored", "Known"]
_NO_ROWS = pa.table({})


class Delivery(Protocol):
    """Rows that a table takes once."""

    @property
    def application(self) -> str: ...
    @property
    def sequence(self) -> int: ...
    @property
    def rows(self) -> pa.Table: ...


@dataclass(eq=False)
class Batch:
    """A batch that waits for its commit."""

    pod: Pod
    writer: str
    sequence: int
    body: bytes
    rows: pa.Table = field(default_factory=lambda: _NO_ROWS)

    @property
    def application(self) -> str:
        """The Delta transaction's id: nobody but this pod can spend its sequences."""
        return f"{self.pod.uid}/{self.writer}"

    @property
    def key(self) -> tuple[str, int]:
        return self.application, self.sequence


@dataclass(frozen=True)
class Outcome:
    """What became of a batch: rows and state, or why not."""

    rows: int = 0
    state: State = "Stored"
    error: Refused | None = None


def store(table: Table, batches: Sequence[Batch], datatypes: Mapping[str, str], limits: Limits) -> list[Outcome]:
    """Commits the batches, all of one table, in as few versions as it takes; an outcome for each. Blocks: for threads.

    Of a batch that is there twice (sent again while the first is under way) the second shares the first one's outcome.
    """
    outcomes: dict[tuple[str, int], Outcome] = {}
    group: dict[tuple[str, int], Batch] = {}
    size = 0
    for batch in sorted(batches, key=lambda batch: batch.sequence):
        if batch.key in group or batch.key in outcomes:
            continue
        try:
            batch.rows = claimed(decode(batch.body, limits), batch.pod)
        except Refused as error:
            outcomes[batch.key] = Outcome(error=error)
            continue
        if group and size + batch.rows.nbytes > limits.decoded:
            outcomes |= _store_together(table, list(group.values()), datatypes, limits)
            group, size = {}, 0
        group[batch.key] = batch
        size += batch.rows.nbytes
    if group:
        outcomes |= _store_together(table, list(group.values()), datatypes, limits)
    return [outcomes[batch.key] for batch in batches]


def _store_together(table: Table, group: Sequence[Batch], datatypes: Mapping[str, str], limits: Limits) -> dict[tuple[str, int], Outcome]:
    proposal = Proposal(table, group, datatypes, limits)
    began = time.monotonic()
    try:
        table.commit(proposal, create=True)
    except Refused as error:
        if len(group) > 1 and error.status < 500:  # one of them is wrong: find out which
            return {key: found for one in group for key, found in _store_together(table, [one], datatypes, limits).items()}
        return {batch.key: Outcome(error=error) for batch in group}
    metrics.COMMIT.observe(time.monotonic() - began)
    metrics.GROUP.observe(len(group))
    if proposal.oldest is not None:
        metrics.LAG.observe(max(0.0, (datetime.now(UTC) - proposal.oldest).total_seconds()))
    found = {batch.key: Outcome(len(batch.rows), "Stored" if batch in proposal.left else "Known") for batch in group}
    for batch in group:
        batch.rows = _NO_ROWS
    return found


class Proposal:
    """Asked for the table as it is: the batches that it does not have yet, as files. Files are written once, whatever conflicts come."""

    def __init__(self, table: Table, group: Sequence[Delivery], datatypes: Mapping[str, str], limits: Limits) -> None:
        self._table, self._group, self._datatypes, self._limits = table, group, datatypes, limits
        self._adds: list[AddAction] | None = None
        self.left: list[Delivery] = []
        self.oldest: datetime | None = None
        self._wrote: list[Delivery] = []

    def __call__(self, handle: DeltaTable) -> Change | None:
        known = {name: handle.transaction_version(name) or 0 for name in {batch.application for batch in self._group}}
        left = [batch for batch in self._group if batch.sequence > known[batch.application]]
        if not left:
            return None
        self.left = left
        if self._adds is None or self._wrote != left:
            change = self._write(handle, left)
            if change is not None:
                return change
        last = {batch.application: batch.sequence for batch in left}
        return Change(self._adds or (), transactions=[Transaction(name, sequence) for name, sequence in last.items()])

    def _write(self, handle: DeltaTable, left: Sequence[Delivery]) -> Change | None:
        before = columns = columns_of(handle, self._table.kind)
        tables = []
        for batch in left:
            conformed = conform(batch.rows, self._table.kind, columns, self._datatypes, self._limits)
            columns = conformed.columns
            tables.append(conformed.rows)
        if columns.types.keys() != before.types.keys():
            return Change(new=columns.without(before))
        rows = pa.concat_tables(tables, promote_options="default")
        self.oldest = pc.min(rows["time"]).as_py()
        self._count_overflow(rows)
        self._adds = put_by_day(self._table.store, rows) if len(rows) else []
        self._wrote = list(left)
        return None

    def _count_overflow(self, rows: pa.Table) -> None:
        if count := len(rows) - rows[OTHER].null_count:
            namespace, deployment = self._table.uri.split("/")[-3:-1]
            metrics.OVERFLOW.labels(namespace, deployment).inc(count)


def claimed(rows: pa.Table, pod: Pod) -> pa.Table:
    """The rows, if all say that they are of the pod's own deployment. Raises Refused: 403."""
    metadata = rows.schema.metadata or {}
    for key, mine in (("namespace", pod.namespace), ("deployment", pod.account)):
        said = metadata.get(f"slipway.{key}".encode(), b"").decode(errors="replace")
        if said != mine:
            raise Refused(
                403, f"a pod of {pod.namespace}/{pod.account} sends rows of its own deployment only; this batch says {key} {said[:100]!r}"
            )
        if key not in rows.column_names or not _all(rows[key], mine):
            raise Refused(403, f"a pod of {pod.namespace}/{pod.account} sends rows of its own deployment only; some say another {key}")
    return rows


def _all(column: pa.ChunkedArray, value: str) -> bool:
    if not pa.types.is_string(column.type) or column.null_count:
        return False
    return bool(pc.all(pc.equal(column, value), min_count=0).as_py())
