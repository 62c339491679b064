"""Nothing from the cluster is interpreted by the terminal or by Rich."""

from __future__ import annotations

import io
import json

import pytest
import yaml
from rich.table import Table

from slipway.cli.options import Format
from slipway.cli.output import as_text, clean, console, text

EVIL = "a\x1b[31mred\x1b]0;title\x07 [bold red]b[/] :smile:\n\x9b2J\u202ec\x00"


def test_clean() -> None:
    assert clean(EVIL) == "a[31mred]0;title [bold red]b[/] :smile: 2Jc"
    assert clean("  indented: größe\t✓  ") == "  indented: größe ✓"


def test_tables_show_markup_as_it_is() -> None:
    stream = io.StringIO()
    table = Table(box=None, show_header=False)
    table.add_column()
    table.add_row(text(EVIL))
    console(stream).print(table)
    assert stream.getvalue().strip() == clean(EVIL)


@pytest.mark.parametrize("output", list(Format))
def test_data_is_ascii_and_comes_back_equal(output: Format) -> None:
    shown = as_text({"message": EVIL}, output)
    assert shown.isascii()
    assert not {"\x1b", "\x07", "\x00"} & set(shown)
    assert (json.loads if output is Format.JSON else yaml.safe_load)(shown) == {"message": EVIL}
