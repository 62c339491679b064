"""`kubectl slipway rbac check`: who may do what, and what is dangerous in it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from slipway.cli.options import AllNamespaces, Context, Kubeconfig, Namespace, Output
from slipway.cli.output import as_text, console, note

if TYPE_CHECKING:
    from slipway.cli.cluster import Cluster, Json
    from slipway.cli.governance.rbac.findings import Finding
    from slipway.cli.governance.rbac.rights import Right

RBAC = "rbac.authorization.k8s.io/v1"
STAGE = "slipway.dev/stage"
"""plan.names.STAGE_LABEL, without what that imports."""


@dataclass(frozen=True)
class Checked:
    """What came of it."""

    rights: list[Right]
    findings: list[Finding]

    def as_data(self) -> dict[str, Any]:
        return {"rights": [asdict(right) for right in self.rights], "findings": [asdict(finding) for finding in self.findings]}


def check(
    namespace: Namespace = None,
    all_namespaces: AllNamespaces = False,
    strict: Annotated[bool, typer.Option("--strict", help="Exit code 1 when there is a warning: for pipelines.")] = False,
    output: Output = None,
    context: Context = None,
    kubeconfig: Kubeconfig = None,
) -> None:
    """Show who may approve, override, deploy and change the policies, and warn of what gets round them. -A: where there is a stage."""
    if all_namespaces and namespace:
        raise typer.BadParameter("-A does not go with -n")

    from slipway.cli.cluster import Access, connect
    from slipway.cli.governance.rbac import view
    from slipway.cli.governance.rbac.findings import WARNING

    cluster = connect(Access(kubeconfig, context, namespace))
    checked = checked_in(cluster, None if all_namespaces else cluster.namespace)
    if output:
        print(as_text(checked.as_data(), output))
    else:
        console().print(view.render(checked.rights, checked.findings))
    warnings = [finding for finding in checked.findings if finding.level == WARNING]
    if strict and warnings:
        note(f"--strict: {len(warnings)} warning{'s' if len(warnings) > 1 else ''}.")
        raise typer.Exit(1)


def checked_in(cluster: Cluster, namespace: str | None) -> Checked:
    """Of one namespace, or (None) of all that have a stage. Raises CliError where one may not look."""
    from slipway.cli.governance.rbac import findings
    from slipway.cli.governance.rbac.grants import grants
    from slipway.cli.governance.rbac.rights import cluster_rights, policies_of, rights, roles_of

    stages, policies = _stages(cluster, namespace), _policies(cluster)
    found = grants(*_written(cluster, namespace))
    held, wrong = [], findings.of_grants(found)
    for name, stage in stages.items():
        matching = policies_of(policies, stage)
        here = rights(found, name, roles_of(matching))
        held += here
        wrong += findings.of_namespace(name, found, here, matching)
        if not matching:
            said = f"of stage {stage}, for which no policy is" if stage else f"without a stage (label {STAGE})"
            note(f"Namespace {name} is {said}: nothing that is deployed there needs approval.")
    return Checked([*held, *cluster_rights(found)], sorted(set(wrong), key=lambda finding: (finding.level != "Warning", finding)))


def _written(cluster: Cluster, namespace: str | None) -> tuple[list[Json], list[Json]]:
    """All roles, all bindings."""
    kinds = {"clusterroles": None, "roles": namespace, "clusterrolebindings": None, "rolebindings": namespace}
    found = {plural: _listed(cluster, plural, where) for plural, where in kinds.items()}
    roles = [role | {"kind": "ClusterRole"} for role in found["clusterroles"]] + [role | {"kind": "Role"} for role in found["roles"]]
    return roles, found["clusterrolebindings"] + found["rolebindings"]


def _listed(cluster: Cluster, plural: str, namespace: str | None) -> list[Json]:
    from slipway.cli.cluster import ApiError, path
    from slipway.cli.errors import CliError

    try:
        return cluster.list(path(RBAC, plural, namespace))
    except ApiError as error:
        if error.code != 403:
            raise
        where = f" of namespace {namespace}" if namespace else ""
        raise CliError(
            f"you may not list {plural}{where}, from which this is read: have somebody check who may, such as an auditor, or ask for "
            "the ClusterRole slipway-auditor"
        ) from error


def _stages(cluster: Cluster, namespace: str | None) -> dict[str, str]:
    """The stage of each namespace that is checked; empty for one without, or that may not be read."""
    from slipway.cli.cluster import ApiError, path
    from slipway.cli.errors import CliError

    try:
        if namespace is None:
            found = cluster.list(path("v1", "namespaces"), STAGE)
            return {item["metadata"]["name"]: item["metadata"]["labels"][STAGE] for item in found}
        item = cluster.get(path("v1", "namespaces", name=namespace))
    except ApiError as error:
        if error.code != 403:
            raise
        right = "list namespaces" if namespace is None else f"get namespace {namespace}"
        raise CliError(f"you may not {right}, whose stage decides which policies have a say: ask for that right") from error
    if item is None:
        raise CliError(f"no namespace {namespace}: kubectl get namespaces -L {STAGE}")
    return {namespace: (item["metadata"].get("labels") or {}).get(STAGE, "")}


def _policies(cluster: Cluster) -> list[Json]:
    from slipway.cli.cluster import SLIPWAY, path

    return cluster.list(path(SLIPWAY, "approvalpolicies"))
