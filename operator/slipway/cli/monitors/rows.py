"""What monitors say, as data for tables and programs. Pure."""

from __future__ import annotations

from typing import Any

from slipway.cli.cluster import Json

ORDER = ("Critical", "Error", "Warning", "NoData", "", "Healthy")
"""The worst first; empty: it never ran."""
STYLES = {"Healthy": "green", "Warning": "yellow", "Critical": "red", "Error": "red"}


def rows(monitors: list[Json]) -> list[dict[str, Any]]:
    """A row a monitor, the worst first."""
    return sorted(map(_row, monitors), key=lambda row: (ORDER.index(row["verdict"]), row["namespace"], row["name"]))


def _row(monitor: Json) -> dict[str, Any]:
    metadata, status = monitor["metadata"], monitor.get("status", {})
    run = status.get("run") or {}
    worst = checks(monitor)[:1]
    return {
        "namespace": metadata.get("namespace", ""),
        "name": metadata["name"],
        "deployment": monitor["spec"]["deployment"],
        "verdict": status.get("verdict") or "",
        "lastRun": status.get("lastRun"),
        "version": run.get("version", ""),
        "rows": run.get("rows", 0),
        "worst": worst[0] if worst and worst[0]["verdict"] != "Healthy" else None,
        "message": message(monitor),
        "report": run.get("report", ""),
    }


def checks(monitor: Json) -> list[Json]:
    """Those of the last run that the status has, the worst first."""
    found: list[Json] = (monitor.get("status", {}).get("run") or {}).get("checks") or []
    return sorted(found, key=lambda check: ORDER.index(check["verdict"]))


def message(monitor: Json) -> str:
    """Why it is as it is, in one line: what a person must do comes first."""
    conditions = {condition["type"]: condition for condition in monitor.get("status", {}).get("conditions", [])}
    for kind in ("Stalled", "Healthy", "Ready"):
        if kind in conditions and (kind != "Stalled" or conditions[kind]["status"] == "True"):
            return str(conditions[kind]["message"])
    return "not looked at yet"


def what(check: Json) -> str:
    """A check's subject: `Drift of age psi`, `Performance auc, plan=basic`."""
    column = f" of {check['column']}" if check.get("column") else ""
    segment = f", {check['segment']}" if check.get("segment") else ""
    return f"{check['check']}{column} {check['measure']}{segment}"


def number(value: float | None) -> str:
    """Four digits are enough for a person."""
    return "-" if value is None else f"{value:.4g}"


def interval(check: Json) -> str:
    """`0.71 (0.64–0.78)`."""
    around = (
        f" ({number(check['lower'])}–{number(check['upper'])})" if check.get("lower") is not None and check.get("upper") is not None else ""
    )
    return number(check.get("value")) + around
