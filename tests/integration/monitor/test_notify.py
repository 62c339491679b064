"""Messages to real servers: HTTP, and SMTP with STARTTLS and a login."""

from __future__ import annotations

import json
import ssl
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from slipway.api.v1alpha1.model_monitor import Notify
from slipway.monitor.notify import send as sending
from slipway.monitor.notify.tell import Outcome, tell_owner
from slipway.monitor.result import Result
from slipway.monitor.settings import Notifiers
from tests.integration.monitor.certificates import self_signed
from tests.integration.monitor.web import Web
from tests.unit.monitor.results import check, result
from tests.wait import free_port

NOW = datetime(2026, 11, 29, 10, tzinfo=UTC)
ANY = [Notify(do="Notify")]


@pytest.fixture
def tell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Tells the owner of what the notifiers are set up with."""
    monkeypatch.setattr(sending, "PAUSE_SECONDS", 0.01)

    async def told(stated: dict[str, Any], found: Result, at: datetime = NOW, **secrets: str) -> Outcome:
        config = tmp_path / "notifiers.json"
        config.write_text(json.dumps(stated))
        for place, text in secrets.items():
            file = tmp_path / "secrets" / place.replace("__", "/")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        return await tell_owner(ANY, list(stated), found, Notifiers(config, tmp_path / "secrets"), at)

    return told


async def test_a_webhook(server: Web, tell: Callable[..., Any]) -> None:
    outcome = await tell({"hook": {"type": "Webhook"}}, result(check("Critical")), hook__url=server.url, hook__token="t0ken")
    ((headers, body),) = server.taken
    assert headers["Authorization"] == "Bearer t0ken"
    assert body["verdict"] == "Critical"
    assert (body["namespace"], body["deployment"], body["monitor"], body["version"]) == ("growth", "churn", "daily", "3")
    assert body["checks"] == [
        {
            "check": "Drift",
            "measure": "psi",
            "column": "age",
            "segment": "",
            "value": 0.31,
            "rows": 0,
            "verdict": "Critical",
            "message": "psi 0.31 ≥ 0.2",
        }
    ]
    assert outcome.notified.startswith("Critical 2026-11-29T10:00:00Z")


async def test_slack(server: Web, tell: Callable[..., Any]) -> None:
    await tell({"chat": {"type": "Slack", "url": server.url}}, result(check("Warning", message="<!channel> & more")))
    ((_, body),) = server.taken
    assert list(body) == ["text"]
    assert body["text"].startswith("*Warning: growth/churn (monitor daily)*\n")
    assert "&lt;!channel&gt; &amp; more" in body["text"]
    assert "report.html" in body["text"]


async def test_tried_again_until_taken(server: Web, tell: Callable[..., Any]) -> None:
    server.answers = [503, 429, 500]
    outcome = await tell({"chat": {"type": "Slack", "url": server.url}}, result(check("Warning")))
    assert len(server.taken) == 4
    assert outcome.failed == ()


@pytest.mark.parametrize("status", [302, 400, 404])
async def test_a_refusal_is_for_good(server: Web, tell: Callable[..., Any], status: int) -> None:
    server.answers = [status]
    outcome = await tell({"chat": {"type": "Slack", "url": server.url}}, result(check("Warning")))
    assert len(server.taken) == 1
    assert outcome == Outcome("", (f"chat: the answer was HTTP {status}",))


async def test_what_failed_is_told_by_the_next_run_and_nothing_else(
    server: Web, tell: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "SECONDS", 0.2)
    stated = {"chat": {"type": "Slack", "url": server.url}, "hook": {"type": "Webhook", "url": f"http://127.0.0.1:{free_port()}/"}}
    outcome = await tell(stated, result(check("Warning")))
    assert outcome.failed == ("hook: no answer (ClientConnectorError)",)
    stated["hook"]["url"] = server.url
    later = await tell(stated, result(check("Warning"), notified=outcome.notified), NOW + timedelta(hours=1))
    assert ["text" in body and "source" not in body for _, body in server.taken] == [True, False]
    assert later.failed == ()
    await tell(stated, result(check("Warning"), notified=later.notified), NOW + timedelta(hours=2))
    assert len(server.taken) == 2


async def test_secrets_are_not_in_what_is_logged(
    tell: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(sending, "SECONDS", 0.1)
    outcome = await tell({"chat": {"type": "Slack", "url": f"http://127.0.0.1:{free_port()}/s3cret"}}, result(check("Warning")))
    assert outcome.failed
    assert "s3cret" not in caplog.text + str(outcome)


class Inbox:
    """Takes mail from those who have logged in over TLS."""

    def __init__(self) -> None:
        self.taken: list[Any] = []

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.taken.append((envelope.rcpt_tos, message_from_bytes(envelope.content, policy=policy.default), session.ssl is not None))
        return "250 OK"


@pytest.fixture
def mail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[int, Inbox]]:
    key, certificate = self_signed(tmp_path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    inbox = Inbox()

    def judge(_server: Any, _session: Any, _envelope: Any, _mechanism: Any, data: Any) -> AuthResult:
        return AuthResult(success=(data.login, data.password) == (b"slipway", b"pass"), handled=False)

    controller = Controller(
        inbox, "127.0.0.1", free_port(), tls_context=context, require_starttls=True, auth_required=True, authenticator=judge
    )
    controller.start()
    yield controller.port, inbox
    controller.stop()


def by_mail(port: int) -> dict[str, Any]:
    stated = {"type": "SMTP", "host": "localhost", "port": port, "from": "slipway@example.com", "to": ["a@example.com", "b@example.com"]}
    return {"mail": stated | {"username": "slipway", "starttls": True}}


async def test_mail(mail: tuple[int, Inbox], tell: Callable[..., Any]) -> None:
    outcome = await tell(by_mail(mail[0]), result(check("Critical")), mail__password="pass")
    assert outcome.failed == ()
    ((to, message, encrypted),) = mail[1].taken
    assert (to, encrypted) == (["a@example.com", "b@example.com"], True)
    assert message["Subject"] == "Critical: growth/churn (monitor daily)"
    assert "psi 0.31 ≥ 0.2" in message.get_content()


async def test_a_wrong_password(mail: tuple[int, Inbox], tell: Callable[..., Any]) -> None:
    outcome = await tell(by_mail(mail[0]), result(check("Critical")), mail__password="wrong")
    assert outcome == Outcome("", ("mail: the answer was SMTP 535",))


async def test_a_certificate_that_nobody_vouches_for(
    mail: tuple[int, Inbox], tell: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    outcome = await tell(by_mail(mail[0]), result(check("Critical")), mail__password="pass")
    assert outcome.failed[0].startswith("mail: its certificate is not trusted")
    assert mail[1].taken == []
