"""People who talk to the apiserver: the administrator's certificate, and somebody else's name and groups by impersonation."""

from __future__ import annotations

import http.client
import json
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.cluster.control_plane import LOOPBACK, ControlPlane

JSON, MERGE, JSON_PATCH, APPLY = (
    "application/json",
    "application/merge-patch+json",
    "application/json-patch+json",
    "application/apply-patch+yaml",
)


@dataclass(frozen=True)
class Answer:
    code: int
    body: dict[str, Any]

    @property
    def message(self) -> str:
        return str(self.body.get("message"))

    @property
    def landed(self) -> bool:
        return self.code < 300


@dataclass(frozen=True)
class Person:
    """A user of the apiserver."""

    plane: ControlPlane
    name: str
    groups: tuple[str, ...] = ("system:masters",)
    pod: str = ""
    """The pod that a service account's token would name."""

    def send(self, method: str, path: str, body: Any = None, kind: str = JSON) -> Answer:
        connection = self.connect()
        try:
            return self.ask(connection, method, path, body, kind)
        finally:
            connection.close()

    def connect(self) -> http.client.HTTPSConnection:
        pki = self.plane.pki
        context = ssl.create_default_context(cafile=str(pki / "ca.crt"))
        context.load_cert_chain(pki / "admin.crt", pki / "admin.key")
        return http.client.HTTPSConnection(LOOPBACK, self.plane.ports["apiserver"], context=context, timeout=60)

    def ask(self, connection: http.client.HTTPSConnection, method: str, path: str, body: Any = None, kind: str = JSON) -> Answer:
        """One request on a connection that stays open."""
        data = b"" if body is None else json.dumps(body, separators=(",", ":")).encode()
        connection.putrequest(method, path)
        for header, value in self._headers(kind, len(data)):
            connection.putheader(header, value)
        connection.endheaders(data)
        response = connection.getresponse()
        return Answer(response.status, _said(response.read()))

    def _headers(self, kind: str, length: int) -> Iterator[tuple[str, bytes]]:
        yield "Content-Type", kind.encode()
        yield "Content-Length", str(length).encode()
        yield "Impersonate-User", self.name.encode()
        for group in self.groups:
            yield "Impersonate-Group", group.encode()
        if self.pod:
            yield "Impersonate-Extra-authentication.kubernetes.io%2Fpod-name", self.pod.encode()


def _said(data: bytes) -> dict[str, Any]:
    """The answer's JSON; of what is none, such as the refusal of a stream, the text as its message."""
    try:
        found: dict[str, Any] = json.loads(data)
    except ValueError:
        return {"message": data.decode(errors="replace")}
    return found
