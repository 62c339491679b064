"""What a store answers when it does not answer with the object. Each error names the object's URI and the cause."""

from __future__ import annotations


class StoreError(Exception):
    """A call on the object at `uri` did not succeed; `cause` says why, in one line."""

    def __init__(self, uri: str, cause: str) -> None:
        super().__init__(f"{uri}: {cause}")
        self.uri = uri
        self.cause = cause


class AlreadyThere(StoreError):
    """A conditional put found an object: somebody was first, or an earlier try of one's own landed."""


class Missing(StoreError):
    """No such object."""


class StoreUnavailable(StoreError):
    """No answer in time, or a refusal. What a put did is not known: it may have landed, and it may still land."""
