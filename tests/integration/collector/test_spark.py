"""A real Spark reads the table, by the very command that `kubectl slipway logs-table` prints."""

from __future__ import annotations

import itertools
import re
import shlex

import pytest

from slipway.cli.predictions.table import Table, spark
from tests.integration.collector.lab import BUCKET, Lab
from tests.integration.collector.process import Collector
from tests.integration.collector.samples import rows, stream
from tests.spark.engine import POM, read


@pytest.mark.full
def test_spark_reads_what_the_collector_wrote(lab: Lab, collector: Collector, namespace: str) -> None:
    token = lab.pod_token(namespace, "churn")
    assert collector.send(token, stream(rows(namespace, "churn", ["a", "b"], in_age=[41.0, None]))).status == 200
    assert collector.send(token, stream(rows(namespace, "churn", ["c"], in_age=[7.0], in_plan=["plus"]))).status == 200

    told = spark(
        Table(
            f"s3://{BUCKET}/log/{namespace}/churn",
            lab.store.secret["AWS_ENDPOINT_URL"],
            "us-east-1",
            "slipway-system",
            "reader",
            embedded=False,
        )
    )
    asked = shlex.split(told, comments=True)
    options = dict(setting.split("=", 1) for flag, setting in itertools.pairwise(asked) if flag == "--conf")
    (packages,) = (setting for flag, setting in itertools.pairwise(asked) if flag == "--packages")
    tried = re.findall(r"<groupId>(.*)</groupId>\s*<artifactId>(.*)</artifactId>\s*<version>(.*)</version>", POM.read_text())
    assert set(packages.split(",")) <= {":".join(found) for found in tried}
    options |= {"spark.hadoop.fs.s3a.access.key": lab.store.secret["AWS_ACCESS_KEY_ID"]}
    options |= {"spark.hadoop.fs.s3a.secret.key": lab.store.secret["AWS_SECRET_ACCESS_KEY"]}

    found = read(options, asked[-1].replace("*", "prediction_id, in_age, in_plan, CAST(date AS STRING) AS day") + " ORDER BY prediction_id")
    assert [(row["prediction_id"], row["in_age"], row["in_plan"]) for row in found] == [
        ("a", 41.0, None),
        ("b", None, None),
        ("c", 7.0, "plus"),
    ]
    assert {row["day"] for row in found} == {str(lab.table(namespace, "churn")["date"][0])}
