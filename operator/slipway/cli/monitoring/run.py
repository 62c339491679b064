"""`kubectl slipway monitor run`: one run now, beside the schedule."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from slipway.cli.options import Context, Kubeconfig, Namespace, Output
from slipway.cli.output import as_text, console, note

if TYPE_CHECKING:
    from slipway.cli.cluster import Cluster, Json

REQUESTED = "slipway.dev/run-requested"
POLL_SECONDS = 1.0


def run(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A ModelMonitor.")],
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait for the result.")] = True,
    timeout: Annotated[float, typer.Option("--timeout", metavar="SECONDS", min=1, help="How long to wait at most.")] = 900,
    namespace: Namespace = None,
    output: Output = None,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
) -> None:
    """Run a monitor now and show what it finds."""
    from slipway.cli.cluster import Access, connect
    from slipway.cli.monitoring.show import read, render

    cluster = connect(Access(kubeconfig, context, namespace))
    before = read(cluster, name)
    request(cluster, name, datetime.now(UTC))
    if not wait:
        note(f"A run of ModelMonitor {name} was asked for; see it with: kubectl slipway monitor show {name} -n {cluster.namespace}")
        return
    found = _result(cluster, name, before, time.monotonic() + timeout)
    if output:
        print(as_text(found, output))
    else:
        console().print(render(found, datetime.now(UTC)))


def request(cluster: Cluster, name: str, now: datetime) -> None:
    """Asks for one run: each new value of the annotation is one."""
    from slipway.cli.cluster import SLIPWAY, path

    value = now.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    cluster.merge(path(SLIPWAY, "modelmonitors", cluster.namespace, name), {"metadata": {"annotations": {REQUESTED: value}}})


def ended(before: Json, found: Json) -> bool:
    """Whether the run that was asked for has told its result: it is called as its Job."""
    job = job_of(before, found)
    return bool(job) and (found["status"].get("run") or {}).get("id") == job


def job_of(before: Json, found: Json) -> str:
    """The Job of the run that was asked for; empty until it is made."""
    job: str = found.get("status", {}).get("onDemand", "")
    return "" if job == before.get("status", {}).get("onDemand") else job


def trouble(before: Json, found: Json) -> str:
    """Why there will be no result: no run can start, or the one that was asked for has failed. Empty while there may be one."""
    from slipway.cli.view.problems import conditions

    stalled, healthy = conditions(found).get("Stalled", {}), conditions(found).get("Healthy", {})
    if stalled.get("status") == "True":
        return f"{stalled['reason']}: {stalled.get('message', '')}"
    job, said = job_of(before, found), str(healthy.get("message", ""))
    return said if job and healthy.get("reason") == "RunsFailed" and f"Job {job} " in said else ""


def _result(cluster: Cluster, name: str, before: Json, until: float) -> Json:
    from slipway.cli.errors import CliError
    from slipway.cli.monitoring.show import read

    while time.monotonic() < until:
        found = read(cluster, name)
        if ended(before, found):
            return found
        if why := trouble(before, found):
            raise CliError(f"ModelMonitor {name} gives no result: {why}")
        time.sleep(POLL_SECONDS)
    job = found.get("status", {}).get("onDemand") or "no Job yet"
    raise CliError(f"no result of ModelMonitor {name} in time ({job}): look again with `kubectl slipway monitor show {name}`")
