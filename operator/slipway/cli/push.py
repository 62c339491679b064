"""`kubectl slipway push`: a trained model becomes a ModelVersion, its bytes in the artifact store."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from slipway.cli.options import Context, Kubeconfig, Namespace, Output


def push(
    model: Annotated[str, typer.Option("--model", metavar="NAME", help="The Model this is a version of.")],
    version: Annotated[str, typer.Option("--version", metavar="VERSION", help="Such as 3.")],
    path: Annotated[Path | None, typer.Argument(metavar="PATH", help="The model: a file or a folder.", exists=True)] = None,
    namespace: Namespace = None,
    task: Annotated[
        str | None,
        typer.Option("--task", metavar="TASK", help="Create the Model with this task if it does not exist."),
    ] = None,
    format_name: Annotated[
        str | None, typer.Option("--format", metavar="FORMAT", help="sklearn or custom; default: by the file's name.")
    ] = None,
    format_version: Annotated[
        str | None, typer.Option("--format-version", metavar="X.Y", help="Default: what the model's file says.")
    ] = None,
    image: Annotated[str | None, typer.Option("--image", metavar="IMAGE", help="Format custom: your server.")] = None,
    port: Annotated[int, typer.Option("--port", help="Format custom: its v2 REST port.")] = 8080,
    grpc_port: Annotated[int | None, typer.Option("--grpc-port", help="Format custom: its v2 gRPC port.")] = None,
    to: Annotated[str | None, typer.Option("--to", metavar="s3://…", help="Your own store; default: the platform's.")] = None,
    secret: Annotated[str | None, typer.Option("--secret", metavar="NAME", help="The Secret with which pods read the store.")] = None,
    metric: Annotated[list[str] | None, typer.Option("--metric", metavar="NAME=NUMBER", help="Repeatable.")] = None,
    training_data: Annotated[str | None, typer.Option("--training-data", metavar="URI", help="What it was trained on.")] = None,
    baseline: Annotated[
        Path | None,
        typer.Option(
            "--baseline",
            metavar="FILE",
            help="Reference rows (*.csv or *.parquet, columns named as features) that monitors compare with.",
            exists=True,
            dir_okay=False,
        ),
    ] = None,
    sign: Annotated[
        Path | None,
        typer.Option("--sign", metavar="KEY.pem", help="Sign the bytes with this elliptic-curve private key (docs/signing.md)."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Upload and create nothing; print the YAML.")] = False,
    output: Output = None,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
) -> None:
    """Store a trained model and register it as an immutable ModelVersion."""
    from slipway.cli import registering
    from slipway.cli.artifact import describe
    from slipway.cli.cluster import Access

    wanted = describe.Wanted(
        path=path,
        model=model,
        version=version,
        task=task,
        format_name=format_name,
        format_version=format_version,
        image=image,
        port=port,
        grpc_port=grpc_port,
        metrics=tuple(metric or ()),
        training_data=training_data,
        baseline=baseline,
    )
    registering.register(wanted, Access(kubeconfig, context, namespace), to, secret, sign, dry_run=dry_run, output=output)
