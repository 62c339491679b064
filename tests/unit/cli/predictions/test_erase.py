"""Which rows an erasure is about, and that nothing goes without a word."""

from __future__ import annotations

import pytest

from slipway.cli.errors import CliError
from slipway.cli.predictions.erase import _confirm, parsed, told


@pytest.mark.parametrize(
    ("where", "meant"),
    [
        ("customer_id=123", ("key_customer_id", "123")),
        ("key_customer_id=a=b", ("key_customer_id", "a=b")),
        ("in_email=x@example.com", ("in_email", "x@example.com")),
        ("prediction_id=0b7a", ("prediction_id", "0b7a")),
        ("caller=web", ("caller", "web")),
    ],
)
def test_conditions(where: str, meant: tuple[str, str]) -> None:
    assert parsed(where) == meant


@pytest.mark.parametrize("where", ["customer_id", "=1", "customer_id=", ""])
def test_what_is_none(where: str) -> None:
    with pytest.raises(CliError, match="must be COLUMN=VALUE"):
        parsed(where)


def test_without_a_terminal_it_wants_a_yes() -> None:
    with pytest.raises(CliError, match="--yes"):
        _confirm("sure?")


def test_what_was_removed() -> None:
    assert told({"predictions": 3, "actuals": 1, "vacuumed": True}) == "Erased: 3 predictions, 1 actuals."
