"""A ModelApproval: made, and answered by the operator."""

from __future__ import annotations

from typing import Any

from slipway.cli.cluster import SLIPWAY, ApiError, Cluster, Json, path
from slipway.cli.errors import CliError
from slipway.cli.governance.asked import Asked, patiently
from slipway.cli.governance.options import Word
from slipway.cli.output import clean, note
from slipway.cli.stamping import whoami
from slipway.cli.view.problems import conditions

UNFILLED = ("slipway: spec.approver must be you", "slipway: spec.groups must be your groups")
"""How the policy's messages begin where the apiserver does not fill them in: the chart's admission/governance/approvals.yaml."""
PATIENCE = 15.0
"""Seconds for the operator's answer."""


def expect_open(found: Asked, decision: str, revision: str | None) -> None:
    """Raises CliError when a word would change nothing, or is about something else than is asked for now."""
    name = found.deployment["metadata"]["name"]
    if revision and revision != found.revision:
        raise CliError(
            f"{name} asks for {found.revision} now, and you looked at {revision}: it was changed since, or approved. Look again: "
            f"kubectl slipway diff {name} -n {found.deployment['metadata']['namespace']}"
        )
    state = found.approval.get("state")
    if found.is_settled or state == "Approved":
        raise CliError(f"nothing waits: what {name} asks for is approved already ({found.revision})")
    if state == "Rejected" and decision != "Override":
        raise CliError(f"it was {found.approval.get('message', 'rejected')}: no further word changes that")


def give(cluster: Cluster, revision: str, word: Word) -> Json:
    """Creates the ModelApproval; whose it is, the apiserver fills in, or else this does."""
    url = path(SLIPWAY, "modelapprovals", cluster.namespace)
    body = approval(cluster.namespace, revision, word)
    try:
        return cluster.create(url, body)
    except ApiError as error:
        if not any(refusal in str(error) for refusal in UNFILLED):
            raise
    user = whoami(cluster)
    body["spec"] |= {"approver": str(user["username"]), "groups": list(user.get("groups") or [])}
    return cluster.create(url, body)


def approval(namespace: str, revision: str, word: Word) -> Json:
    """What is sent."""
    spec: dict[str, Any] = {"deployment": word.name, "revision": revision, "decision": word.decision}
    spec |= {key: value for key, value in (("as", word.role), ("reason", word.reason)) if value}
    metadata = {"generateName": f"{word.name}-", "namespace": namespace}
    return {"apiVersion": SLIPWAY, "kind": "ModelApproval", "metadata": metadata, "spec": spec}


def await_answer(cluster: Cluster, made: Json) -> Json | None:
    """The approval with the operator's answer; the last one when more is to come that does not come in time."""
    url = path(SLIPWAY, "modelapprovals", cluster.namespace, made["metadata"]["name"])
    last: list[Json] = []

    def look() -> Json | None:
        found = cluster.get(url)
        if found is None:  # the deployment was deleted meanwhile
            return made
        if not _answer(found):
            return None
        last[:] = [found]
        return found if _is_final(found) else None

    return patiently(look, PATIENCE) or (last[0] if last else None)


def _answer(approval: Json) -> Json:
    return conditions(approval).get("Ready", {})


def _is_final(approval: Json) -> bool:
    """Whether nothing follows by itself: with all that is needed there, the operator asks for the approvers' rights again, and starts."""
    answer = _answer(approval)
    return answer["reason"] in ("Consumed", "Void") or "nothing is missing" not in answer.get("message", "")


def tell(approval: Json, *, quiet: bool = False) -> None:
    """Prints what came of it. `quiet`: only what is wrong.

    Raises:
        CliError: it counts for nothing.

    """
    meta, answer = approval["metadata"], _answer(approval)
    if answer.get("reason") == "Void":
        raise CliError(f"ModelApproval {meta['name']} counts for nothing: {answer.get('message', '')}")
    if not answer:
        note(
            f"ModelApproval {meta['name']} was created, and the operator has not answered yet: "
            f"kubectl -n {meta['namespace']} get modelapproval {meta['name']} -o wide"
        )
    elif not quiet:
        print(clean(f"ModelApproval {meta['name']} ({answer['reason']}): {answer.get('message', '')}"))
