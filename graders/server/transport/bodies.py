"""Reading a request's body, no further and no longer than it may be."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar

from graders.server.settings import Limits
from graders.server.transport.answers import ApiError
from graders.strict_json import decode
from sandbox import JSON

if TYPE_CHECKING:  # starlette is an extra
    from starlette.requests import Request

T = TypeVar("T")

_JSON: Final = "application/json"
_LONG_BYTES: Final = 8_192
"""Of a body; reading and checking a longer one is left to a thread, so that others are answered
meanwhile. A formula of so many bytes takes 0.1 s to check and compile."""


def check_length(request: Request, most: int) -> None:
    """Refuse a body that says of itself that it is too long, before any of it is read.

    Raises:
        ApiError: 413.
    """
    said = request.headers.get("content-length", "")
    if said.isdecimal() and int(said[:20]) > most:
        raise _too_long(most)


def _too_long(most: int) -> ApiError:
    message = f"the body has more than the {most:,} bytes that it may have"
    return ApiError(413, message, code="body-size", headers={"connection": "close"})


async def pieces(request: Request, *, most: int, seconds: float) -> AsyncIterator[bytes]:
    """The pieces of a body, as they come.

    Raises:
        ApiError: 413 where there are more than `most` bytes, 408 where they take longer than
            `seconds`, and 400 where they break off.
    """
    from starlette.requests import ClientDisconnect

    check_length(request, most)
    read = 0
    try:
        async with asyncio.timeout(seconds):
            async for piece in request.stream():
                read += len(piece)
                if read > most:
                    raise _too_long(most)
                yield piece
    except TimeoutError:
        message = f"the body did not come within {seconds:g} s"
        headers = {"connection": "close"}
        raise ApiError(408, message, code="body-time", headers=headers) from None
    except ClientDisconnect:
        raise ApiError(400, "the body broke off", code="body-broken") from None


class Body(NamedTuple):
    """A JSON object, and how many bytes it had."""

    value: dict[str, JSON]
    size: int


async def read_object(request: Request, limits: Limits) -> Body:
    """The JSON object that a request's body is.

    Only JSON is taken for it: what a browser sends to other sites without asking is no JSON.

    Raises:
        ApiError: The body is too long, too slow or no object.
        NotJSONError: It is not JSON.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != _JSON:
        message = f"the body's content-type is {kind!r:.80}, and must be {_JSON}"
        raise ApiError(415, message, code="content-type")
    stream = pieces(request, most=limits.body_bytes, seconds=limits.body_seconds)
    data = b"".join([piece async for piece in stream])
    value = decode(data) if len(data) <= _LONG_BYTES else await asyncio.to_thread(decode, data)
    if not isinstance(value, dict):
        raise ApiError(400, "the body is no JSON object", code="not-an-object")
    return Body(value, len(data))


async def checked(body: Body, check: Callable[[], T]) -> T:
    """What a check of a body gives."""
    return await asyncio.to_thread(check) if body.size > _LONG_BYTES else check()
