"""The one error that the commands print as a sentence instead of a traceback."""

from __future__ import annotations


class ClusterError(RuntimeError):
    """The cluster cannot be brought up, or used as asked; the message says what to do."""
