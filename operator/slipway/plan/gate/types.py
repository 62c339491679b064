"""What the judge is told, and what it says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from slipway.api.v1alpha1 import ApprovalPolicy


@dataclass(frozen=True)
class Asked:
    """The revision that waits."""

    revision: str
    digest: str
    """Of the artifact; empty when there is none."""
    since: datetime
    """When the operator first saw the revision."""
    requesters: tuple[str, ...]
    """Users who had a hand in it, sorted."""
    unknown: bool
    """Somebody without a name had, too."""
    importance: frozenset[str | None]
    """Of the Model, now and at the last approved revision."""
    authors: tuple[str, ...] = ()
    """Whom the annotation slipway.dev/author named since the last approved revision; "" when a change named nobody."""


@dataclass(frozen=True)
class Word:
    """One ModelApproval."""

    name: str
    uid: str
    revision: str
    role: str | None
    decision: str
    approver: str
    groups: tuple[str, ...]
    reason: str
    created: datetime


@dataclass(frozen=True)
class Elsewhere:
    """Another deployment, and the bytes that it serves."""

    stage: str
    digest: str
    since: datetime


@dataclass(frozen=True)
class Facts:
    """What else the verdict hangs on."""

    stage: str
    policies: tuple[ApprovalPolicy, ...]
    """All of the cluster."""
    words: tuple[Word, ...] = ()
    elsewhere: tuple[Elsewhere, ...] = ()
    valid_from: datetime | None = None
    """Words from before count for nothing: the admission policies did not hold."""
    may: Mapping[str, bool] = field(default_factory=dict)
    """By a word's uid: whether its author still has the right to it. Absent: not asked yet."""


@dataclass(frozen=True)
class Verdict:
    """How a revision stands."""

    state: Literal["Approved", "Overridden", "Waiting", "Rejected", "Unasked"]
    """Unasked: it would open, but whether the authors of `ask` still have their rights must be asked first."""
    policies: tuple[str, ...]
    required: int
    granted: tuple[Word, ...]
    void: Mapping[str, str]
    """By a word's uid: why it counts for nothing, in one line for its author."""
    ask: tuple[Word, ...]
    message: str
    """What is missing, in one line."""
    expires_at: datetime | None
    look_again: datetime | None
    """When time alone changes the verdict."""
