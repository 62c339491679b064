"""examples/custom-container, as its reader would apply it."""

from __future__ import annotations

from tests.e2e.lab import ROOT, Lab

EXAMPLE = ROOT / "examples/custom-container/deployment.yaml"


def test_a_container_of_ones_own_answers_and_names_its_version(lab: Lab, custom_image: str) -> None:
    manifests = EXAMPLE.read_text()
    assert "slipway-example-custom:latest" in manifests
    lab.tools.kubectl("apply", "-f", "-", stdin=manifests.replace("slipway-example-custom:latest", custom_image))
    lab.tools.kubectl("wait", "slmd/row-sum", "--for=condition=Ready", "--timeout=90s")
    answer = lab.predict("row-sum", [[1, 2, 3], [4, 5, 6]])
    assert (answer["model_name"], answer["model_version"]) == ("row-sum", "1")
    assert answer["outputs"] == [{"name": "sum", "datatype": "FP64", "shape": [2], "data": [6.0, 15.0]}]
