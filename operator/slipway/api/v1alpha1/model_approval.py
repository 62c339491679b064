"""ModelApproval: one person's word on one revision of a deployment."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field, StringConstraints

from slipway.api.conditions import Conditions
from slipway.api.kind import Kind, PrinterColumn
from slipway.api.types import ApiModel, Name, ObjectMeta, Rule
from slipway.api.v1alpha1.approval_policy import Role

MAX_GROUPS = 512


class ModelApprovalSpec(ApiModel):
    """Who says what, of what. Immutable."""

    deployment: Annotated[Name, Field(description="The ModelDeployment, in this namespace.")]
    revision: Annotated[
        str,
        StringConstraints(pattern=r"^v1:[0-9a-f]{64}$", min_length=67, max_length=67),
        Field(description="Its `status.revision`: exactly what you looked at (`kubectl slipway diff`)."),
    ]
    role: Annotated[
        Role | None,
        Field(
            alias="as",
            description="The role you speak in: you need the verb `approve` on `approvalroles/ROLE`. Not for an override.",
        ),
    ] = None
    decision: Annotated[
        Literal["Approve", "Reject", "Override"],
        Field(description="`Override`: start it now, whatever the policies say. It needs the verb `override` on the ModelDeployment."),
    ]
    reason: Annotated[str, Field(max_length=1024, description="Why; kept for ever. Required to reject and to override.")] = ""
    approver: Annotated[str, Field(max_length=1024, description="You. The apiserver fills it in.")] = ""
    groups: Annotated[
        list[Annotated[str, Field(max_length=1024)]],
        Field(max_length=MAX_GROUPS, description="Your groups. The apiserver fills them in: it is asked again when the change starts."),
    ] = []

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(cel="self == oldSelf", message="a ModelApproval is immutable: create another one", holds=None),
        Rule(
            cel="(self.decision == 'Override') != has(self.__as__)",
            message="write `as`, the role you speak in, to approve or reject; an override has none",
            holds=lambda self: (self.decision == "Override") != (self.role is not None),
        ),
        Rule(
            cel="self.decision == 'Approve' || (has(self.reason) && self.reason.matches('[^ ]'))",
            message="write a reason: it is kept for ever, and whoever asked reads it",
            holds=lambda self: self.decision == "Approve" or any(c != " " for c in self.reason),
        ),
    )


class ModelApprovalStatus(ApiModel):
    """What became of it."""

    observed_generation: Annotated[int, Field(ge=-1, description="The generation this status speaks about; -1 before the first.")] = -1
    conditions: Conditions = []


class ModelApproval(ApiModel):
    """One person's word on one revision of a deployment: the apiserver makes sure whose it is."""

    KIND: ClassVar[Kind] = Kind(
        name="ModelApproval",
        plural="modelapprovals",
        short_name="slma",
        columns=(
            PrinterColumn("Deployment", ".spec.deployment"),
            PrinterColumn("Decision", ".spec.decision"),
            PrinterColumn("As", ".spec.as"),
            PrinterColumn("By", ".spec.approver"),
            PrinterColumn("State", '.status.conditions[?(@.type=="Ready")].reason'),
            PrinterColumn("Message", '.status.conditions[?(@.type=="Ready")].message', wide=True),
            PrinterColumn("Revision", ".spec.revision", wide=True),
            PrinterColumn("Age", ".metadata.creationTimestamp", type="date"),
        ),
    )

    metadata: ObjectMeta
    spec: Annotated[ModelApprovalSpec, Field(description="Who says what, of what; immutable.")]
    status: Annotated[ModelApprovalStatus, Field(description="What became of it.")] = ModelApprovalStatus()
