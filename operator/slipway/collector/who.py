"""Who calls, as the apiserver says: pods by a token of their own, people by RBAC."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass
from typing import Any

from slipway.cluster.client import Cluster
from slipway.cluster.http import ApiError, Request, Transport
from slipway.collector.errors import Refused, malformed, unavailable
from slipway.collector.remembered import Remembered

AUDIENCE = "slipway"
"""Of the tokens that pods send."""
POD_UID, POD_NAME = "authentication.kubernetes.io/pod-uid", "authentication.kubernetes.io/pod-name"
REVIEWS = "/apis/authentication.k8s.io/v1/tokenreviews"
MAX_TOKEN = 16_384
AT_ONCE = 16
"""Questions to the apiserver under way, so that a flood of forged tokens does not become its flood."""


@dataclass(frozen=True)
class Pod:
    """The pod that a token is bound to, and its service account."""

    namespace: str
    account: str
    uid: str


@dataclass(frozen=True)
class Person:
    """A user of the cluster."""

    name: str
    groups: tuple[str, ...]


class Callers:
    """Asks the apiserver, and remembers for a minute what it said: so long may a right that was taken away be used."""

    def __init__(self, send: Transport) -> None:
        self._send = send
        self._cluster = Cluster(send)
        self._users: Remembered[tuple[str, bytes], dict[str, Any]] = Remembered()
        self._rights: Remembered[tuple[Person, str, str, str, str], bool] = Remembered()
        self._turn = asyncio.Semaphore(AT_ONCE)

    async def pod(self, authorization: str) -> Pod:
        """The pod that sends. Raises Refused: 401 for a token that is none of ours, 403 for one that no pod has, 503."""
        user = await self._user(authorization, AUDIENCE)
        kind, _, rest = str(user.get("username", "")).partition("system:serviceaccount:")
        namespace, _, account = rest.partition(":")
        uid = next(iter((user.get("extra") or {}).get(POD_UID) or []), "")
        if kind or not account:
            raise Refused(403, f"only pods send batches, with the token of their service account; this is {user.get('username')!r}")
        if not uid:
            raise Refused(403, f"the token of {namespace}/{account} is not bound to a pod: mount it as a projected volume")
        return Pod(namespace, account, uid)

    async def person(self, authorization: str) -> Person:
        """The user who asks. Raises Refused: 401, 503."""
        user = await self._user(authorization, "")
        return Person(str(user["username"]), tuple(user.get("groups") or ()))

    async def permit(self, person: Person, verb: str, resource: str, namespace: str, deployment: str) -> None:
        """Returns if RBAC lets them. Raises Refused: 403, 503."""

        async def ask() -> bool:
            async with self._turn:
                return await self._cluster.may(person.name, person.groups, namespace, verb, resource, deployment)

        try:
            allowed = await self._rights.get((person, verb, resource, namespace, deployment), ask)
        except ApiError as error:
            raise unavailable(f"the apiserver does not say what {person.name} may do: {error.message}") from error
        if not allowed:
            of = f"ModelDeployment {namespace}/{deployment}" if deployment else f"namespace {namespace}"
            raise Refused(403, f"{person.name} may not {verb} {resource}.slipway.dev of {of}")

    async def _user(self, authorization: str, audience: str) -> dict[str, Any]:
        scheme, _, token = authorization.partition(" ")
        token = token.strip()
        if scheme.lower() != "bearer" or not token:
            raise Refused(401, "no bearer token")
        if len(token) > MAX_TOKEN:
            raise malformed(f"a token of more than {MAX_TOKEN} characters")
        key = audience, hashlib.sha256(token.encode()).digest()
        try:
            status = await self._users.get(key, lambda: self._review(token, audience))
        except ApiError as error:
            raise unavailable(f"the apiserver does not say whose token this is: {error.message}") from error
        if not status.get("authenticated"):
            meant = f" with audience {audience!r}" if audience else ""
            raise Refused(401, f"the apiserver does not know this token{meant}, or it has run out")
        if audience and audience not in (status.get("audiences") or []):
            raise Refused(401, f"the token is not meant for audience {audience!r}")
        user: dict[str, Any] = status["user"]
        return user

    async def _review(self, token: str, audience: str) -> dict[str, Any]:
        spec: dict[str, Any] = {"token": token} | ({"audiences": [audience]} if audience else {})
        body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": spec}
        async with self._turn:
            status: dict[str, Any] = (await self._send(Request("POST", REVIEWS, body=body)))["status"]
        return status
