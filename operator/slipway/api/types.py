"""What every kind is built from: the base model, CEL rules with their Python twin, and the shared scalar types."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import ROUND_UP, Context, Decimal
from typing import Annotated, Any, ClassVar, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator
from pydantic.alias_generators import to_camel
from pydantic.fields import FieldInfo

GROUP = "slipway.dev"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"

MAX_NAME = 50
"""Longest name of a Model or ModelDeployment: children add up to 13 characters and must stay within 63."""


@dataclass(frozen=True)
class Rule:
    """One validation, twice: as CEL for the apiserver and as a Python check; a property test holds them equal.

    `holds` is None for rules that compare with the old object, which only the apiserver can see.
    """

    cel: str
    message: str
    holds: Callable[[Any], bool] | None
    message_expression: str | None = None

    def as_validation(self) -> dict[str, str]:
        validation = {"rule": self.cel, "message": self.message}
        if self.message_expression:
            validation["messageExpression"] = self.message_expression
        return validation


class ApiModel(BaseModel):
    """Base of every part of a kind: camelCase on the wire, unknown fields refused, no type coercion."""

    model_config = ConfigDict(
        alias_generator=to_camel, extra="forbid", strict=True, frozen=True, validate_by_name=True, serialize_by_alias=True
    )
    rules: ClassVar[tuple[Rule, ...]] = ()

    @model_validator(mode="after")
    def _check_rules(self) -> Self:
        for rule in self.rules:
            if rule.holds is not None and not rule.holds(self):
                raise ValueError(rule.message)
        return self


Name = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z]([-a-z0-9]*[a-z0-9])?$", min_length=1, max_length=MAX_NAME),
]
"""A DNS label that begins with a letter, short enough for every child's name."""

VersionName = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z0-9]+((\.|-+)[a-z0-9]+)*$", min_length=1, max_length=32),
]
"""A version such as `3`, `2026-11-23` or `1.0.2-rc1`: part of an object's name and a label's value."""

ObjectName = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z0-9]+((\.|-+)[a-z0-9]+)*$", min_length=1, max_length=253),
]
"""The name of another Kubernetes object (a DNS subdomain)."""

Digest = Annotated[str, StringConstraints(pattern=r"^sha256:[0-9a-f]{64}$", min_length=71, max_length=71)]

_QUANTITY_PATTERN = r"^[0-9]{1,12}(\.[0-9]{1,9})?(m|k|M|G|T|Ki|Mi|Gi|Ti)?$"
_QUANTITY_MAX = 10**12


def _check_quantity(value: int | str) -> int | str:
    if isinstance(value, int) and not 0 <= value <= _QUANTITY_MAX:
        raise ValueError(f"must be between 0 and {_QUANTITY_MAX}")
    if isinstance(value, str) and not re.fullmatch(_QUANTITY_PATTERN, value, re.ASCII):
        raise ValueError("must be a quantity such as 2, 500m or 1Gi")
    return value


Quantity = Annotated[
    int | str,
    AfterValidator(_check_quantity),
    Field(
        json_schema_extra={
            "x-kubernetes-int-or-string": True,
            "pattern": _QUANTITY_PATTERN,
            "minimum": 0,
            "maximum": _QUANTITY_MAX,
            "maxLength": 32,
        }
    ),
]
"""A Kubernetes quantity such as `2`, `500m` or `1Gi`."""

_DECIMAL_SUFFIXES = {suffix: Decimal(10) ** power for suffix, power in zip("numkMGTPE", (-9, -6, -3, 3, 6, 9, 12, 15, 18), strict=True)}
_BINARY_SUFFIXES = {f"{suffix}i": Decimal(1024) ** power for power, suffix in enumerate("KMGTPE", 1)}
_SUFFIXES = {"": Decimal(1)} | _DECIMAL_SUFFIXES | _BINARY_SUFFIXES
_ANY_QUANTITY = re.compile(r"([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,2})?)([numkMGTPE]|[KMGTPE]i)?", re.ASCII)
_NANO = Decimal("1e-9")
_EXACT = Context(prec=100)


def quantity_value(quantity: int | str) -> Decimal:
    """A quantity in any of Kubernetes' notations as the exact number of cores or bytes; like there, below a billionth it is rounded up.

    Raises:
        ValueError: it is no quantity.

    """
    match = _ANY_QUANTITY.fullmatch(str(quantity))
    if match is None:
        raise ValueError(f"{quantity!r} is no quantity")
    value = _EXACT.multiply(Decimal(match[1]), _SUFFIXES[match[2] or ""])
    return value.quantize(_NANO, ROUND_UP, _EXACT)


def unique_by(*fields: str) -> tuple[AfterValidator, FieldInfo]:
    """Marks a list whose items are told apart by these fields (by themselves, without any): a map or set list of Kubernetes."""

    def check(items: list[Any]) -> list[Any]:
        keys = [tuple(getattr(item, field) for field in fields) if fields else item for item in items]
        for index, key in enumerate(keys):
            if key in keys[:index]:
                raise ValueError(f"item {index} is there twice")
        return items

    extra: dict[str, Any] = {"x-kubernetes-list-type": "map" if fields else "set"}
    if fields:
        extra["x-kubernetes-list-map-keys"] = list(fields)
    return AfterValidator(check), Field(json_schema_extra=extra)


class ObjectMeta(BaseModel):
    """The part of `metadata` that rules look at; the rest belongs to Kubernetes."""

    model_config = ConfigDict(extra="ignore", frozen=True)
    name: str = ""
    namespace: str = "default"
    uid: str = ""
    generation: int = 0
    resource_version: Annotated[str, Field(alias="resourceVersion")] = ""


def short_name_rule(kind: str, child: str) -> Rule:
    """The name of a `kind` must leave room for its children's names."""
    message = (
        f"metadata.name of a {kind} must be at most {MAX_NAME} characters, lower-case letters, digits and '-', "
        f"beginning with a letter: {child} must stay within 63"
    )
    return Rule(
        cel=f"self.metadata.name.matches('^[a-z]([-a-z0-9]{{0,{MAX_NAME - 2}}}[a-z0-9])?$')",
        message=message,
        holds=lambda self: _is_label(self.metadata.name),
    )


def _is_label(name: str) -> bool:
    plain = name.replace("-", "a")
    return (
        0 < len(name) <= MAX_NAME
        and name[0] in "abcdefghijklmnopqrstuvwxyz"
        and not name.endswith("-")
        and plain.isascii()
        and plain.isalnum()
        and plain == plain.lower()
    )
