"""Signatures on real pods: a policy asks for them and for nobody's word, and only signed bytes are ever loaded."""

from __future__ import annotations

import shutil
import subprocess
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from examples.quickstart.checks import Tools, object_store

from tests.e2e.lab import Lab, Pushed, assert_readable
from tests.integration.samples import API
from tests.kube import Kube

STAGE = "slipway.dev/stage"


@dataclass(frozen=True)
class Keys:
    """Files: the key that the policy lists, and one that it does not."""

    release: Path
    foreign: Path
    public: str


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    folder = tmp_path_factory.mktemp("keys")
    release, foreign, public = (folder / name for name in ("release.pem", "foreign.pem", "release.pub"))
    for file in (release, foreign):
        _openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", str(file))
    _openssl("ec", "-in", str(release), "-pubout", "-out", str(public))
    return Keys(release, foreign, public.read_text())


@pytest.fixture(scope="module")
def lab(kube: Kube, tools: Tools, pushed: Pushed, keys: Keys) -> Iterator[Lab]:
    """A namespace in a stage of its own, whose policy asks for a signature by the release key."""
    name = f"e2e-signed-{uuid.uuid4().hex[:8]}"
    kube.apply(
        {
            "apiVersion": API,
            "kind": "ApprovalPolicy",
            "metadata": {"name": name},
            "spec": {
                "match": {"stages": [name]},
                "require": {"approvals": 0, "signedBy": [{"name": "release", "publicKey": keys.public}]},
                "fourEyes": False,
            },
        }
    )
    try:
        with kube.namespace(name, **{STAGE: name}) as namespace:
            yield Lab.of(kube, tools, namespace, pushed)
    finally:
        kube.delete("ApprovalPolicy", None, name)


def test_signed_bytes_serve(lab: Lab, keys: Keys) -> None:
    _push(lab, "1", keys.release)
    lab.deploy("signed", version="1")
    lab.await_reason("Serving", "signed")
    lab.assert_answers("1", "signed")
    (pod,) = lab.ready_pods("signed")
    assert "fetched signed s3://" in lab.tools.kubectl("logs", pod, "-c", "fetch")


def test_unsigned_bytes_wait_for_their_signature(lab: Lab, keys: Keys) -> None:
    _push(lab, "2")
    lab.deploy("unsigned", version="2")
    stalled = lab.await_reason("SignatureMissing", "unsigned", "Stalled")
    assert_readable(
        stalled["message"], "nothing is stored at s3://", "/churn/2.sig, and a policy asks for signed bytes", "push --sign KEY.pem"
    )
    assert "--sign KEY.pem" in lab.tools.slipway("status", "unsigned")
    _push(lab, "2", keys.release)
    lab.tools.kubectl(
        "delete", "pod", "-l", "slipway.dev/deployment=unsigned", "--wait=false"
    )  # rather than wait for the kubelet's back-off
    lab.await_reason("Serving", "unsigned")


def test_another_key_counts_for_nothing(lab: Lab, keys: Keys) -> None:
    _push(lab, "3", keys.foreign)
    lab.deploy("foreign", version="3")
    stalled = lab.await_reason("SignatureInvalid", "foreign", "Stalled")
    assert_readable(stalled["message"], "/churn/3.sig is by another key", "with a key that the ApprovalPolicy lists")
    assert lab.ready_pods("foreign") == []


def test_a_signature_of_other_bytes(lab: Lab, keys: Keys, tmp_path: Path) -> None:
    """Somebody registers other bytes, and puts the true signature of the right ones beside them."""
    other = tmp_path / "other"
    shutil.copytree(lab.pushed.folder, other)
    (other / "NOTES.txt").write_text("not signed")
    _push(lab, "right", keys.release)
    _push(lab, "stale", folder=other)
    prefix = f"slipway-models/{lab.namespace}/churn"
    with object_store(lab.tools) as store:
        store.pipe_file(f"{prefix}/stale.sig", store.cat_file(f"{prefix}/right.sig"))
    lab.deploy("stale", version="stale")
    stalled = lab.await_reason("SignatureInvalid", "stale", "Stalled")
    assert_readable(stalled["message"], "/churn/stale.sig is not of these bytes (not signed: 'NOTES.txt')")
    assert lab.ready_pods("stale") == []


def test_a_truncated_signature(lab: Lab, keys: Keys) -> None:
    _push(lab, "cut", keys.release)
    key = f"slipway-models/{lab.namespace}/churn/cut.sig"
    with object_store(lab.tools) as store:
        store.pipe_file(key, store.cat_file(key)[:-20])
    lab.deploy("cut", version="cut")
    stalled = lab.await_reason("SignatureInvalid", "cut", "Stalled")
    assert_readable(stalled["message"], "/churn/cut.sig is no OpenSSF model signature, or a broken one: sign these bytes again")


def _push(lab: Lab, version: str, key: Path | None = None, folder: Path | None = None) -> None:
    options = ("--sign", str(key)) if key else ()
    source = str(folder or lab.pushed.folder)
    lab.tools.slipway("push", source, "--model", "churn", "--version", version, "--task", "BinaryClassification", *options)


def _openssl(*arguments: str) -> None:
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)
