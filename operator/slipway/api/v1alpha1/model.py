"""Model: a registered model, what it is for and whose it is."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field, StringConstraints

from slipway.api.conditions import Conditions
from slipway.api.kind import Kind, PrinterColumn
from slipway.api.types import ApiModel, ObjectMeta, Rule, short_name_rule, unique_by

Task = Literal["BinaryClassification", "MulticlassClassification", "Regression", "Other"]
Importance = Literal["Low", "Moderate", "High", "Critical"]


NotifierName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", min_length=1, max_length=63)]
Bound = Annotated[float, Field(ge=-1e18, le=1e18)]
"""Within int64: the apiserver compares whole numbers as such with bounds that it casts."""


class Owner(ApiModel):
    """Who answers for the model."""

    team: Annotated[
        str,
        StringConstraints(min_length=1, max_length=63),
        Field(description="The team, as your organisation names it; becomes the `team` label of the model's metrics."),
    ]
    notify: Annotated[
        list[NotifierName],
        *unique_by(),
        Field(max_length=8, description="The notifiers by which monitors tell the owner; the platform team sets them up in the chart."),
    ] = []


Datatype = Literal["BOOL", "UINT8", "UINT16", "UINT32", "UINT64", "INT8", "INT16", "INT32", "INT64", "FP16", "FP32", "FP64", "BYTES"]
"""As in the Open Inference Protocol."""

MAX_COLUMNS = 1000


class Column(ApiModel):
    """One column of the prediction log."""

    name: Annotated[
        str,
        StringConstraints(min_length=1, max_length=253),
        Field(description="The feature or output, as requests and answers name it: `age` becomes the column `in_age`."),
    ]
    datatype: Annotated[
        Datatype,
        Field(description="Its type in the Open Inference Protocol: whole numbers become int64, FP* float64, BOOL bool, BYTES text."),
    ]


class Input(Column):
    """A feature, and what its values may be. Monitors count those that are otherwise; no request is refused for them."""

    min: Annotated[Bound | None, Field(description="The least value that is possible, for numbers.")] = None
    max: Annotated[Bound | None, Field(description="The greatest value that is possible, for numbers.")] = None
    categories: Annotated[
        list[Annotated[str, StringConstraints(max_length=253)]],
        *unique_by(),
        Field(max_length=200, description="The texts that are possible, for BYTES. Left out, those of the baseline."),
    ] = []
    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            cel="!has(self.min) || !has(self.max) || self.min <= self.max",
            message="min must not be greater than max",
            holds=lambda self: self.min is None or self.max is None or self.min <= self.max,
        ),
        Rule(
            cel="!(self.datatype in ['BYTES', 'BOOL']) || (!has(self.min) && !has(self.max))",
            message="min and max are for numbers: leave them out for BYTES and BOOL",
            holds=lambda self: self.datatype not in ("BYTES", "BOOL") or (self.min is None and self.max is None),
        ),
        Rule(
            cel="self.datatype == 'BYTES' || !has(self.categories) || size(self.categories) == 0",
            message="categories are for texts: leave them out unless the datatype is BYTES",
            holds=lambda self: self.datatype == "BYTES" or not self.categories,
        ),
    )


Inputs = Annotated[list[Input], *unique_by("name"), Field(max_length=MAX_COLUMNS)]
Columns = Annotated[list[Column], *unique_by("name"), Field(max_length=MAX_COLUMNS)]


class Schema(ApiModel):
    """What the prediction log's columns hold. It types the log alone: it changes no pod, and no request is refused for it."""

    inputs: Annotated[
        Inputs, Field(description="Features, each the column `in_NAME`. One that is left out has the type that callers send.")
    ] = []
    outputs: Annotated[
        Columns, Field(description="Outputs, each the column `out_NAME`, such as `predict`. One that is left out has the model's type.")
    ] = []


class ModelSpec(ApiModel):
    """What every version of the model has in common."""

    task: Annotated[Task, Field(description="What the model does; becomes the `task` label of its metrics.")]
    description: Annotated[str, Field(max_length=1024, description="What question the model answers, in a sentence.")] = ""
    owner: Annotated[Owner | None, Field(description="Who answers for the model.")] = None
    importance: (
        Annotated[
            Importance,
            Field(description="How much hangs on its answers: chooses the ApprovalPolicies of its deployments. Left out, all of them."),
        ]
        | None
    ) = None
    schema_: Annotated[
        Schema | None,
        Field(
            alias="schema", description="Types of the prediction log's columns; a value that does not fit is kept in the column `other`."
        ),
    ] = None


class Editor(ApiModel):
    """Somebody who changed the Model's spec."""

    by: Annotated[str, Field(max_length=1024, description="The user; empty for somebody who left no name.")] = ""
    generation: Annotated[int, Field(ge=0, description="The newest generation that they made.")]


MAX_EDITORS = 64


class ModelStatus(ApiModel):
    """What Slipway sees of the model."""

    observed_generation: Annotated[int, Field(ge=-1, description="The generation this status speaks about; -1 before the first.")] = -1
    versions: Annotated[int, Field(ge=0, description="How many ModelVersions exist.")] = 0
    latest_version: Annotated[str, Field(max_length=32, description="The newest ModelVersion by creation.")] = ""
    deployments: Annotated[int, Field(ge=0, description="How many ModelDeployments serve the model.")] = 0
    editors: Annotated[
        list[Editor],
        Field(max_length=MAX_EDITORS, description="Who changed the spec: they asked for what its deployments serve, too."),
    ] = []
    conditions: Conditions = []


class Model(ApiModel):
    """A registered model: its task and owner. Versions and deployments refer to it by name."""

    KIND: ClassVar[Kind] = Kind(
        name="Model",
        plural="models",
        short_name="slm",
        columns=(
            PrinterColumn("Task", ".spec.task"),
            PrinterColumn("Team", ".spec.owner.team"),
            PrinterColumn("Importance", ".spec.importance"),
            PrinterColumn("Versions", ".status.versions", type="integer"),
            PrinterColumn("Latest", ".status.latestVersion"),
            PrinterColumn("Deployments", ".status.deployments", type="integer"),
            PrinterColumn("Age", ".metadata.creationTimestamp", type="date"),
        ),
    )
    rules: ClassVar[tuple[Rule, ...]] = (short_name_rule("Model", "the names of its versions and deployments"),)

    metadata: ObjectMeta
    spec: Annotated[ModelSpec, Field(description="What the model is.")]
    status: Annotated[ModelStatus, Field(description="What Slipway sees of the model.")] = ModelStatus()
