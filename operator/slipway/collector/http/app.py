"""The routes: each reads the request, asks one part, and answers."""

from __future__ import annotations

import asyncio
import re
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import orjson
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from slipway.collector import metrics
from slipway.collector.errors import Refused, malformed
from slipway.collector.http.body import announced, drain, read
from slipway.collector.ingest import Batch
from slipway.collector.log.place import NAME, REPORTS
from slipway.collector.service import Service
from slipway.collector.truth import parse

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_OBJECT = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")
"""The name of a Kubernetes object."""
MAX_SEQUENCE = 2**62
MAX_FORM = 65_536
"""Bytes of a question that is JSON."""
Endpoint = Callable[[Request], Awaitable[Response]]


def application(service: Service) -> Starlette:
    """All that the collector answers."""

    async def batches(request: Request) -> Response:
        pod = await service.callers.pod(request.headers.get("authorization", ""))
        writer, sequence = writer_of(request)
        with service.intake.room(announced(request, service.limits.body)):
            body = await read(request, service.limits.body, service.limits.upload_seconds)
            outcome = await service.intake.submit(Batch(pod, writer, sequence, body))
        if outcome.error is not None:
            raise outcome.error
        metrics.BATCHES.labels(outcome.state).inc()
        if outcome.state == "Stored":
            metrics.ROWS.labels("predictions").inc(outcome.rows)
            metrics.BYTES.labels("predictions").inc(len(body))
        return answer({"rows": outcome.rows, "state": outcome.state})

    async def prediction(request: Request) -> Response:
        namespace, deployment = place(request.query_params.get("namespace"), request.query_params.get("deployment"), whole=False)
        person = await service.callers.person(request.headers.get("authorization", ""))
        await service.callers.permit(person, "get", "predictions", namespace, deployment)
        with metrics.FIND.time():
            return answer(await service.find(namespace, deployment, request.path_params["id"]))

    async def report(request: Request) -> Response:
        namespace, deployment = place(request.query_params.get("namespace"), request.query_params.get("deployment"))
        monitor, run, file = (request.path_params[part] for part in ("monitor", "run", "file"))
        if file not in REPORTS or not (_OBJECT.fullmatch(monitor) and _OBJECT.fullmatch(run)):
            raise malformed(f"a report is /v1/reports/MONITOR/RUN/ and one of {', '.join(REPORTS)}")
        person = await service.callers.person(request.headers.get("authorization", ""))
        await service.callers.permit(person, "get", "predictions", namespace, deployment)
        return Response(await service.report(namespace, deployment, monitor, run, file), media_type=REPORTS[file])

    async def truth(request: Request) -> Response:
        person = await service.callers.person(request.headers.get("authorization", ""))
        writer, sequence = writer_of(request) if "x-slipway-writer" in request.headers else (str(uuid.uuid4()), 1)
        with service.intake.room(announced(request, service.limits.body)):
            body = await read(request, service.limits.body, service.limits.upload_seconds)
            content_type = request.headers.get("content-type", "")
            namespace, deployment, rows = await asyncio.to_thread(parse, body, content_type, service.limits)
            place(namespace, deployment)
            await service.callers.permit(person, "create", "actuals", namespace, deployment)
            return answer(await service.bring(person, namespace, deployment, rows, writer, sequence))

    async def erasure(request: Request) -> Response:
        person = await service.callers.person(request.headers.get("authorization", ""))
        asked = form(await read(request, MAX_FORM, service.limits.upload_seconds))
        namespace, deployment = place(asked.get("namespace"), asked.get("deployment"))
        await service.callers.permit(person, "delete", "predictions", namespace, deployment)
        column = asked.get("column")
        if not isinstance(column, str) or not column:
            raise malformed("column must be the name of one")
        return answer(await service.erase(person, namespace, deployment, column, asked.get("value")))

    routes = [
        Route("/v1/actuals", told(truth, service.limits.body), methods=["POST"]),
        Route("/v1/erasures", told(erasure, MAX_FORM), methods=["POST"]),
        Route("/v1/batches", counted(told(batches, service.limits.body)), methods=["POST"]),
        Route("/v1/predictions/{id:path}", told(prediction), methods=["GET"]),
        Route("/v1/reports/{monitor}/{run}/{file}", told(report), methods=["GET"]),
        Route("/healthz", _fine),
        Route("/readyz", _fine),
        Route("/metrics", _metrics),
    ]
    return Starlette(routes=routes, exception_handlers={404: _unknown, 405: _unknown})


def form(body: bytes) -> dict[str, Any]:
    """A JSON object. Raises Refused: 400."""
    try:
        found = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise malformed(f"not JSON: {error}") from error
    if not isinstance(found, dict):
        raise malformed("not a JSON object")
    return found


def writer_of(request: Request) -> tuple[str, int]:
    """The headers that make a batch known again. Raises Refused: 400."""
    writer = request.headers.get("x-slipway-writer", "").lower()
    sequence = request.headers.get("x-slipway-sequence", "")
    if not _UUID.fullmatch(writer):
        raise malformed("x-slipway-writer must be a UUID")
    if not (sequence.isascii() and sequence.isdigit() and 1 <= len(sequence) <= 19 and 1 <= int(sequence) <= MAX_SEQUENCE):
        raise malformed("x-slipway-sequence must be a whole number of 1 or more")
    return writer, int(sequence)


def place(namespace: Any, deployment: Any, whole: bool = True) -> tuple[str, str]:
    """A namespace and a deployment that somebody names; without `whole` the deployment may be left out. Raises Refused: 400."""
    for what, name in (("namespace", namespace), ("deployment", deployment)):
        if name is None and what == "deployment" and not whole:
            continue
        if not isinstance(name, str) or not NAME.fullmatch(name):
            raise malformed(f"{what} must be the name of one" if name else f"{what} is missing")
    return namespace, deployment or ""


def answer(content: Any, status: int = 200, retry_after: int | None = None) -> Response:
    headers = {"Retry-After": str(retry_after)} if retry_after is not None else {}
    body = orjson.dumps(content, option=orjson.OPT_UTC_Z, default=str)
    return Response(body, status, headers, media_type="application/json")


def told(endpoint: Endpoint, limit: int = 0) -> Endpoint:
    """The endpoint with its refusals as JSON; a body that was not read yet (up to four times `limit`) is read first."""

    async def handler(request: Request) -> Response:
        try:
            return await endpoint(request)
        except Refused as error:
            await drain(request, 4 * limit)
            return answer({"error": error.message}, error.status, error.retry_after)

    return handler


def counted(endpoint: Endpoint) -> Endpoint:
    """Counts batches that were not stored."""

    async def handler(request: Request) -> Response:
        response = await endpoint(request)
        if response.status_code >= 400:
            behind = "Behind" if response.status_code == 429 else "Failed" if response.status_code >= 500 else "Refused"
            metrics.BATCHES.labels(behind).inc()
        return response

    return handler


async def _fine(_: Request) -> Response:
    return PlainTextResponse("ok")


async def _metrics(_: Request) -> Response:
    return Response(await asyncio.to_thread(generate_latest, metrics.REGISTRY), headers={"Content-Type": CONTENT_TYPE_LATEST})


async def _unknown(_: Request, error: Exception) -> Response:
    status = getattr(error, "status_code", 404)
    return answer({"error": "no such path" if status == 404 else "no such method here"}, status)
