"""ModelDeployment: serve a version of a model."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field, StringConstraints

from slipway.api.conditions import Conditions
from slipway.api.kind import Kind, PrinterColumn
from slipway.api.types import (
    ApiModel,
    Name,
    ObjectMeta,
    ObjectName,
    Quantity,
    Rule,
    VersionName,
    quantity_value,
    short_name_rule,
)
from slipway.api.v1alpha1.pod import PodOptions

Phase = Literal["Pending", "AwaitingApproval", "Progressing", "Serving", "Failed", "ScaledToZero", "Retired"]


class Autoscaling(ApiModel):
    """Bounds and target of the HorizontalPodAutoscaler."""

    min_replicas: Annotated[int, Field(ge=1, le=1000, description="Never fewer pods than this.")] = 1
    max_replicas: Annotated[int, Field(ge=1, le=1000, description="Never more pods than this.")]
    target_cpu_percent: Annotated[
        int, Field(ge=1, le=100, alias="targetCPUPercent", description="Mean CPU use to hold, in percent of the CPU request.")
    ] = 80

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            cel="self.minReplicas <= self.maxReplicas",
            message="minReplicas must not be greater than maxReplicas",
            holds=lambda self: self.min_replicas <= self.max_replicas,
        ),
    )


ResourceName = Annotated[str, StringConstraints(max_length=63)]
Quantities = Annotated[dict[ResourceName, Quantity], Field(max_length=8)]


def _within_limits(resources: Resources) -> bool:
    return all(
        quantity_value(asked) <= quantity_value(resources.limits[name])
        for name, asked in resources.requests.items()
        if name in resources.limits
    )


class Resources(ApiModel):
    """What each pod asks for and may use."""

    requests: Annotated[
        Quantities, Field(description="Reserved for each pod, such as `{cpu: 500m, memory: 1Gi}`; the whole map replaces the default.")
    ] = {}
    limits: Annotated[Quantities, Field(description="The most a pod may use.")] = {}

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            cel="!has(self.requests) || !has(self.limits) || self.requests.all(k, !(k in self.limits) || "
            "quantity(string(self.requests[k])).compareTo(quantity(string(self.limits[k]))) <= 0)",
            message="a request must not be greater than its limit",
            holds=_within_limits,
        ),
    )


DEFAULT_REQUESTS = {"cpu": "100m", "memory": "512Mi"}
"""What a pod asks for when `resources.requests` is left out, but never more than its limits (`plan/build/pod.py`).

Not a default of the schema: server-side apply of `resources: {limits: …}` would turn it on and off with whoever applies.
"""

HEADLESS_SUFFIX = "-pods"
"""Ends the name of every deployment's headless Service, and so of no deployment."""

_FREE_NAME = Rule(
    cel=f"!self.metadata.name.endsWith('{HEADLESS_SUFFIX}')",
    message=f"metadata.name must not end in {HEADLESS_SUFFIX}: NAME{HEADLESS_SUFFIX} is the headless Service of ModelDeployment NAME",
    holds=lambda self: not self.metadata.name.endswith(HEADLESS_SUFFIX),
)


class Capture(ApiModel):
    """What of the answers is kept in the prediction log."""

    mode: Annotated[
        Literal["Full", "Metadata", "Disabled"],
        Field(
            description="`Full` keeps inputs and outputs, a row for each row of a request; `Metadata` a row for each call, without them; "
            "`Disabled` nothing."
        ),
    ]
    sample_percent: Annotated[
        int, Field(ge=1, le=100, description="How many calls in a hundred are kept, chosen by a hash of the prediction id.")
    ] = 100
    delivery: Annotated[
        Literal["BestEffort", "Durable"],
        Field(
            description="`BestEffort` never delays an answer, and drops and counts what finds no room. `Durable` answers only what is on "
            "the node's disk, and with 503 when there is no room."
        ),
    ] = "BestEffort"


