"""Why a container failed, in words its owner can act on, and the termination message that carries them to the operator."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from pathlib import Path
from typing import ClassVar

DEFAULT_TERMINATION_LOG = "/dev/termination-log"
LINE_BYTES = 4096
"""What the kubelet keeps of a termination message."""


class Failure(Exception):
    """A failure with a documented reason; its text says what happened and what to do about it."""

    reason: ClassVar[str]


class ArtifactInvalid(Failure):
    """The artifact holds something that no model artifact may hold: a symlink, a special file, an unsafe name."""

    reason = "ArtifactInvalid"


class ArtifactNotFound(Failure):
    """Nothing is stored at the artifact's URI."""

    reason = "ArtifactNotFound"


class ArtifactAccessDenied(Failure):
    """The credentials, or their absence, do not let us read the artifact."""

    reason = "ArtifactAccessDenied"


class DigestMismatch(Failure):
    """The bytes that arrived are not the bytes that the ModelVersion names."""

    reason = "DigestMismatch"


class SignatureMissing(Failure):
    """The bytes must be signed, and nothing is stored where their signature belongs."""

    reason = "SignatureMissing"


class SignatureInvalid(Failure):
    """The signature is not by a key that counts, not of these bytes, or no signature at all."""

    reason = "SignatureInvalid"


class FetchFailed(Failure):
    """The artifact could not be brought here for any other reason."""

    reason = "FetchFailed"


class LoadFailed(Failure):
    """The model's file could not be turned into a model that predicts."""

    reason = "LoadFailed"


def last_line(error: BaseException) -> str:
    """`TypeName: last line of its text`, as Python's own traceback ends."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[-1]}" if lines else type(error).__name__


def report(failure: Failure) -> None:
    """Write `{"reason", "message"}` as one line of JSON to the termination log and to stderr. Never raises."""
    line = _line(failure.reason, str(failure))
    sys.stderr.buffer.write(line)
    sys.stderr.flush()
    with contextlib.suppress(OSError):  # outside Kubernetes there is no such file
        Path(os.environ.get("SLIPWAY_TERMINATION_LOG", DEFAULT_TERMINATION_LOG)).write_bytes(line)


def _line(reason: str, message: str) -> bytes:
    text = json.dumps({"reason": reason, "message": message}, ensure_ascii=False) + "\n"
    line = text.encode("utf-8", "backslashreplace")
    return line if len(line) <= LINE_BYTES else _line(reason, message[: len(message) * 3 // 4])
