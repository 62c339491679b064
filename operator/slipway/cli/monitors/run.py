"""`kubectl slipway monitor run`: ask for a run now, and wait for what it finds.

Runs happen in the platform's namespace, where most people have no rights: an annotation on the monitor asks the operator.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from slipway.cli.options import Context, Kubeconfig, Namespace, Output
from slipway.cli.output import note

if TYPE_CHECKING:
    from slipway.cli.cluster import Cluster, Json

ASKED = "slipway.dev/run-requested"
"""plan.names.RUN_REQUESTED, without what that imports."""
LOOK_SECONDS = 1.0
TRIES = 5


def run(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A ModelMonitor.")],
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Wait for the result.")] = True,
    timeout: Annotated[float, typer.Option("--timeout", metavar="SECONDS", min=1, help="How long to wait.")] = 900,
    namespace: Namespace = None,
    output: Output = None,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
) -> None:
    """Run a monitor now, whatever its schedule. Needs patch or update on modelmonitors."""
    from slipway.cli.cluster import Access, connect
    from slipway.cli.monitors.show import tell

    cluster = connect(Access(kubeconfig, context, namespace))
    asked = datetime.now(UTC).replace(microsecond=0)
    ask(cluster, name, asked)
    if not wait:
        note(f"Asked for. See it with: kubectl slipway monitor show {name} -n {cluster.namespace}")
        return
    tell(await_run(cluster, name, asked, timeout), output)


def ask(cluster: Cluster, name: str, asked: datetime) -> None:
    """Annotate the monitor; somebody else may change it meanwhile."""
    from slipway.cli.cluster import SLIPWAY, ApiError, path
    from slipway.cli.monitors.show import monitor_of

    for attempt in range(TRIES):
        monitor = monitor_of(cluster, name)
        monitor["metadata"].setdefault("annotations", {})[ASKED] = asked.strftime("%Y-%m-%dT%H:%M:%SZ")
        try:
            cluster.replace(path(SLIPWAY, "modelmonitors", cluster.namespace, name), monitor)
            return
        except ApiError as error:
            if error.code != 409 or attempt == TRIES - 1:
                raise


def await_run(cluster: Cluster, name: str, asked: datetime, timeout: float) -> Json:
    """The monitor once the operator has drawn its conclusions from a run that began since. Raises CliError for none in time."""
    from slipway.cli.errors import CliError
    from slipway.cli.monitors.rows import message
    from slipway.cli.monitors.show import monitor_of

    end = time.monotonic() + timeout
    while True:
        monitor = monitor_of(cluster, name)
        if stalled := _stalled(monitor):
            raise CliError(f"it cannot run: {stalled}")
        if is_of(monitor, asked):
            return monitor
        if time.monotonic() > end:
            raise CliError(f"no result within {timeout:g} s; the monitor says: {message(monitor)}")
        time.sleep(LOOK_SECONDS)


def is_of(monitor: Json, asked: datetime) -> bool:
    """Whether its status tells of a run whose window ends at that time or later."""
    status = monitor.get("status", {})
    run = status.get("run")
    if not run or datetime.fromisoformat(run["windowTo"]) < asked:
        return False
    last = status.get("lastRun")
    return bool(last) and datetime.fromisoformat(last).replace(microsecond=0) >= datetime.fromisoformat(run["finishedAt"]).replace(
        microsecond=0
    )


def _stalled(monitor: Json) -> str:
    conditions = monitor.get("status", {}).get("conditions", [])
    found = [item["message"] for item in conditions if (item["type"], item["status"]) == ("Stalled", "True")]
    return found[0] if found else ""
