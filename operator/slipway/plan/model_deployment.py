"""The plan for a ModelDeployment: small named questions in order, then one status."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from slipway.api.conditions import ConditionType, EventReason, Reason
from slipway.api.parse import parse
from slipway.api.v1alpha1 import ModelDeployment, ModelVersion
from slipway.cluster.resources import Manifest
from slipway.errors import Stalled
from slipway.plan.build import build_children
from slipway.plan.children import ChildrenPlan, plan_children
from slipway.plan.contest import contested_message
from slipway.plan.entries import children_entries, children_hash, with_outcome
from slipway.plan.gate.blocked import kept_fields
from slipway.plan.gate.passing import Gate, pass_gate
from slipway.plan.monitor.judge import worst_health
from slipway.plan.names import DIGEST_ANNOTATION, TEMPLATE_HASH_ANNOTATION, VERSION_LABEL, selector, version_name
from slipway.plan.status import ConditionSet, find_condition, rfc3339
from slipway.plan.trouble import (
    awaits_containers,
    deployment_trouble,
    is_observed,
    is_ready,
    is_terminal,
    pods_trouble,
    refusal_trouble,
)
from slipway.plan.types import Child, EntryDraft, EventDraft, Observed, Plan, Trouble
from slipway.settings import Serving

MOUNT_RECHECK_SECONDS = 5.0
"""How soon to look again at a pod whose containers cannot be created: its trouble shows in Events, which are not watched."""


def plan_deployment(manifest: Manifest, observed: Observed, serving: Serving, now: datetime) -> Plan:
    """What to do for one ModelDeployment as it is now."""
    try:
        asked = parse(ModelDeployment, manifest)
        gate = pass_gate(manifest, asked, _resolve_version(asked, observed), observed, serving, now)
        owner = _retired(gate.owner)
        wanted = build_children(owner, gate.version, gate.serving) if gate.opens else []
    except Stalled as error:
        return _blocked(manifest, observed, Trouble(error.reason, error.message), now)
    before = manifest.get("status", {})
    approved = gate.told.fields.get("approvedRevision", "")
    children = plan_children(owner, wanted, observed, before, approved) if gate.opens else ChildrenPlan()
    status, ended = _gated(gate, _status(manifest, owner, observed, now, children, gate), before)
    entries = children_entries(owner, gate.version, wanted, children, observed, before)
    return Plan(
        entries=(*gate.told.entries, *entries),
        ended=(*gate.told.ended, *ended),
        snapshot=gate.snapshot,
        applies=tuple(children.applies),
        deletes=(*children.deletes, *gate.old),
        status=status,
        events=(*gate.told.events, *children.events, *status_events(manifest, status)),
        repairs=frozenset(children.repairs),
        held=tuple(children.held),
        requeue_after=_look_again(gate, observed, now),
        ask=gate.ask,
        answers=gate.answers,
    )


def _look_again(gate: Gate, observed: Observed, now: datetime) -> float | None:
    """When time alone may change the plan."""
    delays = [MOUNT_RECHECK_SECONDS] if any(map(awaits_containers, observed.pods)) else []
    if gate.look_again:
        delays.append(max(1.0, (gate.look_again - now).total_seconds()))
    return min(delays, default=None)


def _retired(owner: ModelDeployment) -> ModelDeployment:
    """A retired deployment has no pods; what stands around them goes with the deployment."""
    if not owner.spec.retire:
        return owner
    return owner.model_copy(update={"spec": owner.spec.model_copy(update={"replicas": 0, "autoscaling": None})})


def _gated(gate: Gate, status: dict[str, Any], before: Manifest) -> tuple[dict[str, Any], tuple[EntryDraft, ...]]:
    """With the gate's fields. While something waits, how what serves meanwhile fares is no outcome of what was asked."""
    status |= gate.told.fields
    if gate.waits:
        return (status | {"outcome": before["outcome"]} if "outcome" in before else status), ()
    return with_outcome(status, before)


