"""What the environment says about capture (docs/prediction-log.md)."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

MIB = 1 << 20


@dataclass(frozen=True)
class SpoolSettings:
    """The folder that both containers see."""

    path: Path = Path("/var/spool/slipway")
    limit: int = 256 * MIB
    """Bytes on disk that everything in it may take."""

    @classmethod
    def load(cls, environment: Mapping[str, str]) -> SpoolSettings:
        """Read the environment. Raises ValueError for a size that is not a number."""
        path = environment.get("SLIPWAY_CAPTURE_SPOOL", str(cls.path))
        return cls(Path(path), int(environment.get("SLIPWAY_CAPTURE_SPOOL_BYTES", cls.limit)))


@dataclass(frozen=True)
class CaptureSettings:
    """Which calls are kept, and how."""

    spool: SpoolSettings = SpoolSettings()
    bodies: bool = True
    """Mode Full: with what was asked and answered; else Metadata."""
    sample_percent: int = 100
    durable: bool = False
    """The answer waits until its record is on disk."""
    max_record_bytes: int = MIB
    """Bodies of a call that is larger are left out."""

    @classmethod
    def load(cls, environment: Mapping[str, str]) -> CaptureSettings | None:
        """Read the environment; None where nothing is captured. Raises ValueError that says what is wrong."""
        if not environment.get("SLIPWAY_CAPTURE"):
            return None
        asked = json.loads(environment["SLIPWAY_CAPTURE"])
        if not isinstance(asked, dict):
            raise ValueError("SLIPWAY_CAPTURE is not a JSON object")
        mode = _one_of(asked, "mode", "Full", "Metadata")
        delivery = _one_of(asked, "delivery", "BestEffort", "Durable")
        percent = asked.get("samplePercent", 100)
        if type(percent) is not int or not 1 <= percent <= 100:
            raise ValueError(f"SLIPWAY_CAPTURE: samplePercent is {percent!r}, not a number of 1 to 100")
        largest = int(environment.get("SLIPWAY_CAPTURE_MAX_RECORD_BYTES", cls.max_record_bytes))
        return cls(SpoolSettings.load(environment), mode == "Full", percent, delivery == "Durable", largest)

    def samples(self, prediction_id: str) -> bool:
        """Whether this call is kept: by a hash of its id, so that every part that sees it decides alike."""
        return self.sample_percent == 100 or zlib.crc32(prediction_id.encode()) * 100 >> 32 < self.sample_percent


def _one_of(asked: Mapping[str, object], field: str, default: str, *others: str) -> object:
    value = asked.get(field, default)
    if value not in (default, *others):
        raise ValueError(f"SLIPWAY_CAPTURE: {field} is {value!r}, not one of {', '.join((default, *others))}")
    return value
