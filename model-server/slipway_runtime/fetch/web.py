"""Artifacts behind https:// and http://: one file, with redirects, credentials, proxies and resumption by Range."""

from __future__ import annotations

import base64
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

import aiohttp
from yarl import URL

from slipway_runtime.failure import ArtifactAccessDenied, ArtifactInvalid, ArtifactNotFound, Failure, FetchFailed
from slipway_runtime.fetch.digest import CHUNK_BYTES
from slipway_runtime.fetch.settings import FetchSettings
from slipway_runtime.fetch.source import Body, PassingFault, RemoteFile
from slipway_runtime.fetch.tls import tls_context

TIMEOUT = aiohttp.ClientTimeout(total=None, sock_connect=15, sock_read=60)
PASSING_STATUS = frozenset({408, 425, 429})
REDIRECTS = 10


class WebSource:
    """One file behind a URL; its name in the artifact is the URL's last path segment."""

    def __init__(self, settings: FetchSettings, session: aiohttp.ClientSession) -> None:
        self._settings = settings
        self._session = session
        self._etag: str | None = None

    @classmethod
    @asynccontextmanager
    async def opened(cls, settings: FetchSettings) -> AsyncIterator[WebSource]:
        """The source with its connections, which end with the context."""
        connector = aiohttp.TCPConnector(ssl=tls_context(settings.secret.get("ca.crt")))
        async with aiohttp.ClientSession(connector=connector, timeout=TIMEOUT, trust_env=True, auto_decompress=False) as session:
            yield cls(settings, session)

    async def files(self) -> list[RemoteFile]:
        """The URL's one file; its size is known when the download begins."""
        name = PurePosixPath(unquote(urlsplit(self._settings.uri).path)).name
        if not name:
            raise ArtifactInvalid(f"{self._settings.public_uri} names no file: give the URL of one file")
        if urlsplit(self._settings.uri).username is not None:
            raise FetchFailed(f"{self._settings.public_uri} is given with a password: move it to the artifact's Secret")
        return [RemoteFile(name, self._settings.uri, None)]

    @asynccontextmanager
    async def read(self, file: RemoteFile, offset: int) -> AsyncIterator[Body]:
        """The file from the offset on, or from its start where the server does not honour Range."""
        try:
            async with self._session.get(_url(file.key), headers=self._headers(offset), max_redirects=REDIRECTS) as response:
                self._require_success(response)
                self._etag = response.headers.get("ETag")
                start = _range_start(response)
                size = None if response.content_length is None else start + response.content_length
                yield Body(start, size, response.content.iter_chunked(CHUNK_BYTES))
        except aiohttp.TooManyRedirects as error:
            raise FetchFailed(f"{self._settings.public_uri} redirects more than {REDIRECTS} times: check it") from error
        except aiohttp.InvalidURL as error:
            raise FetchFailed(f"{self._settings.public_uri} is not a valid URL: correct it") from error
        except (aiohttp.ClientConnectorCertificateError, aiohttp.ClientConnectorSSLError) as error:
            raise FetchFailed(
                f"TLS with {self._settings.public_uri} failed ({error}): give its CA as ca.crt in the artifact's Secret"
            ) from error
        except aiohttp.ClientHttpProxyError as error:
            raise _proxy_failure(error) from error
        except (TimeoutError, aiohttp.ClientError, ConnectionError) as error:
            raise PassingFault(f"{self._settings.public_uri}: {_text(error)}") from error

    def _headers(self, offset: int) -> dict[str, str]:
        headers = {"Accept-Encoding": "identity"} | self._authorization()
        if offset:
            headers["Range"] = f"bytes={offset}-"
            if self._etag and not self._etag.startswith("W/"):
                headers["If-Range"] = self._etag
        return headers

    def _authorization(self) -> dict[str, str]:
        secret = self._settings.secret
        if "token" in secret:
            return {"Authorization": f"Bearer {secret['token']}"}
        if "username" in secret:
            pair = f"{secret['username']}:{secret.get('password', '')}"
            return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}
        return {}

    def _require_success(self, response: aiohttp.ClientResponse) -> None:
        uri, status = self._settings.public_uri, response.status
        if status in (200, 206):
            return
        if status in (401, 403):
            raise self._denied(status)
        if status in (404, 410):
            raise ArtifactNotFound(f"{uri} answered {status}: check the URI, or upload the file again")
        if status >= 500 or status in PASSING_STATUS:
            raise PassingFault(f"{uri} answered {status}")
        if status == 416:
            raise PassingFault(f"{uri} changed during the download")
        raise FetchFailed(f"{uri} answered {status} {response.reason}: check the URI")

    def _denied(self, status: int) -> Failure:
        secret = self._settings.secret
        if "token" in secret or "username" in secret:
            advice = f"give the credentials of the Secret {self._settings.secret_name} read access to it"
        else:
            advice = "name a Secret with `token`, or `username` and `password`, in spec.artifact.secretName"
        return ArtifactAccessDenied(f"{self._settings.public_uri} answered {status}: {advice}")


def _url(uri: str) -> URL:
    """The URL as it was given: quoting a pre-signed one again could break its signature."""
    return URL(uri, encoded=uri.isascii() and " " not in uri)


def _range_start(response: aiohttp.ClientResponse) -> int:
    match = re.match(r"bytes (\d+)-", response.headers.get("Content-Range", ""))
    return int(match[1]) if response.status == 206 and match else 0


def _proxy_failure(error: aiohttp.ClientHttpProxyError) -> Exception:
    if error.status >= 500:
        return PassingFault(f"the proxy answered {error.status} {error.message}")
    return FetchFailed(f"the proxy answered {error.status} {error.message}: check HTTPS_PROXY and its credentials")


def _text(error: BaseException) -> str:
    return str(error) or type(error).__name__
