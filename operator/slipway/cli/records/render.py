"""A report as a self-contained HTML page, or as Markdown. What people wrote is shown, never interpreted."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape

from slipway.cli.output import clean
from slipway.cli.records import plots
from slipway.cli.records.sections import Section, Table

STYLE = """
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #57606a; --line: #d0d7de; --page: #ffffff; --good: #1a7f37; --bad: #cf222e;
  --asked: #0969da; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --soft: #9198a1; --line: #3d444d; --page: #0d1117; --good: #3fb950;
  --bad: #f85149; --asked: #4493f8; } }
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--page); max-width: 60rem; margin: 0 auto; padding: 1rem; }
h1 { font-size: 1.6rem; margin-bottom: 0; } h2 { font-size: 1.2rem; margin-top: 2rem; border-bottom: 1px solid var(--line); }
.soft, figcaption { color: var(--soft); font-size: .9rem; } figure { margin: 1rem 0; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1rem; } dt { color: var(--soft); }
dd { margin: 0; overflow-wrap: anywhere; }
.wide { overflow-x: auto; } table { border-collapse: collapse; font-size: .9rem; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .3rem .6rem .3rem 0; border-bottom: 1px solid var(--line); }
p, li { overflow-wrap: anywhere; }
td { overflow-wrap: anywhere; min-width: 5rem; } svg { width: 100%; height: auto; font-size: 12px; } svg text { fill: var(--soft); }
svg polyline, svg line { stroke: var(--asked); stroke-width: 2; } svg line { stroke: var(--line); } svg circle { fill: var(--asked); }
svg .good { fill: var(--good); } svg .bad { fill: var(--bad); } svg .plain { fill: var(--soft); }
@media (max-width: 30rem) { dl { grid-template-columns: 1fr; gap: 0; } dd { margin-bottom: .5rem; } }
"""


def as_html(title: str, about: Sequence[str], sections: Sequence[Section]) -> str:
    """One file without any address outside of it."""
    body = "\n".join(map(_html_section, sections))
    lines = "".join(f'<p class="soft">{_html(line)}</p>' for line in about)
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>{_html(title)}</title><style>{STYLE}</style></head>\n<body><h1>{_html(title)}</h1>{lines}\n{body}\n</body></html>\n"
    )


def _html_section(section: Section) -> str:
    parts = [f"<h2>{_html(section.title)}</h2>"]
    if section.pairs:
        parts.append("<dl>" + "".join(f"<dt>{_html(key)}</dt><dd>{_html(value)}</dd>" for key, value in section.pairs) + "</dl>")
    if section.points:
        parts.append("<ul>" + "".join(f"<li>{_html(point)}</li>" for point in section.points) + "</ul>")
    parts += [plots.metric(clean(name), [(clean(version), value) for version, value in points]) for name, points in section.metrics.items()]
    if len(section.moments) > 1:
        parts.append(plots.timeline(section.moments))
    if section.table and section.table.rows:
        parts.append(_html_table(section.table))
    return "\n".join(parts)


def _html_table(table: Table) -> str:
    heads = "".join(f"<th>{_html(head)}</th>" for head in table.heads)
    rows = "".join("<tr>" + "".join(f"<td>{_html(cell)}</td>" for cell in row) + "</tr>" for row in table.rows)
    return f'<div class="wide"><table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>'


def _html(value: str) -> str:
    return escape(clean(value))


def as_markdown(title: str, about: Sequence[str], sections: Sequence[Section]) -> str:
    """The same without plots."""
    lines = [f"# {_markdown(title)}", "", *(f"{_markdown(line)}  " for line in about), ""]
    for section in sections:
        lines += [f"## {_markdown(section.title)}", ""]
        lines += [f"- **{_markdown(key)}**: {_markdown(value)}" for key, value in section.pairs]
        lines += [f"- {_markdown(point)}" for point in section.points]
        lines += [""] if section.pairs or section.points else []
        if section.table and section.table.rows:
            lines += _markdown_table(section.table)
    return "\n".join(lines).rstrip() + "\n"


def _markdown_table(table: Table) -> list[str]:
    rows = ["| " + " | ".join(map(_markdown, row)) + " |" for row in (table.heads, *table.rows)]
    return [rows[0], "|" + "---|" * len(table.heads), *rows[1:], ""]


def _markdown(value: str) -> str:
    """Nothing that Markdown, or HTML in it, would act on; nor what looks like an address, which some renderers make a link."""
    escaped = "".join(f"\\{character}" if character in "\\`*_{}[]()<>#+!|~$&" else character for character in clean(value))
    return re.sub(r":(?=//)|(?<=www)\.", r"\\\g<0>", escaped, flags=re.IGNORECASE)
