"""ApprovalPolicy: whose word a change needs before it starts."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field, StringConstraints

from slipway.api.kind import Kind, PrinterColumn
from slipway.api.types import ApiModel, ObjectMeta, Rule, unique_by
from slipway.api.v1alpha1.model import Importance

Stage = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", min_length=1, max_length=63)]
"""The value of the label `slipway.dev/stage` of a namespace."""
Role = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", min_length=1, max_length=63)]
"""The name of a virtual resource `approvalroles/ROLE` of group slipway.dev, on which RBAC grants `approve`."""
MAX_POLICY_NAME = 63


class Match(ApiModel):
    """Which deployments the policy has a say in."""

    stages: Annotated[
        list[Stage], *unique_by(), Field(min_length=1, max_length=16, description="Values of the namespace's label `slipway.dev/stage`.")
    ]
    importance: Annotated[
        list[Importance],
        *unique_by(),
        Field(max_length=4, description="`Model.spec.importance`; empty for all. A Model that names none is matched by every policy."),
    ] = []


class SigningKey(ApiModel):
    """A key that may sign a model's bytes."""

    name: Annotated[Role, Field(description="Whose key it is, for people.")]
    public_key: Annotated[
        str,
        StringConstraints(pattern=r"^-----BEGIN PUBLIC KEY-----\n[A-Za-z0-9+/=\n]+-----END PUBLIC KEY-----\n?$", max_length=2048),
        Field(description="PEM, of an elliptic curve, as `openssl ec -pubout` writes it."),
    ]


class Soak(ApiModel):
    """The same bytes must have served elsewhere first."""

    stage: Annotated[Stage, Field(description="In a namespace of that stage of this cluster.")]
    hours: Annotated[int, Field(ge=1, le=8760, description="For so long, without a break.")]


class Require(ApiModel):
    """What must hold before a change starts."""

    approvals: Annotated[int, Field(ge=0, le=10, description="Approvals by so many different people.")] = 1
    from_each_role: Annotated[
        list[Role], *unique_by(), Field(max_length=8, description="At least one in each of these roles, by different people.")
    ] = []
    verified: Annotated[
        bool, Field(description="A deployment elsewhere in this cluster serves the same bytes: they were fetched, checked and loaded.")
    ] = False
    signed_by: Annotated[
        list[SigningKey],
        *unique_by("name"),
        Field(max_length=8, description="The bytes carry a signature by one of these keys; checked before anything is loaded."),
    ] = []
    soak: Annotated[Soak | None, Field(description="The same bytes must have served elsewhere first.")] = None


class ApprovalPolicySpec(ApiModel):
    """Which changes need whose word."""

    match: Annotated[Match, Field(description="Which deployments the policy has a say in.")]
    require: Annotated[Require, Field(description="What must hold before a change starts.")] = Require()
    four_eyes: Annotated[bool, Field(description="Nobody approves what they asked for, or had a hand in.")] = True
    expires_after_hours: Annotated[int, Field(ge=1, le=8760, description="An approval that is not used within this time ends.")] = 72
    trusted_authors: Annotated[
        list[Annotated[str, StringConstraints(min_length=1, max_length=253)]],
        *unique_by(),
        Field(
            max_length=16,
            description="Users, such as a GitOps controller's service account, whose annotation `slipway.dev/author` is believed to name "
            "who asked.",
        ),
    ] = []

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            cel="!has(self.require) || !has(self.require.fromEachRole) || size(self.require.fromEachRole) <= self.require.approvals",
            message="require.approvals must be at least the number of roles in require.fromEachRole: one person speaks for one role",
            holds=lambda self: len(self.require.from_each_role) <= self.require.approvals,
        ),
    )


class ApprovalPolicy(ApiModel):
    """Whose word a change needs before it starts. All policies that match must hold."""

    KIND: ClassVar[Kind] = Kind(
        name="ApprovalPolicy",
        plural="approvalpolicies",
        short_name="slap",
        columns=(
            PrinterColumn("Stages", ".spec.match.stages"),
            PrinterColumn("Importance", ".spec.match.importance"),
            PrinterColumn("Approvals", ".spec.require.approvals", type="integer"),
            PrinterColumn("Roles", ".spec.require.fromEachRole"),
            PrinterColumn("Four-Eyes", ".spec.fourEyes", type="boolean"),
            PrinterColumn("Age", ".metadata.creationTimestamp", type="date"),
        ),
        namespaced=False,
        status=False,
    )
    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            cel=f"size(self.metadata.name) <= {MAX_POLICY_NAME}",
            message=f"metadata.name of an ApprovalPolicy must be at most {MAX_POLICY_NAME} characters",
            holds=lambda self: len(self.metadata.name) <= MAX_POLICY_NAME,
        ),
    )

    metadata: ObjectMeta
    spec: Annotated[ApprovalPolicySpec, Field(description="Which changes need whose word.")]
