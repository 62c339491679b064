"""`pending`: what waits, the longest first."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import Any

from slipway.cli.cluster import Json
from slipway.cli.governance.pending import render, rows
from slipway.cli.output import console
from tests.unit.cli.governance.samples import EVIL, deployment, waiting

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)


def shown(deployments: list[Json]) -> list[str]:
    stream = io.StringIO()
    console(stream).print(render(rows(deployments), NOW))
    return [line.rstrip() for line in stream.getvalue().splitlines()]


def named(name: str, **approval: Any) -> Json:
    found = waiting(deployment("4"), "v1:x", **approval)
    found["metadata"]["name"] = name
    return found


def test_the_longest_first_and_only_what_waits() -> None:
    serving = named(
        "second", since="2026-11-25T10:00:00Z", granted=[{"by": "bob", "role": "risk"}, {"by": "bob", "role": "ops"}], required=2
    )
    serving["status"]["version"] = "3"
    first = named("first", since="2026-11-25T08:00:00Z", unknownRequester=True, message="needs 2 approvals (has 0)")
    ungoverned = deployment("4")
    assert shown([serving, first, named("done", state="Approved"), named("no", state="Rejected"), ungoverned]) == [
        "NAMESPACE  NAME    VERSION  SINCE  APPROVALS  MISSING                    REQUESTED BY             POLICIES",
        "growth     first   4        4h     0/1        needs 2 approvals (has 0)  alice, somebody unknown  production",
        "growth     second  3 → 4    2h     1/2        needs 1 approval (has 0)   alice                    production",
    ]


def test_hostile_words_are_shown_and_never_interpreted() -> None:
    text = "\n".join(shown([named(EVIL, message=EVIL, requestedBy=[EVIL], policies=[EVIL])]))
    assert not {"\x1b", "\x07", "\u202e"} & set(text)
    assert text.count("[bold]b[/] :smile:") == 4
