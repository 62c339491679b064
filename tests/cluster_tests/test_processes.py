"""Programs are known by more than their number, and only their own starter's record ends them."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.cluster.errors import ClusterError
from tests.cluster.processes import Processes

SLEEP = ["sleep", "60"]


def test_a_program_is_started_once_and_ended(tmp_path: Path) -> None:
    processes = Processes(tmp_path)
    processes.ensure("sleeper", SLEEP)
    pid = processes.pid("sleeper")
    Processes(tmp_path).ensure("sleeper", SLEEP)  # as another command would
    assert processes.pid("sleeper") == pid
    processes.stop("sleeper")
    assert not processes.alive("sleeper")
    assert processes.names() == []


def test_a_changed_configuration_starts_it_anew(tmp_path: Path) -> None:
    configuration = tmp_path / "configuration"
    configuration.write_text("one")
    processes = Processes(tmp_path)
    processes.ensure("sleeper", SLEEP, configuration=[configuration])
    pid = processes.pid("sleeper")
    configuration.write_text("two")
    processes.ensure("sleeper", SLEEP, configuration=[configuration])
    assert processes.pid("sleeper") != pid
    processes.stop("sleeper")


@pytest.mark.parametrize("field", ["started", "boot"])
def test_a_number_that_another_process_has_now_is_left_alone(tmp_path: Path, field: str) -> None:
    processes = Processes(tmp_path)
    processes.ensure("sleeper", SLEEP)
    record = tmp_path / "pids" / "sleeper"
    original = record.read_text()
    record.write_text(json.dumps(json.loads(original) | {field: "other"}))
    stranger = Processes(tmp_path)
    assert not stranger.alive("sleeper")
    stranger.stop("sleeper")
    record.write_text(original)
    assert processes.alive("sleeper")
    processes.stop("sleeper")


def test_waiting_for_a_program_that_ends_shows_its_log(tmp_path: Path) -> None:
    processes = Processes(tmp_path)
    processes.ensure("failing", ["sh", "-c", "echo no such flag; exit 1"])
    with pytest.raises(ClusterError, match="no such flag"):
        processes.wait("failing", lambda: False, 10)


def test_stop_waits_for_the_end(tmp_path: Path) -> None:
    processes = Processes(tmp_path)
    processes.ensure("stubborn", ["sh", "-c", "trap '' TERM; while :; do sleep 0.1; done"])
    pid = processes.pid("stubborn")
    processes.stop("stubborn", grace=0.3)
    assert subprocess.run(["kill", "-0", str(pid)], check=False, capture_output=True).returncode != 0
