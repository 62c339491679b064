"""What a run asks of the apiserver."""

from __future__ import annotations

from typing import Any

import pytest

from slipway.cluster.http import Conflict, NotFound, Refused, Request, Unavailable
from slipway.monitor.objects import TRIES, Another, patient, tell
from tests.unit.monitor.results import result

MONITOR: dict[str, Any] = {"metadata": {"name": "daily", "namespace": "growth", "uid": "u"}}


def failing(times: int, error: Exception) -> tuple[Any, list[Request]]:
    """An apiserver that fails so often, and what it was asked."""
    asked: list[Request] = []

    async def send(request: Request) -> Any:
        asked.append(request)
        if len(asked) <= times:
            raise error
        return {}

    return send, asked


async def test_it_asks_again() -> None:
    send, asked = failing(TRIES - 1, Unavailable(503, "", "away"))
    assert await patient(send, pause=0)(Request("GET", "/a")) == {}
    assert len(asked) == TRIES


async def test_not_for_ever() -> None:
    send, asked = failing(100, Unavailable(503, "", "away"))
    with pytest.raises(Unavailable):
        await patient(send, pause=0)(Request("GET", "/a"))
    assert len(asked) == TRIES


async def test_not_what_is_refused() -> None:
    send, asked = failing(1, Refused(403, "Forbidden", "no"))
    with pytest.raises(Refused):
        await patient(send, pause=0)(Request("GET", "/a"))
    assert len(asked) == 1


@pytest.mark.parametrize("error", [Conflict(409, "Conflict", "uid"), NotFound(404, "NotFound", "gone")])
async def test_the_monitor_is_gone(error: Exception) -> None:
    send, _ = failing(1, error)
    with pytest.raises(Another):
        await tell(send, MONITOR, result().run)


async def test_what_is_not_known_is_left_out() -> None:
    send, asked = failing(0, Exception())
    await tell(send, MONITOR, result().run)
    assert "truths" not in asked[0].body["status"]["run"]
