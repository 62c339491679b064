"""Why the ledger cannot be written or believed."""

from __future__ import annotations


class LedgerError(Exception):
    """The ledger failed; one line for people."""


class LedgerUnavailable(LedgerError):
    """The store, or an anchor, does not answer: nothing that needs an entry may start. Try again later."""

    def __init__(self, uri: str, cause: str) -> None:
        super().__init__(f"{uri}: {cause}")
        self.uri = uri
        self.cause = cause


class LedgerForked(LedgerError):
    """What is stored is not what was written: altered, truncated, forked or replaced. A person must look; nothing is appended."""
