"""Options that every command has."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer


class Format(StrEnum):
    """Output for programs; without it, output is for people."""

    JSON = "json"
    YAML = "yaml"


Namespace = Annotated[str | None, typer.Option("-n", "--namespace", metavar="NAMESPACE", help="Namespace; default: the context's.")]
AllNamespaces = Annotated[bool, typer.Option("-A", "--all-namespaces", help="All namespaces.")]
Context = Annotated[str | None, typer.Option("--context", metavar="NAME", help="Context of the kubeconfig.")]
Kubeconfig = Annotated[str | None, typer.Option("--kubeconfig", metavar="FILE", help="Kubeconfig; default: $KUBECONFIG or ~/.kube/config.")]
Output = Annotated[Format | None, typer.Option("-o", "--output", help="For programs; default: for people.")]
