"""The objects that `push` makes."""

from __future__ import annotations

import re
from typing import Any

from slipway.cli.cluster import SLIPWAY, Json
from slipway.cli.errors import CliError

NAME = re.compile(r"[a-z]([-a-z0-9]{0,48}[a-z0-9])?")
VERSION = re.compile(r"(?=.{1,32}$)[a-z0-9]+((\.|-+)[a-z0-9]+)*")
TASKS = ("BinaryClassification", "MulticlassClassification", "Regression", "Other")


def check_names(model: str, version: str) -> None:
    """Refuse names that the apiserver would refuse, before anything is done."""
    if not NAME.fullmatch(model):
        raise CliError(f"--model {model} must be lower-case letters, digits and '-', begin with a letter, at most 50 long")
    if not VERSION.fullmatch(version):
        raise CliError(f"--version {version} must be lower-case letters, digits, '.' and '-', at most 32 long, such as 3")


def model(name: str, namespace: str, task: str) -> Json:
    """A Model with what it must have."""
    return {
        "apiVersion": SLIPWAY,
        "kind": "Model",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"task": task},
    }


def model_version(namespace: str, spec: Json) -> Json:
    """A ModelVersion; empty parts of `spec` are left out."""
    metadata = {"name": f"{spec['model']}-{spec['version']}", "namespace": namespace}
    return {"apiVersion": SLIPWAY, "kind": "ModelVersion", "metadata": metadata, "spec": _without_empty(spec)}


def _without_empty(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    slim = {key: _without_empty(item) for key, item in value.items()}
    return {key: item for key, item in slim.items() if item not in (None, {}, [], "")}


def same(existing: Json, wanted: Json) -> bool:
    """Whether the registered version is the one being pushed: the same bytes, container and reference rows."""
    old, new = existing["spec"], wanted["spec"]
    same_bytes = all(old.get(part, {}).get("digest") == new.get(part, {}).get("digest") for part in ("artifact", "baseline"))
    same_image = old.get("container", {}).get("image") == new.get("container", {}).get("image")
    return bool(same_bytes and same_image)


def next_version(taken: list[str], version: str) -> str:
    """A version to suggest: one more than the highest number, where versions are numbers."""
    numbers = [int(name) for name in [*taken, version] if name.isdecimal()]
    return str(max(numbers) + 1) if version.isdecimal() else f"{version}-2"
