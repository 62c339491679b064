"""Every alert says what it is, has a page, and asks for metrics that exist."""

from __future__ import annotations

import re

import pytest

from tests.rules import ROOT, Rule, alerts, rules
from tests.unit.docs.pages import prose

RUNBOOKS = ROOT / "docs/runbooks"
TABLE = re.findall(r"^\| \[(\w+)\]\(runbooks/(\w+)\.md\) \|[^|]*\| ([^|]*) \|$", (ROOT / "docs/alerts.md").read_text(), re.MULTILINE)
SEVERITIES = {"critical", "warning", "info"}
FROM_MODEL = '{{ or $labels.severity "warning" }}'
"""By the model's importance; where nobody knows it, a warning."""
SUFFIX = re.compile(r"_(bucket|count|sum)$")


def documented() -> set[str]:
    """The names in the tables of metrics."""
    cells = [
        cell
        for page in ("docs/metrics.md", "docs/prediction-log.md")
        for cell in re.findall(r"^\| (`\w+`(?:, `\w+`)*) \|", (ROOT / page).read_text(), re.MULTILINE)
    ]
    return {name for cell in cells for name in re.findall(r"`(\w+)`", cell)}


@pytest.mark.parametrize("rule", alerts(), ids=lambda rule: rule.alert)
def test_it_says_what_it_is(rule: Rule) -> None:
    assert rule.labels.keys() == {"severity"}
    assert rule.labels["severity"] in SEVERITIES | {FROM_MODEL}
    assert rule.annotations.keys() == {"summary", "description", "runbook_url"}
    assert all(len(text) > 15 for text in rule.annotations.values())


@pytest.mark.parametrize("rule", alerts(), ids=lambda rule: rule.alert)
def test_it_has_a_runbook(rule: Rule) -> None:
    assert rule.annotations["runbook_url"] == f"docs/runbooks/{rule.alert}.md"
    page = (RUNBOOKS / f"{rule.alert}.md").read_text()
    assert page.startswith(f"# {rule.alert}\n")
    assert re.findall(r"^## (.+)$", page, re.MULTILINE) == ["Look", "Do"]
    assert len(prose(page).split()) > 40


def test_no_runbook_is_left_over() -> None:
    assert {page.stem for page in RUNBOOKS.glob("*.md")} == {rule.alert for rule in alerts()}


def test_the_page_lists_all_of_them_with_their_severity() -> None:
    assert [name for name, page, _ in TABLE if name == page] == [rule.alert for rule in alerts()]
    for (_, _, severity), rule in zip(TABLE, alerts(), strict=True):
        assert (severity in SEVERITIES) == (rule.labels["severity"] != FROM_MODEL)
        assert severity == rule.labels["severity"] or severity.startswith("importance"), rule.alert
        assert ("by day" in severity) == ("severity_by_day" in rule.expr), rule.alert


def test_they_ask_for_metrics_that_exist() -> None:
    known = documented() | {rule.record for rule in rules()}
    for rule in rules():
        assert rule.metrics
        for name in rule.metrics:
            assert name in known or SUFFIX.sub("", name) in known, f"{rule.alert or rule.record} asks for {name}"
