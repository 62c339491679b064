"""Who asked for what an object's spec says now, as far as the object tells."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from slipway.api.requested_by import ANNOTATION, Stamp, parse_stamp
from slipway.cluster.resources import Manifest

UNNAMED = "%unnamed"
"""Stands in `actors` for whoever left no name; the apiserver's usernames may look like it, `unseen` and `known` tell for certain."""

_COMMITS = ("slipway.dev/commit", "kustomize.toolkit.fluxcd.io/revision", "configmanagement.gke.io/token")
_COMMIT = re.compile(r"[\x21-\x7e]{1,256}")
_ARGO = "argocd.argoproj.io/tracking-id"
_LONGEST_TOOL = 512
"""Characters. A claim must not make an entry so large that its proved details give way."""
_FLUX = ("kustomize.toolkit.fluxcd.io", "helm.toolkit.fluxcd.io")


@dataclass(frozen=True)
class Requesters:
    """Who changed the spec since the operator had last caught up with it; for a generation it has seen, who asked for that one."""

    names: tuple[str, ...] = ()
    """User names, in the order of their changes."""
    unseen: bool = False
    """Somebody changed the spec and left no name: through `/scale`, or before there were stamps."""
    known: bool = True
    """False when there is no stamp, or none that the policies wrote: they are off, or the object is older than they."""
    commit: str | None = None
    """What a GitOps tool or pipeline says it applied. A claim: whoever may edit the object may write it."""
    tool: str | None = None
    """The GitOps tool's own object, such as `argocd shop` or `flux apps/shop`. A claim like `commit`."""

    @property
    def actors(self) -> tuple[str, ...]:
        """The names, and `UNNAMED` for those who left none: what a ledger entry records."""
        return self.names if self.known and not self.unseen else (*self.names, UNNAMED)


def requesters(manifest: Manifest) -> Requesters:
    """Reads an object of any kind that carries a stamp, as the apiserver returns it. Raises nothing, whatever is in the annotations."""
    metadata = manifest.get("metadata") or {}
    annotations = _strings(metadata.get("annotations"))
    stamp = parse_stamp(annotations.get(ANNOTATION, ""))
    status = manifest.get("status") or {}
    names, unseen = _since(stamp, metadata.get("generation"), status.get("observedGeneration"))
    tool = _tool(annotations, _strings(metadata.get("labels")))
    return Requesters(names, unseen, known=stamp is not None, commit=_commit(annotations), tool=tool)


def _since(stamp: Stamp | None, generation: Any, observed: Any) -> tuple[tuple[str, ...], bool]:
    if stamp is None:
        return (), False
    if generation == stamp.generation:
        return stamp.by, stamp.unseen
    # The spec changed again without a name. Those who have one asked for something that was dealt with, if the operator saw it.
    dealt_with = isinstance(observed, int) and observed >= stamp.generation
    return (() if dealt_with else stamp.by), True


def _commit(annotations: Mapping[str, str]) -> str | None:
    found = (annotations[key] for key in _COMMITS if _COMMIT.fullmatch(annotations.get(key, "")))
    return next(found, None)


def _tool(annotations: Mapping[str, str], labels: Mapping[str, str]) -> str | None:
    if application := annotations.get(_ARGO, "").partition(":")[0]:
        return f"argocd {application}"[:_LONGEST_TOOL]
    for group in _FLUX:
        if name := labels.get(f"{group}/name"):
            return f"flux {labels.get(f'{group}/namespace', '')}/{name}"
    return None


def _strings(found: Any) -> dict[str, str]:
    return {key: value for key, value in found.items() if isinstance(value, str)} if isinstance(found, dict) else {}