def status_events(manifest: Manifest, status: dict[str, Any]) -> tuple[EventDraft, ...]:
    """Events on change only: newly contested, waiting for the ledger, newly stalled (or for another reason), newly serving."""
    before = manifest.get("status", {})
    return (*_contest_events(before, status), *_ledger_events(before, status), *_outcome_events(before, status))


def _contest_events(before: Manifest, status: dict[str, Any]) -> tuple[EventDraft, ...]:
    contested = find_condition(status, ConditionType.CONTESTED)
    if contested is None or find_condition(before, ConditionType.CONTESTED):
        return ()
    return (EventDraft(EventReason.CONTESTED, contested["message"], warning=True),)


def _ledger_events(before: Manifest, status: dict[str, Any]) -> tuple[EventDraft, ...]:
    ready, was_ready = find_condition(status, ConditionType.READY), find_condition(before, ConditionType.READY)
    waits, waited = (condition and condition["reason"] == Reason.LEDGER_UNAVAILABLE for condition in (ready, was_ready))
    return (EventDraft(EventReason.LEDGER_UNAVAILABLE, ready["message"], warning=True),) if ready and waits and not waited else ()


def _outcome_events(before: Manifest, status: dict[str, Any]) -> tuple[EventDraft, ...]:
    stalled = find_condition(status, ConditionType.STALLED)
    was_stalled = find_condition(before, ConditionType.STALLED)
    if stalled and (not was_stalled or was_stalled["reason"] != stalled["reason"]):
        return (EventDraft(EventReason.STALLED, f"{stalled['reason']}: {stalled['message']}", warning=True),)
    ready = find_condition(status, ConditionType.READY)
    was_ready = find_condition(before, ConditionType.READY)
    if ready and ready["reason"] == Reason.SERVING and not (was_ready and was_ready["status"] == "True"):
        return (EventDraft(EventReason.SERVING, ready["message"]),)
    return ()


def _resolve_version(owner: ModelDeployment, observed: Observed) -> ModelVersion:
    """The ModelVersion that the deployment asks for.

    Raises:
        Stalled: the Model or the version is missing, or belongs to another model.

    """
    model, wanted = owner.spec.model, owner.spec.version
    namespace = owner.metadata.namespace
    if observed.model is None:
        raise Stalled(
            Reason.MODEL_MISSING,
            f"Model {model} does not exist in namespace {namespace}: create it (it needs only spec.task), or correct spec.model.",
        )
    name = version_name(model, wanted)
    if observed.version is None:
        raise Stalled(
            Reason.VERSION_MISSING,
            f"ModelVersion {name} does not exist in namespace {namespace}: push it with "
            f"`kubectl slipway push PATH --model {model} --version {wanted}`, "
            "or set spec.version to one that exists. Pods that are running go on serving.",
        )
    version = parse(ModelVersion, observed.version)
    if (version.spec.model, version.spec.version) != (model, wanted):
        raise Stalled(
            Reason.VERSION_MISMATCH,
            f"ModelVersion {name} is version {version.spec.version} of model {version.spec.model}, not version {wanted} of model {model}: "
            f"set spec.model to {version.spec.model} and spec.version to {version.spec.version}, or push a version of {model}.",
        )
    return version


