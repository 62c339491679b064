"""Ground truth as people send it: JSON or an Arrow IPC stream becomes rows of the table `actuals`."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import orjson
import pyarrow as pa

from slipway.collector.batch.layout import ACTUALS, TIME
from slipway.collector.batch.wire import decode
from slipway.collector.errors import Refused, malformed
from slipway.collector.settings import Limits

ARROW = "application/vnd.apache.arrow.stream"
MAX_ROWS = 100_000
"""Of one request: each is looked up."""
Row = dict[str, Any]


def parse(body: bytes, content_type: str, limits: Limits) -> tuple[str, str, list[Row]]:
    """Namespace, deployment and rows. Raises Refused: 400, 413."""
    if content_type.partition(";")[0].strip() == ARROW:
        table = decode(body, limits)
        metadata = table.schema.metadata or {}
        namespace, deployment = (
            metadata.get(f"slipway.{key}".encode(), b"").decode(errors="replace") for key in ("namespace", "deployment")
        )
        rows = [_keyed(row) for row in table.to_pylist()] if len(table) <= MAX_ROWS else _too_many()
    else:
        namespace, deployment, rows = _json(body)
    return namespace, deployment, rows


def arranged(rows: list[Row], now: datetime, by: str) -> pa.Table:
    """Rows as a batch for the table, without `late` and `matched`. Raises Refused: 400 with the number of the row."""
    columns: dict[str, list[Any]] = {name: [] for name in ("prediction_id", "row", "output", "value", "label", "time")}
    keys: dict[str, list[Any]] = {f"key_{name}": [] for row in rows for name in row.get("key") or {}}
    for number, row in enumerate(rows):
        try:
            found = _one(row, now)
        except (ValueError, TypeError, KeyError, OverflowError) as error:
            raise malformed(f"row {number}: {error}") from error
        for name, column in columns.items():
            column.append(found[name])
        for name, column in keys.items():
            column.append((row.get("key") or {}).get(name.removeprefix("key_")))
    known: dict[str, pa.Array] = {name: pa.array(column, ACTUALS[name]) for name, column in columns.items()}
    known |= {"arrived": pa.array([now] * len(rows), TIME), "by": pa.array([by] * len(rows), pa.string())}
    return pa.table(known | {name: _typed(column) for name, column in keys.items()})


def _json(body: bytes) -> tuple[str, str, list[Row]]:
    try:
        asked = orjson.loads(body)
        rows = asked["rows"]
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise malformed("rows must be a list of objects")
        if len(rows) > MAX_ROWS:
            _too_many()
        return str(asked.get("namespace") or ""), str(asked.get("deployment") or ""), rows
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
        raise malformed('not JSON of the form {"namespace", "deployment", "rows": […]}') from error


def _too_many() -> list[Row]:
    raise Refused(413, f"a request may have {MAX_ROWS} rows of ground truth: send fewer at once")


def _keyed(row: Row) -> Row:
    """A row of an Arrow batch in JSON's form."""
    key = {name.removeprefix("key_"): value for name, value in row.items() if name.startswith("key_") and value is not None}
    return {name: value for name, value in row.items() if not name.startswith("key_") and value is not None} | ({"key": key} if key else {})


def _one(row: Row, now: datetime) -> Row:
    prediction, key, value = row.get("prediction_id"), row.get("key"), row.get("value")
    if (prediction is None) == (key is None):
        raise ValueError("either prediction_id or key")
    if prediction is not None and not (isinstance(prediction, str) and 0 < len(prediction.encode()) <= 256):
        raise ValueError("prediction_id must be text of 1 to 256 bytes")
    if key is not None and not (
        isinstance(key, Mapping) and 0 < len(key) <= 8 and all(isinstance(part, (str, int, float)) for part in key.values())
    ):
        raise ValueError("key must be an object of 1 to 8 columns")
    if not isinstance(value, (str, int, float)):
        raise ValueError("value must be a number, a boolean or text")
    number = float(value) if isinstance(value, (int, float)) else None
    label = value if isinstance(value, str) else str(value).lower() if isinstance(value, bool) else _shown(value)
    return {
        "prediction_id": prediction,
        "row": _index(row.get("row", 0)),
        "output": str(row.get("output") or ""),
        "value": number,
        "label": label,
        "time": _time(row.get("time"), now),
    }


def _index(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**31:
        raise ValueError("row must be a whole number of 0 or more")
    return value


def _shown(value: float) -> str:
    return str(int(value)) if math.isfinite(value) and value == int(value) and abs(value) < 2**53 else str(value)


def _time(value: Any, now: datetime) -> datetime:
    if value is None:
        return now
    found = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)


def _typed(column: list[Any]) -> pa.Array:
    """Of one type; where they are of several, text."""
    try:
        return pa.array(column)
    except (pa.ArrowException, OverflowError):
        return pa.array([None if value is None else str(value) for value in column], pa.string())
