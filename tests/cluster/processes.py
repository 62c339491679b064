"""Background programs, each known by a record on disk that outlives the command that started it."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.cluster.cache import content_key
from tests.cluster.errors import ClusterError


@dataclass(frozen=True)
class Record:
    """One started program. Number, start time and boot together name a process for good; a number is used again."""

    pid: int
    started: str
    boot: str
    key: str

    @property
    def alive(self) -> bool:
        return self.boot == _boot_id() and self.started == _start_time(self.pid)

    def end(self, grace: float = 10) -> None:
        """SIGTERM, then SIGKILL after `grace` seconds; returns when the process is gone."""
        try:
            handle = os.pidfd_open(self.pid)
        except ProcessLookupError:
            return
        try:
            if not self.alive:  # asked after the handle was opened: from here on the number cannot change hands
                return
            for number, seconds in ((signal.SIGTERM, grace), (signal.SIGKILL, 10.0)):
                signal.pidfd_send_signal(handle, number)
                if select.select([handle], [], [], seconds)[0]:
                    return
        finally:
            os.close(handle)


class Processes:
    """The programs of one state folder: records in `pids/`, output in `log/`."""

    def __init__(self, state: Path) -> None:
        self._pids = state / "pids"
        self._logs = state / "log"
        self._children: dict[str, subprocess.Popen[bytes]] = {}

    def ensure(
        self,
        name: str,
        command: Sequence[str | Path],
        *,
        configuration: Sequence[Path] = (),
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Starts the program unless it runs with this very command and content of its configuration files."""
        arguments = [str(argument) for argument in command]
        key = content_key(*arguments, *configuration)
        record = self._read(name)
        if record and record.alive and record.key == key:
            return
        self.stop(name)
        self._logs.mkdir(parents=True, exist_ok=True)
        with self.log(name).open("ab") as log:
            child = subprocess.Popen(
                arguments,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=os.environ | (environment or {}),
                start_new_session=True,
            )
        self._children[name] = child
        self._write(name, Record(child.pid, _start_time(child.pid) or "", _boot_id(), key))

    def stop(self, *names: str, grace: float = 10) -> None:
        """Ends the named programs in this order; those never started are passed over."""
        for name in names:
            if record := self._read(name):
                record.end(grace)
            if child := self._children.pop(name, None):
                child.wait()
            self._pids.joinpath(name).unlink(missing_ok=True)

    def alive(self, name: str) -> bool:
        record = self._read(name)
        return record is not None and record.alive

    def pid(self, name: str) -> int | None:
        """None for a program that does not run."""
        record = self._read(name)
        return record.pid if record and record.alive else None

    def names(self) -> list[str]:
        return sorted(path.name for path in self._pids.glob("*"))

    def log(self, name: str) -> Path:
        return self._logs / f"{name}.log"

    def wait(self, name: str, ready: Callable[[], bool], seconds: float) -> None:
        """Waits until `ready` holds; a program that ends, or is late, is shown with the end of its log."""
        deadline = time.monotonic() + seconds
        while not ready():
            late = time.monotonic() > deadline
            if late or not self.alive(name):
                fate = f"is not ready after {seconds:.0f} s" if late else "ended"
                tail = "\n".join(self.log(name).read_text(errors="replace").splitlines()[-15:])
                raise ClusterError(f"{name} {fate}; the end of {self.log(name)}:\n{tail}")
            time.sleep(0.1)

    def _read(self, name: str) -> Record | None:
        path = self._pids / name
        return Record(**json.loads(path.read_text())) if path.exists() else None

    def _write(self, name: str, record: Record) -> None:
        self._pids.mkdir(parents=True, exist_ok=True)
        self._pids.joinpath(name).write_text(json.dumps(asdict(record)))


def _boot_id() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def _start_time(pid: int) -> str | None:
    """Field 22 of /proc/PID/stat, in clock ticks since boot; None for a process that is gone or a zombie."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] == "Z" else fields[19]
