"""Slipway's own images: each is tagged by the content it is made of, so that nothing is built or loaded twice."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.cluster import bare, base, builders, kind
from tests.cluster.cache import content_key
from tests.cluster.console import step
from tests.cluster.errors import ClusterError
from tests.cluster.state import IMAGES as IMAGES_FILE
from tests.cluster.state import REPOSITORY, Mode, current_mode, locked
from tests.cluster.tools import binary, tool_of
from tests.cluster.wheels import LOCK, Project, gather

CONTEXT = REPOSITORY / "build"  # what Dockerfiles take from the host: `wheels/` and `bin/`, filled for each build anew
_IGNORED = {"__pycache__", "tests"}


@dataclass(frozen=True)
class Image:
    """`inputs`: the files and folders, from the repository's root, that the Dockerfile and the wheel are made of."""

    dockerfile: str
    inputs: tuple[str, ...] = ()
    project: Project | None = None
    programs: tuple[str, ...] = ()  # of the cluster's Go tools, at build/bin/


IMAGES = {
    "slipway-operator": Image("operator/Dockerfile", ("pyproject.toml", "operator"), Project(".")),
    "slipway-collector": Image("images/collector/Dockerfile", ("pyproject.toml", "operator"), Project(".", ("collector",))),
    "slipway-monitor": Image("images/monitor/Dockerfile", ("pyproject.toml", "operator"), Project(".", ("monitor",))),
    "slipway-runtime-sklearn": Image("model-server/Dockerfile", ("model-server",), Project("model-server", ("sklearn", "ship"))),
    "slipway-example-custom": Image("examples/custom-container/Dockerfile", ("examples/custom-container",)),
    "slipway-object-store": Image("images/object-store/Dockerfile", ("images/object-store",), programs=("versitygw",)),
}
TEST_IMAGES = {
    "slipway-test-prometheus": Image("tests/cluster/prometheus/Dockerfile", programs=("prometheus",)),
    "slipway-test-config-reloader": Image("tests/cluster/config-reloader/Dockerfile", programs=("prometheus-config-reloader",)),
}
"""Built when a test asks for them."""


def ensure(names: Sequence[str] = tuple(IMAGES)) -> dict[str, str]:
    """Builds what is missing, loads it into the cluster; returns name -> reference, also in `.cluster/images.json`."""
    mode = current_mode()
    if mode in (None, Mode.GIVEN):
        raise ClusterError("images are loaded only into a cluster that `up` made: push them to your own registry instead")
    with locked():
        references = {name: _ensure(name, mode) for name in names}
        known = json.loads(IMAGES_FILE.read_text()) if IMAGES_FILE.exists() else {}
        IMAGES_FILE.write_text(json.dumps(known | references, indent=2) + "\n")
    return references


def _ensure(name: str, mode: Mode) -> str:
    image = _image(name)
    if not (REPOSITORY / image.dockerfile).exists():
        raise ClusterError(f"{image.dockerfile} is missing")
    tag = content_tag(name, mode)
    reference = builders.reference(name, tag)
    if not _has(mode, reference):
        archive = builders.archived(name, tag, lambda path: _build(name, reference, mode, path))
        with step(f"loading {name}:{tag}"):
            _load(mode, archive)
    return reference


def _image(name: str) -> Image:
    every = IMAGES | TEST_IMAGES
    if name not in every:
        raise ClusterError(f"no image is called {name}: {', '.join(every)}")
    return every[name]


def content_tag(name: str, mode: Mode) -> str:
    """The key of everything the image is made of. A README is no code: the wheel's description may be older than it."""
    image = _image(name)
    parts: list[str | Path] = [base.base_key() if mode is Mode.BARE else mode]
    for path in _files(image):
        parts += [str(path.relative_to(REPOSITORY)), path]
    parts += [tool_of(program).key for program in image.programs]
    return content_key(*parts)


def _files(image: Image) -> Iterator[Path]:
    """Every input file in a stable order; tests and what tools leave behind are not part of an image."""
    yield REPOSITORY / image.dockerfile
    if image.project:
        yield LOCK
    for name in image.inputs:
        root = REPOSITORY / name
        for path in sorted(root.rglob("*")) if root.is_dir() else [root]:
            parts = path.relative_to(REPOSITORY).parts
            hidden = any(part.startswith(".") or part in _IGNORED for part in parts)
            if path.is_file() and not hidden:
                yield path


def _build(name: str, reference: str, mode: Mode, archive: Path) -> None:
    image = _image(name)
    dockerfile = REPOSITORY / image.dockerfile
    if image.project:
        gather(image.project, base.PYTHON if mode is Mode.BARE else _python_of(dockerfile), CONTEXT / "wheels")
    for program in image.programs:
        CONTEXT.joinpath("bin").mkdir(parents=True, exist_ok=True)
        shutil.copy2(binary(program), CONTEXT / "bin")
    if mode is Mode.KIND:
        builders.docker_build(dockerfile, REPOSITORY, reference, archive)
        return
    if not builders.buildah_has(base.base_reference()):
        builders.buildah_load(base.base_archive())
    builders.buildah_build(dockerfile, REPOSITORY, reference, archive, base.base_reference())


def _python_of(dockerfile: Path) -> str:
    """The Python version of the base image that the Dockerfile names."""
    found = re.search(r"^ARG BASE=python:(\d+\.\d+)", dockerfile.read_text(), re.MULTILINE)
    if not found:
        raise ClusterError(f"{dockerfile} has no line `ARG BASE=python:VERSION`")
    return found[1]


def _has(mode: Mode, reference: str) -> bool:
    return kind.has(reference) if mode is Mode.KIND else bare.runtime().has(reference)


def _load(mode: Mode, archive: Path) -> None:
    kind.load(archive) if mode is Mode.KIND else bare.runtime().load(archive)
