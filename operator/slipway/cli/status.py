"""`kubectl slipway status`: how deployments are, what is wrong, and what to do."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from slipway.cli.options import AllNamespaces, Context, Format, Kubeconfig, Namespace, Output
from slipway.cli.output import as_text, console, note

if TYPE_CHECKING:
    from slipway.cli.cluster import Cluster


def status(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="A ModelDeployment; without it, all.")] = None,
    namespace: Namespace = None,
    all_namespaces: AllNamespaces = False,
    output: Output = None,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
) -> None:
    """Show deployments: what serves, what is wrong, and what to do about it."""
    if all_namespaces and (name or namespace):
        raise typer.BadParameter("-A goes with neither a NAME nor -n")

    from slipway.cli.cluster import Access, connect

    cluster = connect(Access(kubeconfig, context, namespace))
    if name:
        _one(cluster, name, output)
    else:
        _all(cluster, None if all_namespaces else cluster.namespace, output)


def _one(cluster: Cluster, name: str, output: Format | None) -> None:
    from slipway.cli.view import problems, snapshot, tree

    found = snapshot.take(cluster, name)
    if output:
        wrong = problems.problems(found.deployment, found.of("pods"))
        print(as_text(found.as_data() | {"problems": [asdict(problem) for problem in wrong]}, output))
    else:
        console().print(tree.render(found, datetime.now(UTC)))


def _all(cluster: Cluster, namespace: str | None, output: Format | None) -> None:
    from slipway.cli.cluster import SLIPWAY, path
    from slipway.cli.view import table

    rows = table.rows(cluster.list(path(SLIPWAY, "modeldeployments", namespace)))
    if output:
        print(as_text(rows, output))
    elif rows:
        console().print(table.render(rows, namespaces=namespace is None))
    else:
        note(f"No ModelDeployments in {f'namespace {namespace}' if namespace else 'any namespace'}.")
