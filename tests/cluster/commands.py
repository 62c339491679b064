"""up, down and status over the three kinds of cluster."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from tests.cluster import bare, kind
from tests.cluster.choose import VARIABLE, choose
from tests.cluster.console import step
from tests.cluster.errors import ClusterError
from tests.cluster.kubectl import kubectl
from tests.cluster.processes import Processes
from tests.cluster.state import KUBECONFIG, STATE, Mode, current_mode, locked, record_mode


def up() -> None:
    """Leaves a usable cluster behind `.cluster/kubeconfig`; repairs one that is up already."""
    with locked():
        _up()


def down() -> None:
    """Ends and removes what `up` started."""
    with locked():
        _down()


def status() -> int:
    """0 when the cluster answers and none of its programs has died."""
    mode = current_mode()
    if mode is None:
        print("no cluster is up")
        return 1
    processes = Processes(STATE)
    states = {name: processes.alive(name) for name in processes.names()}
    print(f"cluster: {mode}\nkubeconfig: {KUBECONFIG}")
    for name, alive in states.items():
        print(f"  {name}: {'running' if alive else f'ended; see {processes.log(name)}'}")
    print(kubectl(KUBECONFIG, "get", "nodes", "--output=wide"))
    return 0 if all(states.values()) else 1


def _up() -> None:
    running = None if current_mode() is Mode.GIVEN else current_mode()  # of a given cluster there is nothing to end
    mode = running if running and not os.environ.get(VARIABLE) else choose(os.environ)
    if running not in (None, mode):
        raise ClusterError(f"a {running} cluster is up: end it first with `python -m tests.cluster down`")
    record_mode(mode)
    with step(f"cluster ({mode})"):
        match mode:
            case Mode.GIVEN:
                use_given(Path(os.environ[VARIABLE]))
            case Mode.KIND:
                kind.up()
            case Mode.BARE:
                bare.up()
    print(f"  kubectl --kubeconfig {KUBECONFIG} get nodes", file=sys.stderr)


def _down() -> None:
    match current_mode():
        case Mode.BARE:
            bare.down()
        case Mode.KIND:
            with step("deleting the kind cluster"):
                kind.down()
        case Mode.GIVEN:
            print("  the cluster is yours and stays as it is; only the copy of its kubeconfig goes", file=sys.stderr)
        case None:
            print("  no cluster is up", file=sys.stderr)
    shutil.rmtree(STATE, ignore_errors=True)


def use_given(kubeconfig: Path) -> None:
    """Starts nothing: copies the user's kubeconfig to where everything looks for it."""
    if not kubeconfig.is_file():
        raise ClusterError(f"{VARIABLE} names {kubeconfig}, which is no file")
    print(f"  {VARIABLE} is set: using that cluster, starting none", file=sys.stderr)
    if kubeconfig.resolve() != KUBECONFIG.resolve():
        shutil.copyfile(kubeconfig, KUBECONFIG)
        KUBECONFIG.chmod(0o600)
    kubectl(KUBECONFIG, "get", "--raw", "/readyz")
