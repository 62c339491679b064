"""Artifacts that nobody pushed: on a volume, and behind an https server with a CA of its own."""

from __future__ import annotations

import base64
import subprocess
from pathlib import Path

import pytest

from tests.e2e.lab import POD_SECONDS, Lab, assert_readable, helper_pod
from tests.kube import Manifest
from tests.wait import until

TOKEN = "open-sesame"
FILL = """
import pathlib, shutil
target = pathlib.Path("/claim/churn/1")
target.mkdir(parents=True)
shutil.copyfile("/files/model.joblib", target / "model.joblib")
"""
SERVER = f"""
import http.server, pathlib, ssl

CONTENT = pathlib.Path("/files/model.joblib").read_bytes()

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.headers.get("Authorization") != "Bearer {TOKEN}":
            self.send_error(403)
            return
        promised = len(CONTENT) + (100 if self.path.startswith("/truncated/") else 0)
        self.send_response(200)
        self.send_header("Content-Length", str(promised))
        self.end_headers()
        self.wfile.write(CONTENT)

context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain("/tls/tls.crt", "/tls/tls.key")
server = http.server.ThreadingHTTPServer(("", 8443), Handler)
server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
"""


def test_a_model_on_a_volume(lab: Lab, custom_image: str) -> None:
    _files(lab)
    lab.kube.apply(
        {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": {"name": "models", "namespace": lab.namespace},
            "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "16Mi"}}},
        }
    )
    volumes = [{"name": "files", "configMap": {"name": "files"}}, {"name": "claim", "persistentVolumeClaim": {"claimName": "models"}}]
    lab.kube.apply(helper_pod(lab.namespace, "fill", custom_image, FILL, volumes=volumes, mounts={"files": "/files", "claim": "/claim"}))
    until(lambda: _phase(lab, "fill") == "Succeeded", POD_SECONDS, "the volume to be filled", every=0.3)
    lab.register(artifact={"uri": "pvc://models/churn/1/", "digest": lab.pushed.artifact["digest"]})
    lab.deploy()
    lab.register("2", artifact={"uri": "pvc://models/churn/2/", "digest": lab.pushed.artifact["digest"]})
    lab.deploy("missing", version="2")
    lab.await_reason("Serving")
    lab.assert_answers()
    missing = lab.await_reason("ArtifactNotFound", "missing", "Stalled")
    assert_readable(missing["message"], "pvc://models/churn/2/ does not exist: check the claim and the path")


@pytest.fixture(scope="module")
def web(module_lab: Lab, custom_image: str, tmp_path_factory: pytest.TempPathFactory) -> Lab:
    """Service `web`: the model behind TLS and a bearer token; the file under /truncated/ breaks off before its end."""
    lab = module_lab
    folder = tmp_path_factory.mktemp("tls")
    certificate = _certificate(folder, f"web.{lab.namespace}.svc")
    _files(lab)
    lab.secret("tls", {name: _base64(folder / name) for name in ("tls.crt", "tls.key")})
    token = base64.b64encode(TOKEN.encode()).decode()
    lab.secret("web", {"ca.crt": certificate, "token": token})
    lab.secret("no-ca", {"token": token})
    lab.secret("no-token", {"ca.crt": certificate})
    lab.kube.apply(
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "web", "namespace": lab.namespace},
            "spec": {"selector": {"app": "web"}, "ports": [{"port": 443, "targetPort": 8443}]},
        }
    )
    volumes = [{"name": "files", "configMap": {"name": "files"}}, {"name": "tls", "secret": {"secretName": "tls"}}]
    probe = {"readinessProbe": {"tcpSocket": {"port": 8443}, "periodSeconds": 1}}
    mounts = {"files": "/files", "tls": "/tls"}
    lab.kube.apply(helper_pod(lab.namespace, "web", custom_image, SERVER, volumes=volumes, mounts=mounts, container=probe))
    lab.tools.kubectl("wait", "pod/web", "--for=condition=Ready", "--timeout=60s")
    _from_web(lab, "cut", "web", "truncated/")  # gives up after half a minute: under way while the other tests run
    return lab


def test_a_model_behind_https_with_a_ca_of_its_own(web: Lab) -> None:
    _from_web(web, "trusted", "web")
    web.await_reason("Serving", "trusted")
    web.assert_answers("trusted", "trusted")


def test_a_server_that_nobody_vouches_for_is_refused(web: Lab) -> None:
    _from_web(web, "no-ca", "no-ca")
    stalled = web.await_reason("FetchFailed", "no-ca", "Stalled")
    assert_readable(stalled["message"], "TLS with https://web.", "certificate", "give its CA as ca.crt in the artifact's Secret")


def test_a_caller_without_its_token_is_refused(web: Lab) -> None:
    _from_web(web, "no-token", "no-token")
    stalled = web.await_reason("ArtifactAccessDenied", "no-token", "Stalled")
    assert_readable(stalled["message"], "answered 403: name a Secret with `token`")


def test_a_truncated_download_is_never_loaded(web: Lab) -> None:
    stalled = web.await_reason("FetchFailed", "cut", "Stalled")
    assert_readable(stalled["message"], "https://web.", "gave up after 6 attempts: check the store and the network")
    assert TOKEN not in str(web.pods("cut"))
    assert web.ready_pods("cut") == []


def _from_web(lab: Lab, version: str, secret: str, folder: str = "") -> None:
    """A deployment called like its version, of the file on the server."""
    uri = f"https://web.{lab.namespace}.svc/{folder}model.joblib"
    lab.register(version, artifact={"uri": uri, "digest": lab.pushed.artifact["digest"], "secretName": secret})
    lab.deploy(version, version=version)


def _files(lab: Lab) -> None:
    """ConfigMap `files` with the model."""
    lab.kube.apply(
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "files", "namespace": lab.namespace},
            "binaryData": {"model.joblib": _base64(lab.pushed.folder / "model.joblib")},
        }
    )


def _certificate(folder: Path, host: str) -> str:
    """tls.crt and tls.key for the host, signed by themselves; returns the certificate in base64."""
    subject = ["-subj", "/CN=slipway e2e", "-addext", f"subjectAltName=DNS:{host}", "-addext", "keyUsage=digitalSignature,keyCertSign"]
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-keyout", "tls.key", "-out", "tls.crt"]
    subprocess.run([*command, *subject], cwd=folder, check=True, capture_output=True)
    return _base64(folder / "tls.crt")


def _base64(file: Path) -> str:
    return base64.b64encode(file.read_bytes()).decode()


def _phase(lab: Lab, pod: str) -> str:
    found: Manifest = lab.kube.get("Pod", lab.namespace, pod) or {}
    return str(found.get("status", {}).get("phase"))
