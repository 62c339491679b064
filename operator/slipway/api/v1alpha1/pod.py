"""The typed allow-list of what a user may say about model pods. No raw template: nothing here can raise a pod's privileges."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field, StringConstraints

from slipway.api.types import ApiModel, ObjectName, Rule, unique_by

LabelValue = Annotated[str, StringConstraints(pattern=r"^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$", max_length=63)]
LabelKey = Annotated[
    str,
    StringConstraints(
        pattern=r"^([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$", min_length=1, max_length=127
    ),
]


class Toleration(ApiModel):
    """A taint that pods may run on."""

    key: Annotated[LabelKey, Field(description="The taint's key; left out with operator `Exists`, every taint.")] | None = None
    operator: Annotated[Literal["Exists", "Equal"], Field(description="`Equal` compares value too.")] = "Equal"
    value: Annotated[LabelValue, Field(description="The taint's value, for `Equal`.")] | None = None
    effect: (
        Annotated[Literal["NoSchedule", "PreferNoSchedule", "NoExecute"], Field(description="The taint's effect; left out, every effect.")]
        | None
    ) = None

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            cel="self.operator == 'Exists' ? !has(self.value) : has(self.key)",
            message="operator Exists takes no value, operator Equal needs a key",
            holds=lambda self: self.value is None if self.operator == "Exists" else self.key is not None,
        ),
    )


class SecretKey(ApiModel):
    """A key of a Secret of this namespace."""

    name: Annotated[ObjectName, Field(description="The Secret.")]
    key: Annotated[str, StringConstraints(pattern=r"^[-._a-zA-Z0-9]+$", min_length=1, max_length=253), Field(description="The key.")]


class EnvVar(ApiModel):
    """An environment variable of the model's container."""

    name: Annotated[
        str,
        StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", min_length=1, max_length=128),
        Field(description="Its name; names that begin with SLIPWAY_ are Slipway's own."),
    ]
    value: Annotated[str, Field(max_length=4096, description="Its value.")] | None = None
    secret_key: Annotated[SecretKey | None, Field(description="Take the value from a Secret instead.")] = None

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            cel="has(self.value) != has(self.secretKey)",
            message="write either value or secretKey",
            holds=lambda self: (self.value is None) != (self.secret_key is None),
        ),
        Rule(
            cel="!self.name.startsWith('SLIPWAY_')",
            message="names that begin with SLIPWAY_ are Slipway's own: choose another",
            holds=lambda self: not self.name.startswith("SLIPWAY_"),
        ),
    )


class PodOptions(ApiModel):
    """Where pods run, and what they get beside the model."""

    node_selector: Annotated[dict[LabelKey, LabelValue], Field(max_length=16, description="Run only on nodes with these labels.")] = {}
    tolerations: Annotated[list[Toleration], Field(max_length=16, description="Taints that pods may run on.")] = []
    env: Annotated[list[EnvVar], *unique_by("name"), Field(max_length=64, description="Environment of the model's container.")] = []
    image_pull_secrets: Annotated[
        list[ObjectName], *unique_by(), Field(max_length=8, description="Secrets of this namespace for pulling images.")
    ] = []
    runtime_class_name: Annotated[ObjectName, Field(description="The RuntimeClass, such as gVisor's.")] | None = None
    priority_class_name: Annotated[ObjectName, Field(description="The PriorityClass.")] | None = None
