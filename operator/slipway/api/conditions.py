"""Every condition and reason of Slipway, as documented constants. `docs/conditions.md` is generated from this file."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from slipway.api.types import ApiModel, unique_by


class ConditionType(StrEnum):
    """The conditions, readable by kstatus, `kubectl wait`, Flux and Argo CD."""

    READY = "Ready"
    """True: the object does what its spec asks, for this generation. Always present."""
    RECONCILING = "Reconciling"
    """True while work is under way. Absent otherwise (abnormal-true)."""
    STALLED = "Stalled"
    """True when a person must act; the message says what to do. Absent otherwise (abnormal-true)."""
    AVAILABLE = "Available"
    """True while callers get answers, from whichever version. A failed upgrade leaves it True. ModelDeployment only."""
    APPROVED = "Approved"
    """True: what is asked for is approved, or needs no approval. False while it waits, or was rejected; what was approved before serves
    on. Absent where no ApprovalPolicy governs. ModelDeployment only."""
    CONTESTED = "Contested"
    """True while somebody else changes a child (or the status) back again and again, and repairs are therefore rare; the message says who.
    Absent otherwise (abnormal-true). ModelDeployment only."""
    HEALTHY = "Healthy"
    """True: the last run found nothing. False: it found what its thresholds call Warning or Critical. Unknown: nobody knows, for lack of
    data or because runs fail. Of a ModelMonitor; of a ModelDeployment it is that of its worst monitor, absent without one."""


class Reason(StrEnum):
    """Why a condition is what it is. Each has its advice in `kubectl slipway status`."""

    # Ready, Available
    SERVING = "Serving"
    """The asked version answers with all its replicas."""
    REGISTERED = "Registered"
    """A Model or ModelVersion is recorded and usable."""
    MINIMUM_REPLICAS_AVAILABLE = "MinimumReplicasAvailable"
    """At least one pod is ready."""
    NO_REPLICAS_AVAILABLE = "NoReplicasAvailable"
    """No pod is ready: callers get no answer."""
    SCALED_TO_ZERO = "ScaledToZero"
    """`replicas: 0`: nothing serves, as asked."""
    RETIRED = "Retired"
    """`retire: true`: nothing serves any more, as asked; the deployment may be deleted."""
    # Reconciling
    PROGRESSING = "Progressing"
    """Pods of the asked version are starting, or old ones are leaving."""
    LEDGER_UNAVAILABLE = "LedgerUnavailable"
    """The audit ledger cannot be written, so nothing that it must tell of starts. What serves goes on serving."""
    # Approved, Reconciling
    APPROVED = "Approved"
    """Every ApprovalPolicy that matches holds."""
    AWAITING_APPROVAL = "AwaitingApproval"
    """The revision waits for what the message names; what was approved before serves on."""
    OVERRIDDEN = "Overridden"
    """Somebody with the verb `override` started it, whatever the policies say."""
    TAKEN_OVER = "TakenOver"
    """It ran before a policy governed it, and runs on; the next change needs approval."""
    # Ready of a ModelApproval
    PENDING = "Pending"
    """The approval waits for its revision to be asked for, or for others."""
    COUNTED = "Counted"
    """The approval counts; others are still needed."""
    CONSUMED = "Consumed"
    """The revision was started on it. It counts for nothing else."""
    VOID = "Void"
    """The approval counts for nothing; the message says why."""
    # Contested, Reconciling
    CHILD_CONTESTED = "ChildContested"
    """Somebody else changes or deletes a child again and again; it is put back ever more rarely."""
    # Ready of a ModelMonitor
    SCHEDULED = "Scheduled"
    """The monitor's CronJob is as asked."""
    SUSPENDED = "Suspended"
    """`suspend: true`: no runs by schedule, as asked; the last verdict stays."""
    # Healthy
    ALL_CHECKS_HEALTHY = "AllChecksHealthy"
    """True: no check of the last run is beyond its threshold."""
    CHECK_WARNING = "CheckWarning"
    """False: the worst check of the last run is a Warning."""
    CHECK_CRITICAL = "CheckCritical"
    """False: the worst check of the last run is Critical."""
    NO_DATA = "NoData"
    """Unknown: too few rows, or too few whose truth is known, for any verdict."""
    CHECK_FAILED = "CheckFailed"
    """Unknown: a check of the last run could not be made; the message says why."""
    RUNS_FAILED = "RunsFailed"
    """Unknown: the last run, by schedule or on demand, ended without a result."""
    RUNS_OVERDUE = "RunsOverdue"
    """Unknown: there was no run for twice the longest pause of the schedule and half an hour."""
    NOT_RUN_YET = "NotRunYet"
    """Unknown: the monitor's first run is still to come."""
    # Stalled: the monitor
    DEPLOYMENT_MISSING = "DeploymentMissing"
    """No ModelDeployment of that name in the namespace. No run starts until there is."""
    MONITORING_UNAVAILABLE = "MonitoringUnavailable"
    """The platform has no prediction log, or monitoring is switched off."""
    # Stalled: the platform
    LEDGER_FORKED = "LedgerForked"
    """The audit ledger does not hold what was written to it: nothing that it must tell of starts until a person has looked."""
    POLICIES_NOT_IN_EFFECT = "PoliciesNotInEffect"
    """The admission policies that make approvals worth something do not hold, so nothing starts where a policy governs."""
    # Stalled: the gate
    REJECTED = "Rejected"
    """Somebody rejected the revision; the message says who and why. Change the deployment to ask anew."""
    # Stalled: references
    INVALID_SPEC = "InvalidSpec"
    """The stored object does not fit the present schema (written under an older CRD)."""
    MODEL_MISSING = "ModelMissing"
    """No Model of that name in the namespace."""
    VERSION_MISSING = "VersionMissing"
    """No ModelVersion MODEL-VERSION in the namespace. Pods that serve it go on serving."""
    VERSION_MISMATCH = "VersionMismatch"
    """A ModelVersion of that name exists, but belongs to another model."""
    RUNTIME_NOT_FOUND = "RuntimeNotFound"
    """No model server image is configured for the version's format."""
    NAME_CONFLICT = "NameConflict"
    """An object with a child's name exists and is not Slipway's."""
    # Stalled: the prediction log
    CAPTURE_UNSUPPORTED = "CaptureUnsupported"
    """`capture` is set, and the version brings its own server, which hands over no predictions."""
    CAPTURE_UNAVAILABLE = "CaptureUnavailable"
    """`capture` is set, and the platform has no prediction log."""
    CAPTURE_FAILED = "CaptureFailed"
    """The container that sends the prediction log does not run. It is not the model's failure."""
    # Stalled: the pods' trouble
    SECRET_MISSING = "SecretMissing"
    """The Secret (or another object) that a pod mounts does not exist."""
    DIGEST_MISMATCH = "DigestMismatch"
    """The fetched bytes are not those of the ModelVersion. Nothing was loaded."""
    ARTIFACT_NOT_FOUND = "ArtifactNotFound"
    """Nothing is stored under the artifact's URI."""
    ARTIFACT_ACCESS_DENIED = "ArtifactAccessDenied"
    """The store refused the credentials."""
    ARTIFACT_INVALID = "ArtifactInvalid"
    """The artifact holds what Slipway refuses: symbolic links, odd names."""
    SIGNATURE_MISSING = "SignatureMissing"
    """A policy asks for signed bytes, and there is no signature beside them. Nothing was loaded."""
    SIGNATURE_INVALID = "SignatureInvalid"
    """The signature is not by one of the policy's keys, or not of these bytes. Nothing was loaded."""
    FETCH_FAILED = "FetchFailed"
    """The artifact could not be fetched (network, truncated, server errors); retried."""
    LOAD_FAILED = "LoadFailed"
    """The model could not be loaded; the message is the error's last line."""
    IMAGE_PULL_FAILED = "ImagePullFailed"
    """The node cannot pull a container image."""
    CONTAINER_CONFIG_INVALID = "ContainerConfigInvalid"
    """The node cannot create the container from its specification."""
    CRASH_LOOP = "CrashLoop"
    """A container ends again and again."""
    UNSCHEDULABLE = "Unschedulable"
    """No node has room for the pod, or none fits its selectors."""
    QUOTA_EXCEEDED = "QuotaExceeded"
    """A ResourceQuota or LimitRange refuses the pod."""
    ADMISSION_REFUSED = "AdmissionRefused"
    """An admission policy, webhook or Pod Security refuses an object, or the webhook that should judge it does not answer."""
    PROGRESS_DEADLINE_EXCEEDED = "ProgressDeadlineExceeded"
    """The roll-out made no progress for ten minutes."""
    API_REFUSED = "ApiRefused"
    """The apiserver refused a child for another reason; the message is its own."""


