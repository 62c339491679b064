"""Checks whether the features' values are usable."""

from __future__ import annotations

from collections.abc import Mapping

from slipway.api.v1alpha1.model_monitor import CheckStatus, DataQuality
from slipway.monitor.stats.tally import Numbers, Tally, Texts
from slipway.monitor.stats.window import WindowProfile

Limit = tuple[str, float]
"""What is measured, and the share above which it is critical."""


def quality_checks(window: WindowProfile, spec: DataQuality, columns: Mapping[str, str]) -> list[CheckStatus]:
    """Checks for each of `columns` (of the table, with the names that users know) of what the spec limits and its kind has."""
    limits = {"missing": spec.max_missing, "outOfRange": spec.max_out_of_range, "unseenCategories": spec.max_unseen_categories}
    wanted: list[Limit] = [(measure, limit) for measure, limit in limits.items() if limit is not None]
    return [
        check
        for name, shown in columns.items()
        for limit in wanted
        if _applies(limit[0], window.columns.get(name))
        for check in [_check(window, name, shown, limit, spec.min_rows)]
    ]


def _applies(measure: str, tally: Tally | None) -> bool:
    if measure == "outOfRange":
        return isinstance(tally, Numbers)
    return measure == "missing" or isinstance(tally, Texts)


def _check(window: WindowProfile, name: str, shown: str, limit: Limit, min_rows: int) -> CheckStatus:
    measure, most = limit
    if name in window.errors:
        return CheckStatus(check="DataQuality", measure=measure, column=shown, verdict="Error", message=window.errors[name])
    bad, of = counted(measure, window.columns.get(name), window.rows)
    if window.rows < min_rows or of == 0:
        why = f"{window.rows} rows, {min_rows} are needed" if window.rows < min_rows else "it has no values"
        return CheckStatus(check="DataQuality", measure=measure, column=shown, rows=of, verdict="NoData", threshold=most, message=why)
    if bad is None:
        why = "its baseline has more than 1,000 categories and its schema names none: any may be new"
        return CheckStatus(check="DataQuality", measure=measure, column=shown, rows=of, verdict="NoData", threshold=most, message=why)
    return CheckStatus(
        check="DataQuality",
        measure=measure,
        column=shown,
        value=bad / of,
        threshold=most,
        rows=of,
        verdict="Critical" if bad / of > most else "Healthy",
        message=f"{bad:,} of {of:,} values of {shown}"[:512],
    )


def counted(measure: str, tally: Tally | None, rows: int) -> tuple[int | None, int]:
    """How many values are bad, and of how many: of all rows for missing ones, else of values that are there. None: not known."""
    if tally is None:
        return rows, rows
    if measure == "missing":
        return tally.missing, tally.rows
    if isinstance(tally, Numbers):
        return tally.outside, tally.rows - tally.missing
    return (None if tally.allowed is None else tally.unseen), tally.present
