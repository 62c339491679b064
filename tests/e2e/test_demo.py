"""`make demo` is the acceptance test: the main job from end to end, with real data."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.e2e.lab import QUICKSTART, ROOT


@pytest.mark.usefixtures("kube")
def test_the_demo_does_what_it_says() -> None:
    done = subprocess.run([sys.executable, QUICKSTART / "demo.py"], cwd=ROOT, capture_output=True, text=True, timeout=400, check=False)
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    for version in "12":
        assert f"569 of 569 rows equal over REST and gRPC (labels and probabilities), answered by version {version}" in said
    tally = next(line for line in said.splitlines() if "requests answered, by version" in line)
    assert tally.endswith("failed: 0")
    assert "'1': " in tally
    assert "'2': " in tally
    assert "Stalled/DigestMismatch: " in said
    assert "nothing was altered, left out or put in." in said
    assert "proof.json proves " in said
    assert "Done in " in said
