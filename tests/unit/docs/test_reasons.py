"""docs/debugging.md explains every reason, and no other."""

from __future__ import annotations

import re

from slipway.api.conditions import Reason
from tests.unit.docs.pages import ROOT


def test_every_reason_is_explained() -> None:
    section = (ROOT / "docs/debugging.md").read_text().partition("## By reason")[2].partition("\n## ")[0]
    first_cells = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
    assert sorted(name for cell in first_cells for name in re.findall(r"`(\w+)`", cell)) == sorted(map(str, Reason))
