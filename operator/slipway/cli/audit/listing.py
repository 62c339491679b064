"""`kubectl slipway audit`: entries, the newest first."""

from __future__ import annotations

import sys
from contextlib import aclosing
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from slipway.cli.audit.options import Columns, Key, SecretFile, Store, given, moment, run
from slipway.cli.options import Context, Kubeconfig
from slipway.cli.output import console, note

if TYPE_CHECKING:
    from slipway.ledger.note import Verifier
    from slipway.ledger.reader import Filter, Stored
    from slipway.objectstore.s3 import S3Store

LIMIT = 200


def audit(
    context_of_call: typer.Context,
    namespace: Annotated[str | None, typer.Option("-n", "--namespace", metavar="NAMESPACE", help="Default: all.")] = None,
    deployment: Annotated[str | None, typer.Option("--deployment", metavar="NAME", help="Only about this ModelDeployment.")] = None,
    since: Annotated[str | None, typer.Option("--since", metavar="2h|TIME", help="Only what is newer.")] = None,
    by: Annotated[str | None, typer.Option("--by", metavar="USER", help="Only what this user asked for or approved.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=0, help="At most so many, the newest; 0: all.")] = LIMIT,
    output: Annotated[Columns, typer.Option("-o", "--output", help="How to print them.")] = Columns.TABLE,
    store: Store = None,
    secret_file: SecretFile = None,
    key: Key = None,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
) -> None:
    """Show what happened: who asked, who agreed, what followed. Every entry shown is proved by the ledger's checkpoint."""
    if context_of_call.invoked_subcommand:
        return

    from slipway.ledger.reader import Filter

    wanted = Filter(namespace, deployment, moment(since, datetime.now(UTC)), by)
    entries, more = run(
        given(store, secret_file, key, context, kubeconfig), lambda place, verifier: _newest(place, verifier, wanted, limit)
    )
    _show(entries, output)
    if more:
        note(f"These are the newest {limit}; --limit 0 shows all.")


async def _newest(store: S3Store, verifier: Verifier, wanted: Filter, limit: int) -> tuple[list[Stored], bool]:
    """Those that are wanted, at most `limit`, and whether there are more."""
    from slipway.ledger.reader import Reader

    reader = await Reader.load(store, verifier)
    entries: list[Stored] = []
    unread: list[Stored] = []
    more = False
    async with aclosing(reader.newest(wanted, unread.append)) as newest:
        async for stored in newest:
            if limit and len(entries) == limit:
                more = True
                break
            entries.append(stored)
    if unread:
        note(f"{len(unread)} entries of another kind are left out, such as number {unread[0].index}.")
    return entries, more


def _show(entries: list[Stored], output: Columns) -> None:
    from slipway.cli.audit import view

    if output is Columns.CSV:
        view.write_csv(entries, sys.stdout)
    elif output is Columns.JSON:
        for line in view.json_items(entries):
            print(line)
    elif entries:
        console().print(view.table(entries))
    else:
        note("No entries.")
