"""All ModelDeployments, one a row."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from rich.table import Table

from slipway.cli.cluster import Json
from slipway.cli.output import text
from slipway.cli.view.problems import problem
from slipway.cli.view.words import phase_style, wanted_replicas


def rows(deployments: list[Json]) -> list[dict[str, Any]]:
    """What the table shows, as data."""
    return [_row(deployment) for deployment in deployments]


def _row(deployment: Json) -> dict[str, Any]:
    metadata, spec, status = deployment["metadata"], deployment["spec"], deployment.get("status", {})
    found = problem(deployment)
    return {
        "namespace": metadata.get("namespace", ""),
        "name": metadata["name"],
        "model": spec["model"],
        "version": spec["version"],
        "serves": status.get("version", ""),
        "phase": status.get("phase", "Pending"),
        "readyReplicas": status.get("readyReplicas", 0),
        "replicas": wanted_replicas(deployment),
        "problem": asdict(found) if found else None,
    }


def render(found: list[dict[str, Any]], *, namespaces: bool) -> Table:
    """The rows as a table."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    heads = ["NAME", "MODEL", "VERSION", "READY", "PHASE", "WHAT IS WRONG"]
    for head in ["NAMESPACE", *heads] if namespaces else heads:
        table.add_column(head, overflow="fold", no_wrap=head in ("READY", "PHASE"))
    for row in found:
        asked, serves, wrong = row["version"], row["serves"], row["problem"]
        cells = [
            text(row["name"]),
            text(row["model"]),
            text(asked if serves in ("", asked) else f"{asked} (serves {serves})"),
            text(f"{row['readyReplicas']}/{row['replicas']}"),
            text(row["phase"], phase_style(row["phase"])),
            text(f"{wrong['reason']}: {wrong['message']}" if wrong else "-"),
        ]
        table.add_row(*([text(row["namespace"])] if namespaces else []), *cells)
    return table
