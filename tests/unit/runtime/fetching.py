"""What the fetch tests share: settings for an artifact, servers that misbehave on request, a pause that does not pause."""

from __future__ import annotations

import asyncio
import hashlib
import ssl
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from slipway_runtime.fetch.command import fetch
from slipway_runtime.fetch.digest import TreeDigest
from slipway_runtime.fetch.settings import FetchSettings

CONTENT = bytes(range(256)) * 1024


class Pauses(list[float]):
    """Remembers the pauses asked for, and takes none."""

    async def __call__(self, seconds: float) -> None:
        self.append(seconds)


def digest_of(files: Mapping[str, bytes]) -> str:
    """The digest of an artifact that holds these files."""
    tree = TreeDigest()
    for name, content in files.items():
        tree.add(name, len(content), hashlib.sha256(content).hexdigest())
    return tree.digest()


def files_of(folder: Path) -> dict[str, bytes]:
    """All files below a folder."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


async def fetch_uri(
    uri: str, target: Path, files: Mapping[str, bytes], secret: Mapping[str, str] | None = None, claims: Path = Path("/none")
) -> Pauses:
    """Fetch, expecting these files; answers the pauses that the attempts asked for."""
    pauses = Pauses()
    await fetch(FetchSettings(uri, digest_of(files), target, secret or {}, claims=claims), pauses)
    return pauses


Reply = Callable[[str, dict[str, str], asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def http_server(reply: Reply, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """A server that hands each request (its first line and its headers) to `reply`, on a connection each; yields its port.

    A reply that is still under way at the end is cancelled: collected later, it would fail whichever test runs then.
    """
    answering: set[asyncio.Task[None]] = set()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if task := asyncio.current_task():
            answering.add(task)
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            pairs = (line.split(": ", 1) for line in head[1:-2])
            await reply(head[0], {name.lower(): value for name, value in pairs}, writer)
            await writer.drain()
        except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=tls)
    async with server:
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            for task in answering:
                task.cancel()
            await asyncio.gather(*answering, return_exceptions=True)


def http(status: str, body: bytes = b"", cut: int | None = None, **headers: str) -> bytes:
    """An HTTP answer; `cut` sends only so many bytes of the body that its Content-Length promises."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body[:cut]


def always(*answers: bytes) -> Reply:
    """Replies with the answers in turn, the last one for ever."""
    left = list(answers)

    async def reply(line: str, headers: dict[str, str], writer: asyncio.StreamWriter) -> None:
        writer.write(left.pop(0) if len(left) > 1 else left[0])

    return reply


def make_ca(folder: Path) -> tuple[str, ssl.SSLContext]:
    """A certificate authority's PEM, and a server's TLS context with a certificate from it for 127.0.0.1."""

    def openssl(*arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)

    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    openssl("req", "-x509", *curve, "-keyout", "ca.key", "-out", "ca.pem", "-days", "2", "-subj", "/CN=Test CA")
    openssl("req", *curve, "-keyout", "key.pem", "-out", "request.pem", "-subj", "/CN=server")
    (folder / "extensions").write_text("subjectAltName=IP:127.0.0.1")
    signing = ("-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", "extensions")
    openssl("x509", "-req", "-in", "request.pem", "-out", "cert.pem", *signing)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return (folder / "ca.pem").read_text(), context
