"""`kubectl slipway monitor list`: every monitor, the worst first; with -A the whole organisation's."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import typer

from slipway.cli.options import AllNamespaces, Context, Kubeconfig, Namespace, Output
from slipway.cli.output import as_text, console, note, text

if TYPE_CHECKING:
    from rich.table import Table

HEADS = ("NAMESPACE", "NAME", "DEPLOYMENT", "VERDICT", "LAST RUN", "VERSION", "ROWS", "WORST", "MESSAGE")


def list_monitors(
    namespace: Namespace = None,
    all_namespaces: AllNamespaces = False,
    output: Output = None,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
) -> None:
    """Show monitors and their verdicts, the worst first. -A: one view of all models."""
    if all_namespaces and namespace:
        raise typer.BadParameter("-A does not go with -n")

    from slipway.cli.cluster import SLIPWAY, Access, connect, path
    from slipway.cli.monitors.rows import rows

    cluster = connect(Access(kubeconfig, context, namespace))
    where = None if all_namespaces else cluster.namespace
    found = rows(cluster.list(path(SLIPWAY, "modelmonitors", where)))
    if output:
        print(as_text(found, output))
    elif found:
        console().print(render(found, datetime.now(UTC)))
    else:
        note(f"No ModelMonitors in {f'namespace {where}' if where else 'any namespace'}.")


def render(found: list[dict[str, Any]], now: datetime) -> Table:
    """The rows as a table."""
    from rich.table import Table

    from slipway.cli.monitors.rows import STYLES, interval, what
    from slipway.cli.view.words import age

    table = Table(box=None, pad_edge=False, header_style="bold")
    for head in HEADS:
        table.add_column(head, overflow="fold", no_wrap=head in ("VERDICT", "LAST RUN", "ROWS"))
    for row in found:
        worst = f"{what(row['worst'])} {interval(row['worst'])}" if row["worst"] else "-"
        cells = (
            row["namespace"],
            row["name"],
            row["deployment"],
            row["verdict"] or "-",
            age(row["lastRun"], now) if row["lastRun"] else "-",
        )
        shown = [text(cell, STYLES.get(cell, "") if place == 3 else "") for place, cell in enumerate(cells)]
        table.add_row(*shown, *map(text, (row["version"] or "-", row["rows"], worst, row["message"])))
    return table
