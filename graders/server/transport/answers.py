"""Answers, and errors in the shape that the SDKs make their exceptions of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from graders.errors import ConfigError, RowError
from graders.strict_json import NotJSONError, encode
from graders.terminal import printable_lines
from sandbox import JSON

if TYPE_CHECKING:  # starlette is an extra
    from starlette.requests import Request
    from starlette.responses import Response

_LONGEST: Final = 4_000
"""Characters of an error's message."""

_TYPES: Final[Mapping[int, str]] = {
    401: "authentication_error",
    403: "permission_error",
    500: "server_error",
    503: "server_overloaded",
    504: "server_error",
}


class ApiError(Exception):
    """A request that gets an error for an answer.

    Attributes:
        status: Of HTTP, 4xx or 5xx.
        message: For people.
        param: The path of what is wrong in the body; None where it is no part of it.
        code: Stable and short.
        headers: Further headers of the answer.
    """

    def __init__(
        self,
        status: int,
        message: str,
        param: str | None = None,
        code: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.status, self.message, self.param, self.code = status, message, param, code
        self.headers = headers or {}
        super().__init__(message)


def not_found(what: str, name: str) -> ApiError:
    """The error for something that is not here.

    Example:
        >>> not_found("file", "file-1").message
        "there is no file 'file-1' on this server"
    """
    return ApiError(404, f"there is no {what} {name!r:.80} on this server", code="not_found")


def to_error(error: Exception) -> ApiError:
    """What a request is told of an error that is its own fault."""
    match error:
        case ApiError():
            return error
        case ConfigError():
            first = error.findings[0]
            return ApiError(400, str(error), param=first.path or None, code=first.code)
        case NotJSONError():
            place = f"line {error.line}, column {error.column}: " if error.line else ""
            return ApiError(400, f"the body is not JSON: {place}{error.problem}", code="not-json")
        case RowError():
            return ApiError(400, error.problem, param=error.place, code="row")
        case _:
            raise error


def error_body(error: ApiError) -> dict[str, JSON]:
    """The body of an error's answer. Control characters in it are shown, not sent."""
    message = printable_lines(error.message)
    if len(message) > _LONGEST:
        message = message[: _LONGEST - 4] + " ..."
    return {
        "error": {
            "message": message,
            "type": _TYPES.get(error.status, "invalid_request_error"),
            "param": None if error.param is None else printable_lines(error.param)[:_LONGEST],
            "code": error.code,
        }
    }


def answer(value: JSON, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """An answer of JSON."""
    return answer_encoded(encode(value), status, headers)


def answer_encoded(
    data: bytes, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """An answer of JSON that is written already."""
    from starlette.responses import Response

    return Response(data, status, headers, media_type="application/json")


async def error_answer(_: Request, error: Exception) -> Response:
    """The answer for an error that is the request's own fault."""
    told = to_error(error)
    return answer(error_body(told), told.status, told.headers)
