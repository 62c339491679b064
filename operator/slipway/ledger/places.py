"""Where a log and its anchors are, from settings: URIs, folders of mounted Secrets, and the JSON that names the anchors."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from slipway.ledger.anchors import Anchor, BucketAnchor, FileAnchor, WebhookAnchor
from slipway.ledger.behind import Pace
from slipway.ledger.note import Signer
from slipway.ledger.writer import Ledger
from slipway.objectstore.s3 import S3Store


def split_uri(uri: str) -> tuple[str, str]:
    """`s3://BUCKET/PREFIX` → (bucket, prefix). Raises ValueError."""
    bucket, _, prefix = uri.removeprefix("s3://").partition("/")
    if not uri.startswith("s3://") or not bucket:
        raise ValueError(f"{uri!r} must be s3://BUCKET/PREFIX")
    return bucket, prefix.strip("/")


def read_secret(folder: Path) -> dict[str, str]:
    """The `AWS_*` files of a mounted Secret; `ca.crt` is its CA bundle."""
    found = {file.name: file.read_text().strip() for file in folder.iterdir() if file.name.startswith("AWS_") and file.is_file()}
    authority = folder / "ca.crt"
    return found | ({"AWS_CA_BUNDLE": str(authority)} if authority.is_file() else {})


def read_signer(origin: str, file: Path) -> Signer:
    """The signing key in a file with the base64 of its 32-byte seed. Raises NoteInvalid."""
    return Signer.parse(origin, file.read_text())


@asynccontextmanager
async def opened_ledger(
    uri: str, secret: Mapping[str, str], signer: Signer, anchors: Sequence[Mapping[str, Any]] = (), pace: Pace | None = None
) -> AsyncIterator[Ledger]:
    """The log at `uri` with its anchors, to append to; see `Ledger.opened` and `opened_anchors`."""
    async with (
        S3Store.opened(*split_uri(uri), secret) as store,
        opened_anchors(anchors) as places,
        Ledger.opened(store, signer, places, pace) as ledger,
    ):
        yield ledger


@asynccontextmanager
async def opened_anchors(settings: Sequence[Mapping[str, Any]]) -> AsyncIterator[list[Anchor]]:
    """Anchors from settings. Raises ValueError for one that is none of these.

    `{"type": "bucket", "uri": "s3://BUCKET/PREFIX", "secret": FOLDER}`, the folder as for `read_secret`;
    `{"type": "webhook", "url": URL, "token": FILE}`, a bearer token; `{"type": "file", "path": PATH}`.
    """
    async with AsyncExitStack() as stack:
        found: list[Anchor] = []
        for anchor in settings:
            match anchor.get("type"):
                case "bucket":
                    secret = read_secret(Path(anchor["secret"])) if anchor.get("secret") else {}
                    found.append(BucketAnchor(await stack.enter_async_context(S3Store.opened(*split_uri(anchor["uri"]), secret))))
                case "webhook":
                    token = Path(anchor["token"]).read_text().strip() if anchor.get("token") else ""
                    found.append(WebhookAnchor(anchor["url"], {"Authorization": f"Bearer {token}"} if token else {}))
                case "file":
                    found.append(FileAnchor(Path(anchor["path"])))
                case other:
                    raise ValueError(f"an anchor's type is bucket, webhook or file, not {other!r}")
        yield found