def _status(
    manifest: Manifest, owner: ModelDeployment, observed: Observed, now: datetime, children: ChildrenPlan, gate: Gate
) -> dict[str, Any]:
    """The status of a deployment whose references resolve."""
    deployment = observed.children.get(("Deployment", owner.metadata.name))
    trouble = refusal_trouble(observed.refusal) if observed.refusal else None
    if trouble is None and not children.held:  # else pods are what somebody else made of them
        trouble = _rollout_trouble(owner, deployment, observed)
    conditions = ConditionSet(manifest.get("status", {}), owner.metadata.generation, now)
    rolled_out = not children.applies and not children.held and _rolled_out(deployment)
    asked = (deployment or {}).get("spec", {}).get("replicas", owner.spec.replicas)
    if not gate.opens:
        phase = _closed(conditions, gate)
    elif trouble:
        conditions.trouble(trouble)
        phase = "Failed" if trouble.stalled else "Progressing"
    elif children.held and _contested(observed):
        conditions.reconciling(Reason.CHILD_CONTESTED, contested_message(_contested(observed), owner.metadata.name))
        phase = "Progressing"
    elif rolled_out and owner.spec.retire:
        conditions.ready(Reason.RETIRED, "retired: nothing serves any more, as asked; the deployment may be deleted")
        phase = "Retired"
    elif rolled_out and asked == 0:
        conditions.ready(Reason.SCALED_TO_ZERO, "replicas is 0: nothing serves, as asked")
        phase = "ScaledToZero"
    elif rolled_out:
        conditions.ready(Reason.SERVING, f"version {owner.spec.version} answers with {asked} of {asked} replicas")
        phase = "Serving"
    else:
        conditions.reconciling(Reason.PROGRESSING, _progress(owner, deployment, asked))
        phase = "Progressing"
    if gate.told.condition:
        conditions.set(ConditionType.APPROVED, *gate.told.condition)
    if gate.waits and phase in ("Serving", "ScaledToZero"):
        phase = "AwaitingApproval"
    return _observation(manifest, observed, conditions, phase, now)


def _closed(conditions: ConditionSet, gate: Gate) -> str:
    """Nothing was approved yet, and so nothing is built."""
    _, reason, message = gate.told.condition or (False, Reason.AWAITING_APPROVAL, "")
    conditions.trouble(Trouble(reason, message, stalled=reason is Reason.REJECTED))
    return "Failed" if reason is Reason.REJECTED else "AwaitingApproval"


def _blocked(manifest: Manifest, observed: Observed, trouble: Trouble, now: datetime) -> Plan:
    """References do not resolve: nothing is changed, pods that run go on serving, the status says why."""
    meta = manifest["metadata"]
    conditions = ConditionSet(manifest.get("status", {}), meta["generation"], now)
    conditions.trouble(trouble)
    before = manifest.get("status", {})
    kept = kept_fields(manifest, observed.governance, trouble.message, now)
    status, ended = with_outcome(_observation(manifest, observed, conditions, "Failed", now) | kept, before)
    return Plan(ended=ended, status=status, events=status_events(manifest, status))


def _observation(manifest: Manifest, observed: Observed, conditions: ConditionSet, phase: str, now: datetime) -> dict[str, Any]:
    """What is the same however the roll-out goes: who serves now, how many, where."""
    meta = manifest["metadata"]
    name = meta["name"]
    ready = [pod for pod in observed.pods if is_ready(pod)]
    child = observed.children.get(("Deployment", name))
    replicas = child.get("status", {}) if child else {}
    if ready:
        conditions.set(ConditionType.AVAILABLE, True, Reason.MINIMUM_REPLICAS_AVAILABLE, f"{len(ready)} ready")
    else:
        conditions.set(ConditionType.AVAILABLE, False, Reason.NO_REPLICAS_AVAILABLE, "no pod is ready")
    if contested := _contested(observed):
        conditions.set(ConditionType.CONTESTED, True, Reason.CHILD_CONTESTED, contested_message(contested, name))
    if health := worst_health(observed.monitors):
        conditions.set(ConditionType.HEALTHY, *health)
    newest = max(ready, key=lambda pod: pod["metadata"]["creationTimestamp"], default=None)
    status: dict[str, Any] = {
        "observedGeneration": meta["generation"],
        "phase": phase,
        "url": f"http://{name}.{meta['namespace']}",
        "replicas": replicas.get("replicas", 0),
        "readyReplicas": replicas.get("readyReplicas", 0),
        "updatedReplicas": replicas.get("updatedReplicas", 0),
        "selector": ",".join(f"{key}={value}" for key, value in selector(name).items()),
        "childrenHash": children_hash(observed),
        "conditions": conditions.as_list(),
    }
    if serving := _serving(child, newest):
        status["version"] = serving["labels"].get(VERSION_LABEL, "")
        status |= _digest((serving.get("annotations") or {}).get(DIGEST_ANNOTATION, ""), manifest.get("status", {}), now)
    return status


