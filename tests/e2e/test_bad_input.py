"""Bad input on a real node: each says what is wrong in one line, and the version that served before goes on answering."""

from __future__ import annotations

import base64
import pickle
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import joblib
import pytest
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression

from tests.e2e.lab import STORE_SECRET, Lab, assert_readable, failing
from tests.integration.samples import DIGEST
from tests.kube import Manifest, Refusal


@dataclass(frozen=True)
class Bad:
    """A version that cannot serve."""

    reason: str
    says: tuple[str, ...]
    make: Callable[[Lab, str, str], None]
    """Registers it: the lab, the version's name, the custom image."""


def _pointing_to(**artifact: Any) -> Callable[[Lab, str, str], None]:
    """The pushed artifact with some of it changed."""
    return lambda lab, version, _: lab.register(version, artifact=lab.pushed.artifact | artifact)


def _wrong_credentials(lab: Lab, version: str, _: str) -> None:
    lab.secret("wrong", lab.pushed.secret | {"AWS_SECRET_ACCESS_KEY": base64.b64encode(b"not-the-key").decode()})
    lab.register(version, artifact=lab.pushed.artifact | {"secretName": "wrong"})


def _file(content: bytes) -> Callable[[Lab, str, str], None]:
    """A model.pkl with this content, pushed."""

    def make(lab: Lab, version: str, _: str) -> None:
        _push(lab, "model.pkl", content, version)

    return make


def _container(**container: Any) -> Callable[[Lab, str, str], None]:
    """A container of the user's own, in place of the runtime."""

    def make(lab: Lab, version: str, image: str) -> None:
        lab.register(version, format={"name": "custom"}, artifact=None, container={"image": image, "port": 8080} | container)

    return make


NO_SUCH_BUCKET_FOLDER = "s3://slipway-models/nobody/churn/404/"
CASES = {
    "secret-missing": Bad("SecretMissing", ('"nobody-made-it"', "create it in this namespace"), _pointing_to(secretName="nobody-made-it")),
    "not-found": Bad("ArtifactNotFound", (NO_SUCH_BUCKET_FOLDER, "push again"), _pointing_to(uri=NO_SUCH_BUCKET_FOLDER)),
    "digest": Bad("DigestMismatch", (DIGEST, "push it again as a new version"), _pointing_to(digest=DIGEST)),
    "denied": Bad("ArtifactAccessDenied", ("may not be read", "credentials of the Secret wrong"), _wrong_credentials),
    "not-a-model": Bad("LoadFailed", ("holds a dict, which has no predict method",), _file(pickle.dumps({"weights": [1, 2]}))),
    "module": Bad("LoadFailed", ("ModuleNotFoundError: No module named 'house_models'",), _file(b"chouse_models\nChurn\n)R.")),
    "image": Bad("ImagePullFailed", ("registry.invalid/none:1 cannot be pulled",), _container(image="registry.invalid/none:1")),
    "crash": Bad(
        "CrashLoop",
        ("container model ended with exit code 3: RuntimeError: no weights in /opt/weights",),
        _container(
            command=["python3", "-c", "import sys\nprint('RuntimeError: no weights in /opt/weights', file=sys.stderr)\nsys.exit(3)"]
        ),
    ),
}


@pytest.fixture(scope="module")
def serving(module_lab: Lab) -> Lab:
    """Version 1 answers; the tests of this file try one bad upgrade after the other on it."""
    module_lab.serve()
    module_lab.assert_answers()
    return module_lab


@pytest.mark.parametrize("name", CASES)
def test_a_bad_upgrade_stalls_and_the_old_version_answers(serving: Lab, name: str, custom_image: str) -> None:
    bad = CASES[name]
    bad.make(serving, name, custom_image)
    serving.deploy(version=name)
    stalled = serving.await_reason(bad.reason, kind="Stalled")
    assert_readable(stalled["message"], *bad.says)
    _assert_still_answers(serving, bad.reason)


def test_a_request_for_more_than_a_node_has_is_no_stall(serving: Lab) -> None:
    serving.deploy(resources={"requests": {"cpu": "900"}})
    ready = serving.await_reason("Unschedulable")
    assert_readable(ready["message"], "no node fits a pod", "Insufficient cpu")
    reconciling = serving.condition("Reconciling") or {}
    assert (reconciling["status"], reconciling["reason"]) == ("True", "Unschedulable")
    assert serving.condition("Stalled") is None, "an autoscaler of nodes may solve it"
    _assert_still_answers(serving, "Unschedulable")


def test_after_all_that_the_old_spec_is_ready_at_once(serving: Lab) -> None:
    survivor = serving.ready_pods()
    serving.deploy()
    serving.await_reason("Serving")
    assert serving.await_pods(1) == survivor, "the pod that served all along"
    assert serving.pods()[0]["status"]["containerStatuses"][0]["restartCount"] == 0


@pytest.fixture
def broken(module_lab: Lab, tmp_path: Path) -> Iterator[Lab]:
    """A deployment `broken` whose model loads, and raises on every prediction."""
    model = LogisticRegression(max_iter=5000).fit(*load_breast_cancer(return_X_y=True))
    del model.coef_
    file = tmp_path / "model.joblib"
    joblib.dump(model, file)
    module_lab.register()
    _push(module_lab, file.name, file.read_bytes(), "broken")
    module_lab.deploy("broken", version="broken")
    yield module_lab
    module_lab.kube.delete("ModelDeployment", module_lab.namespace, "broken")


def test_a_model_that_fails_on_predict_says_so_and_its_pod_stays(broken: Lab) -> None:
    broken.await_reason("Serving", "broken")
    path = f"/api/v1/namespaces/{broken.namespace}/services/http:broken:http/proxy/v2/models/broken/infer"
    request = {"inputs": [{"name": "input", "datatype": "FP64", "shape": [1, 30], "data": [1.0] * 30}]}
    with pytest.raises(Refusal, match=r'\{"error":.*AttributeError.*coef_') as refused:
        broken.kube.call("POST", path, request)
    assert refused.value.code == 500
    rows = broken.pushed.folder.parent / "rows.json"
    rows.write_text(str([[1.0] * 30]))
    said = failing(broken.tools.slipway, "predict", "broken", "-f", str(rows))
    assert_readable(said.strip(), "error: broken answered 500: AttributeError", "coef_")
    (pod,) = broken.pods("broken")
    assert broken.ready_pods("broken") == [pod["metadata"]["name"]]
    assert pod["status"]["containerStatuses"][0]["restartCount"] == 0


def _push(lab: Lab, name: str, content: bytes, version: str) -> None:
    folder = lab.pushed.folder.parent / version
    folder.mkdir(exist_ok=True)
    (folder / name).write_bytes(content)
    lab.tools.slipway("push", str(folder), "--model", "churn", "--version", version, "--format-version", "1.9")
    registered: Manifest = lab.kube.get("ModelVersion", lab.namespace, f"churn-{version}") or {}
    assert registered["spec"]["artifact"]["secretName"] == STORE_SECRET


def _assert_still_answers(lab: Lab, reason: str) -> None:
    ready = lab.condition("Ready") or {}
    assert (ready["status"], ready["reason"]) == ("False", reason)
    available = lab.condition("Available") or {}
    assert available["status"] == "True"
    assert lab.status()["version"] == "1"
    lab.assert_answers()
