"""What Slipway asks of the apiserver: apply, status, delete, read, list, Events, the Lease."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from slipway.api.types import GROUP
from slipway.cluster.http import APPLY, JSON, MERGE, Conflict, NotFound, Refused, Request, Transport
from slipway.cluster.resources import Manifest, Resource, resource_of
from slipway.errors import NotLeader
from slipway.telemetry import metrics

FIELD_MANAGER = "slipway"
PAGE = 100
"""Objects asked for at once: a page is decoded in a few milliseconds, so that it delays nobody."""
IDENTITIES = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
GUARD_SELECTOR = "slipway.dev/guard=true"
FENCE_MESSAGE = "slipway: deposed"
"""How the fence's message begins (charts/slipway/templates/admission)."""


class Cluster:
    """Typed calls over a transport. Every write is counted by verb and kind."""

    def __init__(self, transport: Transport) -> None:
        self._send = transport

    async def apply(self, manifest: Manifest, planned_on: Manifest | None) -> Manifest:
        """Server-side apply; with the uid and resourceVersion of the object it was planned on, when there was one.

        Raises:
            Conflict: the object changed since.
            Refused: the apiserver will not have it; the message says why.

        """
        resource = resource_of(manifest)
        meta = manifest["metadata"]
        if planned_on is not None:
            meta = meta | _identity(planned_on)
        return await self._write(
            "apply",
            resource.kind,
            Request(
                "PATCH",
                resource.path(meta["namespace"], meta["name"]),
                {"fieldManager": FIELD_MANAGER, "force": "true"},
                manifest | {"metadata": meta},
                APPLY,
            ),
        )

    async def apply_status(self, planned_on: Manifest, status: Mapping[str, Any]) -> Manifest:
        """Replaces the whole status of one of our objects, if it is still the one it was planned on.

        No server-side apply: that would leave what others wrote beside our fields.
        """
        resource = resource_of(planned_on)
        meta = planned_on["metadata"]
        body = {
            "apiVersion": resource.api_version,
            "kind": resource.kind,
            "metadata": {"name": meta["name"], "namespace": meta["namespace"]} | _identity(planned_on),
            "status": status,
        }
        path = resource.path(meta["namespace"], meta["name"], "status")
        return await self._write("status", resource.kind, Request("PUT", path, {"fieldManager": FIELD_MANAGER}, body))

    async def create(self, manifest: Manifest, dry_run: bool = False) -> Manifest:
        """Creates the object, or only has the apiserver judge it.

        Raises:
            Refused: the apiserver will not have it, or has one of that name.

        """
        resource = resource_of(manifest)
        query = {"fieldManager": FIELD_MANAGER} | ({"dryRun": "All"} if dry_run else {})
        request = Request("POST", resource.path(manifest["metadata"].get("namespace")), query, manifest)
        if dry_run:
            judged: Manifest = await self._send(request)
            return judged
        return await self._write("create", resource.kind, request)

    async def may(self, user: str, groups: Sequence[str], namespace: str, verb: str, resource: str, name: str) -> bool:
        """Whether RBAC lets the user do this to an object of group slipway.dev."""
        attributes = {"group": GROUP, "namespace": namespace, "verb": verb, "resource": resource, "name": name}
        body = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SubjectAccessReview",
            "spec": {"user": user, "groups": list(groups), "resourceAttributes": attributes},
        }
        answer = await self._send(Request("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", body=body))
        return bool(answer["status"]["allowed"])

    async def admission(self, kind: str) -> dict[str, Manifest]:
        """The admission policies, or bindings, that carry our mark, by name: `admission("validatingadmissionpolicies")`."""
        path = f"/apis/admissionregistration.k8s.io/v1/{kind}"
        items = (await self._send(Request("GET", path, {"labelSelector": GUARD_SELECTOR})))["items"]
        return {item["metadata"]["name"]: item for item in items}

    async def delete(self, live: Manifest) -> None:
        """Deletes exactly this object; one that is gone or was replaced is left alone."""
        resource = resource_of(live)
        meta = live["metadata"]
        body = {"preconditions": _identity(live), "propagationPolicy": "Background"}
        path = resource.path(meta["namespace"], meta["name"])
        try:
            await self._write("delete", resource.kind, Request("DELETE", path, body=body))
        except NotFound:
            return

    async def get(self, resource: Resource, namespace: str, name: str, timeout: float = 30.0) -> Manifest | None:
        try:
            found: Manifest = await self._send(Request("GET", resource.path(namespace, name), timeout=timeout))
        except NotFound:
            return None
        return found

    async def version(self, resource: Resource, namespace: str | None) -> str:
        """The resourceVersion that a list has now."""
        page = await self._send(Request("GET", resource.path(namespace), {"limit": "1"}, accept=IDENTITIES))
        return str(page["metadata"]["resourceVersion"])

    async def pages(
        self, resource: Resource, namespace: str | None, selector: str, identities_only: bool = False
    ) -> AsyncIterator[tuple[list[Manifest], str]]:
        """Every object, page by page, each with the list's resourceVersion; only `metadata` where identities are enough."""
        query = {"limit": str(PAGE)} | ({"labelSelector": selector} if selector else {})
        accept = IDENTITIES if identities_only else JSON
        while True:
            page = await self._send(Request("GET", resource.path(namespace), query, accept=accept, timeout=120))
            yield page["items"] or [], page["metadata"]["resourceVersion"]
            if not page["metadata"].get("continue"):
                return
            query = query | {"continue": page["metadata"]["continue"]}

    async def list_events(self, namespace: str, uid: str) -> list[Manifest]:
        """The Events about one object, by its uid."""
        path = f"/api/v1/namespaces/{namespace}/events"
        items: list[Manifest] = (await self._send(Request("GET", path, {"fieldSelector": f"involvedObject.uid={uid}"})))["items"]
        return items

    async def record(self, event: Manifest) -> None:
        """Creates an Event, or counts one up that says the same."""
        namespace, name = event["metadata"]["namespace"], event["metadata"]["name"]
        path = f"/api/v1/namespaces/{namespace}/events"
        try:
            await self._write("create", "Event", Request("POST", path, body=event))
        except Refused as error:
            if error.reason != "AlreadyExists":
                raise
            current = await self._send(Request("GET", f"{path}/{name}"))
            body = {"count": int(current.get("count", 1)) + 1, "lastTimestamp": event["lastTimestamp"]}
            await self._write("patch", "Event", Request("PATCH", f"{path}/{name}", body=body, content_type=MERGE))

    async def merge(self, resource: Resource, namespace: str, name: str, change: Mapping[str, Any]) -> Manifest:
        """Merges a change into an object that is not one of ours."""
        return await self._write("patch", resource.kind, Request("PATCH", resource.path(namespace, name), body=change, content_type=MERGE))

    async def put(self, resource: Resource, manifest: Manifest, timeout: float) -> Manifest:
        """Creates the object, or replaces the one whose resourceVersion the manifest carries."""
        meta = manifest["metadata"]
        replace = "resourceVersion" in meta
        path = resource.path(meta["namespace"], meta["name"] if replace else None)
        return await self._write("put", resource.kind, Request("PUT" if replace else "POST", path, body=manifest, timeout=timeout))

    async def _write(self, verb: str, kind: str, request: Request) -> Manifest:
        try:
            answer: Manifest = await self._send(request)
        except Refused as error:
            if FENCE_MESSAGE in error.message:
                raise NotLeader(error.message) from error
            raise
        except Conflict:
            metrics.CONFLICTS.labels(kind).inc()
            raise
        metrics.WRITES.labels(verb, kind).inc()
        return answer


def _identity(live: Manifest) -> dict[str, str]:
    meta = live["metadata"]
    return {"uid": meta["uid"], "resourceVersion": meta["resourceVersion"]}
