"""The one error of the plugin."""

from __future__ import annotations


class CliError(Exception):
    """Something the user can act on. The message is one line that says what to do; YAML to apply may follow it."""
