"""What kopf gets when it asks for lists, watches and all else."""

from __future__ import annotations

from typing import Any, cast

import aiohttp
import pytest

from slipway.cluster.http import ApiServer, Unavailable
from slipway.cluster.resources import MODEL, Resource
from slipway.handlers.session import EmptyList, Session


class Response:
    """The apiserver's answer."""

    reason = ""

    def __init__(self, status: int) -> None:
        self.status = status
        self.released = False

    def release(self) -> None:
        self.released = True


class Server:
    """Remembers what was passed on."""

    def __init__(self, status: int = 200) -> None:
        self.status = status
        self.opened: list[tuple[str, str]] = []

    async def open(self, method: str, url: str, **_: Any) -> Response:
        self.opened.append((method, url))
        return Response(self.status)


def session(server: Server, fails: bool = False) -> Session:
    async def begin(resource: Resource, namespace: str | None) -> str:
        if fails:
            raise Unavailable(503, "", "down")
        assert (resource, namespace) == (MODEL, None)
        return "42"

    return Session(cast(ApiServer, server), {MODEL.path(): (MODEL, None)}, begin)


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
    assert isinstance(await session(server).request(method="get", url=f"https://k8s{path}"), Response)
    assert server.opened == [("GET", f"https://k8s{path}")]


async def test_a_failed_list_is_a_connection_error_which_kopf_retries() -> None:
    with pytest.raises(aiohttp.ClientConnectionError, match="listing models: down"):
        await session(Server(), fails=True).request(method="get", url=f"https://k8s{MODEL.path()}")


@pytest.mark.parametrize("status", [403, 429, 500, 503])
async def test_a_watch_that_is_refused_is_a_connection_error_which_kopf_retries_for_ever(status: int) -> None:
    with pytest.raises(aiohttp.ClientConnectionError, match=f"watching: {status}"):
        await session(Server(status)).request(method="get", url=f"https://k8s{MODEL.path()}?watch=true")


@pytest.mark.parametrize("status", [401, 410])
async def test_kopf_hears_of_credentials_and_of_versions_that_are_too_old(status: int) -> None:
    answer = await session(Server(status)).request(method="get", url=f"https://k8s{MODEL.path()}?watch=true")
    assert answer.status == status
