"""The chart's alerting rules as Python values."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]
RULES = ROOT / "charts/slipway/files/alerts/slipway.rules.yaml"


@dataclass(frozen=True)
class Rule:
    """An alert, or (`alert` empty) a recorded series."""

    alert: str
    record: str
    expr: str
    labels: dict[str, str]
    annotations: dict[str, str]

    @property
    def metrics(self) -> set[str]:
        """Names of the series that it asks for, recorded ones as well."""
        return set(re.findall(r"\b(?:slipway_\w+|slipway(?::\w+)+|model_infer_\w+)", self.expr))


def rules() -> list[Rule]:
    found = [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]
    return [
        Rule(rule.get("alert", ""), rule.get("record", ""), rule["expr"], rule.get("labels", {}), rule.get("annotations", {}))
        for rule in found
    ]


def alerts() -> list[Rule]:
    return [rule for rule in rules() if rule.alert]
