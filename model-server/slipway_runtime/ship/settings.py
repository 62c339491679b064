"""What the shipper is told by its environment (docs/prediction-log.md)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from slipway_runtime.capture.settings import SpoolSettings

END_SECONDS = 20.0
"""For what is left, once the pod is to end and no writer lives."""


@dataclass(frozen=True)
class Identity:
    """What each row says of where it comes from."""

    namespace: str
    deployment: str
    model: str
    version: str
    digest: str
    role: str = "Stable"


@dataclass(frozen=True)
class ShipSettings:
    """One shipper."""

    spool: SpoolSettings
    identity: Identity
    collector_url: str
    token_path: Path = Path("/var/run/secrets/slipway/token/token")
    end_seconds: float = END_SECONDS

    @classmethod
    def load(cls, environment: Mapping[str, str]) -> ShipSettings:
        """Read the environment. Raises ValueError for a missing or malformed variable."""
        try:
            return cls(
                SpoolSettings.load(environment),
                Identity(
                    namespace=environment["SLIPWAY_NAMESPACE"],
                    deployment=environment["SLIPWAY_MODEL_NAME"],
                    model=environment["SLIPWAY_MODEL"],
                    version=environment["SLIPWAY_MODEL_VERSION"],
                    digest=environment.get("SLIPWAY_MODEL_DIGEST", ""),
                ),
                environment["SLIPWAY_COLLECTOR_URL"],
                Path(environment.get("SLIPWAY_TOKEN_PATH", cls.token_path)),
                float(environment.get("SLIPWAY_CAPTURE_END_SECONDS", cls.end_seconds)),
            )
        except KeyError as missing:
            raise ValueError(f"the environment variable {missing.args[0]} is not set") from None
