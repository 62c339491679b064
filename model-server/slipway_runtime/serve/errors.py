"""What a call can fail with: an HTTP status, the same as a gRPC code, and one line of text."""

from __future__ import annotations

from http import HTTPStatus

from mlserver.errors import MLServerError

from slipway_runtime.failure import last_line


class CallError(MLServerError):  # type: ignore[misc]
    """A call's failure as both protocols answer it."""

    status = HTTPStatus.INTERNAL_SERVER_ERROR

    def __init__(self, message: str) -> None:
        super().__init__(message, self.status)


class BadRequest(CallError):
    """The request is at fault; its text says where."""

    status = HTTPStatus.BAD_REQUEST


class NotOffered(CallError):
    """The protocol knows the call, this server does not offer it."""

    status = HTTPStatus.NOT_IMPLEMENTED


class Refused(CallError):
    """Nobody may do this here."""

    status = HTTPStatus.FORBIDDEN


class TooLarge(CallError):
    """The body is larger than SLIPWAY_MAX_REQUEST_BYTES."""

    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE


class NotReady(CallError):
    """The model is still being loaded."""

    status = HTTPStatus.SERVICE_UNAVAILABLE


class NotKept(CallError):
    """The prediction log is Durable, and the call's record cannot be written."""

    status = HTTPStatus.SERVICE_UNAVAILABLE

    def __init__(self) -> None:
        super().__init__("the prediction log cannot keep this call now, and its delivery is Durable: the spool is full or broken")


class PredictionFailed(CallError):
    """The model raised an exception; the text is its type and last line."""

    def __init__(self, error: BaseException) -> None:
        super().__init__(last_line(error))
