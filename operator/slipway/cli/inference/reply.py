"""A v2 reply as a table, and everything that is not a reply as one line."""

from __future__ import annotations

from typing import Any

from rich.table import Table

from slipway.cli.cluster import Json, Reply, refusal
from slipway.cli.errors import CliError
from slipway.cli.output import clean, text


def table(reply: Json) -> Table:
    """A row for each row that was asked about, a column for each output."""
    outputs = reply.get("outputs") or []
    rendered = Table(box=None, pad_edge=False, header_style="bold")
    rendered.add_column("ROW", justify="right", style="dim")
    for output in outputs:
        rendered.add_column(text(output.get("name", "")))
    columns = [cells(output) for output in outputs]
    for row in range(max(map(len, columns), default=0)):
        values = [text(column[row] if row < len(column) else "") for column in columns]
        rendered.add_row(str(row + 1), *values)
    return rendered


def cells(output: Json) -> list[str]:
    """One text a row: a [n] or [n,1] output as its values, a [n,k] one as k values side by side."""
    flat = _flat(output.get("data") or [])
    shape = output.get("shape") or [len(flat)]
    count = max(int(shape[0]), 1) if flat else 0
    width = max(len(flat) // max(count, 1), 1)
    return ["  ".join(_value(value) for value in flat[start : start + width]) for start in range(0, len(flat), width)]


def _flat(data: Any) -> list[Any]:
    if not isinstance(data, list):
        return [data]
    return [leaf for item in data for leaf in _flat(item)]


def _value(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else clean(value)


def title(reply: Json) -> str:
    """Which model answered, and which version."""
    version = reply.get("model_version")
    return f"{reply.get('model_name', 'model')}" + (f", version {version}" if version else "")


def failure(reply: Reply, name: str, namespace: str, sent: int) -> CliError:
    """Why there is no prediction: `sent` are the request's bytes."""
    body = reply.json()
    message = clean(body.get("message", ""))
    if reply.code == 413:
        return CliError(f"the request ({sent / 2**20:.1f} MiB) is too large for {name} (413): send fewer rows at a time")
    if body.get("kind") != "Status":
        said = body.get("error") or body.get("detail") or reply.body.decode(errors="replace")[:300]
        return CliError(f"{name} answered {reply.code}: {said}")
    if "no endpoints" in message:
        return CliError(f"{name} has no ready pod: `kubectl slipway status {name} -n {namespace}` says why")
    if reply.code >= 500:
        return CliError(f"{name} broke off ({message}): try again; of many rows, send fewer at a time")
    return CliError(refusal(reply, ""))
