"""What the shipper has done so far, in a file of the spool: the server shows it on its `/metrics`."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

from slipway_runtime.capture.counters import replace


@dataclass
class Progress:
    """Counts since the pod began."""

    rows: int = 0
    refused: int = 0
    failures: dict[str, int] = field(default_factory=dict)
    """By HTTP status, or `connection`."""

    @classmethod
    def load(cls, path: Path) -> Progress:
        """From the file; zeros where there is none that can be read."""
        try:
            content = json.loads(path.read_text())
            return cls(int(content["rows"]), int(content["refused"]), {str(k): int(v) for k, v in content["failures"].items()})
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return cls()

    def save(self, path: Path) -> None:
        """Raises OSError."""
        replace(path, json.dumps(vars(self)).encode())
