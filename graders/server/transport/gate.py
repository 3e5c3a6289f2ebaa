"""What every request passes first: who may ask, and how many at once.

A server that one's own browser can reach can be reached by every page in it. So a request must
call the server by a name of its own (a page that rebinds its DNS name calls it by that), and one
that says it comes from a page elsewhere is refused.
"""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from graders.server.settings import Settings
from graders.server.transport.answers import ApiError, answer, error_body

if TYPE_CHECKING:  # starlette is an extra
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_RETRY_AFTER: Final = {"retry-after": "1"}  # in seconds
_NOT_AGAIN: Final = {"x-should-retry": "false"}  # the SDKs would send it again, to the same end


class Gate:
    """Lets requests in, up to a number and a size, and ends those that take too long.

    Args:
        app: What answers them.
        settings: Who may ask, and the limits.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app, self._settings = app, settings
        self._under_way = 0
        self._bytes = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = dict(reversed(scope["headers"]))  # of one name, the first
        size = _size(headers, self._settings.limits.body_bytes)
        try:
            self._check(headers, size)
        except ApiError as error:
            await _refuse(error, scope, receive, send)
            return
        self._under_way += 1
        self._bytes += size
        try:
            await self._within_time(scope, receive, send)
        finally:
            self._under_way -= 1
            self._bytes -= size

    def _check(self, headers: Mapping[bytes, bytes], size: int) -> None:
        """Whether a request may come in.

        Raises:
            ApiError: It may not.
        """
        settings, limits = self._settings, self._settings.limits
        _check_name(headers.get(b"host", b""), headers.get(b"origin"), settings.hosts)
        if settings.token is not None:
            _check_token(headers, settings.token)
        full = self._under_way >= limits.at_once
        if full or (self._under_way and self._bytes + size > limits.in_flight_bytes):
            what = f"{self._under_way} requests" if full else f"{self._bytes:,} bytes of requests"
            message = f"the server has {what} under way, and takes no more; try again"
            raise ApiError(503, message, code="overloaded", headers=_RETRY_AFTER)

    async def _within_time(self, scope: Scope, receive: Receive, send: Send) -> None:
        seconds, begun = self._settings.limits.answer_seconds, False

        async def watched(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        limit = asyncio.timeout(seconds)
        try:
            async with limit:
                await self._app(scope, receive, watched)
        except TimeoutError:
            if not limit.expired():
                raise
            message = f"there was no answer within {seconds:g} s"
            error = ApiError(504, message, code="answer-time", headers=_NOT_AGAIN)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is None or not task.cancelling():  # it is somebody else who was cancelled
                raise
            message = "the server was stopped before there was an answer"
            error = ApiError(503, message, code="stopped", headers=_RETRY_AFTER)
        else:
            return
        if not begun:  # else the connection is cut, which says that the answer is not whole
            await _refuse(error, scope, receive, send)


def _size(headers: Mapping[bytes, bytes], most: int) -> int:
    """What memory may come to hold of a body: all of one that does not say how long it is.

    What is longer than most is refused, or goes to a file as it comes.
    """
    if b"transfer-encoding" in headers:
        return most
    said = headers.get(b"content-length", b"")
    return min(int(said[:20]), most) if said.isdigit() else 0


def _check_name(host: bytes, origin: bytes | None, hosts: Iterable[str]) -> None:
    """Whether a request comes from a program, or from a page of the server's own.

    Raises:
        ApiError: 403.
    """
    called = _name("//" + host.decode("latin-1"))
    if hosts and called not in hosts:
        names = ", ".join(sorted(hosts))
        message = f"the server is called by the name {called!r:.80}, and answers to {names}"
        raise ApiError(403, message, code="host")
    if origin is not None and _name(origin.decode("latin-1")) != called:
        raise ApiError(403, "pages of other sites may not ask this server", code="origin")


@lru_cache(maxsize=64)
def _name(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _check_token(headers: Mapping[bytes, bytes], token: str) -> None:
    """Whether a request bears the token, as the SDKs' clients do: of the service, or of Azure.

    Raises:
        ApiError: 401.
    """
    scheme, _, given = headers.get(b"authorization", b"").partition(b" ")
    if scheme.lower() != b"bearer":
        given = headers.get(b"api-key", b"")
    if not hmac.compare_digest(given.strip(), token.encode()):
        message = "the server wants its token: Authorization: Bearer TOKEN (the SDKs' api_key)"
        raise ApiError(401, message, code="token", headers={"www-authenticate": "Bearer"})


async def _refuse(error: ApiError, scope: Scope, receive: Receive, send: Send) -> None:
    await answer(error_body(error), error.status, error.headers)(scope, receive, send)
