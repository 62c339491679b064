"""Deployments whose answers are captured, on a real apiserver: what it makes of their pods is left alone, and `explain` tells of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.control_plane import ControlPlane
from tests.cluster.kubectl import kubectl
from tests.integration.conftest import start_operator
from tests.integration.operator import OperatorProcess
from tests.integration.platform import platform
from tests.integration.samples import apply_all, await_child, await_reason, deployment, version
from tests.integration.test_repair import applies_of_the_deployment, looked
from tests.kube import Kube
from tests.wait import until

URL = "http://slipway-collector.slipway-system.svc:8080"


@pytest.fixture(scope="module")
def plane() -> Iterator[ControlPlane]:
    with platform("capture") as control:
        yield control


@pytest.fixture(scope="module")
def module_kube(plane: ControlPlane) -> Kube:
    return Kube(plane.kubeconfig)


@pytest.fixture(scope="module")
def capturing(plane: ControlPlane, module_kube: Kube, tmp_path_factory: pytest.TempPathFactory) -> Iterator[OperatorProcess]:
    """An operator of a platform that has a log."""
    folder: Path = tmp_path_factory.mktemp("operator")
    process = start_operator(plane, module_kube, folder, "slipway-operator-0", SLIPWAY_COLLECTOR_URL=URL)
    yield process
    assert process.stop() == 0


def test_what_the_apiserver_makes_of_it_is_no_edit(plane: ControlPlane, module_kube: Kube, capturing: OperatorProcess) -> None:
    kube = module_kube
    with kube.namespace("captured", **{"pod-security.kubernetes.io/enforce": "restricted"}) as namespace:
        apply_all(kube, namespace, capture={"mode": "Full", "delivery": "Durable"}, autoscaling={"maxReplicas": 3})
        await_reason(kube, namespace, "Progressing")
        pod = await_child(kube, "Deployment", namespace)["spec"]["template"]["spec"]
        assert [(c["name"], c.get("restartPolicy")) for c in pod["initContainers"]] == [("fetch", None), ("capture", "Always")]
        (metric,) = await_child(kube, "HorizontalPodAutoscaler", namespace)["spec"]["metrics"]
        assert metric["containerResource"]["container"] == "model"
        until(lambda: kube.list("Pod", namespace), 30, "a pod, which Pod Security lets pass")
        looked(kube, namespace, capturing)
        assert applies_of_the_deployment(plane, namespace) == 1


def test_it_comes_and_goes(module_kube: Kube, capturing: OperatorProcess) -> None:
    kube = module_kube
    with kube.namespace("coming") as namespace:
        apply_all(kube, namespace)

        def containers() -> list[str]:
            pod = await_child(kube, "Deployment", namespace)["spec"]["template"]["spec"]
            return [container["name"] for container in pod["initContainers"]]

        until(lambda: containers() == ["fetch", "capture"], 30, "what captures")
        kube.apply(deployment(namespace, capture={"mode": "Disabled"}))
        until(lambda: containers() == ["fetch"], 30, "it to go")
        volumes = await_child(kube, "Deployment", namespace)["spec"]["template"]["spec"]["volumes"]
        assert not {"spool", "token"} & {volume["name"] for volume in volumes}


def test_a_custom_container_is_told(module_kube: Kube, capturing: OperatorProcess) -> None:
    kube = module_kube
    with kube.namespace("custom") as namespace:
        apply_all(kube, namespace)
        custom = version(namespace, "4", format={"name": "custom"}, container={"image": "registry.example/x:1"})
        del custom["spec"]["artifact"]
        kube.apply(custom)
        kube.apply(deployment(namespace, version="4", capture={"mode": "Full"}))
        await_reason(kube, namespace, "CaptureUnsupported", kind="Stalled")


def test_kubectl_explains_it(plane: ControlPlane) -> None:
    text = kubectl(plane.kubeconfig, "explain", "modeldeployment.spec.capture")
    assert "Left out, everything" in " ".join(text.split())
    assert {"delivery", "mode", "samplePercent"} <= set(text.split())
    assert "enum: BestEffort, Durable" in text
    assert "datatype" in kubectl(plane.kubeconfig, "explain", "model.spec.schema.inputs")
