"""What only a real apiserver can say about the chart: Pod Security, its policies' types, upgrade and uninstall."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from slipway.ledger.note import Signer
from tests.cluster.kubectl import kubectl, succeeds
from tests.cluster.tools import binary
from tests.unit.chart.helm import CHART, PLATFORM, VARIANTS, Manifest, helm, render

pytestmark = pytest.mark.integration

RESTRICTED = {"pod-security.kubernetes.io/enforce": "restricted", "pod-security.kubernetes.io/warn": "restricted"}
WAIT = "--timeout=60s"


def get(kubeconfig: Path, *what: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(kubectl(kubeconfig, "get", *what, "--output=json"))
    return found


def release(kubeconfig: Path, action: str, chart: Path = CHART, **values: Any) -> str:
    """What `helm install` or `helm upgrade` of the release told the user."""
    return helm(action, "slipway", chart, "--namespace", PLATFORM, values=values, kubeconfig=kubeconfig).stdout


def uninstall(kubeconfig: Path) -> None:
    helm("uninstall", "slipway", "--namespace", PLATFORM, "--wait", kubeconfig=kubeconfig)


def until(condition: Callable[[], bool], seconds: float = 60) -> None:
    """Waits for what a controller does in its own time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come true"
        time.sleep(0.2)


@pytest.fixture(scope="module", autouse=True)
def platform(kubeconfig: Path) -> None:
    kubectl(kubeconfig, "create", "namespace", PLATFORM)
    kubectl(kubeconfig, "label", "namespace", PLATFORM, *(f"{key}={value}" for key, value in RESTRICTED.items()))


@pytest.fixture
def installed(kubeconfig: Path) -> Iterator[Path]:
    release(kubeconfig, "install")
    yield kubeconfig
    uninstall(kubeconfig)


def workloads(manifests: list[Manifest]) -> Iterator[Manifest]:
    """The Deployments, whose pods the apiserver warns about, and their pods, which it refuses."""
    for deployment in (manifest for manifest in manifests if manifest["kind"] == "Deployment"):
        metadata = deployment["metadata"]
        yield deployment
        pod = deployment["spec"]["template"]["spec"] | {"serviceAccountName": "default"}  # its own is not there in a dry run
        pod.pop("priorityClassName", None)  # the admission of that one needs controllers
        yield {"apiVersion": "v1", "kind": "Pod", "metadata": {k: metadata[k] for k in ("name", "namespace")}, "spec": pod}


def dry_run(kubeconfig: Path, manifest: Manifest) -> subprocess.CompletedProcess[str]:
    """The apiserver's word on creating this."""
    command = [str(binary("kubectl")), f"--kubeconfig={kubeconfig}", "create", "--dry-run=server", "--filename=-"]
    return subprocess.run(command, input=json.dumps(manifest), text=True, capture_output=True, check=False)


@pytest.mark.parametrize("variant", ["default", "everything-set"])
def test_pod_security_restricted(kubeconfig: Path, variant: str) -> None:
    outcome = dry_run(kubeconfig, {"apiVersion": "v1", "kind": "List", "items": list(workloads(render(VARIANTS[variant])))})

    assert outcome.stderr == ""
    assert outcome.stdout.count("created (server dry run)") == 10


def test_pod_security_warns_here(kubeconfig: Path) -> None:
    """The silence above means something."""
    (deployment, *_) = workloads(render(VARIANTS["default"]))
    del deployment["spec"]["template"]["spec"]["securityContext"]

    assert "would violate PodSecurity" in dry_run(kubeconfig, deployment).stderr


def test_the_policies_type_check(installed: Path) -> None:
    names = {m["metadata"]["name"] for m in render() if m["kind"] == "ValidatingAdmissionPolicy"}
    assert len(names) == 12
    for name in sorted(names):
        kubectl(installed, "wait", "--for=jsonpath={.status.observedGeneration}=1", f"validatingadmissionpolicy/{name}", WAIT)
        policy = get(installed, "validatingadmissionpolicy", name)
        assert policy["status"]["typeChecking"] == {}, policy["status"]


SECRETS = ("slipway-object-store", "slipway-ledger", "slipway-ledger-reader", "slipway-ledger-key")


def secrets(kubeconfig: Path) -> dict[str, dict[str, str]]:
    """The data of the release's Secrets, as pods see them."""
    found = get(kubeconfig, "secret", *SECRETS, f"--namespace={PLATFORM}")["items"]
    decoded = [{key: base64.b64decode(value).decode() for key, value in item["data"].items()} for item in found]
    return dict(zip(SECRETS, decoded, strict=True))


