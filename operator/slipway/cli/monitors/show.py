"""`kubectl slipway monitor show`: what the last run found."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from slipway.cli.options import Context, Format, Kubeconfig, Namespace, Output
from slipway.cli.output import as_text, console, text

if TYPE_CHECKING:
    from rich.console import RenderableType

    from slipway.cli.cluster import Cluster, Json

HEADS = ("VERDICT", "CHECK", "VALUE", "THRESHOLD", "P", "ROWS", "MESSAGE")


def show(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A ModelMonitor.")],
    namespace: Namespace = None,
    output: Output = None,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
) -> None:
    """Show what the last run found, check by check, the worst first, and where its report is."""
    from slipway.cli.cluster import Access, connect

    cluster = connect(Access(kubeconfig, context, namespace))
    tell(monitor_of(cluster, name), output)


def monitor_of(cluster: Cluster, name: str) -> Json:
    """Raises CliError where there is none."""
    from slipway.cli.cluster import SLIPWAY, path
    from slipway.cli.errors import CliError

    found = cluster.get(path(SLIPWAY, "modelmonitors", cluster.namespace, name))
    if found is None:
        raise CliError(f"no ModelMonitor {name} in namespace {cluster.namespace}: kubectl slipway monitor list -A")
    return found


def tell(monitor: Json, output: Format | None) -> None:
    """Print it."""
    if output:
        print(as_text(monitor.get("status", {}), output))
    else:
        console().print(render(monitor))


def render(monitor: Json) -> RenderableType:
    """Head, checks, and where the report is."""
    from rich.console import Group
    from rich.table import Table

    from slipway.cli.monitors.rows import STYLES, checks, interval, number, what

    table = Table(box=None, pad_edge=False, header_style="bold")
    for head in HEADS:
        table.add_column(head, overflow="fold", no_wrap=head in ("VERDICT", "P", "ROWS"))
    for check in checks(monitor):
        cells = (what(check), interval(check), number(check.get("threshold")), number(check.get("pValue")), check.get("rows", 0))
        table.add_row(text(check["verdict"], STYLES.get(check["verdict"], "")), *map(text, cells), text(check.get("message", "")))
    run = monitor.get("status", {}).get("run") or {}
    report = [text(f"Report: {run['report']}")] if run.get("report") else []
    return Group(*map(text, _head(monitor, run)), *([table] if table.row_count else []), *report)


def _head(monitor: Json, run: Json) -> list[str]:
    from slipway.cli.monitors.rows import message

    metadata, status = monitor["metadata"], monitor.get("status", {})
    lines = [
        f"Monitor   {metadata['name']} of deployment {monitor['spec']['deployment']}, namespace {metadata['namespace']}",
        f"Verdict   {status.get('verdict') or '-'}: {message(monitor)}",
    ]
    if run:
        lines.append(f"Window    {run['windowFrom']} to {run['windowTo']}, {run.get('rows', 0)} rows, version {run.get('version') or '-'}")
    if truths := run.get("truths"):
        counts = (f"{truths.get(kind, 0)} {kind}" for kind in ("matched", "waiting", "unmatched", "late"))
        lines.append(f"Truth     {', '.join(counts)}")
    if run.get("worstSegment"):
        lines.append(f"Worst     {run['worstSegment']}")
    return lines
