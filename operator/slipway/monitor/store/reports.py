"""`NAMESPACE/DEPLOYMENT/monitors/NAME/` below the log's URI: `RUN/report.html` and `.json`, and `history.json`."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

import obstore
from obstore.store import ObjectStore
from pydantic import TypeAdapter

from slipway.monitor.result import Point, Result

log = logging.getLogger(__name__)
KEPT = 200
"""Runs in the history."""
OF_A_RUN = ("report.html", "report.json")
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
    run = f"{of}/{result.run.id}"
    body = result.model_dump_json(by_alias=True, exclude_none=True).encode()
    obstore.put(store, f"{run}/report.json", body, attributes={"Content-Type": "application/json"})
    obstore.put(store, f"{run}/report.html", page.encode(), attributes={"Content-Type": "text/html; charset=utf-8"})
    obstore.put(store, f"{of}/history.json", _HISTORY.dump_json(result.history, by_alias=True))


def remove_old(store: ObjectStore, of: str, days: int, now: datetime) -> int:
    """Removes what runs left more than `days` ago, if that is a bound; returns how many files. Raises whatever the store does."""
    old = list(itertools.islice(_old(store, of, now - timedelta(days=days)), MOST_REMOVED)) if days else []
    if old:
        obstore.delete(store, old)
    return len(old)


def _old(store: ObjectStore, of: str, before: datetime) -> Iterator[str]:
    for chunk in obstore.list(store, f"{of}/"):
        for file in chunk:
            if file["path"].rpartition("/")[2] in OF_A_RUN and file["last_modified"] < before:
                yield file["path"]
