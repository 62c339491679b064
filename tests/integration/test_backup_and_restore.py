"""docs/backup.md, rehearsed: the cluster is lost; objects, ledger and key come back on another one, and the ledger goes on."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
from pathlib import Path

from slipway.ledger.verify import Report, verify
from tests.cluster.tools import binary
from tests.faults.journey import be_kubelet
from tests.integration.conftest import start_operator
from tests.integration.ledger_store import BUCKET, LedgerStore, ledger_store
from tests.integration.platform import platform
from tests.integration.samples import apply_all, await_child, deployment, version
from tests.kube import Kube
from tests.s3 import start_store
from tests.wait import until

TEAM, PREFIX = "team", "platform"


def test_the_platform_comes_back_and_its_ledger_goes_on(tmp_path: Path) -> None:
    objects, copy = tmp_path / "objects.yaml", tmp_path / "copy"
    with ledger_store(tmp_path / "first") as store:
        served, outside = _live(store, tmp_path, objects)
        shutil.copytree(store.folder, copy)
    with start_store(copy / "data") as server:
        _come_back(LedgerStore(server, copy), tmp_path, objects, served, outside)


def _live(store: LedgerStore, folder: Path, objects: Path) -> tuple[str, bytes]:
    """The platform as it was, and its backup; returns the uid of what served, and a checkpoint that was kept elsewhere."""
    with platform("before", policies=True) as plane:
        kube = Kube(plane.kubeconfig)
        kube.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": TEAM}})
        operator = start_operator(
            plane, kube, folder, "slipway-operator-0", **store.settings(PREFIX, endpoint=store.server.secret["AWS_ENDPOINT_URL"])
        )
        apply_all(kube, TEAM)
        _await_serving(kube, "3")
        kube.apply(version(TEAM, "4"))
        kube.apply(deployment(TEAM, version="4"))
        _await_serving(kube, "4")
        uid = await_child(kube, "ModelDeployment", TEAM)["metadata"]["uid"]
        assert operator.stop() == 0, "in good order: the last entries are signed"
        objects.write_text(_slipway(plane.kubeconfig, "export", "-A"))
    return uid, store.path(PREFIX, "checkpoint").read_bytes()


def _come_back(store: LedgerStore, folder: Path, objects: Path, served: str, outside: bytes) -> None:
    before = [entry.id for entry in store.entries(PREFIX)]
    with platform("after", policies=True) as plane:
        kube = Kube(plane.kubeconfig)
        kube.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": TEAM}})
        subprocess.run([binary("kubectl"), "--kubeconfig", plane.kubeconfig, "apply", "-f", objects], check=True, capture_output=True)
        settings = store.settings(PREFIX, endpoint=store.server.secret["AWS_ENDPOINT_URL"])
        operator = start_operator(plane, kube, folder, "slipway-operator-0", **settings)
        _await_serving(kube, "4")
        again = await_child(kube, "ModelDeployment", TEAM)["metadata"]["uid"]
        until(lambda: any(entry.transition == "Deleted" and entry.object.uid == served for entry in store.entries(PREFIX)), 60, "its end")
        assert operator.stop() == 0
    entries = store.entries(PREFIX)
    assert [entry.id for entry in entries][: len(before)] == before, "the history is as it was"
    told = [entry.transition for entry in entries if entry.object.uid == again]
    assert told == ["Applied", "Serving"], "the new object's own"
    report = asyncio.run(_verified(store, outside))
    assert report.wrong is None
    assert report.covered == len(entries) > len(before)


async def _verified(store: LedgerStore, outside: bytes) -> Report:
    async with store.server.open(BUCKET, PREFIX) as opened:
        return await verify(opened, store.signer(PREFIX).verifier, [outside])


def _await_serving(kube: Kube, number: str) -> None:
    def serves() -> bool:
        be_kubelet(kube, TEAM)
        condition = kube.condition("churn", TEAM, "Ready")
        status = (kube.get("ModelDeployment", TEAM, "churn") or {}).get("status", {})
        return bool(condition and condition["reason"] == "Serving" and status.get("version") == number)

    until(serves, 60, f"version {number} to serve")


def _slipway(kubeconfig: Path, *arguments: str) -> str:
    command = [str(Path(sys.executable).parent / "kubectl-slipway"), *arguments, "--kubeconfig", str(kubeconfig)]
    return subprocess.run(command, check=True, capture_output=True, text=True, env=dict(os.environ)).stdout
