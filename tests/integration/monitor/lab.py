"""Where runs are made in tests: a real S3 server, tables as the collector writes them, and an apiserver that is a function."""

from __future__ import annotations

import hashlib
import io
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import obstore
import pyarrow as pa
import pyarrow.parquet as pq

from slipway.cluster.http import NotFound, Request
from slipway.collector.log.place import open_store
from slipway.collector.settings import LogPlace
from slipway.monitor.settings import Notifiers, Settings, Who
from tests.s3 import Server

NAMESPACE, DEPLOYMENT, NAME = "growth", "churn", "daily"
Json = dict[str, Any]


@dataclass
class Api:
    """An apiserver of four objects: answers GET, and keeps what is applied to the status."""

    objects: dict[str, Json]
    applied: list[Request] = field(default_factory=list)

    async def __call__(self, request: Request) -> Any:
        if request.method == "PATCH":
            self.applied.append(request)
            return {}
        found = self.objects.get("/".join(request.path.split("/")[-2:]))
        if found is None:
            raise NotFound(404, "NotFound", request.path)
        return found

    @property
    def run(self) -> Json:
        """`status.run` as it was applied last."""
        found: Json = self.applied[-1].body["status"]["run"]
        return found


@dataclass
class Lab:
    """One deployment and its monitor."""

    store: Server
    folder: Path
    place: LogPlace
    models: LogPlace

    @classmethod
    def prepared(cls, store: Server, folder: Path, bucket: str) -> Lab:
        """The log in one bucket, models in another, each opened by its own Secret."""
        secret = folder / "secret"
        secret.mkdir()
        for name, value in store.secret.items():
            (secret / name).write_text(value)
        store.bucket("models")
        return cls(store, folder, LogPlace(f"s3://{store.bucket(bucket)}/log", secret), LogPlace("s3://models", secret))

    def settings(self, **more: Any) -> Settings:
        usual: Json = {"who": Who(NAMESPACE, NAME, "uid-1", "daily-1"), "log": self.place, "store": self.models, "notifiers": Notifiers()}
        return Settings(**(usual | more))

    def objects(self, spec: Json, baseline: Json | None = None, status: Json | None = None, **model: Any) -> Api:
        """The apiserver; `model` goes into the Model's spec."""
        meta = {"namespace": NAMESPACE}
        version = {"model": "churn", "version": "3", "lineage": {"trainedAt": "2026-11-01T00:00:00Z"}}
        monitor = {"metadata": meta | {"name": NAME, "uid": "uid-1", "generation": 2}, "spec": {"deployment": DEPLOYMENT} | spec}
        return Api(
            {
                f"modelmonitors/{NAME}": monitor | ({"status": {"run": status}} if status else {}),
                f"modeldeployments/{DEPLOYMENT}": {"metadata": meta, "spec": {"model": "churn", "version": "3"}},
                "models/churn": {"metadata": meta, "spec": {"task": "BinaryClassification"} | model},
                "modelversions/churn-3": {"metadata": meta, "spec": version | ({"baseline": baseline} if baseline else {})},
            }
        )

    def push(self, rows: pa.Table, key: str = "growth/churn/3.baseline.parquet") -> Json:
        """Reference rows as `push --baseline` puts them; `spec.baseline`."""
        sink = io.BytesIO()
        pq.write_table(rows, sink)
        obstore.put(open_store(self.models, "s3://models"), key, sink.getvalue())
        return {"uri": f"s3://models/{key}", "digest": f"sha256:{hashlib.sha256(sink.getvalue()).hexdigest()}"}

    def kept(self, path: str) -> Any:
        """A file of the monitor's folder; JSON decoded."""
        body = self.raw(f"{NAMESPACE}/{DEPLOYMENT}/monitors/{path}")
        return json.loads(body) if path.endswith(".json") else body.decode()

    def raw(self, path: str) -> bytes:
        return obstore.get(open_store(self.place, self.place.uri), path).bytes().to_bytes()

    def names(self) -> list[str]:
        """Everything below the monitors' folder."""
        listed = obstore.list(open_store(self.place, self.place.uri), prefix=f"{NAMESPACE}/{DEPLOYMENT}/monitors").collect()
        return sorted(one["path"].split("/monitors/")[1] for one in listed)
