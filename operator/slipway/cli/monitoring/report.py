"""`kubectl slipway monitor report`: the report of a run, as a file to open."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from slipway.cli.options import Context, Kubeconfig, Namespace
from slipway.cli.predictions.options import Token, Url

if TYPE_CHECKING:
    from slipway.cli.cluster import Json


class Page(StrEnum):
    """As what a run leaves its report."""

    HTML = "html"
    JSON = "json"


def report(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A ModelMonitor.")],
    of: Annotated[str | None, typer.Option("--run", metavar="RUN", help="An earlier run, by its Job's name; default: the last.")] = None,
    page: Annotated[Page, typer.Option("-o", "--output", help="Which of the two files.")] = Page.HTML,
    to: Annotated[Path | None, typer.Option("--to", metavar="FILE", help="Default: stdout.")] = None,
    namespace: Namespace = None,
    token: Token = None,
    collector: Url = None,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
) -> None:
    """Fetch the report that a run left: distributions against the baseline, the past, calibration, confusion, worst segments."""
    from slipway.cli.cluster import Access, connect
    from slipway.cli.monitoring.show import read
    from slipway.cli.output import note, write
    from slipway.cli.predictions.collector import Given, reached

    access = Access(kubeconfig, context, namespace)
    cluster = connect(access)
    deployment, last = whereabouts(read(cluster, name))
    with reached(Given(access, token, collector), cluster) as way:
        body = way.report(cluster.namespace, deployment, name, of or last, f"report.{page}")
    write(to, body.decode())
    if to:
        note(f"{to}: the report of run {of or last}")


def whereabouts(monitor: Json) -> tuple[str, str]:
    """The deployment that the last run looked at, and the run: `…/NAMESPACE/DEPLOYMENT/monitors/NAME/RUN/report.html`.

    Raises:
        CliError: no run has left a report.

    """
    from slipway.cli.errors import CliError

    run = monitor.get("status", {}).get("run") or {}
    parts = str(run.get("report") or "").rsplit("/", 5)
    if len(parts) < 6:
        name = monitor["metadata"]["name"]
        said = run.get("message") or f"run it: kubectl slipway monitor run {name}"
        raise CliError(f"no run of ModelMonitor {name} has left a report yet: {said}")
    return parts[1], parts[4]
