"""The report in a real browser: on a phone and a desk, in light and in dark."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from slipway.monitor.report.page import page
from tests.integration.monitor.browser import Tab, browser
from tests.unit.monitor.samples import full

CONTRAST = """(() => {
  const channel = v => { v /= 255; return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; };
  const light = c => 0.2126 * channel(c[0]) + 0.7152 * channel(c[1]) + 0.0722 * channel(c[2]);
  const parse = s => s.match(/[\\d.]+/g).map(Number);
  const behind = e => {
    for (; e; e = e.parentElement) {
      const c = parse(getComputedStyle(e).backgroundColor);
      if (c.length < 4 || c[3] > 0) return c;
    }
    return [255, 255, 255];
  };
  const bad = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node; node = walker.nextNode();) {
    const e = node.parentElement;
    if (!node.data.trim() || e.closest('title, style')) continue;
    const style = getComputedStyle(e), paper = behind(e), ink = parse(e.closest('svg') ? style.fill : style.color);
    const [a, b] = [light(ink), light(paper)].sort((x, y) => y - x);
    if ((a + 0.05) / (b + 0.05) < 4.5) bad.push([e.tagName, node.data.trim().slice(0, 30), a, b]);
  }
  return bad;
})()"""
"""Every text whose contrast is below WCAG's 4.5."""
OVERLAPS = """[...document.querySelectorAll('body *')]
  .filter(e => !e.closest('.scroll') && !e.closest('svg') && e.getBoundingClientRect().right > innerWidth + 1)
  .map(e => e.outerHTML.slice(0, 80))"""
BROKEN = """[...document.querySelectorAll('td.n, thead th')].filter(e => {
  const range = document.createRange();
  range.selectNodeContents(e);
  return e.textContent.trim() && range.getBoundingClientRect().height > 45;
}).map(e => e.textContent)"""
"""Numbers and headings in more than one line."""
DRAWN = """[...document.querySelectorAll('svg')]
  .map(e => e.getBoundingClientRect()).filter(r => r.width > 200 && r.height > 60).length"""


@pytest.fixture
async def tab(tmp_path: Path) -> AsyncIterator[Tab]:
    async with browser(tmp_path) as tab:
        yield tab


@pytest.fixture
def written(tmp_path: Path) -> Path:
    path = tmp_path / "report.html"
    path.write_text(page(full()))
    return path


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [360, 901, 1280])
async def test_it_is_readable(tab: Tab, written: Path, width: int, dark: bool) -> None:
    await tab.open(written, width, dark)
    assert await tab.evaluate("innerWidth") == width
    assert await tab.evaluate("document.documentElement.scrollWidth") <= width
    assert await tab.evaluate(OVERLAPS) == []
    assert await tab.evaluate(CONTRAST) == []
    assert await tab.evaluate(BROKEN) == []
    background = await tab.evaluate("getComputedStyle(document.body).backgroundColor")
    assert background == ("rgb(20, 23, 26)" if dark else "rgb(255, 255, 255)")


async def test_it_asks_nobody_and_runs_nothing(tab: Tab, written: Path) -> None:
    await tab.open(written, 1280, dark=False)
    assert tab.requests == [written.as_uri()]
    assert tab.dialogs == 0
    assert await tab.evaluate("document.querySelectorAll('script, img, link, iframe, [src], [href], [onerror]').length") == 0


async def test_everything_is_drawn(tab: Tab, written: Path) -> None:
    await tab.open(written, 360, dark=True)
    titles = await tab.evaluate("[...document.querySelectorAll('h2')].map(e => e.textContent)")
    assert titles == ["Checks", "Over time", "Columns", "Performance", "Estimated performance", "Segments", "Truth", "How to read this"]
    assert await tab.evaluate(DRAWN) == 12 + 50 + 2
    small = "[...document.querySelectorAll('svg text')].filter(e => e.getBoundingClientRect().height < 9).length"
    assert await tab.evaluate(small) == 0
