"""The check for people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from slipway.cli.governance.rbac.findings import WARNING, Finding
from slipway.cli.governance.rbac.rights import Right
from slipway.cli.output import text

WHOLE_CLUSTER = "-"


def render(rights: Sequence[Right], findings: Sequence[Finding]) -> RenderableType:
    """Who may what, then what to look at."""
    return Group(*_parts(rights, findings))


def _parts(rights: Sequence[Right], findings: Sequence[Finding]) -> Iterator[RenderableType]:
    table = _table("NAMESPACE", "MAY", "WHO", "THROUGH")
    for right in rights:
        table.add_row(*map(text, (right.namespace or WHOLE_CLUSTER, right.words, right.subject, ", ".join(right.through))))
    yield table
    yield Text("")
    if not findings:
        yield text("Nothing to warn of.", "green")
        return
    table = _table("LEVEL", "NAMESPACE", "WHAT", "WHY")
    for finding in findings:
        style = "yellow" if finding.level == WARNING else "dim"
        table.add_row(text(finding.level, style), *map(text, (finding.namespace or WHOLE_CLUSTER, finding.code, finding.message)))
    yield table


def _table(*heads: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for head in heads:
        table.add_column(head, overflow="fold", no_wrap=head in ("MAY", "LEVEL"))
    return table
