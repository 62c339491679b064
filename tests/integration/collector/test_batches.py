"""A batch comes in, is found again, and is stored once."""

from __future__ import annotations

import shutil
import ssl
import uuid

import pyarrow as pa

from tests.cluster.control_plane import ControlPlane
from tests.integration.collector.lab import Lab
from tests.integration.collector.process import Collector
from tests.integration.collector.proxy import StoreProxy
from tests.integration.collector.samples import rows, stream, uuid7


def test_a_batch_is_stored_once_and_found(lab: Lab, collector: Collector, reader: str, namespace: str) -> None:
    token, ids, writer = lab.pod_token(namespace, "churn"), [uuid7() for _ in range(100)], str(uuid.uuid4())
    body = stream(rows(namespace, "churn", ids, in_age=pa.array(range(100)), out_predict=pa.array([0.5] * 100)))
    assert collector.send(token, body, writer).body == {"rows": 100, "state": "Stored"}
    assert collector.send(token, body, writer).body == {"rows": 100, "state": "Known"}
    assert lab.ids(namespace, "churn") == sorted(ids)
    found = collector.ask("GET", f"/v1/predictions/{ids[41]}?namespace={namespace}&deployment=churn", reader).body
    (row,) = found["predictions"]
    assert (row["prediction_id"], row["in_age"], row["out_predict"], row["namespace"]) == (ids[41], 41, 0.5, namespace)
    assert found["actuals"] == []


def test_a_store_behind_a_private_authority(lab: Lab, plane: ControlPlane, namespace: str) -> None:
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(plane.pki / "apiserver.crt", plane.pki / "apiserver.key")
    with StoreProxy(lab.store.port, tls=tls) as proxy:
        place = {"SLIPWAY_LOG_ENDPOINT": f"https://127.0.0.1:{proxy.port}"}
        body, token = stream(rows(namespace, "churn", ["a"])), lab.pod_token(namespace, "churn")
        knows, does_not = lab.collector(SLIPWAY_LOG_CA_BUNDLE=str(plane.pki / "ca.crt"), **place), lab.collector(**place)
        assert does_not.send(token, body).status == 503
        assert knows.send(token, body).body == {"rows": 1, "state": "Stored"}


def test_keys_that_are_changed(lab: Lab, namespace: str) -> None:
    """The Secret is read anew when the store refuses."""
    secret = lab.folder / "rotated"
    shutil.copytree(lab.folder / "secret", secret)
    collector, token, writer = lab.collector(SLIPWAY_LOG_SECRET=str(secret)), lab.pod_token(namespace, "churn"), str(uuid.uuid4())
    assert collector.send(token, stream(rows(namespace, "churn", ["a"])), writer, 1).status == 200
    (secret / "AWS_SECRET_ACCESS_KEY").write_text("another")
    lab_key = (lab.folder / "secret" / "AWS_SECRET_ACCESS_KEY").read_text()
    other = lab.pod_token(namespace, "fresh")
    assert collector.send(other, stream(rows(namespace, "fresh", ["a"])), writer, 1).status == 503
    (secret / "AWS_SECRET_ACCESS_KEY").write_text(lab_key)
    assert collector.send(other, stream(rows(namespace, "fresh", ["a"])), writer, 1).status == 200
