"""`kubectl slipway predict`: rows from a file to a model, through the apiserver."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from slipway.cli.options import Context, Format, Kubeconfig, Namespace, Output

if TYPE_CHECKING:
    from slipway.cli.cluster import Cluster


def predict(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A ModelDeployment.")],
    file: Annotated[str, typer.Option("-f", "--file", metavar="FILE", help="Rows: *.json or *.csv; - is stdin.")],
    namespace: Namespace = None,
    csv: Annotated[bool, typer.Option("--csv", help="The rows are CSV, whatever the file's name.")] = False,
    header: Annotated[bool, typer.Option("--header/--no-header", help="CSV: the first line names the columns.")] = True,
    timeout: Annotated[float, typer.Option("--timeout", metavar="SECONDS", min=0.1, help="For the answer.")] = 60,
    output: Output = None,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
) -> None:
    """Ask a model: send rows, show its predictions."""
    from slipway.cli.cluster import Access, connect
    from slipway.cli.inference import reply, request, rows
    from slipway.cli.output import as_text, console

    content = rows.read(_read(file), is_csv=csv or file.lower().endswith(".csv") or not header, header=header)
    cluster = connect(Access(kubeconfig, context, namespace))
    model = f"/api/v1/namespaces/{cluster.namespace}/services/http:{name}:http/proxy/v2/models/{name}"
    body = request.build(content, {} if isinstance(content, rows.Request) else _declared(cluster, model))
    began = time.monotonic()
    answer = cluster.call("POST", f"{model}/infer", body=body, timeout=timeout)
    seconds = time.monotonic() - began
    if answer.code >= 400:
        if answer.json().get("kind") == "Status":
            _expect_deployment(cluster, name)
        raise reply.failure(answer, name, cluster.namespace, len(json.dumps(body)))
    if output is Format.JSON:
        print(answer.body.decode())
    elif output:
        print(as_text(answer.json(), output))
    else:
        console().print(reply.table(answer.json()))
        print(f"{reply.title(answer.json())} ({seconds * 1000:.0f} ms)")


def _read(file: str) -> str:
    from slipway.cli.errors import CliError

    try:
        return sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise CliError(f"{file} is not UTF-8 text ({error.reason}): rows are JSON or CSV") from error
    except OSError as error:
        raise CliError(f"cannot read {file}: {error.strerror}") from error


def _declared(cluster: Cluster, model: str) -> dict[str, str]:
    """The model's inputs, if it tells; whatever is wrong shows in the prediction."""
    from slipway.cli.inference.request import declared_inputs

    answer = cluster.call("GET", model)
    return declared_inputs(answer.json()) if answer.code == 200 else {}


def _expect_deployment(cluster: Cluster, name: str) -> None:
    """A Service that does not exist looks to the apiserver like one without pods: tell them apart."""
    from slipway.cli.cluster import SLIPWAY, path
    from slipway.cli.errors import CliError

    where = cluster.namespace
    answer = cluster.call("GET", path(SLIPWAY, "modeldeployments", where, name))
    if answer.code == 404:
        raise CliError(f"no ModelDeployment {name} in namespace {where}: `kubectl slipway status -n {where}` lists them")
