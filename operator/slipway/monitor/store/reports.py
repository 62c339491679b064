"""`NAMESPACE/DEPLOYMENT/monitors/NAME/` below the log's URI: `RUN/report.html` and `.json`, and `history.json`."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Iterator, Sequence
from datetime import datetime

import obstore
from obstore.store import ObjectStore
from pydantic import TypeAdapter

from slipway.collector.log.place import REPORTS
from slipway.monitor.result import Point, Result

log = logging.getLogger(__name__)
KEPT = 200
"""Runs in the history."""
MOST_REMOVED = 1000
"""Files in one run: what is left goes with the next."""
_HISTORY = TypeAdapter(list[Point])


def history(store: ObjectStore, of: str) -> list[Point]:
    """Earlier runs, oldest first; none where the file is missing or no history. Raises whatever the store does otherwise."""
    try:
        return _HISTORY.validate_json(obstore.get(store, f"{of}/history.json").bytes().to_bytes(), strict=False)
    except FileNotFoundError:
        return []
    except ValueError:
        log.warning("%s/history.json cannot be read, and begins anew", of)
        return []


def with_history(result: Result, before: Sequence[Point], now: Point) -> Result:
    """The result with the runs before it and itself."""
    return result.model_copy(update={"history": [*before, now][-KEPT:]})


def keep(store: ObjectStore, of: str, result: Result, page: str) -> None:
    """Writes the report, then the history."""
    written = {"report.json": result.model_dump_json(by_alias=True, exclude_none=True), "report.html": page}
    for name, content_type in REPORTS.items():
        obstore.put(store, f"{of}/{result.run.id}/{name}", written[name].encode(), attributes={"Content-Type": content_type})
    obstore.put(store, f"{of}/history.json", _HISTORY.dump_json(result.history, by_alias=True))


def remove_old(store: ObjectStore, of: str, before: datetime) -> None:
    """Removes the reports that were left before then. Raises whatever the store does."""
    old = list(itertools.islice(_old(store, of, before), MOST_REMOVED))
    if old:
        obstore.delete(store, old)
        log.info("removed %d files of old reports", len(old))


def _old(store: ObjectStore, of: str, before: datetime) -> Iterator[str]:
    for chunk in obstore.list(store, f"{of}/"):
        for file in chunk:
            if file["path"].rpartition("/")[2] in REPORTS and file["last_modified"] < before:
                yield file["path"]
