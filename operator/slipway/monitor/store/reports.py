"""`NAMESPACE/DEPLOYMENT/monitors/NAME/` below the log's URI: `RUN/report.html` and `.json`, and `history.json`."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import obstore
from obstore.store import ObjectStore
from pydantic import TypeAdapter

from slipway.monitor.result import Point, Result

log = logging.getLogger(__name__)
KEPT = 200
"""Runs in the history."""
_HISTORY = TypeAdapter(list[Point])


def folder(namespace: str, deployment: str, name: str) -> str:
    """Of a monitor."""
    return f"{namespace}/{deployment}/monitors/{name}"


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
