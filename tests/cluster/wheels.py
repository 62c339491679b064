"""The wheels of a Python image: dependencies out of the one lock, verified by its hashes, and the project itself."""

from __future__ import annotations

import platform
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.cluster.cache import cached, content_key
from tests.cluster.console import step
from tests.cluster.errors import ClusterError
from tests.cluster.state import REPOSITORY

LOCK = REPOSITORY / "requirements.lock"
_NEWEST_GLIBC_MINOR = 36  # Debian bookworm's 2.36


@dataclass(frozen=True)
class Project:
    """A local Python project, as one image installs it."""

    folder: str
    extras: tuple[str, ...] = ()


def gather(project: Project, python: str, target: Path) -> None:
    """Fills `target` with everything that `pip install --no-index --find-links` needs for this Python version."""
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(_dependencies(project, python), target)
    source = str(REPOSITORY / project.folder)
    _run(sys.executable, "-m", "build", "--wheel", "--no-isolation", f"--outdir={target}", source)


def _dependencies(project: Project, python: str) -> Path:
    requirements = locked(LOCK.read_text(), _closure(project, python))

    def download(folder: Path) -> None:
        listing = folder / "requirements.txt"
        listing.write_text(requirements)
        with step(f"downloading the wheels of {project.folder}"):
            command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes"]
            target = [f"--python-version={python}", "--implementation=cp", "--only-binary=:all:"]
            platforms = [f"--platform={tag}" for tag in _platforms()]
            _run(*command, *target, *platforms, f"--dest={folder}", f"--requirement={listing}")
        listing.unlink()

    return cached("wheels", content_key(requirements, python, platform.machine()), download)


def _closure(project: Project, python: str) -> set[str]:
    """`name==version` of all distributions that the project needs, transitively."""
    uv = shutil.which("uv", path=str(Path(sys.executable).parent)) or shutil.which("uv")
    if not uv:
        raise ClusterError("uv is missing: run this with the project's virtual environment")
    command = [uv, "pip", "compile", "--quiet", f"--constraints={LOCK}", f"--python-version={python}"]
    options = ["--no-annotate", "--no-header", *(f"--extra={extra}" for extra in project.extras)]
    output = _run(*command, *options, str(REPOSITORY / project.folder / "pyproject.toml"))
    return {line.split()[0] for line in output.splitlines() if "==" in line}


def locked(lock: str, pins: set[str]) -> str:
    """The lock's entries for these pins (`name==version`), hashes included; every one must be there.

    Their markers are left out: the lock holds one version for each Python, pip would judge by the Python that it runs on.
    """
    unmarked = (re.sub(r" ;[^\\]*", " ", entry, count=1).rstrip() for entry in re.split(r"\n(?=\S)", lock))
    entries = {entry.split()[0]: entry for entry in unmarked}
    if missing := pins - entries.keys():
        raise ClusterError(f"{LOCK.name} does not pin {', '.join(sorted(missing))}: make it again")
    return "\n".join(entries[pin] for pin in sorted(pins)) + "\n"


def _platforms() -> list[str]:
    """Every manylinux tag that the base images' C library can load; pip does not derive the older from the newer."""
    machine = platform.machine()
    return [f"manylinux_2_{minor}_{machine}" for minor in range(_NEWEST_GLIBC_MINOR, 4, -1)] + [
        f"manylinux{legacy}_{machine}" for legacy in ("2014", "2010", "1")
    ]


def _run(*command: str) -> str:
    outcome = subprocess.run(command, check=False, capture_output=True, text=True)
    if outcome.returncode != 0:
        raise ClusterError(f"{' '.join(command[:4])} … failed:\n{outcome.stdout[-2000:]}{outcome.stderr[-2000:]}")
    return outcome.stdout
