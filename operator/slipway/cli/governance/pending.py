"""`kubectl slipway pending`: what waits for approval."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import typer

from slipway.cli.options import AllNamespaces, Context, Kubeconfig, Namespace, Output
from slipway.cli.output import as_text, console, note, text

if TYPE_CHECKING:
    from rich.table import Table

    from slipway.cli.cluster import Json

HEADS = ("NAMESPACE", "NAME", "VERSION", "SINCE", "APPROVALS", "MISSING", "REQUESTED BY", "POLICIES")


def pending(
    namespace: Namespace = None,
    all_namespaces: AllNamespaces = False,
    output: Output = None,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
) -> None:
    """Show the deployments that wait for approval, the longest first: whose word is missing, and who asked."""
    if all_namespaces and namespace:
        raise typer.BadParameter("-A does not go with -n")

    from slipway.cli.cluster import SLIPWAY, Access, connect, path

    cluster = connect(Access(kubeconfig, context, namespace))
    where = None if all_namespaces else cluster.namespace
    found = rows(cluster.list(path(SLIPWAY, "modeldeployments", where)))
    if output:
        print(as_text(found, output))
    elif found:
        console().print(render(found, datetime.now(UTC)))
        note("See what would change: kubectl slipway diff NAME -n NAMESPACE")
    else:
        note(f"Nothing waits for approval in {f'namespace {where}' if where else 'any namespace'}.")


def rows(deployments: list[Json]) -> list[dict[str, Any]]:
    """Those that wait, as data, the longest first."""
    waiting = [found for found in deployments if (found.get("status", {}).get("approval") or {}).get("state") == "Waiting"]
    return sorted(map(_row, waiting), key=lambda row: (row["since"], row["namespace"], row["name"]))


def _row(deployment: Json) -> dict[str, Any]:
    metadata, spec, status = deployment["metadata"], deployment["spec"], deployment["status"]
    approval = status["approval"]
    return {
        "namespace": metadata.get("namespace", ""),
        "name": metadata["name"],
        "serves": status.get("version", ""),
        "version": spec.get("version", ""),
        "revision": status.get("revision", ""),
        "since": approval.get("since", ""),
        "required": approval.get("required", 0),
        "granted": approval.get("granted", []),
        "message": approval.get("message", ""),
        "requestedBy": approval.get("requestedBy", []),
        "unknownRequester": approval.get("unknownRequester", False),
        "policies": approval.get("policies", []),
        "expiresAt": approval.get("expiresAt"),
    }


def render(found: list[dict[str, Any]], now: datetime) -> Table:
    """The rows as a table."""
    from rich.table import Table

    from slipway.cli.view.words import age, asked_by, missing

    table = Table(box=None, pad_edge=False, header_style="bold")
    for head in HEADS:
        table.add_column(head, overflow="fold", no_wrap=head in ("SINCE", "APPROVALS", "VERSION"))
    for row in found:
        serves, asked = row["serves"], row["version"]
        people = {grant["by"] for grant in row["granted"]}
        cells = [
            row["namespace"],
            row["name"],
            asked if serves in ("", asked) else f"{serves} → {asked}",
            age(row["since"], now),
            f"{len(people)}/{row['required']}",
            missing(row),
            ", ".join(asked_by(row)) or "-",
            ", ".join(row["policies"]),
        ]
        table.add_row(*map(text, cells))
    return table
