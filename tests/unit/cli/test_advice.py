"""Every reason that a person may have to act on has its advice."""

from __future__ import annotations

import pytest

from slipway.api.conditions import Reason
from slipway.cli.advice import ADVICE, FALLBACK, advice
from slipway.cli.view.problems import REASONS

FINE = {
    Reason.SERVING,
    Reason.REGISTERED,
    Reason.MINIMUM_REPLICAS_AVAILABLE,
    Reason.SCALED_TO_ZERO,
    Reason.RETIRED,
    Reason.APPROVED,
    Reason.OVERRIDDEN,
    Reason.TAKEN_OVER,
    Reason.SCHEDULED,
    Reason.SUSPENDED,
    Reason.ALL_CHECKS_HEALTHY,
}
"""Nothing to do about these."""
OF_APPROVALS = {Reason.PENDING, Reason.COUNTED, Reason.CONSUMED, Reason.VOID}
"""Their message says all; `status` is about deployments."""
OF_THE_PLUGIN = {"NotObserved", "OOMKilled"}


def test_every_reason_has_advice_and_every_advice_a_reason() -> None:
    assert {str(reason) for reason in Reason if reason not in FINE | OF_APPROVALS} | OF_THE_PLUGIN == set(ADVICE)


def test_the_kubelets_reasons_lead_to_advice() -> None:
    assert set(REASONS.values()) <= set(ADVICE)


@pytest.mark.parametrize("reason", [*ADVICE, "Unheard"])
def test_advice_is_one_line_with_all_names_filled_in(reason: str) -> None:
    said = advice(reason, name="churn", namespace="growth", model="churn", version="{3}")
    assert "\n" not in said
    assert "{name" not in said
    assert said.endswith((".", "-w")) or "kubectl" in said


def test_an_unknown_reason_leads_to_the_objects_description() -> None:
    assert "describe slmd {name}" in FALLBACK
