"""Notifiers as the chart writes them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from slipway.monitor.notify.config import Misconfigured, Smtp, Web, notifier

MAIL: dict[str, Any] = {"type": "SMTP", "host": "mail", "from": "a@b", "to": ["c@d"], "username": "u"}


@pytest.fixture
def set_up(tmp_path: Path) -> Any:
    def write(stated: Any, **secrets: str) -> Web | Smtp:
        config, folder = tmp_path / "notifiers.json", tmp_path / "secrets" / "chat"
        config.write_text(stated if isinstance(stated, str) else json.dumps({"chat": stated}))
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in secrets.items():
            (folder / name).write_text(text + "\n")
        return notifier("chat", config, tmp_path / "secrets")

    return write


def test_secrets_are_stronger(set_up: Any) -> None:
    assert set_up({"type": "Slack", "url": "https://a"}, url="https://b", token="t") == Web(type="Slack", url="https://b", token="t")
    assert set_up(MAIL, password="p") == Smtp(**(MAIL | {"password": "p"}))


def test_a_url_in_a_secret_alone(set_up: Any) -> None:
    assert set_up({"type": "Webhook"}, url="https://b").url == "https://b"


@pytest.mark.parametrize(
    ("stated", "said"),
    [
        ({"type": "Webhook"}, "notifier chat has no url"),
        ({"type": "Webhook", "url": "file:///etc/secret-place"}, "notifier chat has no url"),
        ({"type": "Pigeon"}, "notifier chat: wrong or missing: type"),
        ({"type": "SMTP", "host": "mail"}, "wrong or missing: SMTP.from, SMTP.to"),
        ("{}", "no notifier chat is set up"),
        ("[]", "the notifiers' file cannot be read"),
        ("{", "the notifiers' file cannot be read"),
    ],
)
def test_what_is_wrong_is_said_without_secrets(set_up: Any, stated: Any, said: str) -> None:
    with pytest.raises(Misconfigured, match=said) as error:
        set_up(stated)
    assert "secret-place" not in str(error.value)


def test_no_file() -> None:
    with pytest.raises(Misconfigured, match="no notifier chat is set up"):
        notifier("chat", None, None)
