"""One batch to the collector over HTTP, on a connection that is kept."""

from __future__ import annotations

from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from urllib.parse import urlsplit

TIMEOUT_SECONDS = 20.0
CONTENT_TYPE = "application/vnd.apache.arrow.stream"


@dataclass(frozen=True)
class Answer:
    """What the collector said."""

    status: int
    text: str
    retry_after: float = 0.0
    """Seconds."""


class Unreachable(Exception):
    """No answer came; whether the batch is in the log is not known."""


class Sender:
    """Speaks to one collector."""

    def __init__(self, url: str, token_path: Path) -> None:
        """Raises ValueError for a URL that is not http or https."""
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"SLIPWAY_COLLECTOR_URL is {url!r}, not a URL of http or https")
        kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        self._connection = kind(parts.hostname, parts.port, timeout=TIMEOUT_SECONDS)
        self._path = f"{parts.path.rstrip('/')}/v1/batches"
        self._token_path = token_path

    def send(self, body: bytes, writer: str, sequence: int) -> Answer:
        """Post it. The token is read anew each time, since the kubelet renews it. Raises Unreachable."""
        try:
            headers = {
                "Authorization": f"Bearer {self._token_path.read_text().strip()}",
                "Content-Type": CONTENT_TYPE,
                "x-slipway-writer": writer,
                "x-slipway-sequence": str(sequence),
            }
            self._connection.request("POST", self._path, body, headers)
            answer = self._connection.getresponse()
            text = answer.read(4096).decode("utf-8", "replace")
            answer.read()
            return Answer(answer.status, text, _seconds(answer.headers.get("retry-after")))
        except (OSError, HTTPException, ValueError) as error:
            self._connection.close()
            raise Unreachable(f"{type(error).__name__}: {error}") from error


def _seconds(text: str | None) -> float:
    return min(60.0, float(text)) if text and text.isascii() and text.isdigit() else 0.0
