"""The files of an artifact, each with its size and hash, and the digest of the whole."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from slipway.cli.artifact.formats import PICKLES
from slipway.cli.errors import CliError


@dataclass(frozen=True)
class File:
    """A file: its name in the artifact, where it is, its bytes' number and SHA-256 in hex."""

    name: str
    path: Path
    size: int
    sha256: str


@dataclass(frozen=True)
class Artifact:
    """What is pushed: the files and their digest (docs/artifact-digest.md)."""

    files: tuple[File, ...]
    digest: str

    @property
    def size(self) -> int:
        """All bytes."""
        return sum(file.size for file in self.files)


def read(path: Path) -> Artifact:
    """Hash the file or folder `path`. A single pickle is stored as `model.<suffix>`, the name that servers look for."""
    from slipway_runtime.failure import ArtifactInvalid
    from slipway_runtime.fetch.digest import TreeDigest, artifact_files, canonical_path, hash_file

    tree = TreeDigest()
    files = []
    try:
        for name, file in artifact_files(path):
            stored = f"model{path.suffix}" if file == path and path.suffix in PICKLES else canonical_path(name)
            size, sha256 = hash_file(file)
            tree.add(stored, size, sha256)
            files.append(File(stored, file, size, sha256))
        return Artifact(tuple(sorted(files, key=lambda file: file.name)), tree.digest())
    except ArtifactInvalid as error:
        raise CliError(str(error)) from error
    except OSError as error:
        raise CliError(f"cannot read {error.filename or path}: {error.strerror}") from error
