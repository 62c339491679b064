"""Tables as the collector writes them, in a folder instead of a bucket."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
from deltalake import Transaction

from slipway.collector.batch.layout import ACTUALS, PARTITION, TIME, Columns
from slipway.collector.log.files import put_by_day
from slipway.collector.log.place import address
from slipway.collector.log.table import Change, Table
from slipway.collector.settings import LogPlace
from tests.integration.collector.samples import rows

NAMESPACE, DEPLOYMENT = "growth", "churn"


def place_in(folder: Path) -> LogPlace:
    """The log in a folder."""
    return LogPlace(folder.as_uri())


def write(place: LogPlace, kind: str, batch: pa.Table, version: int = 1) -> None:
    """Adds the rows as one commit; columns with a prefix of features join the table."""
    table = Table(address(place.uri, NAMESPACE, DEPLOYMENT, kind), kind, place)
    features = [name for name in batch.column_names if name.startswith(("in_", "out_", "key_"))]
    cleaned = {name: name.replace(" ", "_") for name in features}
    new = Columns({cleaned[name]: batch.schema.field(name).type for name in features}, {cleaned[name]: name for name in features})
    stored = batch.rename_columns([cleaned.get(name, name) for name in batch.column_names])
    stored = stored.append_column(PARTITION, stored["time"].cast(pa.date32()))

    def propose(handle: Any) -> Change:
        from slipway.collector.log.table import columns_of

        missing = new.without(columns_of(handle, kind))
        if missing.types:
            return Change(new=missing)
        return Change(put_by_day(table.store, stored), transactions=[Transaction(f"test-{id(batch)}", version)])

    table.commit(propose, create=True)


def predictions(ids: Sequence[str], at: Sequence[datetime], **columns: Any) -> pa.Table:
    """Answers at these times."""
    made = rows(NAMESPACE, DEPLOYMENT, ids, **columns)
    return made.set_column(made.column_names.index("time"), "time", pa.array(at, TIME))


def actuals(found: Sequence[dict[str, Any]]) -> pa.Table:
    """Ground truth; each row with `value` or `label`, `arrived`, and `prediction_id` or keys."""
    filled = [{"row": 0, "output": "", "time": row["arrived"], **row} for row in found]
    keys = sorted({name for row in filled for name in row if name.startswith("key_")})
    base = {name: pa.array([row.get(name) for row in filled], kind) for name, kind in ACTUALS.items()}
    return pa.table(base | {name: pa.array([row.get(name) for row in filled]) for name in keys})
