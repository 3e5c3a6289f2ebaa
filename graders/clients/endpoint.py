"""The HTTP client of `endpoint` graders: one POST a row, within the documented limits.

Requests and answers of at most 1 MB, ten minutes for each try, three more tries when one fails on
the service's side (no connection, no answer in time, a 5xx), and none after a 4xx: the same
request would be refused again. Redirects are not followed, because sample and headers go to whom
the config names and to nobody else.

A config's headers, and a URL's user and query, are credentials: no message of a failure has them,
not even where the service echoes what it was sent.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit
from weakref import WeakValueDictionary

from graders.clients.masked import masked_text, masked_url
from graders.errors import ConfigError, FailureKind, Finding, GradingError
from graders.strict_json import NotJSONError, decode, encode
from sandbox import JSON

MAX_BYTES: Final = 1024 * 1024
"""Of a request's body, and of an answer's."""

_Limited = tuple[str, float]
"""An address, and a rate limit."""

_PORTS: Final = {"http": 80, "https": 443}
_IN_FLIGHT: Final = 64
_FIRST_WAIT_SECONDS: Final = 0.5
_SHOWN: Final = 200
_MOST_TURNS: Final = 1_000


@dataclass(frozen=True, slots=True)
class _Session:
    """What belongs to one event loop.

    Attributes:
        client: An `httpx2.AsyncClient`.
        slots: One for each request in flight.
        limited: The same of each address and rate limit that is waited for, so that who waits for
            a turn holds up nobody else.
        closing: Closes the client when it is closed.
    """

    client: Any
    slots: asyncio.Semaphore
    limited: WeakValueDictionary[_Limited, asyncio.Semaphore]
    closing: AsyncGenerator[None]


class _TryAgainError(Exception):
    """A try failed in a way that another may not."""

    def __init__(self, problem: str, reason: str) -> None:
        self.problem, self.reason = problem, reason


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpEndpoint:
    """An `EndpointClient` over HTTP. Usable in several event loops, one after another.

    Needs the extra `models`, and says so when it is made.

    Attributes:
        retries: Further tries after the first.
        timeout_seconds: For one try, from the connection to the last byte of the answer.
        now: A clock, in seconds.
        sleep: Waits so many seconds.
    """

    retries: int = 3
    timeout_seconds: float = 600.0
    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    _sessions: dict[asyncio.AbstractEventLoop, _Session] = field(default_factory=dict, repr=False)
    _next_turns: dict[_Limited, float] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        if self.retries < 0:
            raise ValueError(f"retries is at least 0, got {self.retries}")
        _http()

    async def post(
        self,
        url: str,
        headers: Mapping[str, str],
        body: JSON,
        *,
        per_second: float | None = None,
    ) -> JSON:
        """Send a body and return the JSON of the answer.

        Raises:
            GradingError: `endpoint_grader_internal_error` for what cannot be sent,
                `endpoint_grader_safety_check_error` for a redirect, and
                `endpoint_grader_server_error` for whatever else the service does.
        """
        data = encode(body)
        if len(data) > MAX_BYTES:
            message = f"the request has {len(data):,} bytes, and may have {MAX_BYTES:,}"
            raise GradingError(FailureKind.ENDPOINT_INTERNAL, message, "request_too_large")
        attempt = 1
        while True:
            try:
                return _read(await self._try(url, headers, data, per_second), url, headers)
            except _TryAgainError as error:
                if attempt > self.retries:
                    tries = f" in {attempt} tries" if attempt > 1 else ""
                    problem = masked_text(error.problem, url, headers)
                    message = f"the endpoint {masked_url(url)} {problem}{tries}"
                    raise GradingError(FailureKind.ENDPOINT_SERVER, message, error.reason) from None
            await self.sleep(_FIRST_WAIT_SECONDS * 2 ** (attempt - 1))
            attempt += 1

    async def aclose(self) -> None:
        """Close the connections of this event loop. `asyncio.run` does so at its end too."""
        session = self._sessions.get(asyncio.get_running_loop())
        if session is not None:
            await session.closing.aclose()

    async def _try(
        self, url: str, headers: Mapping[str, str], data: bytes, per_second: float | None
    ) -> bytes:
        http, session = _http(), await self._session()
        async with _slots(session, url, per_second):
            await self._turn(url, per_second)
            try:
                async with asyncio.timeout(self.timeout_seconds):
                    return await _send(session.client, url, headers, data)
            except TimeoutError:
                problem = f"did not answer within {self.timeout_seconds:g} s"
                raise _TryAgainError(problem, "timeout") from None
            except (
                http.InvalidURL,
                http.UnsupportedProtocol,
                http.LocalProtocolError,
                ValueError,  # of a port, or a header that no bytes can be made of
            ):
                # What is wrong is in the address or a header, and may be a credential.
                message = f"the endpoint's address or headers cannot be sent: {masked_url(url)}"
                raise GradingError(FailureKind.ENDPOINT_INTERNAL, message, "not_sendable") from None
            except http.RequestError as error:
                problem = f"could not be reached: {error or type(error).__name__}"
                raise _TryAgainError(problem, "connection") from None

    async def _turn(self, url: str, per_second: float | None) -> None:
        """Wait until an address may be asked again; another rate limit is another grader's."""
        if per_second is None:
            return
        now = self.now()
        if len(self._next_turns) >= _MOST_TURNS:  # of those that have come, nothing is to be known
            for one in [one for one, turn in self._next_turns.items() if turn <= now]:
                del self._next_turns[one]
        limited = url, per_second
        turn = max(now, self._next_turns.get(limited, now))
        self._next_turns[limited] = turn + 1 / per_second
        if turn > now:
            await self.sleep(turn - now)

    async def _session(self) -> _Session:
        loop = asyncio.get_running_loop()
        if loop in self._sessions:
            return self._sessions[loop]
        client = _http().AsyncClient(
            follow_redirects=False, timeout=None, limits=_http().Limits(max_connections=_IN_FLIGHT)
        )
        slots, closing = asyncio.Semaphore(_IN_FLIGHT), self._closing(loop, client)
        session = _Session(client, slots, WeakValueDictionary(), closing)
        self._sessions[loop] = session
        await anext(session.closing)
        return session

    async def _closing(self, loop: asyncio.AbstractEventLoop, client: Any) -> AsyncGenerator[None]:
        """Closes a client when it is closed: event loops close their generators at their end."""
        try:
            yield
        finally:
            del self._sessions[loop]
            await client.aclose()


