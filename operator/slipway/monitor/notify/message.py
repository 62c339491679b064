"""What an owner reads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from slipway.api.v1alpha1.model_monitor import WORST_FIRST, CheckStatus
from slipway.monitor.notify.due import Due
from slipway.monitor.result import Result

SHOWN = 10
"""Checks in a text."""


def subject(result: Result, one: Due) -> str:
    """One line."""
    about = result.monitored
    return f"{one.verdict}: {about.namespace}/{about.deployment} (monitor {about.name})"


def lines(result: Result, one: Due) -> list[str]:
    """The text, without its subject."""
    run, about = result.run, result.monitored
    checks = ordered(one.checks)
    found = [f"Model {about.model}, version {run.version or about.version}, {run.rows:,} rows from {run.window_from} to {run.window_to}."]
    found += [f"- {check.verdict}: {named(check)}: {check.message}" for check in checks[:SHOWN]]
    if len(checks) > SHOWN:
        found.append(f"- and {len(checks) - SHOWN} more")
    if run.report:  # by a command: who is told can hardly open the platform's bucket
        found.append(f"Report: kubectl slipway monitor report {about.name} -n {about.namespace} --run {run.id} --to report.html")
    return found


def named(check: CheckStatus) -> str:
    """`Drift psi of age`."""
    parts = [check.check, check.measure, *(f"of {part}" for part in (check.column, check.segment) if part)]
    return " ".join(parts)


def ordered(checks: Sequence[CheckStatus]) -> list[CheckStatus]:
    """The worst first."""
    return sorted(checks, key=lambda check: WORST_FIRST.index(check.verdict))


def slack(result: Result, one: Due) -> dict[str, Any]:
    """As Slack's incoming webhooks, and what imitates them, take it."""
    return {"text": "\n".join([f"*{_escaped(subject(result, one))}*", *(_escaped(line) for line in lines(result, one))])}


def webhook(result: Result, one: Due) -> dict[str, Any]:
    """For programs: docs/monitors/notifiers.md."""
    run, about = result.run, result.monitored
    return {
        "source": "slipway",
        "verdict": one.verdict,
        "text": subject(result, one),
        **{name: getattr(about, name) for name in ("namespace", "deployment", "model", "team", "importance")},
        "monitor": about.name,
        "version": run.version or about.version,
        "run": run.id,
        "at": run.finished_at,
        "window": {"from": run.window_from, "to": run.window_to, "rows": run.rows},
        "checks": [check.model_dump(mode="json", by_alias=True, exclude_none=True) for check in ordered(one.checks)[:50]],
        "report": run.report,
    }


def _escaped(line: str) -> str:
    """Slack reads `<…>` as links and mentions."""
    return line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