class EventReason(StrEnum):
    """Reasons of the Kubernetes Events on our objects."""

    DEPLOYED = "Deployed"
    """Normal: another version or configuration is being rolled out."""
    SERVING = "Serving"
    """Normal: the asked version answers."""
    CHILD_REPAIRED = "ChildRepaired"
    """Warning: a child was changed or deleted by somebody else and was put back."""
    STALLED = "Stalled"
    """Warning: a person must act; the message is the condition's."""
    LEDGER_UNAVAILABLE = "LedgerUnavailable"
    """Warning: the audit ledger cannot be written, so nothing that it must tell of starts. What serves goes on serving."""
    AWAITING_APPROVAL = "AwaitingApproval"
    """Normal: a revision waits for approval."""
    APPROVED = "Approved"
    """Normal: a revision was approved and starts."""
    REJECTED = "Rejected"
    """Warning: a revision was rejected."""
    OVERRIDDEN = "Overridden"
    """Warning: a revision starts without the approvals it needs, by somebody with the verb `override`."""
    POLICIES_NOT_IN_EFFECT = "PoliciesNotInEffect"
    """Warning: the admission policies do not hold, so nothing starts where a policy governs."""
    CONTESTED = "Contested"
    """Warning: somebody else changes a child or the status back again and again; the message says who, and what to do."""
    MONITOR_HEALTHY = "MonitorHealthy"
    """Normal: a monitor's verdict has become Healthy."""
    MONITOR_WARNING = "MonitorWarning"
    """Warning: a monitor's verdict has become Warning."""
    MONITOR_CRITICAL = "MonitorCritical"
    """Warning: a monitor's verdict has become Critical."""
    MONITOR_NO_DATA = "MonitorNoData"
    """Normal: a monitor has too few rows for a verdict."""
    MONITOR_ERROR = "MonitorError"
    """Warning: a monitor's runs fail or are overdue, or a check could not be made."""
    RUN_STARTED = "RunStarted"
    """Normal: a run of the monitor was started because somebody asked for it."""


