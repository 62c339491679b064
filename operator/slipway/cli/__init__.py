"""The kubectl plugin `kubectl slipway`. Light on purpose: each command imports what it needs."""

from __future__ import annotations

import os
import sys

DEBUG = "SLIPWAY_DEBUG"
"""Set to 1, errors show their traceback."""


def main() -> None:
    """Run the plugin: exit code 0, 1 for an error (one line on stderr) or 2 for wrong usage."""
    from slipway.cli.app import app
    from slipway.cli.errors import CliError
    from slipway.cli.output import clean

    try:
        app(prog_name="kubectl slipway")
    except Exception as error:
        if os.environ.get(DEBUG) == "1":
            raise
        if isinstance(error, CliError):
            lines = [clean(line) for line in str(error).splitlines()]
        else:
            bug = f"(a bug: run again with {DEBUG}=1 and report what it shows)"
            lines = [clean(f"{type(error).__name__}: {error} {bug}")]
        print("error:", "\n".join(lines), file=sys.stderr)
        sys.exit(1)
