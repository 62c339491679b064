"""Builds container images into archive files, with buildah on the bare machine and with Docker for kind."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from tests.cluster import cache
from tests.cluster.console import step
from tests.cluster.errors import ClusterError

KEPT_ARCHIVES = 2
_POLICY = '{"default": [{"type": "insecureAcceptAnything"}]}'  # only our own archives are read


def reference(name: str, tag: str) -> str:
    return f"docker.io/local/{name}:{tag}"


def archived(name: str, tag: str, build: Callable[[Path], None]) -> Path:
    """The cached archive of NAME:TAG, built first when absent; of each name the newest few are kept."""

    def build_into(folder: Path) -> None:
        with step(f"building the image {name}:{tag}"):
            build(folder / "image.tar")

    folder = cache.cached("images", f"{name}-{tag}", build_into)
    os.utime(folder)
    versions = [path for path in folder.parent.iterdir() if path.name.rpartition("-")[0] == name]
    for old in sorted(versions, key=lambda path: path.stat().st_mtime)[:-KEPT_ARCHIVES]:
        shutil.rmtree(old)
    return folder / "image.tar"


def buildah_build(dockerfile: Path, context: Path, image: str, archive: Path, base: str | None = None) -> None:
    """Without network or daemon. Layers are not kept: buildah would not see that a bind mount's content has changed."""
    arguments = ["build", "--isolation=chroot", "--pull-never", "--quiet", f"--file={dockerfile}", f"--tag={image}"]
    if base:
        arguments.append(f"--build-arg=BASE={base}")
    _buildah(*arguments, str(context))
    _buildah("push", "--quiet", image, f"docker-archive:{archive}:{image}")
    _buildah("rmi", image)


def buildah_has(image: str) -> bool:
    return image in _buildah("images", "--format={{.Name}}:{{.Tag}}").split()


def buildah_load(archive: Path) -> None:
    _buildah("pull", "--quiet", f"docker-archive:{archive}")


def docker_build(dockerfile: Path, context: Path, image: str, archive: Path) -> None:
    """On the base image that the Dockerfile names."""
    subprocess.run(["docker", "build", "--quiet", "--file", dockerfile, "--tag", image, context], check=True)
    subprocess.run(["docker", "save", "--output", archive, image], check=True)


def _buildah(*arguments: str) -> str:
    """Its storage is in the cache folder, apart from the machine's own."""
    root = cache.ROOT / "buildah"
    root.mkdir(parents=True, exist_ok=True)
    policy = root / "policy.json"
    policy.write_text(_POLICY)
    command = ["buildah", f"--root={root / 'storage'}", f"--runroot={root / 'run'}", *arguments]
    if arguments[0] in ("build", "push", "pull"):
        command.insert(4, f"--signature-policy={policy}")
    outcome = subprocess.run(command, check=False, capture_output=True, text=True)
    if outcome.returncode != 0:
        raise ClusterError(f"buildah {arguments[0]} failed:\n{outcome.stdout[-3000:]}{outcome.stderr[-3000:]}")
    return outcome.stdout
