"""Pods' trouble in one readable line."""

from __future__ import annotations

from typing import Any

import pytest

from slipway.plan.trouble import deployment_trouble, is_ready, one_line, pods_trouble, refusal_trouble
from slipway.plan.types import Refusal


def pod(**container: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": "p", "uid": "u"},
        "status": {"phase": "Pending", "containerStatuses": [{"name": "model", "image": "i"} | container]},
    }


def beside(capture: dict[str, Any], model: dict[str, Any] | None = None) -> dict[str, Any]:
    """A pod whose `capture` is in this state, and the model in that; by itself the model waits."""
    found = pod(**(model or {"state": {"waiting": {"reason": "PodInitializing"}}}))
    found["status"]["initContainerStatuses"] = [{"name": "capture", "image": "i"} | capture]
    return found


@pytest.mark.parametrize(
    ("container", "reason", "text"),
    [
        (
            {"state": {"waiting": {"reason": "ErrImagePull", "message": "no such host"}}},
            "ImagePullFailed",
            "image i cannot be pulled: no such host",
        ),
        ({"state": {"waiting": {"reason": "CreateContainerConfigError", "message": 'secret "s" not found'}}}, "SecretMissing", "create it"),
        ({"lastState": {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}}, "CrashLoop", "raise spec.resources.limits.memory"),
        ({"state": {"terminated": {"exitCode": 2, "message": "line 1\nboom: it broke"}}}, "CrashLoop", "exit code 2: boom: it broke"),
        (
            {"state": {"terminated": {"exitCode": 1, "message": '{"reason": "LoadFailed", "message": "ValueError: x"}'}}},
            "LoadFailed",
            "ValueError: x",
        ),
        ({"state": {"terminated": {"exitCode": 1, "message": '{"reason": "Evil", "message": "x"}'}}}, "CrashLoop", "exit code 1"),
        ({"state": {"terminated": {"exitCode": 1, "message": "[1]"}}}, "CrashLoop", "[1]"),
    ],
)
def test_container(container: dict[str, Any], reason: str, text: str) -> None:
    trouble = pods_trouble((pod(**container),), {})
    assert trouble is not None
    assert trouble.reason == reason
    assert text in trouble.message


class TestCapture:
    """The container that sends the prediction log."""

    @pytest.mark.parametrize(
        ("capture", "reason", "text"),
        [
            ({"state": {"waiting": {"reason": "ErrImagePull", "message": "no such host"}}}, "ImagePullFailed", "cannot be pulled"),
            ({"state": {"waiting": {"reason": "RunContainerError", "message": "no slipway-ship"}}}, "CaptureFailed", "no slipway-ship"),
            (
                {"state": {"terminated": {"exitCode": 1, "message": "boom"}}},
                "CaptureFailed",
                "(the model is not at fault): container capture",
            ),
            ({"lastState": {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}}, "CaptureFailed", "see to the node's"),
        ],
    )
    def test_what_fails_is_told_as_the_logs(self, capture: dict[str, Any], reason: str, text: str) -> None:
        trouble = pods_trouble((beside(capture),), {})
        assert trouble is not None
        assert trouble.reason == reason
        assert text in trouble.message
        assert "spec.resources" not in trouble.message

    def test_the_models_own_trouble_comes_first(self) -> None:
        model = {"state": {"terminated": {"exitCode": 1, "message": '{"reason": "LoadFailed", "message": "ValueError: x"}'}}}
        trouble = pods_trouble((beside({"state": {"terminated": {"exitCode": 1}}}, model),), {})
        assert trouble is not None
        assert trouble.reason == "LoadFailed"

    def test_one_that_runs_again_is_no_trouble_while_the_model_loads(self) -> None:
        running = {"state": {"running": {"startedAt": "now"}}, "lastState": {"terminated": {"exitCode": 1}}}
        assert pods_trouble((beside(running),), {}) is None


@pytest.mark.parametrize("what", ["secret", "configmap"])
def test_a_cache_of_the_nodes_that_lags_passes(what: str) -> None:
    said = f"failed to sync {what} cache: timed out waiting for the condition"
    waiting = pod(state={"waiting": {"reason": "CreateContainerConfigError", "message": said}})
    mounting = pod(state={"waiting": {"reason": "ContainerCreating"}})
    warning = f'MountVolume.SetUp failed for volume "artifact-secret" : {said}'
    for found in (pods_trouble((waiting,), {}), pods_trouble((mounting,), {"u": warning})):
        assert found is not None
        assert (found.stalled, said in found.message) == (False, True)


