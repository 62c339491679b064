"""The identity of answers over gRPC: trailing metadata, which a status that is an error carries as well."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import grpc

from slipway_runtime.serve.identity import PREDICTION_ID, REQUEST_ID, Names, begin

Continuation = Callable[[grpc.HandlerCallDetails], Awaitable[grpc.RpcMethodHandler | None]]


class NamedAnswers(grpc.aio.ServerInterceptor):  # type: ignore[misc]
    """Gives each answer its id and origin; also to calls of methods that do not exist."""

    def __init__(self, origin: Names) -> None:
        self._origin = origin

    async def intercept_service(self, continuation: Continuation, handler_call_details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler:
        """The method's handler, its answers named."""
        asked = next((value for key, value in handler_call_details.invocation_metadata if key == REQUEST_ID), None)
        metadata = ((PREDICTION_ID, begin(asked)), *self._origin)
        handler = await continuation(handler_call_details)
        if handler is None:
            return grpc.unary_unary_rpc_method_handler(_named(_not_offered, metadata))
        if handler.unary_unary:
            return handler._replace(unary_unary=_named(handler.unary_unary, metadata))
        return handler._replace(stream_stream=_named_stream(handler.stream_stream, metadata))


def _named(answer: Callable[[Any, Any], Awaitable[Any]], metadata: Names) -> Callable[[Any, Any], Awaitable[Any]]:
    async def named(request: Any, context: Any) -> Any:
        context.set_trailing_metadata(metadata)
        return await answer(request, context)

    return named


def _named_stream(answer: Callable[[Any, Any], AsyncIterator[Any]], metadata: Names) -> Callable[[Any, Any], AsyncIterator[Any]]:
    async def named(requests: Any, context: Any) -> AsyncIterator[Any]:
        context.set_trailing_metadata(metadata)
        async for message in answer(requests, context):
            yield message

    return named


async def _not_offered(_: Any, context: Any) -> None:
    await context.abort(grpc.StatusCode.UNIMPLEMENTED, "no such method: this is inference.GRPCInferenceService")
