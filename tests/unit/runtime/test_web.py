"""Artifacts over https and http from servers on this machine: credentials, redirects, broken downloads, proxies, TLS."""

from __future__ import annotations

import asyncio
import base64
import ssl
from pathlib import Path

import pytest

from slipway_runtime.failure import ArtifactAccessDenied, ArtifactInvalid, ArtifactNotFound, DigestMismatch, Failure, FetchFailed
from slipway_runtime.fetch.download import ATTEMPTS
from tests.unit.runtime.fetching import CONTENT, always, fetch_uri, files_of, http, http_server, make_ca

FILES = {"model.joblib": CONTENT}


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, ssl.SSLContext]:
    return make_ca(tmp_path_factory.mktemp("ca"))


async def test_one_file(tmp_path: Path) -> None:
    async with http_server(always(http("200 OK", CONTENT))) as port:
        pauses = await fetch_uri(f"http://127.0.0.1:{port}/models/model.joblib?version=3", tmp_path, FILES)
    assert files_of(tmp_path) == FILES
    assert pauses == []


async def test_the_name_is_the_decoded_last_segment(tmp_path: Path) -> None:
    async with http_server(always(http("200 OK", b"x"))) as port:
        await fetch_uri(f"http://127.0.0.1:{port}/a/my%20model.pkl", tmp_path, {"my model.pkl": b"x"})


@pytest.mark.parametrize("segment", ["%2e%2e", "a%0ab"])
async def test_an_unsafe_name_is_refused(segment: str, tmp_path: Path) -> None:
    async with http_server(always(http("200 OK", b"x"))) as port:
        with pytest.raises(ArtifactInvalid):
            await fetch_uri(f"http://127.0.0.1:{port}/a/{segment}", tmp_path, FILES)


async def test_a_url_without_a_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArtifactInvalid, match="names no file"):
        await fetch_uri("https://example.com/", tmp_path, FILES)


async def test_a_truncated_download_resumes_with_range(tmp_path: Path) -> None:
    asked: list[str] = []

    async def reply(line: str, headers: dict[str, str], writer: asyncio.StreamWriter) -> None:
        asked.append(headers.get("range", "") + headers.get("if-range", ""))
        if "range" not in headers:
            writer.write(http("200 OK", CONTENT, cut=100_000, ETag='"one"'))
        else:
            start = int(headers["range"].removeprefix("bytes=").removesuffix("-"))
            content_range = f"bytes {start}-{len(CONTENT) - 1}/{len(CONTENT)}"
            cut = 50_000 if len(asked) == 2 else None
            writer.write(http("206 Partial Content", CONTENT[start:], cut, ETag='"one"', Content_Range=content_range))

    async with http_server(reply) as port:
        pauses = await fetch_uri(f"http://127.0.0.1:{port}/model.joblib", tmp_path, FILES)
    assert asked[0] == ""
    assert asked[1].endswith('-"one"')
    assert len(asked) == len(pauses) + 1 == 3
    assert files_of(tmp_path) == FILES


async def test_a_server_without_range_starts_again(tmp_path: Path) -> None:
    async with http_server(always(http("200 OK", CONTENT, cut=100_000), http("200 OK", CONTENT))) as port:
        await fetch_uri(f"http://127.0.0.1:{port}/model.joblib", tmp_path, FILES)
    assert files_of(tmp_path) == FILES


async def test_a_download_that_always_ends_early_gives_up(tmp_path: Path) -> None:
    async with http_server(always(http("200 OK", CONTENT, cut=10))) as port:
        with pytest.raises(FetchFailed, match="gave up after 6 attempts"):
            await fetch_uri(f"http://127.0.0.1:{port}/model.joblib", tmp_path, FILES)
    assert files_of(tmp_path) == {}


@pytest.mark.parametrize("status", ["500 Oops", "502 Bad Gateway", "503 Slow Down", "429 Too Many Requests"])
async def test_a_passing_status_is_tried_again(status: str, tmp_path: Path) -> None:
    async with http_server(always(http(status), http(status), http("200 OK", CONTENT))) as port:
        assert len(await fetch_uri(f"http://127.0.0.1:{port}/model.joblib", tmp_path, FILES)) == 2


async def test_nobody_listens(tmp_path: Path) -> None:
    async with http_server(always(b"")) as port:
        pass
    with pytest.raises(FetchFailed, match=f"127.0.0.1:{port}.* gave up after {ATTEMPTS} attempts: check the store"):
        await fetch_uri(f"http://127.0.0.1:{port}/model.joblib", tmp_path, FILES)


@pytest.mark.parametrize(
    ("status", "failure", "advice"),
    [
        ("404 Not Found", ArtifactNotFound, "answered 404: check the URI, or upload"),
        ("410 Gone", ArtifactNotFound, "check the URI"),
        ("401 Unauthorized", ArtifactAccessDenied, "name a Secret with `token`"),
        ("403 Forbidden", ArtifactAccessDenied, "name a Secret with `token`"),
        ("400 Bad Request", FetchFailed, "answered 400 Bad Request: check the URI"),
    ],
)
async def test_a_refusal_is_final_and_says_what_to_do(status: str, failure: type[Failure], advice: str, tmp_path: Path) -> None:
    async with http_server(always(http(status))) as port:
        with pytest.raises(failure, match=advice):
            await fetch_uri(f"http://127.0.0.1:{port}/model.joblib?sig=hush", tmp_path, FILES)