def _slots(session: _Session, url: str, per_second: float | None) -> asyncio.Semaphore:
    if per_second is None:
        return session.slots
    return session.limited.setdefault((url, per_second), asyncio.Semaphore(_IN_FLIGHT))


def host_of(url: str) -> tuple[str, int | None]:
    """The host that an address is posted to, and the port; "" where there is none to post to.

    Read by what sends, since two readers of one address may see two hosts in it.

    Example:
        >>> host_of("https://Graders.example/score"), host_of("http://user@[::1]:81/")
        (('graders.example', 443), ('::1', 81))
    """
    try:
        parsed = _http().URL(url)
    except (_http().InvalidURL, ValueError):
        return "", None
    return parsed.host.rstrip("."), parsed.port or _PORTS.get(parsed.scheme)


async def _send(client: Any, url: str, headers: Mapping[str, str], data: bytes) -> bytes:
    _ = urlsplit(url).port  # raises for one that there cannot be, which a socket would choke on
    sent = _http().Headers({"content-type": "application/json"})
    sent.update({**headers, "accept-encoding": "identity"})  # so that 1 MB is 1 MB
    async with client.stream("POST", url, headers=sent, content=data) as response:
        return await _body(response, url, headers)


async def _body(response: Any, url: str, headers: Mapping[str, str]) -> bytes:
    """The body of an answer that is one, read no further than it may be long."""
    if response.is_redirect:
        target = masked_text(masked_url(response.headers.get("location", "")), url, headers)
        message = (
            f"the endpoint {masked_url(url)} answered {response.status_code} and points to "
            f"{target[:_SHOWN]}; redirects are not followed, so name the right address"
        )
        raise GradingError(FailureKind.ENDPOINT_SAFETY, message, "redirect")
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > MAX_BYTES:
            break
    if response.is_error:
        shown = masked_text(_text(body), url, headers)
        reason, problem = f"http_{response.status_code}", f"answered {response.status_code}{shown}"
        if response.is_server_error:
            raise _TryAgainError(problem, reason)
        message = f"the endpoint {masked_url(url)} {problem}"
        raise GradingError(FailureKind.ENDPOINT_SERVER, message, reason)
    if len(body) > MAX_BYTES:
        message = f"the endpoint's answer has more than the {MAX_BYTES:,} bytes that it may have"
        raise GradingError(FailureKind.ENDPOINT_SERVER, message, "answer_too_large")
    return bytes(body)


def _read(body: bytes, url: str, headers: Mapping[str, str]) -> JSON:
    try:
        return decode(body)
    except NotJSONError:
        shown = masked_text(_text(body) or " nothing", url, headers)
        message = f'the endpoint answered{shown}, and {{"score": number}} is wanted'
        raise GradingError(FailureKind.ENDPOINT_SERVER, message, "bad_answer") from None


def _text(body: bytes | bytearray) -> str:
    text = body[: 4 * _SHOWN].decode("utf-8", "replace").strip()
    return f" {text[:_SHOWN]!r}" if text else ""


def _http() -> Any:
    """The HTTP library, which is loaded for those who have an endpoint to ask.

    Raises:
        ConfigError: It is not installed.
    """
    try:
        import httpx2
    except ImportError:
        message = "endpoint graders are asked by httpx2, which is not installed"
        fix = "pip install 'local-graders[models]'"
        raise ConfigError(
            Finding(code="no-package", severity="error", path="", message=message, fix=fix)
        ) from None
    return httpx2
