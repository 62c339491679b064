"""The certificates of a cluster and the kubeconfigs made from them, by the machine's `openssl`."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

from tests.cluster.config import written

CLIENTS = {  # file name -> subject: the group is what gives each component its rights
    "admin": "/O=system:masters/CN=admin",
    "controller-manager": "/CN=system:kube-controller-manager",
    "scheduler": "/CN=system:kube-scheduler",
    "kubelet": "/O=system:nodes/CN=system:node:slipway",
    "proxy": "/CN=system:kube-proxy",
    "apiserver-kubelet": "/O=system:masters/CN=apiserver-kubelet",
    "front-proxy": "/CN=front-proxy",
}
NAMES = ("localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc")
DAYS = "365"
# Python 3.13 checks certificates strictly: key usage and key identifiers must be there.
_EXTENSIONS = """
[req]
distinguished_name = name
[name]
[authority]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[client]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = clientAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[server]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
subjectAltName = {names}
"""


def create(folder: Path, addresses: Iterable[str]) -> None:
    """Once: an authority, the apiserver's certificate for these IP addresses, the clients', service account keys."""
    if folder.is_dir():
        return
    partial = folder.with_name(folder.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True, mode=0o700)
    names = [f"DNS:{name}" for name in NAMES] + [f"IP:{address}" for address in addresses]
    partial.joinpath("openssl.cnf").write_text(_EXTENSIONS.format(names=", ".join(names)))
    _authority(partial)
    _certificate(partial, "apiserver", "/CN=kube-apiserver", "server")
    for name, subject in CLIENTS.items():
        _certificate(partial, name, subject, "client")
    _openssl(partial, "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", "service-account.key")
    _openssl(partial, "ec", "-in", "service-account.key", "-pubout", "-out", "service-account.pub")
    partial.rename(folder)


def write_kubeconfig(path: Path, pki: Path, client: str, server: str) -> None:
    """A kubeconfig for `client` that holds its certificates. JSON is YAML, so no YAML library is needed."""

    def embedded(name: str) -> str:
        return base64.b64encode(pki.joinpath(name).read_bytes()).decode()

    cluster = {"server": server, "certificate-authority-data": embedded("ca.crt")}
    user = {"client-certificate-data": embedded(f"{client}.crt"), "client-key-data": embedded(f"{client}.key")}
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "slipway", "cluster": cluster}],
        "users": [{"name": client, "user": user}],
        "contexts": [{"name": "slipway", "context": {"cluster": "slipway", "user": client}}],
        "current-context": "slipway",
    }
    written(path, json.dumps(content, indent=2))


def issue(folder: Path, name: str, groups: Iterable[str]) -> str:
    """A certificate for one more user, once; the name of its files."""
    file = "-".join((name, *groups))
    if not folder.joinpath(f"{file}.crt").exists():
        _certificate(folder, file, "".join(f"/O={group}" for group in groups) + f"/CN={name}", "client")
    return file


def _authority(folder: Path) -> None:
    _request(folder, "ca", "/CN=slipway-local", "-x509", "-days", DAYS, "-extensions", "authority", "-out", "ca.crt")


def _certificate(folder: Path, name: str, subject: str, extensions: str) -> None:
    _request(folder, name, subject, "-out", f"{name}.csr")
    signing = ("-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", DAYS)
    outcome = ("-extfile", "openssl.cnf", "-extensions", extensions, "-out", f"{name}.crt")
    _openssl(folder, "x509", "-req", "-in", f"{name}.csr", *signing, *outcome)


def _request(folder: Path, name: str, subject: str, *arguments: str) -> None:
    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{name}.key")
    _openssl(folder, "req", "-new", "-config", "openssl.cnf", *key, "-subj", subject, *arguments)


def _openssl(folder: Path, *arguments: str) -> None:
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)
