"""The apiserver's audit log: the one oracle for who wrote what, how often."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

_VERBS = {"create", "update", "patch", "delete", "deletecollection"}


def writes(log: Path, user_agent: str = "", namespace: str = "", start: int = 0) -> Iterator[dict[str, Any]]:
    """Accepted writes, Leases aside, in order; of the namespaces that begin with `namespace`, from byte `start` on."""
    marks = [mark.encode() for mark in (namespace, user_agent) if mark]
    with log.open("rb") as lines:
        lines.seek(start)
        for line in lines:
            if not all(mark in line for mark in marks):  # most lines are others': decoding is what takes time
                continue
            entry = orjson.loads(line)
            reference = entry.get("objectRef", {})
            if (
                entry["verb"] in _VERBS
                and reference.get("resource") != "leases"
                and entry.get("responseStatus", {}).get("code", 0) < 400
                and reference.get("namespace", "").startswith(namespace)
                and user_agent in entry.get("userAgent", "")
                and "dryRun" not in entry.get("requestURI", "")
            ):
                yield entry


def writes_to(log: Path, prefix: str = "") -> int:
    """How many writes operator processes made in namespaces that begin with `prefix`."""
    return sum(1 for _ in writes(log, user_agent="slipway-operator/", namespace=prefix))
