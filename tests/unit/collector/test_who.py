"""Tokens are asked about once a minute, and not by a flood."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from slipway.cluster.http import Request, Unavailable
from slipway.collector.errors import Refused
from slipway.collector.remembered import Remembered
from slipway.collector.who import AT_ONCE, POD_UID, Callers, Person

USER = {"username": "system:serviceaccount:ns:churn", "extra": {POD_UID: ["uid-1"]}}


class Apiserver:
    """Answers reviews; counts them, and how many are under way."""

    def __init__(self, status: dict[str, Any]) -> None:
        self.status = status
        self.asked: list[Request] = []
        self.now = self.most = 0
        self.down = False

    async def __call__(self, request: Request) -> Any:
        self.asked.append(request)
        self.now += 1
        self.most = max(self.most, self.now)
        await asyncio.sleep(0)
        self.now -= 1
        if self.down:
            raise Unavailable(0, "Connection", "down")
        return {"status": self.status}


async def test_a_token_is_reviewed_once_however_many_wait() -> None:
    apiserver = Apiserver({"authenticated": True, "audiences": ["slipway"], "user": USER})
    callers = Callers(apiserver)
    pods = await asyncio.gather(*(callers.pod("Bearer token") for _ in range(100)))
    assert {(pod.namespace, pod.account, pod.uid) for pod in pods} == {("ns", "churn", "uid-1")}
    assert len(apiserver.asked) == 1
    assert apiserver.asked[0].body["spec"] == {"token": "token", "audiences": ["slipway"]}


async def test_a_flood_of_forged_tokens() -> None:
    apiserver = Apiserver({"authenticated": False})
    callers = Callers(apiserver)
    found = await asyncio.gather(*(callers.pod(f"Bearer {number}") for number in range(1000)), return_exceptions=True)
    assert {one.status for one in found if isinstance(one, Refused)} == {401}
    assert apiserver.most <= AT_ONCE


async def test_an_apiserver_that_does_not_know_audiences() -> None:
    """It answers without any: then the token was checked for its own."""
    callers = Callers(Apiserver({"authenticated": True, "user": USER}))
    with pytest.raises(Refused, match="not meant for audience 'slipway'"):
        await callers.pod("Bearer token")


async def test_an_outage_is_not_remembered() -> None:
    apiserver = Apiserver({"authenticated": True, "audiences": ["slipway"], "user": USER})
    callers = Callers(apiserver)
    apiserver.down = True
    with pytest.raises(Refused) as refused:
        await callers.pod("Bearer token")
    assert (refused.value.status, refused.value.retry_after) == (503, 2)
    apiserver.down = False
    assert (await callers.pod("Bearer token")).account == "churn"


async def test_rights_are_asked_for_the_deployment() -> None:
    apiserver = Apiserver({"allowed": False})
    with pytest.raises(Refused, match="alice may not get predictions.slipway.dev of ModelDeployment ns/churn"):
        await Callers(apiserver).permit(Person("alice", ("staff",)), "get", "predictions", "ns", "churn")
    assert apiserver.asked[0].body["spec"] == {
        "user": "alice",
        "groups": ["staff"],
        "resourceAttributes": {"group": "slipway.dev", "namespace": "ns", "verb": "get", "resource": "predictions", "name": "churn"},
    }


async def test_answers_are_kept_for_a_while_and_so_many() -> None:
    now, asked = 0.0, list[int]()
    kept: Remembered[int, int] = Remembered(60, 2, lambda: now)

    async def get(key: int) -> int:
        async def ask() -> int:
            asked.append(key)
            return key

        return await kept.get(key, ask)

    for key in (1, 1, 2, 3, 3, 1):  # three are one too many: the oldest goes
        await get(key)
    assert asked == [1, 2, 3, 1]
    now = 61.0
    await get(1)
    assert asked == [1, 2, 3, 1, 1]
