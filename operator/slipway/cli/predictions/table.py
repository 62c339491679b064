"""`kubectl slipway logs-table`: how DuckDB, Spark and Trino open a deployment's tables. No secret is printed: it says where they are."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from slipway.cli.options import Context, Kubeconfig, Namespace, Output

if TYPE_CHECKING:
    from slipway.cli.cluster import Cluster

SERVICE, PORT = "slipway-predictions", 9002
"""The embedded store's reader."""
LOCAL = f"http://127.0.0.1:{PORT}"
SPARK = "io.delta:delta-spark_2.13:4.0.1,org.apache.hadoop:hadoop-aws:3.4.1"
"""For Spark 4.0, with which tests read a table."""


@dataclass(frozen=True)
class Table:
    """Where a deployment's rows are, and with what they are opened."""

    uri: str
    """`s3://BUCKET/PREFIX/NAMESPACE/DEPLOYMENT`; below it `predictions` and `actuals`."""
    endpoint: str
    """Empty: AWS."""
    region: str
    platform: str
    """The namespace that Slipway runs in."""
    secret: str
    """The Secret there with credentials to read; empty: the reader brings credentials of their own."""
    embedded: bool


def logs_table(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A ModelDeployment.")],
    namespace: Namespace = None,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
    output: Output = None,
) -> None:
    """Print how DuckDB, Spark and Trino read what a deployment answered."""
    from slipway.cli.cluster import Access, connect
    from slipway.cli.output import as_text

    table = found(connect(Access(kubeconfig, context, namespace)), name)
    if output:
        print(as_text(as_data(table), output))
    else:
        print(render(table))


def found(cluster: Cluster, name: str) -> Table:
    """As the platform says, and the readers' Secret, for those who may read it.

    Raises:
        CliError: the platform has no log, or the name is none.

    """
    from slipway.cli.artifact.store import decode, platform_namespace
    from slipway.cli.cluster import ApiError, path
    from slipway.cli.errors import CliError
    from slipway.cli.predictions.collector import place

    if not re.fullmatch(r"[a-z]([-a-z0-9]*[a-z0-9])?", name):  # it becomes part of statements
        raise CliError(f"{name!r} is no name of a ModelDeployment")
    config, platform = place(cluster), platform_namespace()
    name_of_secret = config.get("secretName", "")
    try:
        secret = decode(cluster.get(path("v1", "secrets", platform, name_of_secret)) or {}) if name_of_secret else {}
    except ApiError:
        secret = {}
    embedded = config.get("embedded") == "true"
    return Table(
        uri=f"{config['uri'].rstrip('/')}/{cluster.namespace}/{name}",
        endpoint=LOCAL if embedded else config.get("endpoint") or secret.get("AWS_ENDPOINT_URL", ""),
        region=config.get("region") or secret.get("AWS_REGION") or "us-east-1",
        platform=platform,
        secret=name_of_secret,
        embedded=embedded,
    )


def as_data(table: Table) -> dict[str, str]:
    """For programs. In the cluster the embedded store has another address than through a tunnel."""
    inside = f"http://{SERVICE}.{table.platform}.svc:{PORT}" if table.embedded else table.endpoint
    return {
        "predictions": f"{table.uri}/predictions",
        "actuals": f"{table.uri}/actuals",
        "endpoint": inside,
        "region": table.region,
        "secret": f"{table.platform}/{table.secret}" if table.secret else "",
    }


def render(table: Table) -> str:
    """For people: to copy, part by part."""
    parts = [_about(table), _access(table), duckdb(table), spark(table), trino(table)]
    return "\n\n".join(parts)


def _about(table: Table) -> str:
    return (
        f"-- Delta Lake tables, partitioned by `date` (UTC): {table.uri}/predictions, and {table.uri}/actuals with the truths.\n"
        "-- They are joined by prediction_id and row."
    )


