"""What somebody should know before they trust a deployment."""

from __future__ import annotations

from collections.abc import Iterator

from slipway.cli.records.facts import Facts


def risks(facts: Facts) -> list[str]:
    """Each in a sentence; the order is that of weight."""
    return [*_troubles(facts), *_governance(facts), *_evidence(facts), *_demands(facts), *_operation(facts)]


def _troubles(facts: Facts) -> Iterator[str]:
    for condition in facts.deployment.get("status", {}).get("conditions", []):
        if condition["type"] in ("Stalled", "Contested") and condition["status"] == "True":
            yield f"{condition['reason']}: {condition['message']}"
        elif condition["reason"] == "PoliciesNotInEffect":
            yield f"The admission policies are not in effect, so approvals could be forged: {condition['message']}"


def _governance(facts: Facts) -> Iterator[str]:
    status = facts.deployment.get("status", {})
    approval = status.get("approval") or {}
    if not approval:
        yield "No ApprovalPolicy governs it: whoever may edit it changes what serves."
    newest = facts.snapshots[0]["data"]["approved"] if facts.snapshots else {}
    if newest.get("how") == "Overridden":
        yield "What serves was started by an override, without the approvals it needs."
    if newest.get("how") == "TakenOver":
        yield "What serves ran before a policy governed it: nobody has approved it."
    if approval.get("unknownRequester"):
        yield "Somebody whose name nobody knows took part in the change that waits."
    yield from facts.doubts
    if approval.get("state") == "Rejected":
        yield f"The change that is asked for was rejected: {approval.get('message', '')}"


def _evidence(facts: Facts) -> Iterator[str]:
    serving = facts.version(facts.deployment.get("status", {}).get("version", ""))
    if serving is None:
        yield "No version serves, or it is not registered any more: its lineage is not known here."
        return
    spec, digest = serving["spec"], facts.deployment["status"].get("digest")
    if digest and (spec.get("artifact") or {}).get("digest", digest) != digest:
        yield f"Version {spec['version']} was registered again with other bytes than serve: the lineage of what serves is not known here."
        return
    lineage = spec.get("lineage") or {}
    missing = [what for what, key in (("training data", "trainingData"), ("code", "code"), ("metrics", "metrics")) if not lineage.get(key)]
    if missing:
        yield f"Version {serving['spec']['version']} does not say its {', '.join(missing)}."
    if (lineage.get("code") or {}).get("dirty"):
        yield f"Version {serving['spec']['version']} was trained by code with changes that no commit has."


def _demands(facts: Facts) -> Iterator[str]:
    """What the policies ask of the bytes."""
    if facts.policies is None:
        yield "You may not read ApprovalPolicies: whether one asks for signed bytes, or a soak elsewhere, is not known."
        return
    requires = [policy["spec"].get("require") or {} for policy in facts.policies]
    if not any(require.get("signedBy") for require in requires):
        yield "No policy asks for signed bytes: whoever may write the store and register a version decides what serves."
    if requires and not any(require.get("soak") for require in requires):
        yield "No policy asks that a version has served elsewhere first."


def _operation(facts: Facts) -> Iterator[str]:
    status = facts.deployment.get("status", {})
    if status.get("readyReplicas", 0) == 1:
        yield "One replica serves: a node that fails takes the answers with it until another pod is ready."
    if not facts.entries:
        yield "The ledger has nothing of it: its history cannot be proved."
