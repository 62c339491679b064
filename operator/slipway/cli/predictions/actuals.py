"""`kubectl slipway actuals push`: what turned out to be true, for the predictions of a file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from uuid import uuid4

import typer

from slipway.cli.options import Context, Kubeconfig, Namespace, Output
from slipway.cli.predictions.options import Deployment, Token, Url

if TYPE_CHECKING:
    from slipway.cli.predictions.collector import Collector
    from slipway.cli.predictions.truths import Row

BATCH_ROWS = 5000
COUNTS = ("accepted", "duplicate", "unmatched", "late")


def push(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="*.csv with a header, or *.parquet.", exists=True, dir_okay=False)],
    deployment: Deployment,
    key: Annotated[
        list[str] | None,
        typer.Option("--key", metavar="COLUMN", help="Find rows by this key of the request, not by prediction id. Repeatable."),
    ] = None,
    id_column: Annotated[str, typer.Option("--id", metavar="COLUMN", help="The column with prediction ids.")] = "prediction_id",
    value: Annotated[str, typer.Option("--value", metavar="COLUMN", help="The column with what turned out to be true.")] = "value",
    of: Annotated[str, typer.Option("--of", metavar="OUTPUT", help="The model's output that it is the truth of.")] = "predict",
    namespace: Namespace = None,
    token: Token = None,
    collector: Url = None,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
    output: Output = None,
) -> None:
    """Tell the prediction log what turned out to be true. Columns `row`, `time` and `output` of the file are heeded, too."""
    from slipway.cli.cluster import Access, connect
    from slipway.cli.output import as_text
    from slipway.cli.predictions.collector import Given, reached
    from slipway.cli.predictions.truths import Shape, truths

    access = Access(kubeconfig, context, namespace)
    cluster = connect(access)
    rows = truths(file, Shape(tuple(key or ()), id_column, value, of))
    with reached(Given(access, token, collector), cluster) as way:
        counts = send(way, cluster.namespace, deployment, rows)
    if output:
        print(as_text(counts, output))
    else:
        print(told(counts))


def send(way: Collector, namespace: str, deployment: str, rows: Iterable[Row]) -> dict[str, int]:
    """All rows, in batches that a repetition does not double; what the collector counted."""
    writer, sequence = str(uuid4()), 0
    counts: Counter[str] = Counter(dict.fromkeys(COUNTS, 0))
    remaining = iter(rows)
    while batch := list(islice(remaining, BATCH_ROWS)):
        sequence += 1
        headers = {"x-slipway-writer": writer, "x-slipway-sequence": str(sequence)}
        body = {"namespace": namespace, "deployment": deployment, "rows": batch}
        answer = way.ask("POST", "/v1/actuals", body=body, headers=headers)
        counts.update({name: int(answer.get(name, 0)) for name in COUNTS})
    return dict(counts)


def told(counts: dict[str, int]) -> str:
    """In a line."""
    more = {
        "duplicate": "were known (the last one holds)",
        "unmatched": "are of no prediction that the log has (kept until one comes)",
        "late": "came late",
    }
    said = [f"{counts[name]} {words}" for name, words in more.items() if counts[name]]
    return "; ".join([f"{counts['accepted']} accepted", *said])
