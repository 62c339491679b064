"""The gRPC side: MLServer's server with our inference path, and the same errors as REST under gRPC's codes."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import wraps
from http import HTTPStatus
from typing import Any

import grpc
from google.protobuf.message import DecodeError
from mlserver.errors import MLServerError
from mlserver.grpc import GRPCServer
from mlserver.grpc import dataplane_pb2 as pb
from mlserver.grpc.converters import ModelMetadataResponseConverter
from mlserver.grpc.dataplane_pb2_grpc import (
    add_GRPCInferenceServiceServicer_to_server,
)
from mlserver.grpc.interceptors import PromServerInterceptor
from mlserver.grpc.servicers import InferenceServicer
from mlserver.settings import Settings

from slipway_runtime.capture.record import GRPC
from slipway_runtime.capture.recorder import CALLER, Recording
from slipway_runtime.failure import last_line
from slipway_runtime.serve import grpc_codec
from slipway_runtime.serve.dataplane import SlipwayDataPlane
from slipway_runtime.serve.errors import BadRequest, Refused
from slipway_runtime.serve.grpc_identity import NamedAnswers
from slipway_runtime.serve.identity import Names

logger = logging.getLogger(__name__)
CODES = {
    HTTPStatus.BAD_REQUEST: grpc.StatusCode.INVALID_ARGUMENT,
    HTTPStatus.FORBIDDEN: grpc.StatusCode.PERMISSION_DENIED,
    HTTPStatus.NOT_FOUND: grpc.StatusCode.NOT_FOUND,
    HTTPStatus.INTERNAL_SERVER_ERROR: grpc.StatusCode.INTERNAL,
    HTTPStatus.NOT_IMPLEMENTED: grpc.StatusCode.UNIMPLEMENTED,
    HTTPStatus.SERVICE_UNAVAILABLE: grpc.StatusCode.UNAVAILABLE,
}
Method = Callable[[Any, Any, Any], Awaitable[Any]]


def with_status(method: Method) -> Method:
    """The method, its exceptions turned into gRPC statuses with the text that REST answers."""

    @wraps(method)
    async def answered(self: Any, request: Any, context: Any) -> Any:
        try:
            return await method(self, request, context)
        except MLServerError as error:
            await context.abort(CODES.get(HTTPStatus(error.status_code), grpc.StatusCode.INTERNAL), str(error))
        except grpc.aio.AbortError:
            raise
        except Exception as error:
            logger.exception("a gRPC call failed")
            await context.abort(grpc.StatusCode.INTERNAL, last_line(error))

    return answered


class SlipwayServicer(InferenceServicer):  # type: ignore[misc]
    """The inference service: our path for ModelInfer, no streaming, no model repository."""

    def __init__(self, data_plane: SlipwayDataPlane, recorder: Recording) -> None:
        super().__init__(data_plane, None)
        self._data_plane = data_plane
        self._recorder = recorder

    @with_status
    async def ModelInfer(self, raw: bytes, context: Any) -> bytes:
        """Predict. Takes and answers the message's bytes: the prediction log keeps them as they are."""
        request = _parsed(raw)
        model = await self._data_plane.loaded_model(request.model_name, request.model_version)
        async with self._recorder.call(GRPC, _caller(context)) as record:
            record.received(raw)
            with self._data_plane.measured(model):
                response = await model.infer(grpc_codec.parse(request))
                answer: bytes = grpc_codec.encode(response, raw=bool(request.raw_input_contents)).SerializeToString()
            record.answered(response.rows, answer)
        return answer

    @with_status
    async def ModelReady(self, request: Any, context: Any) -> Any:
        """Whether the named model takes calls here."""
        return pb.ModelReadyResponse(ready=await self._data_plane.model_ready(request.name, request.version))

    @with_status
    async def ModelMetadata(self, request: Any, context: Any) -> Any:
        """What the model takes and answers."""
        metadata = await self._data_plane.model_metadata(request.name, request.version)
        return ModelMetadataResponseConverter.from_types(metadata)

    async def ModelStreamInfer(self, requests: AsyncIterator[Any], context: Any) -> AsyncIterator[Any]:
        """Not offered: a prediction is one answer."""
        await context.abort(grpc.StatusCode.UNIMPLEMENTED, "this model does not stream: call ModelInfer")
        yield  # an asynchronous generator, as the metrics' interceptor expects

    @with_status
    async def RepositoryIndex(self, request: Any, context: Any) -> Any:
        """Refused, as all of the repository API."""
        raise Refused("models are loaded and unloaded by their ModelDeployment, not over this API")

    RepositoryModelLoad = RepositoryIndex
    RepositoryModelUnload = RepositoryIndex


def _parsed(raw: bytes) -> Any:
    try:
        return pb.ModelInferRequest.FromString(raw)
    except DecodeError:
        raise BadRequest("the message is not a ModelInferRequest") from None


def _caller(context: Any) -> str:
    return next((value for key, value in context.invocation_metadata() if key == CALLER), "")


class SlipwayGrpcServer(GRPCServer):  # type: ignore[misc]
    """MLServer's gRPC server without its (deprecated) repository service; calls under way get time to end."""

    def __init__(self, settings: Settings, data_plane: SlipwayDataPlane, grace_seconds: float, origin: Names, recorder: Recording) -> None:
        super().__init__(settings, data_plane, None)
        self._servicer = SlipwayServicer(data_plane, recorder)
        self._origin = origin
        self._grace_seconds = grace_seconds

    def _create_server(self) -> grpc.aio.Server:
        self._server = grpc.aio.server(
            interceptors=[NamedAnswers(self._origin), PromServerInterceptor(enable_handling_time_histogram=True)],
            options=[*self._get_options(), ("grpc.so_reuseport", 0)],
        )
        add_GRPCInferenceServiceServicer_to_server(self._servicer, self._server)
        in_bytes = grpc.unary_unary_rpc_method_handler(self._servicer.ModelInfer)  # in place of the one that (de)serializes
        self._server.add_registered_method_handlers("inference.GRPCInferenceService", {"ModelInfer": in_bytes})
        self._server.add_insecure_port(f"{self._settings.host}:{self._settings.grpc_port}")
        return self._server

    async def stop(self, sig: int | None = None) -> None:
        """Send GOAWAY, so that clients connect elsewhere, and wait for the calls under way."""
        await self._server.stop(self._grace_seconds)
