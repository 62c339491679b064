"""What a caller is told instead of an answer."""

from __future__ import annotations


class Refused(Exception):
    """The HTTP status and one line for the caller; with `retry_after` (seconds) when the same may succeed later."""

    def __init__(self, status: int, message: str, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.retry_after = retry_after


def malformed(message: str) -> Refused:
    """It will never be taken as it is."""
    return Refused(400, message)


def unavailable(message: str) -> Refused:
    """Nothing is known to have been stored: send the same again."""
    return Refused(503, message, retry_after=2)