def test_a_server_that_ends_well_again_and_again_is_a_crash_loop() -> None:
    trouble = pods_trouble((pod(state={"waiting": {"reason": "CrashLoopBackOff"}}, lastState={"terminated": {"exitCode": 0}}),), {})
    assert trouble is not None
    assert "ended with exit code 0" in trouble.message


def test_a_clean_exit_and_a_pod_that_leaves_are_no_trouble() -> None:
    assert pods_trouble((pod(state={"terminated": {"exitCode": 0}}),), {}) is None
    leaving = pod(state={"waiting": {"reason": "ImagePullBackOff"}})
    leaving["metadata"]["deletionTimestamp"] = "now"
    assert pods_trouble((leaving,), {}) is None


def test_what_a_person_must_solve_comes_first() -> None:
    unschedulable = {
        "metadata": {"name": "a", "uid": "a"},
        "status": {"conditions": [{"type": "PodScheduled", "status": "False", "message": "cpu"}]},
    }
    trouble = pods_trouble((unschedulable, pod(state={"waiting": {"reason": "ImagePullBackOff"}})), {})
    assert trouble is not None
    assert trouble.reason == "ImagePullFailed"


def test_what_a_mount_cannot_find_is_missing_and_nothing_else_is() -> None:
    hanging = pod(state={"waiting": {"reason": "ContainerCreating"}})
    for warning, reason in (
        ('MountVolume.SetUp failed for volume "s" : secret "s" not found', "SecretMissing"),
        ('Failed to create pod sandbox: plugin type="calico": clusterinformation not found', "ContainerConfigInvalid"),
    ):
        trouble = pods_trouble((hanging,), {"u": warning})
        assert trouble is not None
        assert trouble.reason == reason


def test_conditions_of_the_spec_before_say_nothing() -> None:
    conditions = [{"type": "ReplicaFailure", "status": "True", "message": "exceeded quota: q"}]
    deployment: dict[str, Any] = {"metadata": {"generation": 2}, "status": {"observedGeneration": 1, "conditions": conditions}}
    assert deployment_trouble(deployment) is None
    deployment["status"]["observedGeneration"] = 2
    trouble = deployment_trouble(deployment)
    assert trouble is not None
    assert trouble.reason == "QuotaExceeded"


def test_a_pod_that_has_ended_is_not_ready_whatever_its_conditions_say() -> None:
    evicted = {"metadata": {}, "status": {"phase": "Failed", "conditions": [{"type": "Ready", "status": "True"}]}}
    assert not is_ready(evicted)
    assert is_ready({"metadata": {}, "status": evicted["status"] | {"phase": "Running"}})


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ('pods "x" is forbidden: exceeded quota: q', "QuotaExceeded"),
        ('pods "x" is forbidden: violates PodSecurity "restricted:latest"', "AdmissionRefused"),
        ('admission webhook "w" denied the request: no', "AdmissionRefused"),
        ('Internal error occurred: failed calling webhook "w": failed to call webhook: Post "https://w": refused', "AdmissionRefused"),
        ("ValidatingAdmissionPolicy 'p' with binding 'b' denied request: no", "AdmissionRefused"),
        ("Service is invalid: spec.ports", "ApiRefused"),
    ],
)
def test_refusals_by_cause(message: str, reason: str) -> None:
    assert refusal_trouble(Refusal("Service", "churn", message)).reason == reason


def test_a_taken_name_is_said_whatever_the_apiserver_complains_about() -> None:
    trouble = refusal_trouble(Refusal("Service", "churn", "spec.ports[0].name: Required value", foreign=True))
    assert trouble.reason == "NameConflict"
    assert "Service churn exists and is not Slipway's" in trouble.message


def test_one_line_is_printable_and_bounded() -> None:
    assert one_line("a\n\tb\x1b[31m c") == "a b [31m c"
    assert len(one_line("x" * 9999)) == 500
