"""How other tools open the tables."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from slipway.cli.cluster import ApiError
from slipway.cli.errors import CliError
from slipway.cli.predictions.table import as_data, found, render
from tests.unit.cli.predictions.test_collector import cluster

EMBEDDED = {"uri": "s3://slipway-predictions", "secretName": "slipway-predictions-reader", "embedded": "true"}
OWN = {"uri": "s3://predictions/cluster-1", "secretName": "my-readers", "embedded": "false"}


def platform(config: dict[str, str], secret: dict[str, str] | None) -> Any:
    """Its ConfigMap, and the readers' Secret, which None may not read."""
    made = cluster("mine")

    def get(path: str) -> dict[str, Any]:
        if "/configmaps/" in path:
            return {"data": config}
        if secret is None:
            raise ApiError(403, "no")
        return {"data": {key: base64.b64encode(value.encode()).decode() for key, value in secret.items()}}

    object.__setattr__(made, "get", get)
    return made


def test_the_embedded_store() -> None:
    table = found(platform(EMBEDDED, None), "churn")
    assert as_data(table) == {
        "predictions": "s3://slipway-predictions/growth/churn/predictions",
        "actuals": "s3://slipway-predictions/growth/churn/actuals",
        "endpoint": "http://slipway-predictions.slipway-system.svc:9002",
        "region": "us-east-1",
        "secret": "slipway-system/slipway-predictions-reader",
    }
    text = render(table)
    assert "kubectl -n slipway-system port-forward svc/slipway-predictions 9002" in text
    assert "ENDPOINT '127.0.0.1:9002', URL_STYLE 'path', USE_SSL false" in text
    assert "delta.`s3a://slipway-predictions/growth/churn/predictions`" in text
    assert "spark.hadoop.fs.s3a.endpoint=http://127.0.0.1:9002" in text
    assert "schema_name => 'growth', table_name => 'churn_predictions'" in text
    assert "get secret slipway-predictions-reader -o jsonpath='{.data.AWS_ACCESS_KEY_ID}' | base64 -d" in text


def test_a_bucket_of_ones_own_on_aws() -> None:
    table = found(platform(OWN | {"region": "eu-central-1"}, None), "churn")
    text = render(table)
    assert table.uri == "s3://predictions/cluster-1/growth/churn"
    assert "port-forward" not in text
    assert "ENDPOINT" not in text.replace("METASTORE", "")
    assert "s3.region=eu-central-1" in text


def test_an_address_that_only_the_secret_says() -> None:
    secret = {"AWS_ENDPOINT_URL": "https://s3.example.com", "AWS_REGION": "x", "AWS_SECRET_ACCESS_KEY": "hidden"}
    text = render(found(platform(OWN, secret), "churn"))
    assert "ENDPOINT 's3.example.com', URL_STYLE 'path', USE_SSL true" in text
    assert "hidden" not in text


def test_a_name_becomes_part_of_statements() -> None:
    with pytest.raises(CliError, match="is no name"):
        found(platform(EMBEDDED, None), "x'; DROP TABLE y; --")
