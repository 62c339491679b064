"""`kubectl slipway trace`: from an answer to the bytes that gave it, where they come from, and who let them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from slipway.cli.audit.options import Key, SecretFile, Store, given, run
from slipway.cli.cluster import Access, Json, connect
from slipway.cli.errors import CliError
from slipway.cli.options import Context, Kubeconfig, Namespace, Output
from slipway.cli.output import as_text, console, text
from slipway.cli.predictions.collector import Given
from slipway.cli.predictions.options import Token, Url
from slipway.cli.records.answer import Answer, looked_up
from slipway.cli.records.answer import lines as answer_lines
from slipway.cli.records.facts import Facts, Path, cluster_facts, path_of, with_entries

if TYPE_CHECKING:
    from slipway.ledger.reader import Stored

NO_ANSWER = Answer()


def trace(
    prediction: Annotated[str, typer.Argument(metavar="PREDICTION-ID", help="The answer's header x-slipway-prediction-id.")],
    deployment: Annotated[str, typer.Option("--deployment", metavar="NAME", help="The ModelDeployment that answered (x-slipway-model).")],
    version: Annotated[
        str | None,
        typer.Option("--version", metavar="VERSION", help="The answer's x-slipway-version; default: the log's, else what serves now."),
    ] = None,
    digest: Annotated[str | None, typer.Option("--digest", metavar="sha256:…", help="The answer's x-slipway-digest, to compare.")] = None,
    store: Store = None,
    secret_file: SecretFile = None,
    key: Key = None,
    token: Token = None,
    collector: Url = None,
    namespace: Namespace = None,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
    output: Output = None,
) -> None:
    """Show an answer: what the model saw and said, the truth; version, bytes, lineage, who asked for it and who agreed, and the proof."""
    access = Access(kubeconfig, context, namespace)
    cluster = connect(access)
    known = cluster_facts(cluster, deployment)
    answer = looked_up(Given(access, token, collector), cluster, deployment, prediction)
    answer.check(version=version, digest=digest)
    chosen = version or answer.said("version") or known.deployment.get("status", {}).get("version", "")
    if not chosen:
        raise CliError(f"no version of {deployment} serves now: give the answer's x-slipway-version with --version")
    options = given(store, secret_file, key, context, kubeconfig)
    facts = run(options, lambda place, verifier: with_entries(place, verifier, known))
    found = traced(prediction, facts, chosen, digest or answer.said("digest") or None, answer)
    if output:
        print(as_text(found, output))
    else:
        _show(found)


def traced(prediction: str, facts: Facts, version: str, digest: str | None, answer: Answer = NO_ANSWER) -> Json:
    """What is known of the answer, as JSON.

    Raises:
        CliError: the bytes that answered are not those of the version.

    """
    way = path_of(facts.entries, version, digest)
    if way.applied is None:  # nothing with these bytes: what the version is, then, to compare
        way = path_of(facts.entries, version)
    registered = _registered(facts, version, way)
    bytes_of = _bytes(registered, way)
    if digest and bytes_of["digest"] and digest != bytes_of["digest"]:
        name = facts.deployment["metadata"]["name"]
        raise CliError(
            f"the answer came from {digest}, and version {version} of {name} is {bytes_of['digest']}: another deployment or version "
            "answered, or the header was altered on its way"
        )
    return {
        "prediction": answer.as_json(prediction),
        "deployment": {key: facts.deployment["metadata"][key] for key in ("namespace", "name", "uid")},
        "model": facts.deployment["spec"]["model"],
        "version": version,
        "artifact": bytes_of,
        "lineage": (registered or {}).get("spec", {}).get("lineage"),
        "requested": _entry(way.requested),
        "started": _entry(way.started),
        "applied": _entry(way.applied),
        "proof": _proof(way, facts.checkpoint),
    }


def _registered(facts: Facts, version: str, way: Path) -> Json | None:
    """The ModelVersion that was applied, not another one that has its name since."""
    found = facts.version(version)
    applied = way.applied.entry.details.get("versionUID") if way.applied else None
    return None if found and applied and found["metadata"].get("uid") != applied else found


def _bytes(registered: Json | None, way: Path) -> dict[str, str]:
    """As the version says; where it is gone, as the ledger does."""
    artifact = (registered or {}).get("spec", {}).get("artifact") or {}
    container = (registered or {}).get("spec", {}).get("container") or {}
    details = way.applied.entry.details if way.applied else {}
    found = {key: str(artifact.get(key) or details.get(key) or "") for key in ("uri", "digest")}
    return found | ({"image": container["image"]} if container else {})


def _entry(stored: Stored | None) -> Json | None:
    return stored.as_json() if stored else None


def _proof(way: Path, checkpoint: str) -> dict[str, Any] | None:
    stored = way.started or way.applied
    if stored is None:
        return None
    name = stored.entry.id
    return {
        "entry": name,
        "index": stored.index,
        "checkpoint": checkpoint or None,
        "command": f"kubectl slipway audit prove '{name}' -o proof.json",
        "offline": "kubectl slipway audit check proof.json --key VKEY",
    }


def _show(found: Json) -> None:
    """For people: a line a fact."""
    page = console()
    artifact, proof = found["artifact"], found["proof"]
    lines = [
        ("Prediction", found["prediction"]["id"]),
        *answer_lines(found["prediction"]),
        ("Answered by", f"version {found['version']} of model {found['model']}, deployment {found['deployment']['name']}"),
        ("Bytes", artifact["digest"] or artifact.get("image") or "not known: the version is gone, and the ledger names none"),
        ("", artifact["uri"]),
        *_lineage(found["lineage"]),
        *_agreed(found),
        ("Proof", f"entry {proof['index']} of the ledger: {proof['command']}" if proof else "the ledger has no entry of it"),
        ("", f"then, offline: {proof['offline']}" if proof else ""),
    ]
    for head, said in lines:
        if said:
            page.print(text(f"{head:12} {said}"), soft_wrap=True)


def _lineage(lineage: Json | None) -> list[tuple[str, str]]:
    if not lineage:
        return [("Lineage", "not known: the version names none, or is not registered any more")]
    data, code = lineage.get("trainingData") or {}, lineage.get("code") or {}
    metrics = ", ".join(f"{name} {value}" for name, value in sorted((lineage.get("metrics") or {}).items()))
    return [
        ("Trained on", " ".join(filter(None, (data.get("uri", ""), data.get("digest", ""))))),
        ("By code", f"{code['repository']} at {code['commit']}{' with changes' if code.get('dirty') else ''}" if code else ""),
        ("At", lineage.get("trainedAt", "")),
        ("Metrics", metrics),
    ]


def _agreed(found: Json) -> list[tuple[str, str]]:
    """Who asked, who agreed, and when it started."""
    started, applied = found["started"], found["applied"]
    lines = []
    if started:
        lines.append(("Asked by", ", ".join(started["details"].get("requestedBy", [])) or "not known"))
        lines.append((started["transition"], f"{started['message']} ({started['time']})"))
        words = started["details"].get("approvals", [])
        lines += [("", f"{word['by']} as {word['role'] or 'override'} at {word['at']}: {word['reason']}") for word in words]
    elif applied:
        lines.append(("Asked by", ", ".join(applied["actors"]) or "not known"))
        lines.append(("Approved", "nobody had to: no ApprovalPolicy governed it"))
    if applied:
        lines.append(("Started", f"{applied['time']} ({applied['reason']})"))
    return lines
