"""Options of the commands that ask the collector."""

from __future__ import annotations

from typing import Annotated

import typer

Deployment = Annotated[str, typer.Option("-d", "--deployment", metavar="NAME", help="The ModelDeployment.")]
Token = Annotated[
    str | None,
    typer.Option("--token", metavar="TOKEN", envvar="SLIPWAY_TOKEN", help="Bearer token; default: the kubeconfig's."),
]
Url = Annotated[
    str | None, typer.Option("--collector", metavar="URL", help="The collector's address; default: a tunnel, or in a pod its Service.")
]