class ModelDeploymentSpec(ApiModel):
    """Which version to serve, and how."""

    model: Annotated[Name, Field(description="The Model to serve.")]
    version: Annotated[
        VersionName, Field(description='The version to serve, a string: `"3"`. Change it to upgrade; callers see no failed request.')
    ]
    replicas: Annotated[int, Field(ge=0, le=1000, description="How many pods serve. With `autoscaling`, the number to start with.")] = 1
    autoscaling: Annotated[Autoscaling | None, Field(description="Let the number of pods follow the load.")] = None
    resources: Annotated[
        Resources,
        Field(
            description="What each pod asks for and may use. With `requests` left out, a pod asks for "
            f"{DEFAULT_REQUESTS['cpu']} of CPU and {DEFAULT_REQUESTS['memory']} of memory, or its limits where they are lower."
        ),
    ] = Resources()
    pod: Annotated[PodOptions | None, Field(description="Where pods run, and what they get beside the model.")] = None
    capture: Annotated[
        Capture | None,
        Field(
            description="What of the answers is kept in the prediction log. Left out, everything (`Full`, `BestEffort`) where the platform "
            "has a log and the model's server can capture, else nothing."
        ),
    ] = None
    retire: Annotated[
        bool,
        Field(description="Stop serving for good. Where a policy governs, the step before `kubectl delete`, approved like any change."),
    ] = False

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            cel="!has(self.autoscaling) || !has(self.resources) || !has(self.resources.requests) || size(self.resources.requests) == 0 "
            "|| 'cpu' in self.resources.requests",
            message="autoscaling follows CPU use in percent of the request: write resources.requests.cpu, such as 500m",
            holds=lambda self: self.autoscaling is None or not self.resources.requests or "cpu" in self.resources.requests,
        ),
        Rule(
            cel="!has(self.autoscaling) || self.replicas > 0",
            message="autoscaling starts from replicas, at least 1: leave replicas out, or remove autoscaling to scale to zero",
            holds=lambda self: self.autoscaling is None or self.replicas > 0,
        ),
    )


class Outcome(ApiModel):
    """How what was asked for ended, last time it ended. Each outcome is an entry in the ledger."""

    result: Annotated[
        Literal["Serving", "ScaledToZero", "Retired", "Stalled"],
        Field(description="It serves, it stopped as asked, it is retired, or it stalled."),
    ]
    reason: Annotated[str, Field(max_length=64, description="The reason of the condition that says so.")] = ""
    generation: Annotated[int, Field(ge=0, description="The generation of the spec that ended so.")]
    number: Annotated[int, Field(ge=1, description="Outcomes of this generation so far.")]


UserName = Annotated[str, Field(max_length=1024)]
RevisionName = Annotated[str, StringConstraints(max_length=67)]
"""`v1:` and 64 hexadecimal digits: docs/revisions.md."""


class Grant(ApiModel):
    """One approval that counts."""

    by: Annotated[UserName, Field(description="Who approved.")]
    role: Annotated[str, Field(max_length=63, description="In which role.")]
    at: Annotated[str, Field(max_length=32, description="When (RFC 3339).", json_schema_extra={"format": "date-time"})]


class Approval(ApiModel):
    """How the approval of what is asked for stands."""

    state: Annotated[
        Literal["Waiting", "Rejected", "Approved"],
        Field(description="`Waiting` for what `message` says, `Rejected` (change the deployment to ask anew), or `Approved`."),
    ]
    policies: Annotated[
        list[Annotated[str, Field(max_length=253)]], Field(max_length=16, description="ApprovalPolicies that have a say, the first 16.")
    ] = []
    required: Annotated[int, Field(ge=0, description="Approvals that are needed.")] = 0
    granted: Annotated[list[Grant], Field(max_length=32, description="Approvals that count, at most 32 of them.")] = []
    requested_by: Annotated[
        list[UserName], Field(max_length=128, description="Everyone who took part in the change since the last approved revision.")
    ] = []
    authors: Annotated[
        list[UserName],
        Field(
            max_length=128,
            description="Whom the annotation `slipway.dev/author` named since then; empty text for a change that named nobody. Claims, "
            "believed where a policy trusts who applied them.",
        ),
    ] = []
    unknown_requester: Annotated[bool, Field(description="Somebody took part whose name nobody knows: two other people must approve.")] = (
        False
    )
    since: Annotated[
        str, Field(max_length=32, description="When the operator first saw the revision.", json_schema_extra={"format": "date-time"})
    ]
    expires_at: (
        Annotated[
            str,
            Field(max_length=32, description="When the first of the approvals ends (RFC 3339).", json_schema_extra={"format": "date-time"}),
        ]
        | None
    ) = None
    message: Annotated[str, Field(max_length=1024, description="What is missing, in one line.")] = ""


