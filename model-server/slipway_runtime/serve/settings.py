"""What a model server is told by its environment (docs/contracts.md), and MLServer's settings made from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version

from mlserver.settings import ModelParameters, ModelSettings, Settings

from slipway_runtime.capture.settings import CaptureSettings
from slipway_runtime.failure import LoadFailed

MIB = 1 << 20


@dataclass(frozen=True)
class ServeSettings:
    """One model server."""

    model_name: str
    """The model's name in the protocol: the ModelDeployment's name."""
    model_version: str
    model_digest: str = ""
    model_path: str = "/mnt/model"
    """The folder that holds the model's file."""
    drain_seconds: float = 15
    """How long, after SIGTERM, answers go on while the endpoints' readers learn that this pod is leaving."""
    http_port: int = 8080
    grpc_port: int = 9000
    metrics_port: int = 8082
    max_request_bytes: int = 64 * MIB
    """The largest request body, REST and gRPC alike, after decompression."""
    capture: CaptureSettings | None = None
    """What the prediction log gets; None for nothing."""

    @classmethod
    def load(cls, environment: Mapping[str, str]) -> ServeSettings:
        """Read the environment. Raises LoadFailed for a missing or malformed variable."""
        try:
            return cls(
                model_name=environment["SLIPWAY_MODEL_NAME"],
                model_version=environment["SLIPWAY_MODEL_VERSION"],
                model_digest=environment.get("SLIPWAY_MODEL_DIGEST", cls.model_digest),
                model_path=environment.get("SLIPWAY_MODEL_PATH", cls.model_path),
                drain_seconds=float(environment.get("SLIPWAY_DRAIN_SECONDS", cls.drain_seconds)),
                http_port=int(environment.get("SLIPWAY_HTTP_PORT", cls.http_port)),
                grpc_port=int(environment.get("SLIPWAY_GRPC_PORT", cls.grpc_port)),
                metrics_port=int(environment.get("SLIPWAY_METRICS_PORT", cls.metrics_port)),
                max_request_bytes=int(environment.get("SLIPWAY_MAX_REQUEST_BYTES", cls.max_request_bytes)),
                capture=_capture(environment),
            )
        except KeyError as missing:
            raise LoadFailed(f"the environment variable {missing.args[0]} is not set") from None
        except ValueError as error:
            raise LoadFailed(f"a SLIPWAY_* environment variable is not a number: {error}") from None


def _capture(environment: Mapping[str, str]) -> CaptureSettings | None:
    try:
        return CaptureSettings.load(environment)
    except ValueError as error:
        raise LoadFailed(f"the SLIPWAY_CAPTURE* environment variables are malformed: {error}") from None


def server_settings(settings: ServeSettings) -> Settings:
    """MLServer's settings: no worker processes (replicas scale), no access log, no gzip."""
    return Settings(
        debug=False,
        parallel_workers=0,
        gzip_enabled=False,
        host="0.0.0.0",
        http_port=settings.http_port,
        grpc_port=settings.grpc_port,
        metrics_port=settings.metrics_port,
        metrics_endpoint="/metrics",
        grpc_max_message_length=settings.max_request_bytes,
        server_name="slipway",
        server_version=version("slipway-runtime"),
        extensions=["binary_tensor_data"],
    )


def model_settings(settings: ServeSettings) -> ModelSettings:
    """MLServer's settings of the one model."""
    return ModelSettings(
        name=settings.model_name,
        implementation="slipway_runtime.serve.runtime.SklearnModel",
        platform="sklearn",
        versions=[settings.model_version],
        parameters=ModelParameters(uri=settings.model_path, version=settings.model_version, extra={"digest": settings.model_digest}),
    )
