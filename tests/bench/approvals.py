"""How soon what was approved starts: from the last approval to the child Deployment, with many others waiting."""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import orjson

from slipway.cluster.http import ApiServer, Request
from slipway.cluster.resources import DEPLOYMENT, MODEL_APPROVAL
from tests.bench.process import running
from tests.bench.table import Row, Table
from tests.cluster.console import step
from tests.cluster.control_plane import ControlPlane
from tests.integration.gate.gated import await_guard, governing_env, install_records
from tests.integration.identity import operator_token
from tests.integration.ledger_store import ledger_store
from tests.integration.operator import token_kubeconfig
from tests.integration.platform import platform
from tests.integration.samples import API, deployment, model, version
from tests.kube import Kube
from tests.wait import until

WAITING = int(os.environ.get("WAITING", "200"))
EVERY = 0.2
"""Seconds between two approvals, whether or not the first has started anything."""
BOUND_SECONDS = 1
NAMESPACE = "bench-approvals"
LONGEST_LINE = 2**20


async def run() -> Table:
    with platform("bench-approvals", policies=True) as plane, _governing(plane) as kube:
        _ask(kube)
        os.environ["KUBECONFIG"] = str(plane.kubeconfig)
        server = await ApiServer.connect(1)
        try:
            with step(f"{WAITING} approvals"):
                took = sorted(await _approve_all(server, kube))
        finally:
            await server.close()
    rows = [
        Row("median from approval to Deployment", took[len(took) // 2], "s"),
        Row("p99 from approval to Deployment", took[int(0.99 * len(took))], "s", at_most=BOUND_SECONDS),
    ]
    about = (
        f"{WAITING} ModelDeployments wait; one after the other is approved, five a second. From the approval's answer to the "
        "apiserver's word that the child Deployment is there: rights asked again, policies looked at, ledger written. Nothing polls."
    )
    return Table("Approvals", about, rows)


@contextmanager
def _governing(plane: ControlPlane) -> Iterator[Kube]:
    kube = Kube(plane.kubeconfig)
    install_records(kube)
    with tempfile.TemporaryDirectory() as folder, ledger_store(Path(folder) / "ledger") as store:
        config = token_kubeconfig(plane.kubeconfig, operator_token(kube, "bench"), Path(folder) / "operator.kubeconfig")
        with running(config, **governing_env(), **store.settings("bench")):
            await_guard(kube)
            yield kube


def _ask(kube: Kube) -> None:
    """As an administrator; whoever approves is somebody else."""
    spec = {"match": {"stages": [NAMESPACE]}, "require": {"approvals": 1}, "fourEyes": False}
    kube.apply({"apiVersion": API, "kind": "ApprovalPolicy", "metadata": {"name": NAMESPACE}, "spec": spec})
    kube.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE, "labels": {"slipway.dev/stage": NAMESPACE}}})
    kube.apply(model(NAMESPACE))
    kube.apply(version(NAMESPACE))
    for number in range(WAITING):
        kube.apply(deployment(NAMESPACE, f"churn-{number}"))
    until(lambda: len(_revisions(kube)) == WAITING, 120, "all to wait", every=1)


def _revisions(kube: Kube) -> dict[str, str]:
    found = kube.list("ModelDeployment", NAMESPACE)
    return {item["metadata"]["name"]: item["status"]["revision"] for item in found if (item["status"].get("approval") or {}).get("state")}


async def _approve_all(server: ApiServer, kube: Kube) -> list[float]:
    revisions = _revisions(kube)
    seen = {name: asyncio.get_running_loop().create_future() for name in revisions}
    async with _watched(server, seen):
        begun = []
        for name, revision in revisions.items():
            begun.append(asyncio.create_task(_one(server, name, revision, seen[name])))
            await asyncio.sleep(EVERY)
        return await asyncio.gather(*begun)


async def _one(server: ApiServer, name: str, revision: str, seen: asyncio.Future[float]) -> float:
    spec = {"deployment": name, "revision": revision, "as": "risk", "decision": "Approve"}
    body = {"apiVersion": API, "kind": "ModelApproval", "metadata": {"name": name}, "spec": spec}
    await server(Request("POST", MODEL_APPROVAL.path(NAMESPACE), body=body))
    began = time.monotonic()
    async with asyncio.timeout(60):
        return await seen - began


@asynccontextmanager
async def _watched(server: ApiServer, seen: dict[str, asyncio.Future[float]]) -> AsyncIterator[None]:
    response = await server.open("GET", server.address + DEPLOYMENT.path(NAMESPACE), params={"watch": "true"}, read_bufsize=LONGEST_LINE)
    async with response:
        following = asyncio.create_task(_follow(response.content, seen))
        try:
            yield
        finally:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)


async def _follow(lines: Any, seen: dict[str, asyncio.Future[float]]) -> None:
    async for line in lines:
        future = seen.get(orjson.loads(line)["object"]["metadata"]["name"])
        if future is not None and not future.done():
            future.set_result(time.monotonic())
