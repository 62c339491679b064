"""From a stored object to its typed form."""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import ValidationError

from slipway.api.conditions import Reason
from slipway.api.types import ApiModel
from slipway.errors import Stalled

T = TypeVar("T", bound=ApiModel)


def parse(kind: type[T], manifest: dict[str, Any]) -> T:
    """The typed object, without its status.

    Raises:
        Stalled: it does not fit the present schema, as one stored under an older CRD may not; the message says where.

    """
    try:
        return kind.model_validate({"metadata": manifest["metadata"], "spec": as_read(manifest.get("spec", {}))})
    except ValidationError as error:
        raise Stalled(Reason.INVALID_SPEC, explain(error)) from error


def explain(error: ValidationError) -> str:
    """The first trouble, with the field's path."""
    first = error.errors()[0]
    path = ".".join(str(part) for part in first["loc"])
    return f"{path}: {first['msg'].removeprefix('Value error, ')}" if path else first["msg"].removeprefix("Value error, ")


def as_read(value: Any) -> Any:
    """As the apiserver reads JSON: `field: null` as if it were left out, `2.0` as the integer 2."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {key: as_read(child) for key, child in value.items() if child is not None}
    if isinstance(value, list):
        return [as_read(child) for child in value]
    return value