def test_an_upgrade_keeps_the_credentials(installed: Path) -> None:
    before = secrets(installed)
    release(installed, "upgrade", logLevel="debug")

    assert secrets(installed) == before
    stores = SECRETS[:3]
    for name in stores:
        assert set(before[name]) == {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_ENDPOINT_URL", "AWS_REGION"}
    assert (
        len({before[name]["AWS_ACCESS_KEY_ID"] for name in stores}) == len({before[name]["AWS_SECRET_ACCESS_KEY"] for name in stores}) == 3
    )
    assert [before[name]["AWS_ENDPOINT_URL"].rpartition(":")[2] for name in stores] == ["9000", "9000", "9002"]


def test_the_generated_key_signs(installed: Path) -> None:
    signer = Signer.parse("slipway.dev/test", secrets(installed)["slipway-ledger-key"]["seed"])
    assert signer.verifier.open(signer.sign("text\n")) == "text\n"


def test_the_operator_publishes_what_verifies_the_ledger_and_nothing_else(installed: Path) -> None:
    operator = (f"--as=system:serviceaccount:{PLATFORM}:slipway-operator", f"--namespace={PLATFORM}")
    vkey = json.dumps({"data": {"vkey": "slipway+1+a"}})

    def patches(name: str) -> bool:
        return succeeds(installed, "patch", "configmap", name, "--type=merge", f"--patch={vkey}", *operator)

    for granted in ("slipway-ledger", "slipway-guard"):  # Helm makes the bindings at once, and each is heard of in its own time
        until(partial(patches, granted))
    assert not patches("slipway-artifact-store")
    assert not succeeds(installed, "create", "configmap", "another", *operator)
    release(installed, "upgrade", logLevel="debug")
    found = get(installed, "configmap", "slipway-ledger", f"--namespace={PLATFORM}")["data"]
    assert (found["vkey"], found["uri"]) == ("slipway+1+a", "s3://slipway-ledger"), "an upgrade leaves it there"


def test_an_upgrade_brings_new_fields(kubeconfig: Path, tmp_path: Path) -> None:
    older = tmp_path / "slipway"
    shutil.copytree(CHART, older)
    crd = older / "files" / "crds" / "slipway.dev_models.yaml"
    crd.write_text(crd.read_text().replace("- slm\n", "- older\n"))

    def short_names() -> list[str]:
        names: list[str] = get(kubeconfig, "crd", "models.slipway.dev")["spec"]["names"]["shortNames"]
        return names

    release(kubeconfig, "install", older)
    before = short_names()
    release(kubeconfig, "upgrade")
    after = short_names()
    uninstall(kubeconfig)

    assert (before, after) == (["older"], ["slm"])


def test_models_artifacts_records_and_credentials_outlive_the_release(kubeconfig: Path, tmp_path: Path) -> None:
    claims = ("persistentvolumeclaim/slipway-object-store", "persistentvolumeclaim/slipway-ledger")
    store = (*(f"secret/{name}" for name in SECRETS), *claims, f"--namespace={PLATFORM}")
    model = {"apiVersion": "slipway.dev/v1alpha1", "kind": "Model", "metadata": {"name": "churn"}, "spec": {"task": "Regression"}}
    manifest = tmp_path / "model.json"
    manifest.write_text(json.dumps(model))

    release(kubeconfig, "install")
    kubectl(kubeconfig, "wait", "--for=condition=Established", "crd", "--all", WAIT)
    # A fresh installation's policies take effect one after the other: the first write may be refused, and must be sent again.
    until(lambda: succeeds(kubeconfig, "create", f"--filename={manifest}"))
    before = get(kubeconfig, *store)
    uninstall(kubeconfig)
    assert succeeds(kubeconfig, "get", "model", "churn")
    assert not succeeds(kubeconfig, "get", "deployment", "slipway-operator", f"--namespace={PLATFORM}")
    release(kubeconfig, "install")
    after = get(kubeconfig, *store)
    uninstall(kubeconfig)

    assert [item["metadata"]["uid"] for item in after["items"]] == [item["metadata"]["uid"] for item in before["items"]]
    assert [item.get("data") for item in after["items"]] == [item.get("data") for item in before["items"]]


def test_edit_and_view_learn_the_kinds(installed: Path) -> None:
    def may(role: str, verb: str, resource: str, subresource: str = "") -> bool:
        user = ("--as=someone", f"--as-group={role}", "--namespace=default")
        return succeeds(installed, "auth", "can-i", verb, f"{resource}.slipway.dev", f"--subresource={subresource}", *user)

    for role in ("edit", "view"):
        kubectl(installed, "create", "rolebinding", role, f"--clusterrole={role}", f"--group={role}", "--namespace=default")
        until(partial(may, role, "get", "models"))

    assert may("edit", "create", "modeldeployments")
    assert may("edit", "patch", "modeldeployments", "scale")
    assert not may("edit", "patch", "modeldeployments", "status")
    assert may("view", "list", "models")
    assert not may("view", "create", "models")


def test_what_the_user_is_told(kubeconfig: Path) -> None:
    notes = release(kubeconfig, "install")
    upgraded = release(kubeconfig, "upgrade", admission={"enabled": False})
    uninstall(kubeconfig)

    for said in (f"kubectl -n {PLATFORM} rollout status deployment/slipway-operator", "kubectl slipway push", "kubectl slipway status"):
        assert said in notes
    assert "WARNING" not in notes
    assert "WARNING" in upgraded
