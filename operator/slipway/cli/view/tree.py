"""A ModelDeployment as a tree, from what was asked for down to the pods, and what to do where something is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from rich.console import Group, RenderableType
from rich.text import Text
from rich.tree import Tree

from slipway.cli.cluster import Json
from slipway.cli.monitoring.listing import STYLES, row
from slipway.cli.output import text
from slipway.cli.view.problems import conditions, is_ready, problems, restarts, troubles
from slipway.cli.view.snapshot import Snapshot, owners
from slipway.cli.view.words import age, asked_by, missing, phase_style, said, wanted_replicas

WAITS = ("Progressing", "AwaitingApproval")
"""Reasons that pass by themselves, or by somebody's word."""
GOOD, BAD, QUIET = "green", "red", "dim"


def line(*parts: tuple[object, str] | object) -> Text:
    """Parts, each with or without a style, two spaces apart; empty ones are left out."""
    styled = [part if isinstance(part, tuple) else (part, "") for part in parts]
    return Text("  ").join(text(value, style) for value, style in styled if str(value))


def render(snapshot: Snapshot, now: datetime) -> RenderableType:
    """The whole answer of `kubectl slipway status NAME`."""
    tree = Tree(_title(snapshot.deployment))
    tree.add(_model(snapshot))
    _version(tree, snapshot)
    for deployment in snapshot.of("deployments"):
        _deployment(tree, snapshot, deployment, now)
    for pod in _strays(snapshot):
        _pod(tree, pod, now)
    for service in snapshot.of("services"):
        tree.add(_service(service))
    for autoscaler in snapshot.of("horizontalpodautoscalers"):
        tree.add(_autoscaler(autoscaler))
    for monitor in snapshot.monitors:
        tree.add(_monitor(monitor, now))
    if snapshot.hidden:
        tree.add(line((f"not shown, you may not list: {', '.join(snapshot.hidden)}", QUIET)))
    _approval(tree, snapshot.deployment)
    _conditions(tree, snapshot.deployment)
    return Group(tree, *_verdict(snapshot))


def _title(deployment: Json) -> Text:
    spec, status = deployment["spec"], deployment.get("status", {})
    phase = status.get("phase", "Pending")
    counts = f"{status.get('readyReplicas', 0)}/{wanted_replicas(deployment)} ready"
    asked, serves = spec["version"], status.get("version", "")
    version = f"version {asked}" + (f" (serves {serves})" if serves and serves != asked else "")
    name = f"ModelDeployment {deployment['metadata']['name']}"
    return line((name, "bold"), version, (phase, phase_style(phase)), counts, (status.get("url", ""), QUIET))


def _model(snapshot: Snapshot) -> Text:
    name = f"Model {snapshot.deployment['spec']['model']}"
    if snapshot.model is None:
        return line(name, ("missing", BAD))
    spec = snapshot.model["spec"]
    team = spec.get("owner", {}).get("team", "")
    return line(name, spec.get("task", ""), f"team {team}" if team else "", (spec.get("description", ""), QUIET))


def _version(tree: Tree, snapshot: Snapshot) -> None:
    spec = snapshot.deployment["spec"]
    name = f"ModelVersion {spec['model']}-{spec['version']}"
    if snapshot.version is None:
        tree.add(line(name, ("missing", BAD)))
        return
    version = snapshot.version["spec"]
    branch = tree.add(line(name, f"{version['format']['name']} {version['format'].get('version', '')}"))
    artifact, lineage = version.get("artifact", {}), version.get("lineage", {})
    code = lineage.get("code", {})
    dirty = "with uncommitted changes" if code.get("dirty") else ""
    facts = (
        line("digest", artifact.get("digest", "")),
        line("uri", artifact.get("uri", "")),
        line("image", version.get("container", {}).get("image", "")),
        line("code", code.get("repository", ""), code.get("commit", "")[:12], dirty),
        line("trained", lineage.get("trainedAt", "")),
        line("metrics", " ".join(f"{key}={value}" for key, value in lineage.get("metrics", {}).items())),
    )
    for fact in facts:
        if "  " in fact.plain:
            branch.add(fact)


def _deployment(tree: Tree, snapshot: Snapshot, deployment: Json, now: datetime) -> None:
    status = deployment.get("status", {})
    counts = _counts(status.get("readyReplicas", 0), deployment["spec"].get("replicas", 1))
    branch = tree.add(line(f"Deployment {deployment['metadata']['name']}", counts))
    sets = snapshot.of("replicasets", deployment)
    for index, replicas in enumerate(sets):
        if index and not replicas.get("status", {}).get("replicas") and not replicas["spec"].get("replicas"):
            continue
        wanted, have = replicas["spec"].get("replicas", 0), replicas.get("status", {}).get("readyReplicas", 0)
        version = replicas["metadata"].get("labels", {}).get("slipway.dev/version", "")
        made = f"age {age(replicas['metadata'].get('creationTimestamp'), now)}"
        name = f"ReplicaSet {replicas['metadata']['name']}"
        node = branch.add(line(name, f"version {version}" if version else "", _counts(have, wanted), (made, QUIET)))
        for pod in snapshot.of("pods", replicas):
            _pod(node, pod, now)


