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
from slipway.objectstore.places import read_secret, split_uri
from slipway.objectstore.s3 import S3Store


def read_signer(origin: str, file: Path) -> Signer:
    """The signing key in a file with the base64 of its 32-byte seed. Raises NoteInvalid."""
    return Signer.parse(origin, file.read_text())


@asynccontextmanager
async def opened_ledger(
    uri: str, secret: Mapping[str, str], signer: Signer, anchors: Sequence[Mapping[str, Any]] = (), pace: Pace | None = None
) -> AsyncIterator[Ledger]:
    """The log at `uri` with its anchors, to append to; see `Ledger.opened` and `opened_anchors`."""
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(S3Store.opened(*split_uri(uri), secret))
        places = await stack.enter_async_context(opened_anchors(anchors))
        yield await stack.enter_async_context(Ledger.opened(store, signer, places, pace))


@asynccontextmanager
async def opened_anchors(settings: Sequence[Mapping[str, Any]]) -> AsyncIterator[list[Anchor]]:
    """Anchors from settings. Raises ValueError for one that is none of these.

    `{"bucket": "s3://BUCKET/PREFIX", "secret": FOLDER}`, the folder as for `read_secret`; `{"webhook": URL, "token": FILE}`, sent as a
    bearer token; `{"file": PATH}`.
    """
    async with AsyncExitStack() as stack:
        found: list[Anchor] = []
        for anchor in settings:
            if "bucket" in anchor:
                secret = read_secret(Path(anchor["secret"])) if anchor.get("secret") else {}
                found.append(BucketAnchor(await stack.enter_async_context(S3Store.opened(*split_uri(anchor["bucket"]), secret))))
            elif "webhook" in anchor:
                token = Path(anchor["token"]).read_text().strip() if anchor.get("token") else ""
                found.append(WebhookAnchor(anchor["webhook"], {"Authorization": f"Bearer {token}"} if token else {}))
            elif "file" in anchor:
                found.append(FileAnchor(Path(anchor["file"])))
            else:
                raise ValueError(f"an anchor is a bucket, a webhook or a file; this has {', '.join(anchor) or 'nothing'}")
        yield found
