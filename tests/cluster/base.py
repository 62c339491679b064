"""The base image and the pause image: made of this machine's Debian packages, because nothing can be pulled."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import tempfile
from pathlib import Path

from tests.cluster import builders
from tests.cluster.cache import content_key
from tests.cluster.errors import ClusterError
from tests.cluster.state import REPOSITORY

SUITE = "bookworm"
PYTHON = "3.11"  # what the suite carries
PACKAGES = "python3,python3-venv,ca-certificates"
# Not needed to run, and half of the size.
WASTE = (
    "usr/share/doc",
    "usr/share/man",
    "usr/share/info",
    "usr/share/locale",
    "usr/share/i18n",
    "usr/share/lintian",
    "var/lib/apt/lists",
    "var/cache/apt",
    "var/cache/debconf",
    "var/log",
)
_DOCKERFILE = REPOSITORY / "images" / "base" / "Dockerfile"
_PAUSE = Path(__file__).parent / "pause"


def base_key() -> str:
    return content_key(SUITE, PACKAGES, *WASTE, _DOCKERFILE)


def base_reference() -> str:
    return builders.reference("slipway-base", base_key())


def base_archive() -> Path:
    return builders.archived("slipway-base", base_key(), _build_base)


def pause_reference() -> str:
    return builders.reference("slipway-pause", _pause_key())


def pause_archive() -> Path:
    return builders.archived("slipway-pause", _pause_key(), _build_pause)


def _pause_key() -> str:
    return content_key(_catatonit(), _PAUSE / "Dockerfile")


def _build_pause(archive: Path) -> None:
    with tempfile.TemporaryDirectory() as context:
        shutil.copy(_catatonit(), Path(context, "pause"))
        builders.buildah_build(_PAUSE / "Dockerfile", Path(context), pause_reference(), archive)


def _catatonit() -> Path:
    return Path(shutil.which("catatonit") or "/usr/bin/catatonit")


def _build_base(archive: Path) -> None:
    with tempfile.TemporaryDirectory() as context:
        rootfs = Path(context, "rootfs")
        _debootstrap(rootfs)
        for folder in WASTE:
            shutil.rmtree(rootfs / folder, ignore_errors=True)
            rootfs.joinpath(folder).mkdir(parents=True)
        subprocess.run(["tar", "--create", f"--directory={rootfs}", f"--file={context}/rootfs.tar", "."], check=True)
        shutil.rmtree(rootfs)
        builders.buildah_build(_DOCKERFILE, Path(context), base_reference(), archive)


def _debootstrap(rootfs: Path) -> None:
    """From the mirror, and through the proxy and with the authority, that this machine's apt uses."""
    command = ["debootstrap", "--variant=minbase", f"--include={PACKAGES}"]
    if authority := _apt_setting("Acquire::https::CaInfo"):
        command.append(f"--ca-certificate={authority}")
    proxies = {f"{scheme}_proxy": _apt_setting(f"Acquire::{scheme}::Proxy") for scheme in ("http", "https")}
    outcome = subprocess.run(
        [*command, SUITE, str(rootfs), _mirror()],
        env=os.environ | {name: value for name, value in proxies.items() if value},
        check=False,
        capture_output=True,
        text=True,
    )
    if outcome.returncode != 0:
        raise ClusterError(f"debootstrap failed:\n{outcome.stdout[-2000:]}{outcome.stderr[-2000:]}")


def _mirror() -> str:
    """apt's own source of the suite, else its first source of Debian packages."""
    listing = ["apt-get", "indextargets", "--format", "$(RELEASE) $(REPO_URI)", "Created-By: Packages"]
    lines = subprocess.run(listing, check=True, capture_output=True, text=True).stdout.split("\n")
    sources = [(release, uri) for release, _, uri in (line.partition(" ") for line in lines if line)]
    exact = [uri for release, uri in sources if release == SUITE]
    debian = [uri for _, uri in sources if uri.rstrip("/").endswith("/debian")]
    if not exact + debian:
        raise ClusterError("apt has no source of Debian packages: the base image cannot be made on this machine")
    return (exact + debian)[0]


def _apt_setting(name: str) -> str:
    output = subprocess.run(["apt-config", "shell", "VALUE", name], check=True, capture_output=True, text=True).stdout
    return "".join(part.removeprefix("VALUE=") for part in shlex.split(output))
