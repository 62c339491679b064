"""The stamp `slipway.dev/requested-by`: who changed an object's spec, as the apiserver's admission policies keep it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson

ANNOTATION = "slipway.dev/requested-by"
MAX_SIZE = 16384
"""Characters; what is longer is no stamp. Also in the chart: `slipway.stampLimit`."""


@dataclass(frozen=True)
class Stamp:
    """What the annotation says."""

    generation: int
    """The `metadata.generation` it was written for; a newer one is a change that left no name."""
    by: tuple[str, ...]
    """User names, in the order of their changes, each once."""
    unseen: bool = False
    """Somebody else changed the spec too and left no name: through `/scale`, or before there were stamps."""

    def text(self) -> str:
        """The one way to write it, character for character as the policies do."""
        whole: dict[str, Any] = {"generation": self.generation, "by": self.by}
        return orjson.dumps(whole | ({"unseen": True} if self.unseen else {})).decode()


def parse_stamp(text: str) -> Stamp | None:
    """The stamp, or None when the policies could not have written this."""
    if len(text) > MAX_SIZE:
        return None
    try:
        whole = orjson.loads(text)
        stamp = Stamp(whole["generation"], tuple(whole["by"]), whole.get("unseen", False))
        return stamp if _possible(stamp) and stamp.text() == text else None
    except (orjson.JSONDecodeError, orjson.JSONEncodeError, AttributeError, KeyError, TypeError):
        return None


def _possible(stamp: Stamp) -> bool:
    numbered = type(stamp.generation) is int and stamp.generation > 0
    return numbered and bool(stamp.by) and all(isinstance(name, str) for name in stamp.by) and type(stamp.unseen) is bool
