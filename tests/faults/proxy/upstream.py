"""The real apiserver, as the proxy asks it: with the caller's token, or as the administrator."""

from __future__ import annotations

import base64
import ssl
from pathlib import Path
from typing import Any

import aiohttp
import yaml
from yarl import URL

from tests.faults.proxy.views import Answer

_HOP = {"host", "connection", "content-length", "transfer-encoding", "keep-alive"}
MAX_LINE = 2**24
"""Bytes of one watch event at most."""


class Upstream:
    """Opened and closed in the proxy's event loop."""

    def __init__(self, admin: Path, folder: Path) -> None:
        config = yaml.safe_load(admin.read_text())
        cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
        self._server = cluster["server"]
        self._anonymous, self._admin = _tls(cluster, user, folder)

    def open(self) -> None:
        connector = aiohttp.TCPConnector(limit=0)
        timeout = aiohttp.ClientTimeout(total=None)
        self._session = aiohttp.ClientSession(connector=connector, auto_decompress=False, timeout=timeout, read_bufsize=MAX_LINE)

    async def close(self) -> None:
        await self._session.close()

    def request(self, method: str, raw_path: str, headers: dict[str, str], body: bytes = b"") -> Any:
        """An answer as it comes, to be used with `async with`."""
        tls = self._anonymous if "Authorization" in headers else self._admin
        return self._session.request(method, URL(self._server + raw_path, encoded=True), headers=headers, data=body or None, ssl=tls)

    async def ask(self, method: str, raw_path: str, headers: dict[str, str], body: bytes = b"") -> Answer:
        """The whole answer."""
        async with self.request(method, raw_path, headers, body) as response:
            return Answer(response.status, await response.read(), kept(response.headers))


def kept(headers: Any) -> dict[str, str]:
    """The headers that a proxy passes on."""
    return {key: value for key, value in headers.items() if key.lower() not in _HOP}


def _tls(cluster: dict[str, str], user: dict[str, str], folder: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """TLS without a client certificate, and as the kubeconfig's user, whose key the proxy keeps to itself."""
    for name, text in (
        ("ca", cluster["certificate-authority-data"]),
        ("crt", user["client-certificate-data"]),
        ("key", user["client-key-data"]),
    ):
        (folder / f"proxy.{name}").write_bytes(base64.b64decode(text))
    anonymous = ssl.create_default_context(cafile=str(folder / "proxy.ca"))
    admin = ssl.create_default_context(cafile=str(folder / "proxy.ca"))
    admin.load_cert_chain(folder / "proxy.crt", folder / "proxy.key")
    return anonymous, admin
