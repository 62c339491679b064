"""`kubectl slipway erase`: one person's rows, out of the prediction log for good."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from slipway.cli.options import Context, Kubeconfig, Namespace, Output
from slipway.cli.predictions.options import Token, Url

PREFIXES = ("in_", "out_", "key_")
PLAIN = ("prediction_id", "caller")
"""Columns that are no feature, output or key, and may say whose a row is."""


def erase(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A ModelDeployment.")],
    where: Annotated[str, typer.Option("--where", metavar="COLUMN=VALUE", help="Whose rows: by a key, a column of the table, or an id.")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    namespace: Namespace = None,
    token: Token = None,
    collector: Url = None,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
    output: Output = None,
) -> None:
    """Delete rows and their truths from the prediction log, and the files that held them. It cannot be undone."""
    from slipway.cli.cluster import Access, connect
    from slipway.cli.output import as_text
    from slipway.cli.predictions.collector import Given, reached

    column, value = parsed(where)
    access = Access(kubeconfig, context, namespace)
    cluster = connect(access)
    if not yes:
        _confirm(f"Erase for good all rows of {name} in namespace {cluster.namespace} where {column} is {value!r}, and their truths?")
    with reached(Given(access, token, collector), cluster) as way:
        body = {"namespace": cluster.namespace, "deployment": name, "column": column, "value": value}
        found = way.ask("POST", "/v1/erasures", body=body)
    print(as_text(found, output) if output else told(found))


def parsed(where: str) -> tuple[str, str]:
    """`customer_id=123` → `("key_customer_id", "123")`: a name without a prefix is that of a key.

    Raises:
        CliError: it is no such condition.

    """
    from slipway.cli.errors import CliError

    name, equals, value = where.partition("=")
    name = name.strip()
    if not (name and equals and value):
        raise CliError(f"--where {where} must be COLUMN=VALUE, such as customer_id=123")
    return (name if name.startswith(PREFIXES) or name in PLAIN else f"key_{name}"), value


def told(found: dict[str, object]) -> str:
    """What was removed, in a line."""
    counts = [f"{value} {key}" for key, value in found.items() if isinstance(value, int) and not isinstance(value, bool)]
    return f"Erased: {', '.join(counts)}." if counts else "Erased."


def _confirm(question: str) -> None:
    from slipway.cli.errors import CliError
    from slipway.cli.output import clean

    if not sys.stdin.isatty():
        raise CliError("there is no terminal to ask at: look at --where again, and give --yes")
    if not typer.confirm(clean(question), err=True):
        raise CliError("nothing was erased")
