"""Whether the approvals that a deployment's policies ask for can be given at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slipway.cli.errors import CliError
from slipway.cli.governance.rbac.check import checked_in

if TYPE_CHECKING:
    from slipway.cli.cluster import Cluster
    from slipway.cli.records.facts import Facts

NOBODY = ("RoleWithoutHolder", "TooFewPeople")
"""Codes of findings of `rbac check`."""


def doubts(cluster: Cluster, facts: Facts) -> tuple[str, ...]:
    """In sentences; none where nothing governs."""
    if not facts.deployment.get("status", {}).get("approval"):
        return ()
    try:
        found = checked_in(cluster, cluster.namespace).findings
    except CliError as error:
        return (f"Whether anybody may give the approvals that are needed is not known here: {error}",)
    return tuple(f"The next change cannot be approved: {finding.message}." for finding in found if finding.code in NOBODY)
