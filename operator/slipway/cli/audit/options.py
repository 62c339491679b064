"""Options of the audit commands, and how they run."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from slipway.cli.errors import CliError

if TYPE_CHECKING:
    from slipway.cli.audit.place import Given
    from slipway.ledger.note import Verifier
    from slipway.objectstore.s3 import S3Store

T = TypeVar("T")


class Columns(StrEnum):
    """How entries are printed."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


Store = Annotated[str | None, typer.Option("--store", metavar="s3://…", help="The ledger's place; default: as the cluster says.")]
SecretFile = Annotated[
    Path | None, typer.Option("--secret-file", metavar="FILE", help="AWS_* lines; default: the cluster's Secret, or the environment.")
]
Key = Annotated[str | None, typer.Option("--key", metavar="VKEY", help="The ledger's public key; default: as the cluster says.")]

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}


def given(store: str | None, secret_file: Path | None, key: str | None, context: str | None, kubeconfig: str | None) -> Given:
    """The options, together."""
    from slipway.cli.audit.place import Given
    from slipway.cli.cluster import Access

    return Given(Access(kubeconfig, context, None), store, secret_file, key)


def run(options: Given, work: Callable[[S3Store, Verifier], Awaitable[T]]) -> T:
    """`work` with the ledger's store; its errors as one line."""
    from slipway.cli.audit.place import found, opened
    from slipway.ledger.errors import LedgerError
    from slipway.objectstore.errors import StoreError

    with found(options) as place:

        async def main() -> T:
            async with opened(place) as (store, verifier):
                return await work(store, verifier)

        try:
            return asyncio.run(main())
        except (LedgerError, StoreError) as error:
            raise CliError(str(error)) from error


def moment(since: str | None, now: datetime) -> datetime | None:
    """`2h`, `30m`, `7d`, a date or a time (UTC unless it says otherwise), as a time."""
    if since is None:
        return None
    try:
        if span := re.fullmatch(r"(\d+)([smhdw])", since):
            return now - timedelta(seconds=int(span[1]) * UNITS[span[2]])
        parsed = datetime.fromisoformat(since)
    except (ValueError, OverflowError) as error:
        raise CliError(f"--since {since} is neither a span such as 30m, 2h or 7d nor a time such as 2026-11-22T08:00Z") from error
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)
