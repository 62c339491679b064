"""The cluster with the chart of this checkout, and a model that is trained and pushed once."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import joblib
import pytest
from examples.quickstart.checks import Tools
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tests.cluster import commands, images
from tests.cluster.install import install
from tests.cluster.state import KUBECONFIG
from tests.e2e.lab import ROOT, ROWS, STORE_SECRET, Lab, Pushed, at
from tests.kube import Kube


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.e2e)


@pytest.fixture(scope="session")
def kube() -> Kube:
    """Up, installed, and left as it is afterwards: `python -m tests.cluster down` ends it."""
    commands.up()
    install()
    return Kube(KUBECONFIG)


@pytest.fixture(scope="session")
def tools(kube: Kube) -> Tools:
    return Tools(ROOT, kube.kubeconfig, "default")


@pytest.fixture(scope="session")
def custom_image(kube: Kube) -> str:
    """The image of examples/custom-container; it holds Python, so that helper pods use it as well."""
    return images.ensure(["slipway-example-custom"])["slipway-example-custom"]


@pytest.fixture(scope="session")
def pushed(kube: Kube, tools: Tools, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pushed]:
    """Trained on real data and pushed with the plugin, into a namespace of its own; tests refer to its bytes from theirs."""
    folder = tmp_path_factory.mktemp("churn") / "1"
    folder.mkdir()
    classifier = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)).fit(*load_breast_cancer(return_X_y=True))
    joblib.dump(classifier, folder / "model.joblib")
    with kube.namespace(_unique("models")) as namespace:
        push = ("push", str(folder), "--model", "churn", "--version", "1", "--task", "BinaryClassification")
        at(tools, namespace).slipway(*push)
        version = kube.get("ModelVersion", namespace, "churn-1")
        secret = kube.get("Secret", namespace, STORE_SECRET)
        assert version
        assert secret
        yield Pushed(folder, version["spec"], secret["data"], classifier.predict(ROWS).tolist())


@pytest.fixture
def lab(kube: Kube, tools: Tools, pushed: Pushed) -> Iterator[Lab]:
    """A namespace for one test."""
    with kube.namespace(_unique("test")) as namespace:
        yield Lab.of(kube, tools, namespace, pushed)


@pytest.fixture(scope="module")
def module_lab(kube: Kube, tools: Tools, pushed: Pushed) -> Iterator[Lab]:
    """A namespace for the tests of one file."""
    with kube.namespace(_unique("file")) as namespace:
        yield Lab.of(kube, tools, namespace, pushed)


def _unique(what: str) -> str:
    """Never used before: namespaces take a while to go, and the store keeps what was pushed from them."""
    return f"e2e-{what}-{uuid.uuid4().hex[:8]}"
