"""What the commands print: data to stdout, notes to stderr, and nothing from the cluster is ever interpreted."""

from __future__ import annotations

import json
import sys
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from slipway.cli.options import Format

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

PIPE_WIDTH = 10_000
"""Columns when output is not a terminal: a log or `grep` wants whole lines."""


def clean(value: object) -> str:
    """`value` as one line without control, bidirectional or other invisible characters."""
    spaced = "".join(" " if character.isspace() else character for character in str(value))
    return "".join(character for character in spaced if not unicodedata.category(character).startswith("C")).rstrip()


def text(value: object, style: str = "") -> Text:
    """`value`, cleaned, for a table or a tree: markup in it stays what it is."""
    from rich.text import Text

    return Text(clean(value), style=style)


def console(stream: IO[str] | None = None) -> Console:
    """A console on `stream` (stdout if left out)."""
    from rich.console import Console

    target = stream or sys.stdout
    width = None if target.isatty() else PIPE_WIDTH
    return Console(file=target, width=width, markup=False, highlight=False, emoji=False)


def note(message: str) -> None:
    """Tell the person at the terminal something beside the data."""
    print(clean(message), file=sys.stderr)


def as_text(data: Any, output: Format) -> str:
    """`data` as JSON or YAML; only ASCII, so that no terminal acts on it."""
    if output is Format.JSON:
        return json.dumps(data, indent=2)
    import yaml

    return yaml.safe_dump(data, sort_keys=False, width=120).rstrip("\n")


def write(to: Path | None, content: str) -> None:
    """Into the file, or to stdout, as it is. Raises CliError: it cannot be written."""
    from slipway.cli.errors import CliError

    if to is None:
        print(content, end="")
        return
    try:
        to.write_bytes(content.encode())
    except OSError as error:
        raise CliError(f"cannot write {to}: {error.strerror}") from error


def manifests(objects: Sequence[dict[str, Any]]) -> str:
    """Objects as YAML that `kubectl apply` takes."""
    return "\n---\n".join(as_text(item, Format.YAML) for item in objects)
