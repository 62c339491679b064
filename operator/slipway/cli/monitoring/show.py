"""`kubectl slipway monitor show`: one monitor, check by check."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from slipway.cli.options import Context, Kubeconfig, Namespace, Output
from slipway.cli.output import as_text, console, text

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

    from slipway.cli.cluster import Cluster, Json

CHECK_HEADS = ("VERDICT", "CHECK", "MEASURE", "COLUMN", "SEGMENT", "VALUE", "95 % FROM", "TO", "THRESHOLD", "ROWS", "MESSAGE")


def show(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A ModelMonitor.")],
    namespace: Namespace = None,
    output: Output = None,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
) -> None:
    """Show what a monitor found last: its checks, the truth that is known, where the report is, and what to do."""
    from slipway.cli.cluster import Access, connect

    monitor = read(connect(Access(kubeconfig, context, namespace)), name)
    if output:
        print(as_text(monitor, output))
    else:
        console().print(render(monitor, datetime.now(UTC)))


def read(cluster: Cluster, name: str) -> Json:
    """The ModelMonitor. Raises CliError: there is none."""
    from slipway.cli.cluster import SLIPWAY, path
    from slipway.cli.errors import CliError

    found = cluster.get(path(SLIPWAY, "modelmonitors", cluster.namespace, name))
    if found is None:
        raise CliError(f"no ModelMonitor {name} in namespace {cluster.namespace}: `kubectl slipway monitor list -A` lists all")
    found["metadata"].pop("managedFields", None)
    return found


def render(monitor: Json, now: datetime) -> RenderableType:
    """The whole answer."""
    from rich.console import Group

    run = monitor.get("status", {}).get("run") or {}
    parts: list[RenderableType] = [text(line) for line in facts(monitor, now)]
    if run.get("checks"):
        parts += [text(""), checks(run["checks"])]
    return Group(*parts, *(text(line) for line in troubles(monitor)))


def facts(monitor: Json, now: datetime) -> Iterator[str]:
    from slipway.cli.view.words import age

    spec, status = monitor["spec"], monitor.get("status", {})
    run, truths = status.get("run") or {}, (status.get("run") or {}).get("truths")
    verdict = status.get("verdict") or "not run yet"
    yield f"ModelMonitor {monitor['metadata']['name']} of ModelDeployment {spec.get('deployment', '')}: {verdict}"
    if run:
        yield f"last run {age(run['finishedAt'], now)} ago, {run.get('rows', 0)} rows, mostly of version {run.get('version') or '?'}"
        yield f"window   {run['windowFrom']} to {run['windowTo']}"
    if truths:
        known = f"{truths.get('matched', 0)} rows matched ({truths.get('late', 0)} late)"
        yield f"truth    {known}, {truths.get('waiting', 0)} waiting, {truths.get('unmatched', 0)} unmatched"
    for label, key in (("worst group", "worstSegment"), ("report", "report"), ("told", "notified")):
        if run.get(key):
            yield f"{label:<8} {run[key]}"
    if run.get("report"):
        yield f"         kubectl slipway monitor report {monitor['metadata']['name']} --to report.html"


def checks(found: list[Json]) -> Table:
    from rich.table import Table

    from slipway.cli.monitoring.listing import STYLES

    table = Table(box=None, pad_edge=False, header_style="bold")
    for head in CHECK_HEADS:
        table.add_column(head, overflow="fold")
    for check in found:
        numbers = [check.get(key) for key in ("value", "lower", "upper", "threshold")]
        verdict = check.get("verdict", "")
        names = [text(check.get(key, "")) for key in ("check", "measure", "column", "segment")]
        values = [text("" if number is None else f"{number:.4g}") for number in numbers]
        table.add_row(text(verdict, STYLES.get(verdict, "")), *names, *values, text(check.get("rows", 0)), text(check.get("message", "")))
    return table


def troubles(monitor: Json) -> Iterator[str]:
    """What is wrong, and what to do about it."""
    from slipway.cli.advice import ADVICE, advice
    from slipway.cli.view.problems import conditions

    found = conditions(monitor)
    for kind in ("Stalled", "Healthy"):
        condition = found.get(kind)
        if condition is None or (kind == "Healthy" and condition["status"] == "True") or condition["reason"] not in ADVICE:
            continue
        meta = monitor["metadata"]
        names = {"name": meta["name"], "namespace": meta.get("namespace", ""), "model": "", "version": ""}
        yield ""
        yield f"{condition['reason']}: {condition.get('message', '')}"
        yield f"  → {advice(condition['reason'], **names)}"
