"""What is being pushed, from the user's options and the files alone; no cluster yet."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from slipway.cli.artifact import baseline as baselines
from slipway.cli.artifact import files, formats, lineage, manifest, sniff
from slipway.cli.artifact.baseline import Baseline
from slipway.cli.cluster import Json
from slipway.cli.errors import CliError


@dataclass(frozen=True)
class Wanted:
    """The options of `push` that say what the model is."""

    path: Path | None
    model: str
    version: str
    task: str | None = None
    format_name: str | None = None
    format_version: str | None = None
    image: str | None = None
    port: int = 8080
    grpc_port: int | None = None
    metrics: tuple[str, ...] = ()
    training_data: str | None = None
    baseline: Path | None = None


@dataclass(frozen=True)
class Described:
    """The ModelVersion's spec without the places of its bytes, and these; no artifact for a container."""

    spec: Json
    artifact: files.Artifact | None
    baseline: Baseline | None = None

    @property
    def has_bytes(self) -> bool:
        """Whether anything goes to a store."""
        return self.artifact is not None or self.baseline is not None

    def placed(self, uri: str | None, secret: str | None) -> Json:
        """The whole spec, once it is known where the bytes go."""
        spec = dict(self.spec)
        if self.artifact is not None:
            spec["artifact"] = {"uri": uri, "digest": self.artifact.digest, "secretName": secret}
        if self.baseline is not None and uri is not None:
            spec["baseline"] = self.baseline.placed(uri)
        return spec


def describe(wanted: Wanted) -> Described:
    """Read the files: format, digest, lineage. Raises CliError for what cannot be pushed."""
    manifest.check_names(wanted.model, wanted.version)
    if wanted.task and wanted.task not in manifest.TASKS:
        raise CliError(f"no task {wanted.task}: choose {', '.join(manifest.TASKS)}")
    guess = formats.guess(wanted.path, wanted.format_name, wanted.image)
    metrics = lineage.metrics(list(wanted.metrics))
    saved_by = sniff.sklearn_version(guess.file) if guess.file else None
    artifact = files.read(wanted.path) if wanted.path else None
    spec: Json = {
        "model": wanted.model,
        "version": wanted.version,
        "format": {"name": guess.name, "version": wanted.format_version or _format_version(guess, saved_by)},
        "artifact": None,
        "container": _container(wanted) if guess.name == "custom" else None,
        "lineage": {
            "trainingData": {"uri": wanted.training_data},
            "code": lineage.code(*_folders(wanted.path)),
            "trainedAt": lineage.trained_at(guess.file or wanted.path) if wanted.path else None,
            "environment": _environment(guess, saved_by),
            "metrics": metrics,
        },
    }
    return Described(spec, artifact, baselines.read(wanted.baseline) if wanted.baseline else None)


def _folders(path: Path | None) -> list[Path]:
    """Where to look for the code: around the model, then here."""
    around = [path.absolute().parent if path.is_file() else path.absolute()] if path else []
    return [*around, Path.cwd()]


def _container(wanted: Wanted) -> Json:
    return {"image": wanted.image, "port": wanted.port, "grpcPort": wanted.grpc_port}


def _format_version(guess: formats.Guess, saved_by: str | None) -> str | None:
    if guess.name != "sklearn":
        return None
    if saved_by:
        return sniff.minor(saved_by)
    try:
        return sniff.minor(lineage.environment()["scikit-learn"])
    except (KeyError, metadata.PackageNotFoundError):
        return None


def _environment(guess: formats.Guess, saved_by: str | None) -> dict[str, str]:
    """Package versions, when this is the environment that saved the model; else the one version that its file names."""
    if guess.name != "sklearn":
        return {}
    here = lineage.environment()
    if saved_by and here.get("scikit-learn") != saved_by:
        return {"scikit-learn": saved_by}
    return here
