"""What kopf gets when it asks for lists, watches and all else."""

from __future__ import annotations

from typing import Any, cast

import aiohttp
import pytest

from slipway.cluster.http import ApiServer, Unavailable
from slipway.cluster.resources import MODEL, Resource
from slipway.handlers.session import EmptyList, Session


class Server:
    """Remembers what was passed on."""

    def __init__(self) -> None:
        self.opened: list[tuple[str, str]] = []

    async def open(self, method: str, url: str, **_: Any) -> str:
        self.opened.append((method, url))
        return "the apiserver's answer"


def session(server: Server, fails: bool = False) -> Session:
    async def relist(resource: Resource, namespace: str | None) -> str:
        if fails:
            raise Unavailable(503, "", "down")
        assert (resource, namespace) == (MODEL, None)
        return "42"

    return Session(cast(ApiServer, server), {MODEL.path(): (MODEL, None)}, relist)


async def test_a_list_is_ours_and_comes_without_objects() -> None:
    server = Server()
    answer = await session(server).request(method="get", url=f"https://k8s{MODEL.path()}?limit=500")
    assert isinstance(answer, EmptyList)
    async with answer:
        assert await answer.json() == {"items": [], "metadata": {"resourceVersion": "42"}}
    assert server.opened == []


@pytest.mark.parametrize("path", [f"{MODEL.path()}?watch=true&resourceVersion=42", "/apis", f"{MODEL.path('team')}", "/api/v1/nodes"])
async def test_all_else_goes_to_the_apiserver(path: str) -> None:
    server = Server()
    assert cast(str, await session(server).request(method="get", url=f"https://k8s{path}")) == "the apiserver's answer"
    assert server.opened == [("GET", f"https://k8s{path}")]


async def test_a_failed_list_is_a_connection_error_which_kopf_retries() -> None:
    with pytest.raises(aiohttp.ClientConnectionError, match="listing models: down"):
        await session(Server(), fails=True).request(method="get", url=f"https://k8s{MODEL.path()}")
