"""Small words of the views."""

from __future__ import annotations

from datetime import datetime

from slipway.cli.cluster import Json

STYLES = {"Serving": "green", "Approved": "green", "Failed": "red", "Rejected": "red", "ScaledToZero": "dim", "Retired": "dim"}


def phase_style(phase: str) -> str:
    """The colour of a ModelDeployment's phase, or of its approval's state."""
    return STYLES.get(phase, "yellow")


def age(created: str | None, now: datetime) -> str:
    """How long ago, as kubectl says it: 42s, 17m, 5h, 3d; `?` when unknown."""
    if not created:
        return "?"
    seconds = max(0, int((now - datetime.fromisoformat(created)).total_seconds()))
    for size, unit in ((86400, "d"), (3600, "h"), (60, "m")):
        if seconds >= 2 * size:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


def wanted_replicas(deployment: Json) -> int:
    """How many pods should serve: as asked, or as the autoscaler has it."""
    asked = int(deployment["spec"].get("replicas", 1))
    return int(deployment.get("status", {}).get("replicas", asked)) if "autoscaling" in deployment["spec"] else asked


def said(grant: Json) -> str:
    """Whose word it is: `bob as risk`."""
    return f"{grant['by']} as {grant['role']}" if grant.get("role") else str(grant["by"])


def asked_by(approval: Json) -> list[str]:
    """Everyone who took part in the change, as far as names are known."""
    return [*approval.get("requestedBy", []), *(["somebody unknown"] if approval.get("unknownRequester") else [])]


def missing(approval: Json) -> str:
    """What is missing, without who asked, where that is shown beside it."""
    return str(approval.get("message", "")).removesuffix(f"; requested by {', '.join(approval.get('requestedBy', []))}")
