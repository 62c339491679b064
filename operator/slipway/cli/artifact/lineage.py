"""Where a model comes from: the code's commit, the packages it was trained with, when."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from slipway.cli.errors import CliError

PACKAGES = ("scikit-learn", "numpy", "pandas", "scipy", "joblib")
METRIC = re.compile(r"-?[0-9]+(\.[0-9]+)?(e-?[0-9]+)?")


def code(*folders: Path) -> dict[str, Any] | None:
    """Repository, commit and whether the work tree had changes, of the first folder in a git repository with a remote."""
    for folder in folders:
        commit = _git(folder, "rev-parse", "HEAD")
        remote = _remote(folder) if commit else None
        if commit and remote:
            changed = _git(folder, "status", "--porcelain", "--untracked-files=no")
            return {"repository": remote, "commit": commit} | ({"dirty": True} if changed else {})
    return None


def _remote(folder: Path) -> str | None:
    """The address of `origin`, else of the first remote."""
    names = (_git(folder, "remote") or "").split()
    if not names:
        return None
    url = _git(folder, "remote", "get-url", "origin" if "origin" in names else names[0])
    return without_credentials(url) if url else None


def without_credentials(url: str) -> str:
    """A remote's address without user, password, query and fragment; `git@host:path` stays (its user is no secret)."""
    parts = urlsplit(url)
    if not parts.scheme or not parts.netloc:
        return url
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, host, parts.path, "", ""))


def _git(folder: Path, *arguments: str) -> str | None:
    """What git says; None when it is not there, not a repository, or too slow."""
    environment = os.environ | {"GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
    # fsmonitor off: a repository's own configuration must not start programs here.
    command = ["git", "-C", str(folder), "-c", "core.fsmonitor=false", *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, env=environment, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def environment() -> dict[str, str]:
    """Versions of Python and of the packages that matter, in the active environment (it need not be this program's)."""
    active = os.environ.get("VIRTUAL_ENV") or os.environ.get("CONDA_PREFIX")
    if not active or Path(active).resolve() == Path(sys.prefix).resolve():
        return {"python": ".".join(map(str, sys.version_info[:3]))} | versions(metadata.distributions())
    found = sorted(Path(active).glob("lib/python3*/site-packages"))
    if not found:
        return {}
    python = found[-1].parent.name.removeprefix("python")
    return {"python": python} | versions(metadata.distributions(path=[str(found[-1])]))


def versions(distributions: Iterable[metadata.Distribution]) -> dict[str, str]:
    """The versions of PACKAGES among the installed ones."""
    found = {(package.name or "").lower().replace("_", "-"): package.version for package in distributions}
    return {package: found[package] for package in PACKAGES if package in found}


def trained_at(file: Path) -> str:
    """When the model's file was written, in UTC."""
    return datetime.fromtimestamp(file.stat().st_mtime, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def metrics(given: list[str]) -> dict[str, str]:
    """`["auc=0.91"]` → `{"auc": "0.91"}`."""
    found = {}
    for item in given:
        name, equals, value = item.partition("=")
        if not (name and equals and METRIC.fullmatch(value)):
            raise CliError(f"--metric {item} is not NAME=NUMBER, such as auc=0.91")
        found[name] = value
    return found
