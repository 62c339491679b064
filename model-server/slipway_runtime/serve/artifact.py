"""Finds the one model file of an artifact and unpickles it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import joblib

from slipway_runtime.failure import LoadFailed, last_line

CANDIDATES = ("model.joblib", "model.pkl", "model.pickle")


def load_model(folder: Path) -> Any:
    """The model in the folder. Raises LoadFailed with the last line of Python's error, as the owner needs it."""
    file = model_file(folder)
    try:
        model = joblib.load(file)
    except KeyError as error:
        unknown_opcode = len(error.args) == 1 and isinstance(error.args[0], int)
        raise LoadFailed(f"{file.name} is not a pickle" if unknown_opcode else last_line(error)) from error
    except BaseException as error:  # a pickle is code: it may even raise SystemExit
        raise LoadFailed(last_line(error)) from error
    if not callable(getattr(model, "predict", None)):
        raise LoadFailed(f"{file.name} holds a {type(model).__name__}, which has no predict method: pickle the model")
    return model


def model_file(folder: Path) -> Path:
    """The folder's only candidate. Raises LoadFailed where there is none, or a choice."""
    found = [folder / name for name in CANDIDATES if (folder / name).is_file()]
    if len(found) == 1:
        return found[0]
    names = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
    holds = ", ".join(names[:20]) or "nothing"
    wanted = " or ".join((", ".join(CANDIDATES[:-1]), CANDIDATES[-1]))
    raise LoadFailed(f"the artifact must hold exactly one of {wanted}, it holds {holds}: push it again")
