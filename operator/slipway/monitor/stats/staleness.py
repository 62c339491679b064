"""Checks how old the model is."""

from __future__ import annotations

from datetime import datetime, timedelta

from slipway.api.v1alpha1.model_monitor import CheckStatus, Staleness


def staleness_check(spec: Staleness, trained: datetime | None, created: datetime | None, now: datetime) -> CheckStatus:
    """By when the version was trained, or else created; all with a time zone."""
    since = trained or created
    if since is None:
        return CheckStatus(
            check="Staleness",
            measure="ageDays",
            threshold=float(spec.max_age_days),
            verdict="NoData",
            message="it is not known when the version was trained or created",
        )
    age = max(0.0, (now - since) / timedelta(days=1))
    return CheckStatus(
        check="Staleness",
        measure="ageDays",
        value=age,
        threshold=float(spec.max_age_days),
        verdict="Warning" if age > spec.max_age_days else "Healthy",
        message=f"{'trained' if trained else 'created'} {age:.1f} days ago",
    )
