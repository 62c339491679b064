"""What every answer says of itself, errors too: an id to trace it by, and the model, version and bytes that it comes from."""

from __future__ import annotations

import re
from contextvars import ContextVar

from slipway_runtime.identifiers import uuid7
from slipway_runtime.serve.settings import ServeSettings

REQUEST_ID = "x-request-id"
PREDICTION_ID = "x-slipway-prediction-id"
USABLE_ID = re.compile(r"[\x20-\x7e]{1,128}")
Names = tuple[tuple[str, str], ...]

current_id: ContextVar[str] = ContextVar(PREDICTION_ID)
"""The id of the answer that is being made."""


def begin(asked: str | None) -> str:
    """The id of the answer to a request that asked for this one: that, if it is short printable ASCII, else a new UUIDv7."""
    answer = asked if asked and USABLE_ID.fullmatch(asked) else uuid7()
    current_id.set(answer)
    return answer


def origin(settings: ServeSettings) -> Names:
    """The headers that all answers of a server share; without a digest where it was told none."""
    names = (
        ("x-slipway-model", settings.model_name),
        ("x-slipway-version", settings.model_version),
        ("x-slipway-digest", settings.model_digest),
    )
    return tuple((name, value) for name, value in names if value)