@pytest.mark.parametrize(
    ("secret", "expected"),
    [
        ({"token": "t0ken"}, "Bearer t0ken"),
        ({"username": "ann", "password": "pässword"}, "Basic " + base64.b64encode("ann:pässword".encode()).decode()),
    ],
)
async def test_credentials_go_to_the_origin_and_not_to_where_it_redirects(secret: dict[str, str], expected: str, tmp_path: Path) -> None:
    seen: list[str | None] = []

    async def store(line: str, headers: dict[str, str], writer: asyncio.StreamWriter) -> None:
        seen.append(headers.get("authorization"))
        writer.write(http("200 OK", CONTENT))

    async with http_server(store) as elsewhere:

        async def origin(line: str, headers: dict[str, str], writer: asyncio.StreamWriter) -> None:
            seen.append(headers.get("authorization"))
            writer.write(http("302 Found", Location=f"http://127.0.0.1:{elsewhere}/blob"))

        async with http_server(origin) as port:
            await fetch_uri(f"http://127.0.0.1:{port}/model.joblib", tmp_path, FILES, secret)
    assert seen == [expected, None]
    assert files_of(tmp_path) == FILES


async def test_refused_credentials_are_not_printed(tmp_path: Path) -> None:
    async with http_server(always(http("403 Forbidden"))) as port:
        with pytest.raises(ArtifactAccessDenied, match="give the credentials of the Secret") as caught:
            await fetch_uri(f"http://127.0.0.1:{port}/model.joblib?sig=hush", tmp_path, FILES, {"token": "t0ken"})
    assert "hush" not in str(caught.value)
    assert "t0ken" not in str(caught.value)


async def test_a_password_in_the_uri_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FetchFailed, match="move it to the artifact's Secret") as caught:
        await fetch_uri("https://ann:hush@example.com/model.joblib", tmp_path, FILES)
    assert "hush" not in str(caught.value)


async def test_a_redirect_loop_ends(tmp_path: Path) -> None:
    async with http_server(always(http("302 Found", Location="/model.joblib"))) as port:
        with pytest.raises(FetchFailed, match="redirects more than 10 times"):
            await fetch_uri(f"http://127.0.0.1:{port}/model.joblib", tmp_path, FILES)


async def test_other_bytes_are_a_digest_mismatch_and_leave_nothing(tmp_path: Path) -> None:
    async with http_server(always(http("200 OK", b"other"))) as port:
        with pytest.raises(DigestMismatch, match=r"has digest sha256:\w{64}, the ModelVersion names sha256:\w{64}: .* push it again"):
            await fetch_uri(f"http://127.0.0.1:{port}/model.joblib", tmp_path, FILES)
    assert list(tmp_path.iterdir()) == []


async def test_tls_with_the_secrets_authority(authority: tuple[str, ssl.SSLContext], tmp_path: Path) -> None:
    pem, tls = authority
    async with http_server(always(http("200 OK", CONTENT)), tls) as port:
        await fetch_uri(f"https://127.0.0.1:{port}/model.joblib", tmp_path, FILES, {"ca.crt": pem})
    assert files_of(tmp_path) == FILES


async def test_an_unknown_authority_is_refused_at_once(authority: tuple[str, ssl.SSLContext], tmp_path: Path) -> None:
    async with http_server(always(http("200 OK", CONTENT)), authority[1]) as port:
        with pytest.raises(FetchFailed, match=r"TLS with .* failed .*give its CA as ca\.crt"):
            await fetch_uri(f"https://127.0.0.1:{port}/model.joblib", tmp_path, FILES)


@pytest.mark.parametrize("pem", ["nonsense", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"])
async def test_a_broken_authority_is_named(pem: str, tmp_path: Path) -> None:
    with pytest.raises(FetchFailed, match=r"ca\.crt is not a PEM certificate"):
        await fetch_uri("https://127.0.0.1:1/model.joblib", tmp_path, FILES, {"ca.crt": pem})


async def test_https_goes_through_the_proxy(authority: tuple[str, ssl.SSLContext], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        asked.append(head)
        host, port = head.split()[1].split(":")
        to, back = await asyncio.open_connection(host, int(port))
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        await asyncio.gather(_pump(reader, back), _pump(to, writer))

    proxy = await asyncio.start_server(connect, "127.0.0.1", 0)
    monkeypatch.setenv("HTTPS_PROXY", f"http://user:hush@127.0.0.1:{proxy.sockets[0].getsockname()[1]}")
    async with proxy, http_server(always(http("200 OK", CONTENT)), authority[1]) as port:
        await fetch_uri(f"https://127.0.0.1:{port}/model.joblib", tmp_path, FILES, {"ca.crt": authority[0]})
    assert asked[0].startswith(f"CONNECT 127.0.0.1:{port} ")
    assert "Proxy-Authorization: Basic " + base64.b64encode(b"user:hush").decode() in asked[0]
    assert files_of(tmp_path) == FILES


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while chunk := await reader.read(65536):
            writer.write(chunk)
            await writer.drain()
    except ConnectionError:
        pass
    finally:
        writer.close()


async def test_no_proxy_is_honoured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    async with http_server(always(http("200 OK", CONTENT))) as port:
        await fetch_uri(f"http://127.0.0.1:{port}/model.joblib", tmp_path, FILES)


async def test_a_proxy_that_refuses_is_named_without_its_password(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with http_server(always(http("407 Proxy Authentication Required"))) as port:
        monkeypatch.setenv("HTTPS_PROXY", f"http://user:hush@127.0.0.1:{port}")
        with pytest.raises(FetchFailed, match="the proxy answered 407 .*: check HTTPS_PROXY") as caught:
            await fetch_uri("https://192.0.2.1/model.joblib", tmp_path, FILES)
    assert "hush" not in str(caught.value)