def _serving(deployment: Manifest | None, newest: Manifest | None) -> Manifest | None:
    """The metadata of what answers: a Deployment that is rolled out tells of all its pods, of which the watch may not have told yet."""
    if deployment and _rolled_out(deployment) and deployment["status"].get("readyReplicas"):
        template: Manifest = deployment["spec"]["template"].get("metadata", {})
        if VERSION_LABEL in template.get("labels", {}):
            return template
    found: Manifest | None = newest and newest["metadata"]
    return found


def _digest(digest: str, before: Manifest, now: datetime) -> dict[str, str]:
    """The bytes that serve, and since when they do without a break."""
    since = before.get("digestSince") if before.get("digest") == digest else None
    return {"digest": digest, "digestSince": since or rfc3339(now)} if digest else {"digest": ""}


def _contested(observed: Observed) -> dict[Child, str]:
    """What is known to be contested, and by whom."""
    return {child: writer for child, writer in observed.contests.items() if writer is not None}


def _rollout_trouble(owner: ModelDeployment, deployment: Manifest | None, observed: Observed) -> Trouble | None:
    """The trouble of the present template's pods, else of the Deployment itself; none once it is rolled out."""
    if _rolled_out(deployment):
        return None
    asked = tuple(pod for pod in observed.pods if _is_asked(pod, owner, deployment))
    living = tuple(pod for pod in asked if not is_terminal(pod))
    trouble = pods_trouble(living, observed.mount_warnings) or deployment_trouble(deployment)
    if trouble or any("deletionTimestamp" not in pod["metadata"] for pod in living):
        return trouble
    return pods_trouble(asked, {})  # all that there were have ended, and nothing says why there is no other


def _is_asked(pod: Manifest, owner: ModelDeployment, deployment: Manifest | None) -> bool:
    """Whether the pod was made from the Deployment's present template, and so tells how the asked configuration fares.

    The version alone does not say: another environment, another operator is another template of the same version.
    """
    meta = pod["metadata"]
    template = ((deployment or {}).get("spec", {}).get("template", {}).get("metadata", {}).get("annotations") or {}).get(
        TEMPLATE_HASH_ANNOTATION
    )
    return bool(
        (meta.get("labels") or {}).get(VERSION_LABEL) == owner.spec.version
        and (meta.get("annotations") or {}).get(TEMPLATE_HASH_ANNOTATION) == template
    )


def _rolled_out(deployment: Manifest | None) -> bool:
    """As `kubectl rollout status` reads it."""
    if deployment is None:
        return False
    status, asked = deployment.get("status", {}), deployment["spec"].get("replicas", 1)
    return bool(
        is_observed(deployment)
        and status.get("updatedReplicas", 0) == asked
        and status.get("replicas", 0) == asked
        and status.get("availableReplicas", 0) == asked
    )


def _progress(owner: ModelDeployment, deployment: Manifest | None, asked: int) -> str:
    status = (deployment or {}).get("status", {})
    total = status.get("replicas", 0)
    updated = status.get("updatedReplicas", 0) if deployment and is_observed(deployment) else 0  # else it counts the template before
    if total > updated:
        return f"version {owner.spec.version}: {updated} of {asked} pods started, {total - updated} old ones still serve"
    ready = min(status.get("readyReplicas", 0), updated)
    return f"version {owner.spec.version}: {ready} of {asked} pods ready"
