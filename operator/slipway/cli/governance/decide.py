"""`kubectl slipway approve`, `reject` and `override`: one's word on a revision."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import typer

from slipway.cli.governance.options import As, Name, Revision, Why, Word, Yes
from slipway.cli.options import Context, Format, Kubeconfig, Namespace, Output
from slipway.cli.output import as_text, clean, console, note

if TYPE_CHECKING:
    from slipway.cli.cluster import Cluster
    from slipway.cli.governance.asked import Asked

REASON = 1024
"""Characters of a reason, at most."""


def approve(
    name: Name,
    role: As,
    revision: Revision = None,
    reason: Why = "",
    yes: Yes = False,
    namespace: Namespace = None,
    output: Output = None,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
) -> None:
    """Approve what a deployment asks for, after a look at what would change."""
    _say(Word(name, "Approve", role, reason, revision, yes), namespace, output, context, kubeconfig)


def reject(
    name: Name,
    role: As,
    reason: Why,
    revision: Revision = None,
    yes: Yes = False,
    namespace: Namespace = None,
    output: Output = None,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
) -> None:
    """Reject what a deployment asks for: it does not start, whoever approves it. What serves goes on serving."""
    _say(Word(name, "Reject", role, reason, revision, yes), namespace, output, context, kubeconfig)


def override(
    name: Name,
    reason: Why,
    revision: Revision = None,
    yes: Yes = False,
    namespace: Namespace = None,
    output: Output = None,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
) -> None:
    """Start what a deployment asks for now, whatever the policies say. For emergencies: it is recorded, and raises an alert."""
    _say(Word(name, "Override", None, reason, revision, yes), namespace, output, context, kubeconfig)


def _say(word: Word, namespace: str | None, output: Format | None, context: str | None, kubeconfig: str | None) -> None:
    if len(word.reason) > REASON:
        raise typer.BadParameter(f"--reason has {len(word.reason)} characters: at most {REASON}")
    if word.decision != "Approve" and not word.reason.strip():
        raise typer.BadParameter("--reason is empty: write why; it is kept for ever, and whoever asked reads it")
    if not word.revision and not word.yes and not sys.stdin.isatty():
        raise typer.BadParameter(
            "there is no terminal to ask at: name what you looked at with --revision v1:… (kubectl slipway diff prints it), or take "
            "whatever is asked for now with --yes"
        )

    from slipway.cli.cluster import Access, connect

    _give(word, connect(Access(kubeconfig, context, namespace)), output)


def _give(word: Word, cluster: Cluster, output: Format | None) -> None:
    from slipway.cli.governance import asked, giving

    found = asked.read(cluster, word.name)
    giving.expect_open(found, word.decision, word.revision)
    if not word.revision:
        _look(word, found)
    made = giving.give(cluster, found.revision, word)
    answered = giving.await_answer(cluster, made) or made
    if output:
        answered["metadata"].pop("managedFields", None)
        print(as_text(answered, output))
    giving.tell(answered, quiet=output is not None)


def _look(word: Word, found: Asked) -> None:
    """Shows what would change; asks, unless told not to."""
    from slipway.cli.governance import compare

    console(sys.stderr).print(compare.render(found, command=False))
    if word.yes:
        return
    speaking = f" as {word.role}" if word.role else ""
    question = f"\n{word.decision} {found.revision} of {clean(word.name)}{speaking}?"
    if not typer.confirm(question, err=True):
        note("Nothing was done.")
        raise typer.Exit(1)
