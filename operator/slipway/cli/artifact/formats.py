"""Which framework made the model, told from file names."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from slipway.cli.errors import CliError

FORMATS = ("sklearn", "custom")
PICKLES = (".joblib", ".pkl", ".pickle")
CHOICES = (
    "choices: sklearn (model.joblib, model.pkl or model.pickle: a scikit-learn estimator or pipeline), "
    "custom (--image IMAGE: your own container that speaks the Open Inference Protocol v2)"
)


@dataclass(frozen=True)
class Guess:
    """A format, and the file that holds the model (None when the format has no such file)."""

    name: str
    file: Path | None = None


def guess(path: Path | None, asked: str | None, image: str | None) -> Guess:
    """The format of the model at `path`. Raises CliError with the choices when it cannot be told."""
    if asked and asked not in FORMATS:
        raise CliError(f"no format {asked}; {CHOICES}")
    if image or asked == "custom":
        if not image:
            raise CliError("format custom is your own server: name its image with --image")
        if asked not in (None, "custom"):
            raise CliError(f"--image belongs to format custom, not to {asked}: leave one of them out")
        return Guess("custom")
    if path is None:
        raise CliError("name the model's file or folder, or your own server with --image")
    return Guess("sklearn", _pickle(path))


def _pickle(path: Path) -> Path:
    if path.is_file():
        if path.suffix in PICKLES:
            return path
        raise CliError(f"cannot tell the format of {path}; {CHOICES}")
    found = [path / f"model{suffix}" for suffix in PICKLES if (path / f"model{suffix}").is_file()]
    if len(found) > 1:
        names = " and ".join(file.name for file in found)
        raise CliError(f"{path} holds {names}: keep the one to serve")
    if not found:
        raise CliError(f"cannot tell the format of {path}; {CHOICES}")
    return found[0]
