"""A small organisation at work: an operator, a collector and a model server as they are, on a real apiserver and store."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from tests.integration.collector.lab import Lab, may
from tests.integration.collector.process import Collector
from tests.integration.collector.samples import uuid7
from tests.integration.conftest import start_operator
from tests.integration.gate.gated import install_records
from tests.integration.ledger_store import ledger_store
from tests.integration.monitors.conftest import SETTINGS
from tests.integration.operator import OperatorProcess
from tests.integration.platform import platform
from tests.integration.samples import API, await_reason, deployment, model, version
from tests.kube import Kube, Manifest
from tests.prometheus import Target
from tests.s3 import start_store
from tests.unit.runtime import models
from tests.unit.runtime.capturing import ShipperProcess, capture, metrics
from tests.unit.runtime.servers import ServerProcess
from tests.wait import until

NAMESPACE, DEPLOYMENT, MONITOR, TEAM = "growth", "churn", "churn-daily", "growth"
SENDER = "senders"
"""Where the pod is whose token the shipper has: in `growth`, ServiceAccounts are the operator's."""
OWNER = {"team": TEAM}


@dataclass
class Life:
    """What runs, and `begin` and `end` of the traffic."""

    kube: Kube
    operator: OperatorProcess
    collector: Collector
    server: ServerProcess
    reader: str
    """The token of somebody who brings truth."""
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(10))
    _over: threading.Event = field(default_factory=threading.Event)
    _trouble: list[BaseException] = field(default_factory=list)

    @property
    def targets(self) -> list[Target]:
        """With the labels that a pod's place gives in a cluster (docs/alerts.md)."""
        pod = {"namespace": NAMESPACE, "deployment": DEPLOYMENT, "pod": "churn-7d4b-x"}
        return [
            Target(self.operator.port, {"namespace": "slipway-system", "pod": "slipway-operator-0"}, "operator"),
            Target(self.collector.port, {"namespace": "slipway-system", "pod": "slipway-collector-0"}, "collector"),
            Target(self.server.metrics_port, pod, "model"),
        ]

    def register(self) -> None:
        """A model on which much hangs, its version, a deployment of it and a monitor."""
        self.kube.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
        self.kube.apply(model(NAMESPACE, importance="Critical", owner=OWNER))
        self.kube.apply(version(NAMESPACE))
        self.kube.apply(deployment(NAMESPACE))
        await_reason(self.kube, NAMESPACE, "Progressing")
        self.kube.apply(monitor())

    def found(self, verdict: str) -> None:
        """A run of the monitor has ended with that verdict on drift."""
        self.kube.patch("ModelMonitor", NAMESPACE, MONITOR, {"status": {"run": run(verdict, next(self._numbers))}}, "status")

    def step(self) -> None:
        """Some calls, one of which fails; some truth, about a known call and an unknown one; one more version."""
        for value in (0.0, 0.001, -1.0):
            self.infer(value)
        ids = [uuid7(), "nothing"]
        truths = [{"prediction_id": one, "output": "predict", "value": 1.0} for one in ids]
        self.collector.ask(
            "POST", "/v1/actuals", self.reader, orjson.dumps({"namespace": SENDER, "deployment": DEPLOYMENT, "rows": truths})
        )
        self.kube.apply(version(NAMESPACE, str(next(self._numbers))))
        self.kube.apply(deployment(NAMESPACE, replicas=2 + next(self._numbers) % 2))

    def infer(self, mood: float) -> None:
        """A call, which fails when the mood is below 0."""
        self.server.infer([{"name": "mood", "shape": [1, 1], "datatype": "FP64", "data": [mood]}])

    @contextmanager
    def going_on(self) -> Iterator[None]:
        """Traffic as long as the context lasts. What goes wrong in it is raised at the end."""
        self._over.clear()
        thread = threading.Thread(target=self._go_on, daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._over.set()
            thread.join()
        assert not self._trouble, self._trouble

    def _go_on(self) -> None:
        try:
            while not self._over.wait(1):
                self.step()
        except BaseException as error:
            self._trouble.append(error)


def monitor() -> Manifest:
    spec: dict[str, Any] = {
        "deployment": DEPLOYMENT,
        "drift": {},
        "predictionDrift": {},
        "dataQuality": {"maxMissing": 0.05},
        "performance": {"metrics": [{"name": "auc", "warning": 0.8, "critical": 0.7}]},
    }
    return {"apiVersion": API, "kind": "ModelMonitor", "metadata": {"name": MONITOR, "namespace": NAMESPACE}, "spec": spec}


def run(drift: str, number: int) -> dict[str, Any]:
    """What a run writes to `status.run`."""
    now = datetime.now(UTC).replace(microsecond=0).isoformat().replace("+00:00", "Z")
    checks = [
        {"check": "Drift", "measure": "psi", "column": "age", "value": 0.31, "threshold": 0.2, "rows": 900, "verdict": drift},
        {"check": "PredictionDrift", "measure": "psi", "column": "predict", "value": 0.02, "rows": 900, "verdict": "Healthy"},
        {"check": "DataQuality", "measure": "missing", "column": "age", "value": 0.01, "rows": 900, "verdict": "Healthy"},
        {"check": "Performance", "measure": "auc", "value": 0.83, "lower": 0.8, "upper": 0.86, "rows": 500, "verdict": "Healthy"},
    ]
    truths = {"matched": 500, "waiting": 380, "unmatched": 20, "late": 3}
    whole = {"id": f"run-{number}", "finishedAt": now, "windowFrom": now, "windowTo": now, "seconds": 1.5, "generation": 1}
    return whole | {"version": "3", "rows": 900, "verdict": drift, "checks": checks, "counts": {"Healthy": 3, drift: 1}, "truths": truths}


@contextmanager
def living(folder: Path) -> Iterator[Life]:
    """Everything, from when it runs until the context ends."""
    with ExitStack() as stack:
        plane = stack.enter_context(platform("alerts"))
        kube = Kube(plane.kubeconfig)
        install_records(kube)
        lab = Lab(kube, stack.enter_context(start_store(folder / "buckets")), folder).prepare()
        ledger = stack.enter_context(ledger_store(folder / "ledger"))
        operator = start_operator(plane, kube, folder, "slipway-operator-0", **ledger.settings("alerts"), **SETTINGS)
        stack.callback(operator.end)
        server = ServerProcess(models.save(models.Moody(), folder / "moody"), folder, 2, **capture(folder / "spool", mode="Full"))
        stack.callback(server.kill)
        collector = collect(lab, folder, stack)
        life = Life(kube, operator, collector, server.wait_ready(), lab.person("reader", [may("create", "actuals")]))
        life.register()
        life.infer(0.0)
        until(lambda: metrics(server.metrics_port).get("send_failures_total:connection"), 60, "a batch that was sent in vain")
        collector.start()
        yield life


def collect(lab: Lab, folder: Path, stack: ExitStack) -> Collector:
    """The collector and a shipper, which has sent in vain before."""
    collector = lab.collector(SLIPWAY_LOG_MAINTENANCE_SECONDS="1")
    stack.callback(collector.stop)
    collector.stop()
    home = folder / "shipper"
    home.mkdir()
    shipper = ShipperProcess(folder / "spool", f"http://127.0.0.1:{collector.port}", home, SLIPWAY_NAMESPACE=SENDER)
    stack.callback(shipper.kill)
    shipper.token.write_text(lab.pod_token(SENDER, DEPLOYMENT))
    return collector
