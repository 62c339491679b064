"""The prediction log's part of a pod: the server writes a spool, and a container beside it sends that to the collector."""

from __future__ import annotations

import orjson

from slipway.api.conditions import Reason
from slipway.api.v1alpha1 import ModelDeployment, ModelVersion
from slipway.api.v1alpha1.model_deployment import Capture
from slipway.cluster.resources import Manifest
from slipway.errors import Stalled
from slipway.plan.names import CAPTURE_CONTAINER, SPOOL_PATH, TOKEN_PATH
from slipway.settings import Serving

TOKEN_AUDIENCE = "slipway"
SPOOL_BYTES = 256 * 2**20
"""What the server keeps within; a pod whose volume holds more than `_SPOOL_VOLUME` would be evicted."""
_SPOOL_VOLUME = "384Mi"
_SPOOL_MOUNT: Manifest = {"name": "spool", "mountPath": SPOOL_PATH}
_SENDING_SECONDS = {"BestEffort": 30, "Durable": 600}
"""How long a pod that ends may take to send what is left; it takes no longer than it needs."""
_SPARE_SECONDS = 10
"""Of those, for the container to end by itself."""


def capture_of(owner: ModelDeployment, version: ModelVersion, serving: Serving) -> Capture | None:
    """What to capture; None: nothing.

    Raises:
        Stalled: the deployment asks for what the version's server or the platform cannot do.

    """
    asked = owner.spec.capture
    if asked and asked.mode == "Disabled":
        return None
    if version.spec.container is None and serving.collector:
        return asked or Capture(mode="Full")
    if asked is None:
        return None
    advice = "leave spec.capture out, or write {mode: Disabled}"
    if version.spec.container:
        message = f"format custom brings its own server, and only Slipway's model servers write the prediction log: {advice}."
        raise Stalled(Reason.CAPTURE_UNSUPPORTED, message)
    message = (
        f"this platform has no prediction log: {advice}, or ask the platform team to set predictionLog.enabled=true in the Helm values."
    )
    raise Stalled(Reason.CAPTURE_UNAVAILABLE, message)


def with_capture(spec: Manifest, capture: Capture | None, owner: ModelDeployment, version: ModelVersion, serving: Serving) -> Manifest:
    """The pod's spec, and what captures beside the server that it has; unchanged where nothing does."""
    if capture is None:
        return spec
    server, *others = spec["containers"]
    sender = _sender(owner, version, server, serving, _SENDING_SECONDS[capture.delivery] - _SPARE_SECONDS)
    return spec | {
        "terminationGracePeriodSeconds": spec["terminationGracePeriodSeconds"] + _SENDING_SECONDS[capture.delivery],
        "containers": [_writing(server, capture), *others],
        "initContainers": [*spec.get("initContainers", []), sender],
        "volumes": [*spec["volumes"], *_volumes()],
    }


def _writing(server: Manifest, capture: Capture) -> Manifest:
    """The server, told to write the spool."""
    env = {"SLIPWAY_CAPTURE": orjson.dumps(capture.model_dump(mode="json")).decode(), **_spool_env()}
    return server | {"env": [*server["env"], *_env(env)], "volumeMounts": [*server["volumeMounts"], _SPOOL_MOUNT]}


def _sender(owner: ModelDeployment, version: ModelVersion, server: Manifest, serving: Serving, end_seconds: int) -> Manifest:
    """A sidecar by Kubernetes' own notion: there before the server, and told to end after it. It has the token, the server has not.

    No probe: what is not sent yet is no reason to take the model from its callers.
    """
    values = {
        **_spool_env(),
        "SLIPWAY_CAPTURE_END_SECONDS": str(end_seconds),
        "SLIPWAY_COLLECTOR_URL": serving.collector,
        "SLIPWAY_TOKEN_PATH": f"{TOKEN_PATH}/token",
        "SLIPWAY_NAMESPACE": owner.metadata.namespace,
        "SLIPWAY_MODEL_NAME": owner.metadata.name,
        "SLIPWAY_MODEL": version.spec.model,
        "SLIPWAY_MODEL_VERSION": version.spec.version,
        "SLIPWAY_MODEL_DIGEST": version.spec.artifact.digest if version.spec.artifact else "",
    }
    return {
        "name": CAPTURE_CONTAINER,
        "image": server["image"],
        "command": ["slipway-ship"],
        "restartPolicy": "Always",
        "env": _env(values),
        "resources": {"requests": {"cpu": "20m", "memory": "128Mi"}},
        "securityContext": server["securityContext"],
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "volumeMounts": [_SPOOL_MOUNT, {"name": "token", "mountPath": TOKEN_PATH, "readOnly": True}],
    }


def _spool_env() -> dict[str, str]:
    return {"SLIPWAY_CAPTURE_SPOOL": SPOOL_PATH, "SLIPWAY_CAPTURE_SPOOL_BYTES": str(SPOOL_BYTES)}


def _volumes() -> list[Manifest]:
    token = {"audience": TOKEN_AUDIENCE, "expirationSeconds": 3600, "path": "token"}
    return [
        {"name": "spool", "emptyDir": {"sizeLimit": _SPOOL_VOLUME}},
        {"name": "token", "projected": {"defaultMode": 0o440, "sources": [{"serviceAccountToken": token}]}},
    ]


def _env(values: dict[str, str]) -> list[Manifest]:
    return [{"name": key, "value": value} for key, value in values.items()]
