"""Errors that say what happens next. Whatever is none of these is a bug: logged, counted, retried with back-off."""

from __future__ import annotations

from slipway.api.conditions import Reason


class Stalled(Exception):
    """The user must act: the condition `Stalled` says what to do. Reconciled again when something changes."""

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


class NotLeader(Exception):
    """The apiserver's fence refused a write: another replica leads, or it has not heard yet that this one does. Retried."""