class Transition(StrEnum):
    """What entries of the ledger tell of. Each is durable before what it tells of happens (docs/ledger.md)."""

    REGISTERED = "Registered"
    """A Model or ModelVersion was accepted, or a ModelMonitor."""
    CHANGED = "Changed"
    """A Model's or ModelMonitor's spec was changed; the details have it."""
    APPLIED = "Applied"
    """What a ModelDeployment asks for is brought about; the reason says as what: `RolloutStarted`, `Scaled` or `Configured`."""
    REQUESTED = "Requested"
    """A revision of a ModelDeployment waits for approval."""
    APPROVED = "Approved"
    """A revision has the approvals it needs, and starts. The details name each."""
    REJECTED = "Rejected"
    """A revision was rejected."""
    OVERRIDDEN = "Overridden"
    """A revision starts without the approvals it needs; the details say by whom and why."""
    TAKEN_OVER = "TakenOver"
    """A ModelDeployment ran before a policy governed it, and runs on."""
    POLICIES_LOST = "PoliciesLost"
    """The admission policies were found without effect, or changed: approvals that were given before count for nothing."""
    RETIRED = "Retired"
    """It serves no more, for good, as asked."""
    REPAIRED = "Repaired"
    """A child that somebody changed or deleted is put back."""
    SERVING = "Serving"
    """The asked version answers with all its replicas."""
    SCALED_TO_ZERO = "ScaledToZero"
    """Nothing serves, as asked."""
    STALLED = "Stalled"
    """What was asked for does not come about until a person acts; the reason says why."""
    JUDGED = "Judged"
    """A ModelMonitor's verdict is another one; the details name the run and its worst check."""
    DELETED = "Deleted"
    """The object is gone. By whom is not known to Slipway: the apiserver's audit log tells."""


class Condition(ApiModel):
    """One observation of the object's state."""

    type: Annotated[
        str, Field(min_length=1, max_length=64, description="Ready, Reconciling, Stalled, Available, Approved, Contested or Healthy.")
    ]
    status: Annotated[Literal["True", "False", "Unknown"], Field(description="True, False or Unknown.")]
    reason: Annotated[str, Field(min_length=1, max_length=64, description="One word for why; documented in docs/conditions.md.")]
    message: Annotated[str, Field(max_length=1024, description="One readable line.")]
    observed_generation: Annotated[int, Field(ge=-1, description="The generation of the spec this speaks about.")]
    last_transition_time: Annotated[
        str, Field(max_length=32, description="When status last changed (RFC 3339).", json_schema_extra={"format": "date-time"})
    ]


Conditions = Annotated[list[Condition], *unique_by("type"), Field(max_length=8, description="The object's state, one entry a type.")]
