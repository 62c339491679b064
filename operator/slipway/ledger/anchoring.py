"""Giving checkpoints to the anchors, and asking them first: a store that does not continue what an anchor knows is not written to."""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Sequence

from slipway.ledger.anchors import Anchor, contradiction, known_checkpoints
from slipway.ledger.checkpoint import Checkpoint
from slipway.ledger.errors import LedgerUnavailable
from slipway.ledger.log import Log
from slipway.telemetry import metrics

log = logging.getLogger(__name__)

FIRST_RETRY, LAST_RETRY = 1.0, 60.0
"""Seconds before another try when an anchor does not answer."""
ASKING_SECONDS = 10.0
"""For all anchors together, at opening."""
SENDING_SECONDS = 30.0
"""For one anchor, with what it is asked first: meanwhile no checkpoint is made."""


class _Place:
    """An anchor, and how it stands with it."""

    def __init__(self, anchor: Anchor) -> None:
        self.anchor = anchor
        self.agreed = False
        """It was asked, and knows nothing else than the store; from then on it knows what this process tells it."""
        self.has = 0
        """The size of the newest checkpoint that this process gave it."""
        self.retry = FIRST_RETRY
        self.not_before = 0.0

    def failed(self, error: LedgerUnavailable) -> None:
        self.not_before = time.monotonic() + self.retry
        self.retry = min(LAST_RETRY, self.retry * 2)
        metrics.LEDGER_FAILURES.labels("anchor").inc()
        log.warning("ledger: %s", error)


class Anchoring:
    """The anchors of a log."""

    def __init__(self, held: Log, anchors: Sequence[Anchor]) -> None:
        self._log = held
        self._places = [_Place(anchor) for anchor in anchors]

    async def expect(self) -> list[tuple[Anchor, Checkpoint]]:
        """What the anchors know, before the log's end is looked for: what they know then, the log must have."""
        found = await asyncio.gather(*(self._known(place) for place in self._places))
        return [(place.anchor, checkpoint) for place, known in zip(self._places, found, strict=True) for checkpoint in known]

    async def _known(self, place: _Place) -> list[Checkpoint]:
        try:
            async with asyncio.timeout(ASKING_SECONDS):
                found = await known_checkpoints(place.anchor, self._covered, self._log.signer.verifier)
        except TimeoutError:
            place.failed(LedgerUnavailable(place.anchor.name, f"no answer within {ASKING_SECONDS:g} s"))
        except LedgerUnavailable as error:
            place.failed(error)
        else:
            place.agreed = True  # or the log is not opened
            return found
        return []

    def seconds_left(self) -> float:
        """Until there is something to give, or to give again; inf while every anchor has the newest checkpoint."""
        now, newest = time.monotonic(), self._covered
        return min((max(0.0, place.not_before - now) for place in self._places if place.has < newest), default=math.inf)

    async def send(self, *, at_once: bool = False) -> None:
        """Gives the newest checkpoint to every anchor that does not have it.

        One that did not answer is left alone for a while, if not `at_once`.

        Raises LedgerForked when one knows what the store does not.
        """
        for place in self._places:
            size, note = self._covered, self._log.note
            if note is None or place.has >= size or not (at_once or place.not_before <= time.monotonic()):
                continue
            try:
                async with asyncio.timeout(SENDING_SECONDS):
                    if not place.agreed:
                        await self._ask(place)
                    await place.anchor.publish(size, note)
            except TimeoutError:
                place.failed(LedgerUnavailable(place.anchor.name, f"no answer within {SENDING_SECONDS:g} s"))
            except LedgerUnavailable as error:
                place.failed(error)
            else:
                place.has, place.retry, place.not_before = size, FIRST_RETRY, 0.0

    async def _ask(self, place: _Place) -> None:
        """At its first answer, an anchor must agree with the store; raises LedgerUnavailable while that cannot be told."""
        view = self._log.view
        assert view is not None
        for known in await known_checkpoints(place.anchor, view.size, self._log.signer.verifier):
            if known.size > view.size and (known.size <= self._log.size or await self._log.read_slot()):
                raise LedgerUnavailable(
                    place.anchor.name, f"knows {known.size} entries already, another writer's: compared with the next checkpoint"
                )
            root = await view.root_at(known.size) if known.size <= view.size else None
            if wrong := contradiction(place.anchor, known, view.size, root):
                raise wrong
        place.agreed = True

    @property
    def _covered(self) -> int:
        return self._log.view.size if self._log.view else 0