def _access(table: Table) -> str:
    """Credentials and, for the embedded store, a way to it."""
    lines = ["# Credentials to read, of whoever gave you the bucket: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"]
    if table.secret:
        get = f"kubectl -n {table.platform} get secret {table.secret} -o jsonpath="
        lines = [f"# Credentials to read (Role slipway-prediction-log-reader in {table.platform}; they open the tables of all deployments)"]
        lines += [f"export {key}=$({get}'{{.data.{key}}}' | base64 -d)" for key in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")]
    lines.append(f"export AWS_REGION={table.region}")
    if table.embedded:
        lines.append(f"# A way to the store, open meanwhile (in the cluster: {as_data(table)['endpoint']})")
        lines.append(f"kubectl -n {table.platform} port-forward svc/{SERVICE} {PORT} &")
    return "\n".join(lines)


def duckdb(table: Table) -> str:
    """SQL for DuckDB, its shell or its libraries."""
    scheme, _, host = table.endpoint.partition("://")
    place = f", ENDPOINT '{host}', URL_STYLE 'path', USE_SSL {str(scheme == 'https').lower()}" if host else ""
    return (
        "-- DuckDB\n"
        "INSTALL delta; LOAD delta; INSTALL httpfs; LOAD httpfs; INSTALL aws; LOAD aws;\n"
        f"CREATE SECRET slipway (TYPE s3, PROVIDER credential_chain, CHAIN 'env', REGION '{table.region}'{place});\n"
        f"SELECT p.*, a.label AS truth FROM delta_scan('{table.uri}/predictions') p\n"
        f"LEFT JOIN delta_scan('{table.uri}/actuals') a USING (prediction_id, \"row\") WHERE p.date >= current_date - 7;"
    )


def spark(table: Table) -> str:
    """A Spark shell, with the credentials of the environment."""
    path = f"{table.uri}/predictions".replace("s3://", "s3a://", 1)
    options = [f"--packages {SPARK}", *(f"--conf {key}={value}" for key, value in spark_settings(table).items())]
    query = shlex.quote(f"SELECT * FROM delta.`{path}` WHERE date >= current_date() - 7")
    lines = [
        "# Spark 4.0; with another, take the packages that fit it",
        "spark-sql \\",
        *(f"  {option} \\" for option in options),
        f"  -e {query}",
    ]
    return "\n".join(lines)


def spark_settings(table: Table) -> dict[str, str]:
    """What makes Spark read a Delta table on S3; credentials are the environment's."""
    settings = {
        "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
        "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
        "spark.hadoop.fs.s3a.endpoint.region": table.region,
    }
    if table.endpoint:
        settings |= {"spark.hadoop.fs.s3a.endpoint": table.endpoint, "spark.hadoop.fs.s3a.path.style.access": "true"}
    return settings


def trino(table: Table) -> str:
    """A catalog, and the statement that brings the table into it."""
    *_, namespace, deployment = table.uri.split("/")
    place = [f"s3.endpoint={table.endpoint}", "s3.path-style-access=true"] if table.endpoint else []
    catalog = [
        "connector.name=delta_lake",
        "# your Hive metastore, or hive.metastore=glue",
        "hive.metastore.uri=thrift://METASTORE:9083",
        "delta.register-table-procedure.enabled=true",
        "fs.native-s3.enabled=true",
        f"s3.region={table.region}",
        *place,
        "s3.aws-access-key=${ENV:AWS_ACCESS_KEY_ID}",
        "s3.aws-secret-key=${ENV:AWS_SECRET_ACCESS_KEY}",
    ]
    schema = namespace.replace("-", "_")
    call = (
        f"CALL slipway.system.register_table(schema_name => '{schema}', table_name => '{deployment.replace('-', '_')}_predictions', "
        f"table_location => '{table.uri}/predictions');"
    )
    return "\n".join(
        ["# Trino: etc/catalog/slipway.properties", *catalog, "-- then, once", f"CREATE SCHEMA IF NOT EXISTS slipway.{schema};", call]
    )
