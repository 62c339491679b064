"""`kubectl slipway diff`: exactly what an approval would let start."""

from __future__ import annotations

from typing import Annotated

import typer

from slipway.cli.options import Context, Kubeconfig, Namespace, Output
from slipway.cli.output import as_text, console


def diff(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A ModelDeployment.")],
    namespace: Namespace = None,
    output: Output = None,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
) -> None:
    """Show what would change between what was approved last and what is asked for, and how to approve it."""
    from slipway.cli.cluster import Access, connect
    from slipway.cli.governance import asked, compare

    found = asked.read(connect(Access(kubeconfig, context, namespace)), name)
    if output:
        print(as_text(compare.as_data(found), output))
    else:
        console().print(compare.render(found))
