"""What the audit log tells of leaders: who wrote when, and how long nobody led."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import orjson

from tests.audit import writes

LEASE = b'"slipway-operator"'
POD = "authentication.kubernetes.io/pod-name"


def turns(audit_log: Path, start: int) -> list[str]:
    """The operator pods behind all accepted writes from byte `start` on: `[a, b]` where a wrote, and then only b.

    Events and Leases aside, which are not fenced.
    """
    entries = writes(audit_log, user_agent="slipway-operator/", start=start)
    names = [_pod(entry) for entry in entries if entry["objectRef"]["resource"] != "events"]
    return names[:1] + [after for before, after in pairwise(names) if after != before]


def vacancy(audit_log: Path, start: int, first: str, second: str, retry_seconds: float) -> tuple[float, float]:
    """Seconds from the last renewal of one pod until another held the Lease; and how many of them the machine was late.

    A follower asks for the Lease every `retry_seconds`. What its two longest pauses lasted beyond that, it spent waiting for a
    processor or for the apiserver: once before it saw the last renewal, once before it saw that this had expired.
    """
    calls = list(_lease_calls(audit_log, start))
    taken = next(at for at, pod, verb, holder in calls if pod == second and verb != "get" and holder == second)
    renewed = max(at for at, pod, verb, holder in calls if pod == first and verb != "get" and holder == first and at < taken)
    asked = [at for at, pod, verb, _ in calls if pod == second and verb == "get" and at <= taken]
    asked = asked[max(0, sum(at < renewed for at in asked) - 1) :]
    late = sorted(max(0.0, after - before - retry_seconds) for before, after in pairwise([*asked, taken]))
    return taken - renewed, sum(late[-2:])


def _lease_calls(audit_log: Path, start: int) -> Iterator[tuple[float, str, str, str]]:
    """Time, pod, verb and, for a write, the holder it named; refused ones aside."""
    with audit_log.open("rb") as lines:
        lines.seek(start)
        for line in lines:
            entry = orjson.loads(line) if LEASE in line else {}
            if entry.get("objectRef", {}).get("resource") == "leases" and entry["responseStatus"]["code"] < 400:
                holder = (entry.get("requestObject") or {}).get("spec", {}).get("holderIdentity", "")
                yield datetime.fromisoformat(entry["stageTimestamp"]).timestamp(), _pod(entry), entry["verb"], holder


def _pod(entry: dict[str, Any]) -> str:
    return str(entry["user"].get("extra", {}).get(POD, [""])[0])
