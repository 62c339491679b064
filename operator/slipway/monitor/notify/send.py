"""Carries a message to a notifier, within a minute or not at all."""

from __future__ import annotations

import asyncio
import smtplib
import ssl
from collections.abc import Awaitable, Callable
from email.message import EmailMessage
from email.utils import formatdate, make_msgid

import aiohttp

from slipway.monitor.notify.config import Smtp, Web
from slipway.monitor.notify.due import Due
from slipway.monitor.notify.message import lines, slack, subject, webhook
from slipway.monitor.result import Result

SECONDS = 60.0
"""For one message, all tries together."""
PATIENCE_SECONDS = 10.0
"""For one try."""
PAUSE_SECONDS = 1.0
"""After the first try; twice as long after each further one."""
WORTH_TRYING = {408, 429}


class NotSent(Exception):
    """The message was not taken; the text holds no secret."""


class _Refused(NotSent):
    """It will not be taken the next time either."""


async def send(to: Web | Smtp, result: Result, one: Due) -> None:
    """Sends the message, again and again with growing pauses, at most `SECONDS`. Raises NotSent."""

    async def once() -> None:
        await (_post(to, result, one) if isinstance(to, Web) else asyncio.to_thread(_mail, to, result, one))

    await _patiently(once, SECONDS, PAUSE_SECONDS)


async def _patiently(once: Callable[[], Awaitable[None]], within: float, pause: float) -> None:
    loop = asyncio.get_running_loop()
    until = loop.time() + within
    while True:
        try:
            await asyncio.wait_for(once(), max(0.1, min(2 * PATIENCE_SECONDS, until - loop.time())))
        except _Refused:
            raise
        except (NotSent, TimeoutError, OSError, aiohttp.ClientError, smtplib.SMTPException) as error:
            if loop.time() + pause >= until:
                raise NotSent(said(error)) from None
            await asyncio.sleep(pause)
            pause *= 2
        else:
            return


async def _post(to: Web, result: Result, one: Due) -> None:
    body = (slack if to.type == "Slack" else webhook)(result, one)
    headers = {"Authorization": f"Bearer {to.token}"} if to.token else {}
    timeout = aiohttp.ClientTimeout(total=PATIENCE_SECONDS)
    async with (
        aiohttp.ClientSession(timeout=timeout, trust_env=True) as session,
        session.post(to.url, json=body, headers=headers, allow_redirects=False) as answer,
    ):
        if answer.status >= 300:
            kind = NotSent if answer.status >= 500 or answer.status in WORTH_TRYING else _Refused
            raise kind(f"the answer was HTTP {answer.status}")


def _mail(to: Smtp, result: Result, one: Due) -> None:
    message = EmailMessage()
    message["Subject"], message["From"], message["To"] = subject(result, one), to.from_, ", ".join(to.to)
    message["Date"], message["Message-ID"] = formatdate(), make_msgid(domain="slipway")
    message.set_content("\n".join(lines(result, one)) + "\n")
    try:
        with smtplib.SMTP(to.host, to.port, timeout=PATIENCE_SECONDS) as server:
            if to.starttls:
                server.starttls(context=ssl.create_default_context())
            if to.username:
                server.login(to.username, to.password)
            server.send_message(message)
    except (smtplib.SMTPAuthenticationError, smtplib.SMTPNotSupportedError, ssl.SSLCertVerificationError) as error:
        raise _Refused(said(error)) from None


def said(error: BaseException) -> str:
    """An error in words that hold no address: a Slack URL is a secret."""
    if isinstance(error, NotSent):
        return str(error)
    if isinstance(error, smtplib.SMTPResponseException):
        return f"the answer was SMTP {error.smtp_code}"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {error.verify_message}"
    return f"no answer ({type(error).__name__})"
