"""Sends what is due, to all notifiers at once."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from slipway.api.v1alpha1.model_monitor import Notify
from slipway.monitor.notify.config import Misconfigured, notifier
from slipway.monitor.notify.due import Due, due, remembered
from slipway.monitor.notify.send import NotSent, send
from slipway.monitor.result import Result
from slipway.monitor.settings import Notifiers

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Outcome:
    """What became of the messages."""

    notified: str
    """For `status.run.notified`."""
    failed: tuple[str, ...] = ()
    """`NAME: why`, one for each that was not taken: the next run tells it again."""


async def tell_owner(actions: Sequence[Notify], names: Sequence[str], result: Result, notifiers: Notifiers, now: datetime) -> Outcome:
    """Tells what is due. Raises nothing: what fails is in the outcome."""
    before = result.run.notified
    wanted = due(actions, names, result, before, now, notifiers.least_seconds)
    errors = await asyncio.gather(*(_one(one, result, notifiers) for one in wanted))
    failed = tuple(f"{one.notifier}: {error}" for one, error in zip(wanted, errors, strict=True) if error)
    for line in failed:
        log.warning("the owner was not told by %s", line)
    return Outcome(remembered(before, [one for one, error in zip(wanted, errors, strict=True) if not error], now), failed)


async def _one(one: Due, result: Result, notifiers: Notifiers) -> str:
    """Why it failed; empty for success."""
    try:
        await send(notifier(one.notifier, notifiers.config, notifiers.secrets), result, one)
    except (Misconfigured, NotSent) as error:
        return str(error)
    except Exception as error:
        log.exception("notifier %s", one.notifier)
        return type(error).__name__
    return ""