class ModelDeploymentStatus(ApiModel):
    """What serves now."""

    observed_generation: Annotated[int, Field(ge=-1, description="The generation this status speaks about; -1 before the first.")] = -1
    phase: Annotated[Phase, Field(description="One word for a person; scripts read conditions.")] = "Pending"
    url: Annotated[
        str,
        Field(max_length=256, description="Where callers inside the cluster find the model (v2 REST on port 80, v2 gRPC on port 9000)."),
    ] = ""
    version: Annotated[str, Field(max_length=32, description="The newest version with a ready pod.")] = ""
    digest: Annotated[str, Field(max_length=71, description="The digest of that version's bytes.")] = ""
    digest_since: Annotated[str, Field(max_length=32, description="Since when it serves these bytes without a break (RFC 3339).")] = ""
    revision: Annotated[
        RevisionName, Field(description="What is asked for, and an approval covers (docs/revisions.md). Empty where nothing governs.")
    ] = ""
    approved_revision: Annotated[RevisionName, Field(description="The approved revision that serves, or is rolled out.")] = ""
    approval: Annotated[Approval | None, Field(description="How the approval of `revision` stands.")] = None
    replicas: Annotated[int, Field(ge=0, description="Pods of any version.")] = 0
    ready_replicas: Annotated[int, Field(ge=0, description="Pods that answer.")] = 0
    updated_replicas: Annotated[int, Field(ge=0, description="Pods of the asked version.")] = 0
    selector: Annotated[str, Field(max_length=256, description="The pods' label selector, for `kubectl scale` and autoscalers.")] = ""
    outcome: Annotated[Outcome | None, Field(description="How it ended last.")] = None
    children_hash: Annotated[
        str, Field(max_length=16, description="Of the children's uids: tells, after any crash, whether a child was put back since.")
    ] = ""
    conditions: Conditions = []


class ModelDeployment(ApiModel):
    """Serve a version of a model: pods, Services, autoscaling; upgrades lose no request."""

    KIND: ClassVar[Kind] = Kind(
        name="ModelDeployment",
        plural="modeldeployments",
        short_name="slmd",
        columns=(
            PrinterColumn("Model", ".spec.model"),
            PrinterColumn("Version", ".spec.version"),
            PrinterColumn("Serving", ".status.version"),
            PrinterColumn("Phase", ".status.phase"),
            PrinterColumn("Ready", ".status.readyReplicas", type="integer"),
            PrinterColumn("Replicas", ".status.replicas", type="integer"),
            PrinterColumn("Approved", '.status.conditions[?(@.type=="Approved")].status', wide=True),
            PrinterColumn("Revision", ".status.revision", wide=True),
            PrinterColumn("Healthy", '.status.conditions[?(@.type=="Healthy")].status', wide=True),
            PrinterColumn("Reason", '.status.conditions[?(@.type=="Ready")].reason'),
            PrinterColumn("Message", '.status.conditions[?(@.type=="Ready")].message', wide=True),
            PrinterColumn("URL", ".status.url", wide=True),
            PrinterColumn("Age", ".metadata.creationTimestamp", type="date"),
        ),
        scale=True,
    )
    rules: ClassVar[tuple[Rule, ...]] = (
        short_name_rule("ModelDeployment", "its Services and pods are named after it and"),
        _FREE_NAME,
    )

    metadata: ObjectMeta
    spec: Annotated[ModelDeploymentSpec, Field(description="Which version to serve, and how.")]
    status: Annotated[ModelDeploymentStatus, Field(description="What serves now.")] = ModelDeploymentStatus()


__all__ = ["Autoscaling", "Capture", "ModelDeployment", "ModelDeploymentSpec", "ModelDeploymentStatus", "ObjectName", "Resources"]
