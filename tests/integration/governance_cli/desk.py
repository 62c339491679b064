"""People who sit at terminals and run the plugin, each with a certificate of their own."""

from __future__ import annotations

import io
import json
import os
import pty
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from slipway.cli import main
from slipway.cli.governance import asked, giving
from tests.cluster import pki
from tests.integration.gate.gated import RBAC, Gated
from tests.integration.journal.team import SECONDS
from tests.kube import Manifest
from tests.wait import PATIENCE, until

NOBODYS = "rbac.authorization.k8s.io"


@dataclass(frozen=True)
class Shown:
    """What a command printed, and its exit code."""

    code: int
    stdout: str
    stderr: str

    @property
    def data(self) -> Any:
        return json.loads(self.stdout)


@dataclass(frozen=True)
class Desk(Gated):
    """A governed namespace, seen from the plugin."""

    def kubeconfig_of(self, who: str, *groups: str) -> Path:
        """The groups are those of the first call."""
        path = self.folder / f"{who}.kubeconfig"
        if not path.exists():
            pki.write_kubeconfig(path, self.plane.pki, pki.issue(self.plane.pki, who, groups), self.plane.url)
        return path

    def arguments(self, who: str, *arguments: str) -> list[str]:
        return [*arguments, "--kubeconfig", str(self.kubeconfig_of(who))]

    def run(self, who: str, *arguments: str, namespace: bool = True) -> Shown:
        """`kubectl slipway ARGUMENTS` in this namespace, without a terminal; in this process, for imports take seconds."""
        whole = self.arguments(who, *arguments, *(["-n", self.namespace] if namespace else []))
        out, err = io.StringIO(), io.StringIO()
        with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
            for module in (asked, giving):
                patch.setattr(module, "PATIENCE", PATIENCE * SECONDS)
            patch.setattr(sys, "argv", ["kubectl-slipway", *whole])
            patch.setattr(sys, "stdin", io.StringIO())
            with pytest.raises(SystemExit) as ended:
                main()
        return Shown(int(ended.value.code or 0), out.getvalue(), err.getvalue())

    def at_a_terminal(self, who: str, answer: str, *arguments: str) -> Shown:
        """The same as a process of its own, whose stdin is a terminal at which `answer` is typed."""
        ours, theirs = pty.openpty()
        patient = f"from slipway.cli.governance import asked, giving; asked.PATIENCE = giving.PATIENCE = {PATIENCE * SECONDS}"
        command = [
            sys.executable,
            "-c",
            f"{patient}; from slipway.cli import main; main()",
            *self.arguments(who, *arguments, "-n", self.namespace),
        ]
        try:
            process = subprocess.Popen(
                command, stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ | {"COLUMNS": "200"}
            )
            os.write(ours, f"{answer}\n".encode())
            out, err = process.communicate(timeout=2 * PATIENCE * SECONDS)
        finally:
            os.close(ours)
            os.close(theirs)
        return Shown(process.returncode, out, err)

    def appoint(self, who: str, role: str) -> None:
        """The rights of an approver here, as docs/approvals.md has them, once they are in effect."""
        subject = {"apiGroup": NOBODYS, "kind": "User", "name": who}
        rules = [{"apiGroups": ["slipway.dev"], "resources": ["approvalroles"], "resourceNames": [role], "verbs": ["approve"]}]
        meta = {"name": f"approve-as-{role}", "namespace": self.namespace}
        self.kube.apply({"apiVersion": RBAC, "kind": "Role", "metadata": meta, "rules": rules})
        self.bind(f"{who}-as-{role}", "Role", f"approve-as-{role}", subject)
        self.bind(f"{who}-approves", "ClusterRole", "slipway-approver", subject)
        self.await_right(who, "approve", "approvalroles", role)
        self.await_right(who, "create", "modelapprovals")

    def bind(self, name: str, kind: str, role: str, subject: Manifest) -> None:
        reference = {"apiGroup": NOBODYS, "kind": kind, "name": role}
        meta = {"name": name, "namespace": self.namespace}
        self.kube.apply({"apiVersion": RBAC, "kind": "RoleBinding", "metadata": meta, "roleRef": reference, "subjects": [subject]})

    def bind_cluster_wide(self, who: str, role: str) -> None:
        reference = {"apiGroup": NOBODYS, "kind": "ClusterRole", "name": role}
        subject = {"apiGroup": NOBODYS, "kind": "User", "name": who}
        manifest = {"apiVersion": RBAC, "kind": "ClusterRoleBinding", "metadata": {"name": f"{who}-{role}"}}
        self.kube.apply(manifest | {"roleRef": reference, "subjects": [subject]})

    def await_right(
        self, who: str, verb: str, resource: str, name: str = "", group: str = "slipway.dev", namespace: str | None = None
    ) -> None:
        """The apiserver's authorizer hears of bindings a moment later."""
        where = self.namespace if namespace is None else namespace
        attributes = {"group": group, "verb": verb, "resource": resource, "namespace": where, "name": name}
        review = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SubjectAccessReview",
            "spec": {"user": who, "groups": ["system:authenticated"], "resourceAttributes": attributes},
        }

        def may() -> bool:
            return bool(self.kube.call("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", review)["status"]["allowed"])

        until(may, SECONDS, f"{who} to be allowed to {verb} {resource}")
