"""Reports: whole, checksummed, and nothing in them acts."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest

from slipway.cli.records.render import as_markdown
from slipway.cli.records.report import Page, rendered
from slipway.cli.records.risks import risks
from slipway.cli.records.sections import sections
from tests.unit.cli.records.samples import facts

NOW = datetime(2026, 11, 25, 9, tzinfo=UTC)


def written(page: Page) -> str:
    return rendered(page, "churn in growth", sections(facts()), NOW)


class Tags(HTMLParser):
    """Every tag and attribute that a browser would see."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += [(name, value or "") for name, value in attrs]


def test_the_page_is_all_of_it_and_runs_nothing() -> None:
    page = written(Page.HTML)
    seen = Tags()
    seen.feed(page)

    assert not seen.tags & {"script", "img", "link", "iframe", "a", "object", "form"}
    assert not [name for name, _ in seen.attributes if name.startswith("on") or name in ("src", "href")]
    assert "http://" not in page
    assert "https://" not in page
    assert page.count("<svg") == 2, "metrics by version, and the history in time"
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "prefers-color-scheme: dark" in page
    assert "width=device-width" in page


@pytest.mark.parametrize("page", list(Page))
def test_no_terminal_acts_on_it(page: Page) -> None:
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f\u202e]", written(page))


def test_markdown_shows_what_people_wrote_and_nothing_else() -> None:
    page = written(Page.MARKDOWN)
    assert r"\<script\>alert\(1\)\</script\> \| =cmd\(\) \[x\]\(javascript:y\)" in page
    tables = [line for line in page.splitlines() if line.startswith("|")]
    assert all(len(re.findall(r"(?<!\\)\|", line)) in (4, 5, 6, 7) for line in tables), "a cell's | ends no cell"


def test_addresses_in_markdown_are_no_links() -> None:
    page = as_markdown("https://evil.example", ["WWW.evil.example"], [])
    assert r"https\://evil.example" in page
    assert r"WWW\.evil.example" in page


def test_the_same_facts_have_the_same_checksum() -> None:
    later = rendered(Page.MARKDOWN, "churn in growth", sections(facts()), datetime(2027, 1, 1, tzinfo=UTC))
    sums = {re.findall(r"sha256:[0-9a-f]{64}", page.split("##")[0])[0] for page in (written(Page.MARKDOWN), later)}
    other = sections(facts(phase="Failed"))
    assert sums == {json.loads(written(Page.JSON))["facts"]}
    assert json.loads(rendered(Page.JSON, "churn in growth", other, NOW))["facts"] not in sums


def test_what_somebody_should_know() -> None:
    found = " ".join(risks(facts()))
    assert "does not say its training data" in found
    assert "changes that no commit has" in found
    assert "No policy asks for signed bytes" in found
    assert "One replica serves" in found


def test_other_bytes_under_the_same_version() -> None:
    found = " ".join(risks(facts(digest="sha256:" + "0" * 64)))
    assert "registered again with other bytes than serve" in found
    assert "training data" not in found, "that is the other one's"


def test_approvals_that_could_be_forged() -> None:
    lost = {"type": "Approved", "status": "False", "reason": "PoliciesNotInEffect", "message": "nothing starts: a binding is gone"}
    assert "approvals could be forged: nothing starts: a binding is gone" in " ".join(risks(facts(conditions=[lost])))


def test_nobody_who_could_approve() -> None:
    assert "nobody may give it here" in risks(replace(facts(), doubts=("policy p asks for risk, and nobody may give it here",)))[0]


def test_a_number_too_large_for_a_plot_stays_in_the_table() -> None:
    whole = facts()
    whole.versions[0]["spec"]["lineage"]["metrics"]["auc"] = "1e999"
    page = rendered(Page.JSON, "churn", sections(whole), NOW)
    assert "Infinity" not in page
    assert "auc 1e999" in page


def test_policies_that_nobody_may_read_are_not_called_missing() -> None:
    found = " ".join(risks(replace(facts(), policies=None)))
    assert "You may not read ApprovalPolicies" in found
    assert "No policy asks" not in found


def test_how_it_came_to_serve() -> None:
    whole = facts()
    said = {"Overridden": "started by an override", "TakenOver": "nobody has approved it"}
    for how in ("Overridden", "TakenOver", "Approved"):
        whole.snapshots[0]["data"]["approved"]["how"] = how
        found = " ".join(risks(whole))
        assert [text for text in said.values() if text in found] == ([said[how]] if how in said else [])


def test_without_a_policy_version_or_history() -> None:
    bare = replace(facts(approval=None, version=""), snapshots=[], entries=[], versions=[])
    page = rendered(Page.HTML, "churn", sections(bare), NOW)
    assert "No ApprovalPolicy governs" in page
    assert "its history cannot be proved" in page
    assert "<svg" not in page
