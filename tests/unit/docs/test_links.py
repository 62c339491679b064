"""Links lead somewhere, and nothing in the repository belongs to one machine."""

from __future__ import annotations

import os
import re
import subprocess
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.unit.docs.pages import ROOT, pages, prose

LINK = re.compile(r"\[[^\]]*\]\(([^)\s\[]+)\)")
HEADING = re.compile(r"^#+ +(.+?) *$", re.MULTILINE)
MACHINE_PATH = re.compile(r"(?<![\w.~$}-])/(?:work|root)\b")
PACKAGE_REGISTRY = re.compile(
    r"\b(?:pypi\.org|pythonhosted\.org|(?:proxy|sum)\.golang\.org|(?:deb|security)\.debian\.org|(?:index|registry-1)\.docker\.io)\b"
)
MIRRORS = ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "UV_INDEX_URL", "UV_DEFAULT_INDEX", "GOPROXY", "HTTP_PROXY", "HTTPS_PROXY")
"""Variables that name this machine's way to the packages."""


def anchors(page: Path) -> set[str]:
    """The headings' anchors, as GitHub makes them."""
    titles = HEADING.findall(re.sub(r"^```.*?^```", "", page.read_text(), flags=re.MULTILINE | re.DOTALL))
    return {re.sub(r"[^\w\- ]", "", re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", title).lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_relative_links_lead_to_files_and_headings(page: Path) -> None:
    for link in LINK.findall(prose(page.read_text())):
        if "://" in link or link.startswith("mailto:"):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        assert target.exists(), f"{page.relative_to(ROOT)} links to {link}, which is not there"
        assert target.is_relative_to(ROOT), f"{link} leads out of the repository"
        if anchor and target.suffix == ".md":
            assert anchor in anchors(target), f"{page.relative_to(ROOT)} links to {link}: no such heading"


def test_every_page_is_linked_from_the_readme_or_a_page_it_links_to() -> None:
    linked: set[Path] = set()
    waiting = [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        for link in LINK.findall(prose(page.read_text())):
            target = (page.parent / link.partition("#")[0]).resolve()
            if "://" not in link and target.suffix == ".md" and target.is_file() and target not in linked:
                linked.add(target)
                waiting.append(target)
    assert [str(page.relative_to(ROOT)) for page in pages() if page not in linked | {ROOT / "README.md"}] == []


def tracked() -> Iterator[tuple[str, str]]:
    """Name and text of every file in Git or about to be, without binary ones."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout
    for name in filter(None, listed.split("\0")):
        path = ROOT / name
        if path.is_file() and b"\0" not in (content := path.read_bytes()):
            yield name, unicodedata.normalize("NFC", content.decode(errors="replace"))


def mirrors() -> set[str]:
    """Hosts of this machine's mirrors and proxies."""
    addresses = [address for name in MIRRORS for address in re.split(r"[,\s|]+", os.environ.get(name, ""))]
    return {host for address in addresses if (host := urlsplit(address).hostname) and not host.startswith("127.") and host != "localhost"}


def test_nothing_names_a_registry_of_packages_or_a_path_of_one_machine() -> None:
    hosts = mirrors()
    found = []
    for name, text in tracked():
        for number, line in enumerate(text.splitlines(), 1):
            if MACHINE_PATH.search(line) or PACKAGE_REGISTRY.search(line) or any(host in line for host in hosts):
                found.append(f"{name}:{number}: {line.strip()[:120]}")
    assert found == []


@pytest.mark.parametrize("text", ["see /" + "work/main/x", "(/" + "root)", "https://pypi" + ".org/simple", "//proxy" + ".golang.org"])
def test_the_patterns_find_what_they_are_for(text: str) -> None:
    assert MACHINE_PATH.search(text) or PACKAGE_REGISTRY.search(text)


@pytest.mark.parametrize("text", ["{context}/rootfs.tar", "kernel/keys/root_maxbytes", "a/work/b", "~/work"])
def test_the_patterns_leave_others_alone(text: str) -> None:
    assert not MACHINE_PATH.search(text)
