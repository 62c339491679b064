"""Results for tests of what is made of them."""

from __future__ import annotations

from typing import Any

from slipway.api.v1alpha1.model_monitor import CheckKind, CheckStatus, Run, Verdict
from slipway.monitor.result import BaselineUsed, Monitored, Result, overall


def check(verdict: Verdict, kind: CheckKind = "Drift", **more: Any) -> CheckStatus:
    usual: dict[str, Any] = {"measure": "psi", "column": "age", "message": "psi 0.31 ≥ 0.2", "value": 0.31}
    usual |= more
    return CheckStatus(**usual, check=kind, verdict=verdict)


def result(*checks: CheckStatus, notified: str = "", **more: Any) -> Result:
    """A result of these checks."""
    run = Run(
        id="daily-29402",
        finished_at="2026-11-29T10:00:07Z",
        window_from="2026-11-28T10:00:00Z",
        window_to="2026-11-29T10:00:00Z",
        version="3",
        rows=12_345,
        verdict=overall(checks),
        report="s3://log/growth/churn/monitors/daily/daily-29402/report.html",
        notified=notified,
    )
    about = Monitored(namespace="growth", name="daily", deployment="churn", model="churn", version="3", team="growth", importance="High")
    usual: dict[str, Any] = {"monitored": about, "run": run, "baseline": BaselineUsed(kind="Version"), "checks": list(checks)}
    return Result(**(usual | more))
