"""`kubectl slipway monitor list`: every monitor, the worst first."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import typer

from slipway.cli.options import AllNamespaces, Context, Kubeconfig, Namespace, Output
from slipway.cli.output import as_text, console, note, text

if TYPE_CHECKING:
    from rich.table import Table

    from slipway.cli.cluster import Json

HEADS = ("NAMESPACE", "NAME", "DEPLOYMENT", "VERDICT", "LAST RUN", "ROWS", "WORST CHECK")
WORST_FIRST = ("Critical", "Error", "Warning", "NoData", "", "Healthy")
STYLES = {"Critical": "red", "Error": "red", "Warning": "yellow", "Healthy": "green"}


def list_monitors(
    namespace: Namespace = None,
    all_namespaces: AllNamespaces = False,
    output: Output = None,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
) -> None:
    """Show monitors, the worst first: verdict, last run, rows, worst check. With -A, those of the whole organisation."""
    if all_namespaces and namespace:
        raise typer.BadParameter("-A does not go with -n")

    from slipway.cli.cluster import SLIPWAY, Access, connect, path

    cluster = connect(Access(kubeconfig, context, namespace))
    where = None if all_namespaces else cluster.namespace
    found = rows(cluster.list(path(SLIPWAY, "modelmonitors", where)))
    if output:
        print(as_text(found, output))
    elif found:
        console().print(render(found, datetime.now(UTC)))
    else:
        note(f"No ModelMonitors in {f'namespace {where}' if where else 'any namespace'}.")


def rows(monitors: list[Json]) -> list[dict[str, Any]]:
    """As data, the worst first."""
    return sorted(map(row, monitors), key=lambda found: (WORST_FIRST.index(found["verdict"]), found["namespace"], found["name"]))


def row(monitor: Json) -> dict[str, Any]:
    metadata, status = monitor["metadata"], monitor.get("status", {})
    run = status.get("run") or {}
    checks = run.get("checks") or []
    verdict = status.get("verdict") or ""
    return {
        "namespace": metadata.get("namespace", ""),
        "name": metadata["name"],
        "deployment": monitor["spec"].get("deployment", ""),
        "verdict": verdict if verdict in WORST_FIRST else "",
        "lastRun": status.get("lastRun"),
        "rows": run.get("rows", 0),
        "worst": checks[0] if checks else None,
        "message": next((c.get("message", "") for c in status.get("conditions") or [] if c["type"] == "Healthy"), ""),
        "report": run.get("report", ""),
    }


def render(found: list[dict[str, Any]], now: datetime) -> Table:
    """The rows as a table."""
    from rich.table import Table

    from slipway.cli.view.words import age

    table = Table(box=None, pad_edge=False, header_style="bold")
    for head in HEADS:
        table.add_column(head, overflow="fold", no_wrap=head in ("VERDICT", "LAST RUN", "ROWS"))
    for each in found:
        verdict = each["verdict"] or "-"
        last = f"{age(each['lastRun'], now)} ago" if each["lastRun"] else "-"
        unhealthy = verdict == "Error" or each["worst"] is None
        cells = [
            text(each["namespace"]),
            text(each["name"]),
            text(each["deployment"]),
            text(verdict, STYLES.get(verdict, "")),
            text(last),
            text(each["rows"]),
            text(each["message"] if unhealthy else said(each["worst"])),
        ]
        table.add_row(*cells)
    return table


def said(check: Json) -> str:
    """`Drift psi of age (plan=basic): 0.31, critical from 0.2`."""
    value, threshold = check.get("value"), check.get("threshold")
    of = f" of {check['column']}" if check.get("column") else ""
    group = f" ({check['segment']})" if check.get("segment") else ""
    measured = f": {value:.4g}" if value is not None else ""
    limit = f", threshold {threshold:g}" if threshold is not None else ""
    return f"{check.get('check', '')} {check.get('measure', '')}{of}{group}{measured}{limit}"
