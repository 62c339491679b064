"""Where the cluster's state is, which kind of cluster it is, and the lock for those who change it."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
STATE = Path(os.environ.get("SLIPWAY_CLUSTER_STATE") or REPOSITORY / ".cluster").resolve()
KUBECONFIG = STATE / "kubeconfig"
AUDIT_LOG = STATE / "audit.log"
IMAGES = STATE / "images.json"
_MODE = STATE / "mode"
_LOCK = REPOSITORY / "build" / "cluster.lock"


class Mode(StrEnum):
    """How the cluster came to be."""

    GIVEN = "given"  # the user's own, named by SLIPWAY_KUBECONFIG
    KIND = "kind"  # kind in a Docker engine
    BARE = "bare"  # processes of this machine


def current_mode() -> Mode | None:
    """The mode of the cluster that `up` has begun and `down` has not ended; None without one."""
    return Mode(_MODE.read_text()) if _MODE.exists() else None


def record_mode(mode: Mode) -> None:
    STATE.mkdir(parents=True, exist_ok=True)
    _MODE.write_text(mode)


@contextmanager
def locked() -> Iterator[None]:
    """Waits for the other command on this state, if any. Outside of the folder, because `down` removes it."""
    _LOCK.parent.mkdir(parents=True, exist_ok=True)
    with _LOCK.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
