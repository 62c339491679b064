"""JSON logs, one object a line; lines written while an object is reconciled carry it."""

from __future__ import annotations

import contextvars
import logging
import sys
from collections.abc import Mapping
from datetime import UTC, datetime

import orjson

OBJECT: contextvars.ContextVar[dict[str, str] | None] = contextvars.ContextVar("object", default=None)
"""Kind, namespace and name of the object in hand."""


class JsonFormatter(logging.Formatter):
    """`{"time", "level", "logger", "message", "object"?, "error"?}`."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        reference = OBJECT.get() or getattr(record, "k8s_ref", None)
        if reference:
            line["object"] = reference
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return orjson.dumps(line, default=str).decode()


def configure(level: str) -> None:
    """Sends every logger's lines through the JSON formatter to stderr."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for noisy in ("aiohttp.access", "kopf.activities.probe", "kopf.objects"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def level_from(env: Mapping[str, str], default: str) -> str:
    """`SLIPWAY_LOG_LEVEL`, in capitals. Raises ValueError for what is no level."""
    level = (env.get("SLIPWAY_LOG_LEVEL") or default).upper()
    if level not in logging.getLevelNamesMapping():
        raise ValueError(f"SLIPWAY_LOG_LEVEL must be debug, info, warning or error, not {level.lower()}")
    return level
