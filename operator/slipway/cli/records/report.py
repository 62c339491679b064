"""`kubectl slipway report`: what a deployment is, who answers for it, and what happened, as one file to keep."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, replace
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from slipway.cli.audit.options import Key, SecretFile, Store, given, run
from slipway.cli.cluster import Access, connect
from slipway.cli.options import Context, Kubeconfig, Namespace
from slipway.cli.output import note, write
from slipway.cli.records.facts import cluster_facts, with_entries
from slipway.cli.records.holders import doubts
from slipway.cli.records.render import as_html, as_markdown
from slipway.cli.records.sections import Section, sections


class Page(StrEnum):
    """As what a report is written."""

    HTML = "html"
    MARKDOWN = "markdown"
    JSON = "json"


def report(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The ModelDeployment.")],
    page: Annotated[Page, typer.Option("-o", "--output", help="How to write it.")] = Page.HTML,
    to: Annotated[Path | None, typer.Option("--to", metavar="FILE", help="Default: stdout.")] = None,
    store: Store = None,
    secret_file: SecretFile = None,
    key: Key = None,
    namespace: Namespace = None,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
) -> None:
    """Write a deployment report: purpose, owner, what serves, risks, approvals, versions, history."""
    cluster = connect(Access(kubeconfig, context, namespace))
    known = cluster_facts(cluster, name)
    known = replace(known, doubts=doubts(cluster, known))
    options = given(store, secret_file, key, context, kubeconfig)
    facts = run(options, lambda place, verifier: with_entries(place, verifier, known))
    meta = facts.deployment["metadata"]
    told = sections(facts)
    written = rendered(page, f"{meta['name']} in {meta['namespace']}", told, datetime.now(UTC))
    write(to, written)
    if to is None:
        return
    note(f"The facts: {_checksum(_facts(told))}")
    note(f"{to}: {_checksum(written)}")


def rendered(page: Page, title: str, found: list[Section], now: datetime) -> str:
    """The file's content. The same facts have the same checksum, whenever and as whatever they are written."""
    facts = _facts(found)
    checksum = _checksum(facts)
    about = (f"Written {now:%Y-%m-%dT%H:%M:%SZ} by kubectl slipway report", f"Facts {checksum}")
    if page is Page.JSON:
        return json.dumps({"title": title, "facts": checksum, "sections": json.loads(facts)}, indent=2) + "\n"
    return (as_html if page is Page.HTML else as_markdown)(title, about, found)


def _facts(found: list[Section]) -> str:
    return json.dumps([asdict(section) for section in found], sort_keys=True, separators=(",", ":"))


def _checksum(text: str) -> str:
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"
