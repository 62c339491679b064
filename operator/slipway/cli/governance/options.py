"""Options that approve, reject and override share."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated

import typer

_REVISION = re.compile(r"v1:[0-9a-f]{64}")
ROLE = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")


def _revision(value: str | None) -> str | None:
    if value is not None and not _REVISION.fullmatch(value):
        raise typer.BadParameter("is v1: and 64 hexadecimal digits, as `kubectl slipway diff` prints it")
    return value


def _role(value: str) -> str:
    if not ROLE.fullmatch(value):
        raise typer.BadParameter("is a role's name, such as risk: lower case, digits and -")
    return value


Name = Annotated[str, typer.Argument(metavar="NAME", help="A ModelDeployment.")]
As = Annotated[str, typer.Option("--as", metavar="ROLE", help="The role that you speak in, such as risk.", callback=_role)]
Revision = Annotated[
    str | None,
    typer.Option("--revision", metavar="v1:…", help="What you looked at; without it, it is shown, and you are asked.", callback=_revision),
]
Yes = Annotated[bool, typer.Option("-y", "--yes", help="Do not ask: whatever is asked for now.")]
Why = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; kept for ever, and read by whoever asked.")]


@dataclass(frozen=True)
class Word:
    """What somebody wants to say. `role` is None for an override."""

    name: str
    decision: str
    role: str | None
    reason: str
    revision: str | None
    yes: bool
