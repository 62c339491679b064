"""The proxy itself: what it does to a request whose sender dies."""

from __future__ import annotations

import asyncio
import socket
import threading
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml

from tests.faults.proxy import FaultProxy
from tests.faults.proxy.views import Answer


class Apiserver:
    """It answers when it is told to."""

    def __init__(self, *_: Path) -> None:
        self.came, self.done = threading.Event(), threading.Event()

    def open(self) -> None:
        self.may_answer = asyncio.Event()

    async def close(self) -> None:
        pass

    async def ask(self, *_: object) -> Answer:
        self.came.set()
        await self.may_answer.wait()
        self.done.set()
        return Answer(200, b"{}", {})


def test_what_is_on_its_way_arrives_though_its_sender_dies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.faults.proxy.server.Upstream", Apiserver)
    with FaultProxy(tmp_path, tmp_path) as proxy:
        apiserver = proxy._upstream
        assert isinstance(apiserver, Apiserver)
        address = urlsplit(yaml.safe_load(proxy.kubeconfig.read_text())["clusters"][0]["cluster"]["server"])
        with socket.create_connection((address.hostname or "", address.port or 0)) as sender:
            sender.sendall(b"PATCH /api/v1/namespaces/team/services/churn HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}")
            assert apiserver.came.wait(30)
        while proxy._transports:
            threading.Event().wait(0.01)
        proxy._loop.call_soon_threadsafe(apiserver.may_answer.set)
        assert apiserver.done.wait(30)
