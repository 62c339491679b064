"""A real Spark reads the tables with the options that `kubectl slipway logs-table` prints."""

from __future__ import annotations

import re

import pyarrow as pa
import pytest

from slipway.cli.predictions.table import SPARK, Table, spark_settings
from tests.integration.collector.lab import BUCKET, Lab
from tests.integration.collector.process import Collector
from tests.integration.collector.samples import rows, stream, uuid7
from tests.spark import engine


def test_it_reads_what_was_collected(lab: Lab, collector: Collector, namespace: str, monkeypatch: pytest.MonkeyPatch) -> None:
    token, ids = lab.pod_token(namespace, "churn"), [uuid7(), uuid7()]
    body = stream(rows(namespace, "churn", ids, in_age=pa.array([30, 31]), out_predict=pa.array([1, 0])))
    assert collector.send(token, body).status == 200

    for key in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(key, lab.store.secret[key])
    uri, secret = f"s3://{BUCKET}/log/{namespace}/churn", lab.store.secret
    table = Table(uri, secret["AWS_ENDPOINT_URL"], secret.get("AWS_REGION", "us-east-1"), "slipway-system", "", embedded=False)
    query = "SELECT prediction_id, in_age, out_predict, deployment FROM log WHERE date >= current_date() - 7 ORDER BY in_age"
    found = engine.read(f"{uri}/predictions".replace("s3://", "s3a://", 1), spark_settings(table), query)
    assert found == [
        {"prediction_id": one, "in_age": age, "out_predict": answer, "deployment": "churn"}
        for one, age, answer in zip(ids, (30, 31), (1, 0), strict=True)
    ]


def test_the_packages_are_those_that_it_was_read_with() -> None:
    pom = engine.POM.read_text()
    tested = re.findall(r"<groupId>(.+?)</groupId>\s*<artifactId>(.+?)</artifactId>\s*<version>(.+?)</version>", pom)
    assert set(SPARK.split(",")) == {":".join(package) for package in tested} - {"dev.slipway:spark-jars:1"}