def _counts(ready: int, wanted: int) -> tuple[str, str]:
    return f"{ready}/{wanted} ready", GOOD if ready >= wanted else BAD


def _pod(tree: Tree, pod: Json, now: datetime) -> None:
    metadata = pod["metadata"]
    state = ("ready", GOOD) if is_ready(pod) else ("ending", QUIET) if "deletionTimestamp" in metadata else ("not ready", BAD)
    again = restarts(pod)
    node = pod["spec"].get("nodeName", "")
    branch = tree.add(
        line(
            f"Pod {metadata['name']}",
            state,
            (f"restarts {again}", "yellow" if again else QUIET),
            (f"node {node}" if node else "", QUIET),
            (f"age {age(metadata.get('creationTimestamp'), now)}", QUIET),
        )
    )
    for trouble in troubles(pod):
        branch.add(Text(": ").join((text(trouble.where), text(trouble.reason, BAD), text(trouble.message))))


def _strays(snapshot: Snapshot) -> list[Json]:
    """Pods of this deployment whose ReplicaSet is not to be seen."""
    sets = {replicas["metadata"].get("uid") for replicas in snapshot.of("replicasets")}
    return [pod for pod in snapshot.of("pods") if not owners(pod) & sets]


def _service(service: Json) -> Text:
    spec = service["spec"]
    ports = ", ".join(f"{port['port']} → {port.get('targetPort', port['port'])}" for port in spec.get("ports", []))
    kind = "headless" if spec.get("clusterIP") == "None" else spec.get("type", "ClusterIP")
    return line(f"Service {service['metadata']['name']}", kind, (ports, QUIET))


def _autoscaler(autoscaler: Json) -> Text:
    spec, status = autoscaler["spec"], autoscaler.get("status", {})
    bounds = f"{spec.get('minReplicas', 1)} to {spec['maxReplicas']} pods"
    wanted = f"now {status.get('currentReplicas', 0)}, wants {status.get('desiredReplicas', 0)}"
    active = conditions(autoscaler).get("ScalingActive", {})
    trouble = active.get("message", "") if active.get("status") == "False" else ""
    return line(f"HorizontalPodAutoscaler {autoscaler['metadata']['name']}", bounds, wanted, (trouble, BAD))


def _monitor(monitor: Json, now: datetime) -> Text:
    found = row(monitor)
    verdict = found["verdict"] or "not run yet"
    ran = f"ran {age(found['lastRun'], now)} ago" if found["lastRun"] else ""
    said = "" if verdict == "Healthy" else found["message"]
    return line(f"ModelMonitor {found['name']}", (verdict, STYLES.get(verdict, QUIET)), (ran, QUIET), said)


def _approval(tree: Tree, deployment: Json) -> None:
    """How the gate stands, where policies govern."""
    approval = deployment.get("status", {}).get("approval")
    if not approval:
        return
    state = approval.get("state", "")
    branch = tree.add(line("approval", (state, phase_style(state))))
    facts = (
        line("revision", deployment["status"].get("revision", "")),
        line("missing", missing(approval) if state == "Waiting" else ""),
        line("granted", ", ".join(dict.fromkeys(map(said, approval.get("granted", []))))),
        line("requested by", ", ".join(asked_by(approval))),
        line("policies", ", ".join(approval.get("policies", []))),
        line("expires", approval.get("expiresAt", "")),
    )
    for fact in facts:
        if "  " in fact.plain:
            branch.add(fact)


def _conditions(tree: Tree, deployment: Json) -> None:
    branch = tree.add(line("conditions"))
    for kind, condition in sorted(conditions(deployment).items()):
        good = (condition["status"] == "True") == (kind in ("Ready", "Available", "Approved", "Healthy"))
        branch.add(
            line(
                f"{kind}={condition['status']}",
                (condition.get("reason", ""), GOOD if good else BAD),
                condition.get("message", ""),
            )
        )
    if not branch.children:
        branch.add(line(("none yet", QUIET)))


def _verdict(snapshot: Snapshot) -> Iterator[Text]:
    found = problems(snapshot.deployment, snapshot.of("pods"))
    yield Text("")
    if not found:
        yield text("Nothing is wrong.", GOOD)
        return
    waiting = all(problem.reason in WAITS for problem in found)
    yield text("What it waits for" if waiting else "What is wrong, and what to do", "bold")
    for problem in found:
        yield Text("  ") + text(problem.reason, "yellow" if waiting else BAD) + text(f": {problem.message}")
        yield Text("  → ") + text(problem.advice)
