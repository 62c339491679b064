"""A model's pod: a container that fetches and checks the bytes, then the server."""

from __future__ import annotations

import orjson

from slipway.api.conditions import Reason
from slipway.api.types import quantity_value
from slipway.api.v1alpha1 import ModelDeployment, ModelVersion
from slipway.api.v1alpha1.model_deployment import DEFAULT_REQUESTS, Resources
from slipway.api.v1alpha1.model_version import Artifact
from slipway.api.v1alpha1.pod import EnvVar, PodOptions
from slipway.cluster.resources import Manifest
from slipway.errors import Stalled
from slipway.plan.build.capture import capture_of, with_capture
from slipway.plan.build.metadata import server_ports
from slipway.plan.names import CLAIM_PATH, GRPC_PORT, HTTP_PORT, METRICS_PORT, MODEL_PATH, SECRET_PATH, selector
from slipway.settings import Runtime, Serving

USER_ID = 65532
RESTRICTED = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}


def build_pod_spec(owner: ModelDeployment, version: ModelVersion, serving: Serving) -> Manifest:
    """The pod template's spec.

    Raises:
        Stalled: no server image is configured for the version's format, or it cannot be captured as asked.
    """
    options = owner.spec.pod or PodOptions()
    spec: Manifest = {
        "serviceAccountName": owner.metadata.name,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": serving.drain_seconds + 30,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": USER_ID,
            "runAsGroup": USER_ID,
            "fsGroup": USER_ID,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "topologySpreadConstraints": [
            {
                "maxSkew": 1,
                "topologyKey": "kubernetes.io/hostname",
                "whenUnsatisfiable": "ScheduleAnyway",
                "labelSelector": {"matchLabels": selector(owner.metadata.name)},
            }
        ],
        "containers": [_server(owner, version, options, serving)],
        "volumes": _volumes(version.spec.artifact),
    }
    fetcher = find_fetcher(version, serving)
    if version.spec.artifact and fetcher:
        spec["initContainers"] = [_fetcher(version.spec.artifact, fetcher.image, serving)]
    return with_capture(spec, capture_of(owner, version, serving), owner, version, serving) | _placement(options)


def find_runtime(version: ModelVersion, serving: Serving) -> Runtime:
    """The server image for a format and version: the first that fits; without a version, the format's first.

    Raises:
        Stalled: there is none; the message lists the choices.
    """
    asked = version.spec.format
    for runtime in serving.runtimes:
        if runtime.format == asked.name and (asked.version is None or _fits(asked.version, runtime.version)):
            return runtime
    choices = ", ".join(f"{runtime.format} {runtime.version}" for runtime in serving.runtimes) or "none"
    wanted = f"{asked.name} {asked.version or ''}".strip()
    raise Stalled(
        Reason.RUNTIME_NOT_FOUND,
        f"no model server for format {wanted}; this platform has: {choices}. Use one of them, or ask the platform team to add a runtime.",
    )


def _fits(asked: str, offered: str) -> bool:
    """`1.9.1` asks for what `1.9` offers: major and minor decide, patch releases read each other's files."""
    return asked.split(".")[:2] == offered.split(".")[: len(asked.split(".")[:2])]


def find_fetcher(version: ModelVersion, serving: Serving) -> Runtime | None:
    """Whose image fetches the bytes: our own server fetches for itself; a custom one, if it has bytes, has our first runtime do it.

    Raises:
        Stalled: there is none.
    """
    if version.spec.container is None:
        return find_runtime(version, serving)
    if version.spec.artifact is None:
        return None
    if not serving.runtimes:
        message = "this platform has no runtime image to fetch artifacts with: ask the platform team to add one."
        raise Stalled(Reason.RUNTIME_NOT_FOUND, message)
    return serving.runtimes[0]


def _server(owner: ModelDeployment, version: ModelVersion, options: PodOptions, serving: Serving) -> Manifest:
    name = owner.metadata.name
    container = version.spec.container
    image: Manifest
    if container is None:
        image = {"image": find_runtime(version, serving).image, "command": ["slipway-serve"]}
    else:
        image = {"image": container.image}
        image |= {"command": list(container.command)} if container.command else {}
        image |= {"args": list(container.args)} if container.args else {}
    mounts: list[Manifest] = [{"name": "tmp", "mountPath": "/tmp"}]
    if version.spec.artifact:
        mounts.append({"name": "model", "mountPath": MODEL_PATH, "readOnly": True})
    return (
        image
        | {
            "name": "model",
            "env": _server_env(name, version, serving) + [_env(variable) for variable in options.env],
            "ports": [{"name": port, "containerPort": number, "protocol": "TCP"} for port, number in server_ports(version).items()],
            "resources": _resources(owner),
            "securityContext": RESTRICTED,
            "terminationMessagePolicy": "FallbackToLogsOnError",
            "startupProbe": _probe("/v2/health/live", periodSeconds=1, failureThreshold=300),
            "livenessProbe": _probe("/v2/health/live", periodSeconds=10, failureThreshold=6),
            "readinessProbe": _probe(f"/v2/models/{name}/ready", periodSeconds=2, failureThreshold=3),
            "volumeMounts": mounts,
        }
        | ({"lifecycle": {"preStop": {"sleep": {"seconds": serving.drain_seconds}}}} if container else {})
    )


