"""The REST side: one ASGI path for inference, MLServer's own application for the rest, one shape for every error."""

from __future__ import annotations

import re
from collections.abc import Iterable

import orjson
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from mlserver.errors import MLServerError
from starlette.exceptions import HTTPException
from starlette.types import Message, Receive, Scope, Send

from slipway_runtime.capture.record import NO_HEADER, REST
from slipway_runtime.capture.recorder import CALLER, CLIENT_GONE, Recording
from slipway_runtime.failure import last_line
from slipway_runtime.serve import rest_codec
from slipway_runtime.serve.dataplane import SlipwayDataPlane
from slipway_runtime.serve.errors import NotOffered, Refused, TooLarge
from slipway_runtime.serve.identity import PREDICTION_ID, REQUEST_ID, begin

INFER = re.compile(r"/v2/models/(?P<name>[^/]+)(/versions/(?P<version>[^/]+))?/infer")
STREAM = re.compile(r"/v2/models/.+/(infer_stream|generate|generate_stream)")
Headers = list[tuple[bytes, bytes]]
ASKED_ID, ANSWERED_ID, SAID_CALLER = REQUEST_ID.encode(), PREDICTION_ID.encode(), CALLER.encode()


class RestApp:
    """The ASGI application that uvicorn runs."""

    def __init__(self, mlserver: FastAPI, data_plane: SlipwayDataPlane, max_request_bytes: int, recorder: Recording) -> None:
        self._mlserver = with_v2_errors(mlserver)
        self._data_plane = data_plane
        self._limit = max_request_bytes
        self._recorder = recorder

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, under its id; while draining, ask the client not to reuse the connection."""
        started = False
        asked = next((value.decode("latin-1") for name, value in scope["headers"] if name == ASKED_ID), None)
        named = (ANSWERED_ID, begin(asked).encode())

        async def send_or_close(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                closing = ((b"connection", b"close"),) if self._data_plane.draining else ()
                message["headers"] = [*message.get("headers", ()), named, *closing]
            await send(message)

        try:
            await self._route(scope, receive, send_or_close)
        except _ClientGone:
            return
        except MLServerError as error:
            await _respond(send_or_close, int(error.status_code), [], _error(str(error)))
        except Exception as error:
            if started:
                raise
            await _respond(send_or_close, 500, [], _error(last_line(error)))

    async def _route(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        infer = INFER.fullmatch(path)
        if infer and scope["method"] == "POST":
            await self._infer(scope, receive, send, infer["name"], infer["version"])
        elif path.startswith("/v2/repository"):
            raise Refused("models are loaded and unloaded by their ModelDeployment, not over this API")
        elif STREAM.fullmatch(path):
            raise NotOffered("this model does not stream: POST to /infer")
        else:
            await self._mlserver(scope, receive, send)

    async def _infer(self, scope: Scope, receive: Receive, send: Send, name: str, version: str | None) -> None:
        model = await self._data_plane.loaded_model(name, version)
        headers = dict(scope["headers"])
        async with self._recorder.call(REST, headers.get(SAID_CALLER, b"").decode("latin-1")) as record:
            body = await self._body(headers, receive)
            length = headers.get(rest_codec.HEADER_LENGTH)
            record.received(body, _number(length))
            with self._data_plane.measured(model):
                call = rest_codec.parse(body, length)
                response = await model.infer(call.request)
                extra, answer = rest_codec.encode(call, response)
            record.answered(response.rows, answer, _number(dict(extra).get(rest_codec.HEADER_LENGTH)))
        await _respond(send, 200, extra, answer)

    async def _body(self, headers: dict[bytes, bytes], receive: Receive) -> bytes:
        length = headers.get(b"content-length", b"0")
        if int(length) > self._limit:
            raise TooLarge(f"the body is larger than {self._limit} bytes: send fewer rows a request")
        chunks, size, more = [], 0, True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise _ClientGone
            chunks.append(message.get("body", b""))
            more = message.get("more_body", False)
            size += len(chunks[-1])
            if size > self._limit:
                raise TooLarge(f"the body is larger than {self._limit} bytes: send fewer rows a request")
        body = chunks[0] if len(chunks) == 1 else b"".join(chunks)
        encoding = headers.get(b"content-encoding", b"identity").lower()
        return body if encoding == b"identity" else rest_codec.decompress(body, encoding, self._limit)


class _ClientGone(Exception):
    """The client closed before its request was complete; nobody reads an answer."""

    status_code = CLIENT_GONE


def _number(length: bytes | None) -> int:
    return int(length) if length and length.isdigit() else NO_HEADER


def with_v2_errors(app: FastAPI) -> FastAPI:
    """MLServer's application, answering FastAPI's own errors in the protocol's shape too."""

    async def http_error(_: Request, error: HTTPException) -> JSONResponse:
        return JSONResponse({"error": error.detail}, error.status_code, error.headers)

    async def invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        return JSONResponse({"error": "; ".join(_explained(error.errors()))}, 400)

    async def crashed(_: Request, error: Exception) -> JSONResponse:
        return JSONResponse({"error": last_line(error)}, 500)

    app.add_exception_handler(Exception, crashed)
    app.add_exception_handler(HTTPException, http_error)  # type: ignore[arg-type]
    app.add_exception_handler(RequestValidationError, invalid)  # type: ignore[arg-type]
    return app


def _explained(errors: Iterable[dict[str, object]]) -> list[str]:
    return [f"{'.'.join(map(str, error['loc']))}: {error['msg']}" for error in errors]  # type: ignore[call-overload]


def _error(text: str) -> bytes:
    return orjson.dumps({"error": text})


async def _respond(send: Send, status: int, headers: Headers, body: bytes) -> None:
    if not headers:
        headers = [(b"content-type", b"application/json")]
    headers = [*headers, (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
