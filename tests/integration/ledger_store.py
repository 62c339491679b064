"""A real S3 server with ledgers for operator processes: their settings, and what is in the log in the end."""

from __future__ import annotations

import asyncio
import base64
import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from slipway.ledger.entry import Entry
from slipway.ledger.note import Signer
from slipway.ledger.places import read_signer
from slipway.ledger.reader import Reader
from slipway.ledger.slots import Slot
from slipway.reconcile.journal import origin_of
from tests.s3 import KEYS, Server, start_store

BUCKET = "ledger"


@dataclass(frozen=True)
class LedgerStore:
    """`server` may be stopped and started again; port and data stay. A ledger a prefix, one key for all."""

    server: Server
    folder: Path

    def settings(self, prefix: str, endpoint: str = "", anchor: Path | None = None) -> dict[str, str]:
        """An operator's environment, its credentials as a mounted Secret; `endpoint` instead of the server's own."""
        anchors = [{"file": str(anchor)}] if anchor else []
        return {
            "SLIPWAY_LEDGER_URI": uri_of(prefix),
            "SLIPWAY_LEDGER_SECRET": str(self.folder / "secret"),
            "SLIPWAY_LEDGER_KEY": str(self.folder / "key"),
            "SLIPWAY_LEDGER_ANCHORS": json.dumps(anchors),
            "SLIPWAY_LEDGER_ENDPOINT": endpoint,
        }

    def signer(self, prefix: str) -> Signer:
        return read_signer(origin_of(uri_of(prefix)), self.folder / "key")

    def entries(self, prefix: str, namespace: str = "") -> list[Entry]:
        """All that the log has, proved, in order; those about objects of one namespace, if it is given."""
        found = asyncio.run(self._read(prefix))
        assert len({entry.id for entry in found}) == len(found), "an id is there twice"
        return [entry for entry in found if namespace in ("", entry.object.namespace)]

    def durable(self, prefix: str) -> list[tuple[Entry, datetime]]:
        """All entries, in order, and when each was durable: its slot's file has not changed since."""
        verifier = self.signer(prefix).verifier
        found = []
        for file in sorted(path for path in self.path(prefix, "slot").rglob("*") if path.is_file()):
            at = datetime.fromtimestamp(file.stat().st_ctime, UTC)
            found += [(Entry.decode(data), at) for data in Slot.open(file.read_bytes(), verifier).entries]
        return found

    async def _read(self, prefix: str) -> list[Entry]:
        async with self.server.open(BUCKET, prefix) as store:
            reader = await Reader.load(store, self.signer(prefix).verifier)
            return [stored.entry async for stored in reader.entries()]

    def path(self, prefix: str, key: str = "") -> Path:
        """Where the server keeps an object, or a folder of them."""
        return self.server.folder / BUCKET / prefix / key


def uri_of(prefix: str) -> str:
    return f"s3://{BUCKET}/{prefix}"


@contextmanager
def ledger_store(folder: Path) -> Iterator[LedgerStore]:
    """A server with an empty bucket, until the context ends."""
    (folder / "secret").mkdir(parents=True)
    (folder / "key").write_text(base64.b64encode(secrets.token_bytes(32)).decode())
    with start_store(folder / "data") as server:
        server.bucket(BUCKET)
        for name, value in server.secret.items():
            (folder / "secret" / name).write_text(value)
        assert KEYS.keys() < server.secret.keys()
        yield LedgerStore(server, folder)