def _server_env(name: str, version: ModelVersion, serving: Serving) -> list[Manifest]:
    ports = server_ports(version)
    values = {
        "SLIPWAY_MODEL_NAME": name,
        "SLIPWAY_MODEL_VERSION": version.spec.version,
        "SLIPWAY_MODEL_DIGEST": version.spec.artifact.digest if version.spec.artifact else "",
        "SLIPWAY_MODEL_PATH": MODEL_PATH,
        "SLIPWAY_MODEL_FORMAT": version.spec.format.name,
        "SLIPWAY_DRAIN_SECONDS": str(serving.drain_seconds),
        "SLIPWAY_HTTP_PORT": str(ports.get("http", HTTP_PORT)),
        "SLIPWAY_GRPC_PORT": str(ports.get("grpc", GRPC_PORT)),
        "SLIPWAY_METRICS_PORT": str(ports.get("metrics", METRICS_PORT)),
    }
    return [{"name": key, "value": value} for key, value in values.items()]


def _env(variable: EnvVar) -> Manifest:
    if variable.secret_key is None:
        return {"name": variable.name, "value": variable.value or ""}
    reference = {"name": variable.secret_key.name, "key": variable.secret_key.key}
    return {"name": variable.name, "valueFrom": {"secretKeyRef": reference}}


def _fetcher(artifact: Artifact, image: str, serving: Serving) -> Manifest:
    values = {
        "SLIPWAY_ARTIFACT_URI": artifact.uri,
        "SLIPWAY_ARTIFACT_DIGEST": artifact.digest,
        "SLIPWAY_ARTIFACT_TARGET": MODEL_PATH,
        **({"SLIPWAY_ARTIFACT_SECRET": artifact.secret_name} if artifact.secret_name else {}),
        **({"SLIPWAY_SIGNED_BY": orjson.dumps(serving.signed_by).decode()} if serving.signed_by else {}),
        **serving.fetch_env,
    }
    mounts: list[Manifest] = [{"name": "model", "mountPath": MODEL_PATH}, {"name": "tmp", "mountPath": "/tmp"}]
    if artifact.secret_name:
        mounts.append({"name": "artifact-secret", "mountPath": SECRET_PATH, "readOnly": True})
    claim = _claim(artifact)
    if claim:
        mounts.append({"name": "artifact-claim", "mountPath": f"{CLAIM_PATH}/{claim}", "readOnly": True})
    return {
        "name": "fetch",
        "image": image,
        "command": ["slipway-fetch"],
        "env": [{"name": key, "value": value} for key, value in values.items()],
        "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}},
        "securityContext": RESTRICTED,
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "volumeMounts": mounts,
    }


def _volumes(artifact: Artifact | None) -> list[Manifest]:
    volumes: list[Manifest] = [{"name": "tmp", "emptyDir": {}}]
    if artifact is None:
        return volumes
    volumes.append({"name": "model", "emptyDir": {}})
    if artifact.secret_name:
        volumes.append({"name": "artifact-secret", "secret": {"secretName": artifact.secret_name, "defaultMode": 0o440}})
    claim = _claim(artifact)
    if claim:
        volumes.append({"name": "artifact-claim", "persistentVolumeClaim": {"claimName": claim, "readOnly": True}})
    return volumes


def _claim(artifact: Artifact) -> str | None:
    scheme, _, rest = artifact.uri.partition("://")
    return rest.partition("/")[0] if scheme == "pvc" else None


def _resources(owner: ModelDeployment) -> Manifest:
    asked = owner.spec.resources
    both = {"requests": dict(asked.requests) or _default_requests(asked), "limits": dict(asked.limits)}
    return {kind: {name: str(value) for name, value in values.items()} for kind, values in both.items() if values}


def _default_requests(asked: Resources) -> dict[str, int | str]:
    """The platform's, or the limit where it is lower: a request above it would be refused."""
    return {name: min(value, asked.limits.get(name, value), key=quantity_value) for name, value in DEFAULT_REQUESTS.items()}


def _probe(path: str, **settings: int) -> Manifest:
    return {"httpGet": {"path": path, "port": "http", "scheme": "HTTP"}, "timeoutSeconds": 5} | settings


def _placement(options: PodOptions) -> Manifest:
    tolerations = [toleration.model_dump(exclude_none=True) for toleration in options.tolerations]
    chosen: Manifest = {
        "nodeSelector": dict(options.node_selector),
        "tolerations": tolerations,
        "imagePullSecrets": [{"name": name} for name in options.image_pull_secrets],
        "runtimeClassName": options.runtime_class_name,
        "priorityClassName": options.priority_class_name,
    }
    return {key: value for key, value in chosen.items() if value}
