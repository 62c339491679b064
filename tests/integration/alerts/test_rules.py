"""Each alert fires when it should, and does not when it should not: promtool's own unit tests, a file in `cases/` for each alert."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cluster.tools import binary
from tests.rules import RULES, alerts

CASES = Path(__file__).parent / "cases"
NAMES = [rule.alert for rule in alerts()]


def promtool(*arguments: str | Path) -> str:
    """What it says; a failure shows that."""
    outcome = subprocess.run([binary("promtool"), *arguments], text=True, capture_output=True, check=False)
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    return outcome.stdout


def checks(name: str) -> list[dict[str, Any]]:
    tests = yaml.safe_load((CASES / f"{name}.yaml").read_text())["tests"]
    return [check for test in tests for check in test["alert_rule_test"]]


def test_promtool_accepts_the_rules() -> None:
    assert "SUCCESS" in promtool("check", "rules", "--lint=all", "--lint-fatal", RULES)


@pytest.mark.parametrize("name", NAMES)
def test_it_fires_and_does_not(name: str) -> None:
    assert "SUCCESS" in promtool("test", "rules", CASES / f"{name}.yaml")


@pytest.mark.parametrize("name", NAMES)
def test_both_are_tried(name: str) -> None:
    assert {check["alertname"] for check in checks(name)} == {name}
    assert {bool(check["exp_alerts"]) for check in checks(name)} == {True, False}


def test_every_alert_has_its_cases() -> None:
    assert {path.stem for path in CASES.glob("*.yaml")} == set(NAMES)
