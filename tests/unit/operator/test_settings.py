"""Settings from the environment."""

from __future__ import annotations

import pytest

from slipway.settings import Settings, settings_from


def test_defaults() -> None:
    assert settings_from({}) == Settings()


def test_all_of_them() -> None:
    settings = settings_from(
        {
            "SLIPWAY_RUNTIME_IMAGES": '[{"format": "sklearn", "version": "1.9", "image": "i"}]',
            "SLIPWAY_WATCH_NAMESPACES": "a, b",
            "SLIPWAY_DRAIN_SECONDS": "3",
            "SLIPWAY_LEASE_SECONDS": "7.5",
            "SLIPWAY_LOG_LEVEL": "debug",
        }
    )
    assert settings.serving.runtimes[0].image == "i"
    assert settings.watch_namespaces == ("a", "b")
    assert (settings.serving.drain_seconds, settings.lease_seconds, settings.log_level) == (3, 7.5, "DEBUG")


@pytest.mark.parametrize(
    "variable",
    [
        ("SLIPWAY_LEASE_SECONDS", "soon"),
        ("SLIPWAY_LEASE_SECONDS", "nan"),
        ("SLIPWAY_DRAIN_SECONDS", "-1"),
        ("SLIPWAY_WORKERS", "0"),
        ("SLIPWAY_FETCH_ENV", "[1]"),
        ("SLIPWAY_LOG_LEVEL", "loud"),
        ("SLIPWAY_RUNTIME_IMAGES", "{"),
        ("SLIPWAY_RUNTIME_IMAGES", '[{"format": "sklearn"}]'),
        ("SLIPWAY_RUNTIME_IMAGES", "[1]"),
    ],
)
def test_a_bad_variable_is_named(variable: tuple[str, str]) -> None:
    with pytest.raises(ValueError, match=variable[0]):
        settings_from(dict([variable]))
