"""Models behind any server that speaks OpenAI's chat completions, by OpenAI's own SDK.

What `clients.vectors` asks goes to `/embeddings` of the same server, in the same way.

The SDK retries, by itself: 408, 409, 429, 5xx, timeouts and dropped connections, with growing
pauses or those that Retry-After and retry-after-ms ask for. `/responses` is not used: llama.cpp
ignores the answer's format there without a word.

Azure: the base URL is https://RESOURCE.openai.azure.com/openai/v1 and the key goes as
`Authorization: Bearer`, which that path takes beside its own `api-key` header.

The key goes to whatever host the base URL names, and to no other: redirects are not followed.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, Callable
from dataclasses import fields, replace
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from graders.clients import ModelReply, ModelRequest
from graders.clients.address import OPENAI_URL, Address, parse_address
from graders.clients.bounded import read_bounded
from graders.clients.completion import parse_completion
from graders.clients.faults import connection_failure, redirect_failure, status_failure
from graders.clients.limits import Limited
from graders.clients.media import check_media
from graders.clients.vectors import parse_embeddings, to_embeddings_body, wants_embeddings
from graders.clients.wire import Wire, to_body, to_sendable
from graders.errors import FailureKind, GradersError, GradingError

if TYPE_CHECKING:
    from openai import APIError, AsyncOpenAI

_CONNECT_SECONDS: Final = 10.0
_USUAL: Final = {setting.name: setting.default for setting in fields(Wire)}
_UNCOMPRESSED: Final = {"Accept-Encoding": "identity"}  # so that the bound of a body is one
_SILENT_TRIES: Final = 2
"""After which a server that has not answered yet is worth a word."""
_NO_KEY: Final = "none"  # the SDK insists on one; servers without keys do not look


class OpenAICompatible:
    """A `ModelClient` on the official SDK (extra `models`).

    It may be used under several `asyncio.run` one after another: each event loop gets
    connections of its own, which are closed when the loop ends.

    Args:
        base_url: Where `/chat/completions` is; OPENAI_BASE_URL where None, else OpenAI. A user
            and password in it go as HTTP Basic, in place of the key.
        api_key: OPENAI_API_KEY where None. Only OpenAI's own address insists on one.
        retries: Further tries of one request.
        in_flight: Requests at once.
        requests_per_minute: See `Limited`.
        tokens_per_minute: See `Limited`.
        timeout_seconds: How long one try may go without a byte; a connection has 10 s.
        wire: The server's peculiarities.
        notify: Is told, once, when a server has not answered anything yet and is tried again.

    Attributes:
        base_url: Where it asks.
        identity: Whose answers these are: address, api-version, and a wire that is not the usual
            one. It names no secret, and is made for the keys of caches.

    Raises:
        GradersError: The SDK is not installed, or address or key cannot be used.
        ValueError: A limit that would let nothing through.
    """

    def __init__(  # noqa: PLR0913 - each is a setting
        self,
        *,
        base_url: str | None = None,
        api_key: str | None = None,
        retries: int = 6,
        in_flight: int = 64,
        requests_per_minute: float | None = None,
        tokens_per_minute: float | None = None,
        timeout_seconds: float = 600.0,
        wire: Wire = Wire(),  # noqa: B008 - frozen
        notify: Callable[[str], None] | None = None,
    ) -> None:
        if find_spec("openai") is None:
            message = "asking a model needs the openai package: pip install 'local-graders[models]'"
            raise GradersError(message)
        if retries < 0:
            raise ValueError(f"retries is {retries}; give 0 or more")
        address = parse_address(
            base_url or os.environ.get("OPENAI_BASE_URL") or OPENAI_URL,
            os.environ.get("OPENAI_API_KEY") if api_key is None else api_key,
        )
        self.base_url = address.base_url
        self.identity = _identity(address, wire)
        self._service = _Service(address, retries, timeout_seconds, wire, notify)
        self._limited = Limited(
            self._service,
            in_flight=in_flight,
            requests_per_minute=requests_per_minute,
            tokens_per_minute=tokens_per_minute,
        )

    def __repr__(self) -> str:
        return f"OpenAICompatible(base_url={self.base_url!r})"

    async def complete(self, request: ModelRequest) -> ModelReply:
        check_media(request.messages)
        return await self._limited.complete(request)

    async def aclose(self) -> None:
        """Close the connections of the running event loop. A later request opens new ones."""
        await self._service.aclose()


class _RoleRefusedError(GradingError):
    """A server that knows no developer messages; `attempts` is how often it was asked."""

    def __init__(self, failure: GradingError, attempts: int) -> None:
        self.attempts = attempts
        super().__init__(failure.failure.kind, failure.failure.message, failure.failure.reason)


class _Service:
    """The same without limits."""

    def __init__(
        self,
        address: Address,
        retries: int,
        timeout_seconds: float,
        wire: Wire,
        notify: Callable[[str], None] | None,
    ) -> None:
        self._address, self._retries, self._timeout = address, retries, timeout_seconds
        self._wire, self._notify = wire, notify
        self._open: dict[
            asyncio.AbstractEventLoop, tuple[AsyncOpenAI, AsyncGenerator[AsyncOpenAI, None]]
        ] = {}

    async def complete(self, request: ModelRequest) -> ModelReply:
        try:
            return await self._ask(request, self._wire)
        except _RoleRefusedError as refused:
            system = replace(self._wire, developer="system")
            reply = await self._ask(request, system)
            self._wire = system  # only now: the refusal may have been about something else
            return replace(reply, attempts=reply.attempts + refused.attempts)

    async def aclose(self) -> None:
        entry = self._open.pop(asyncio.get_running_loop(), None)
        if entry is not None:
            await entry[1].aclose()

    async def _ask(self, request: ModelRequest, wire: Wire) -> ModelReply:
        outcome = await self._try(request, wire)
        if isinstance(outcome, GradingError):
            # Outside of every except block, where the SDK's error, which may hold the key, would
            # become the context of ours.
            raise outcome
        return outcome

    async def _try(self, request: ModelRequest, wire: Wire) -> ModelReply | GradingError:
        from openai import APIError

        sdk = await self._sdk()
        try:
            content, attempts = await _post(sdk, request, wire)
        except APIError as error:
            return self._failure(error, request, wire)
        except GradingError as failure:  # of read_bounded
            return self._placed(failure, request.model, 1)
        scrub = self._address.scrub_reply
        try:
            reply = _parse(scrub(content), request)
        except GradingError as failure:
            return self._placed(failure, request.model, attempts)
        return replace(
            reply,
            text=scrub(reply.text),  # again: JSON has more than one way to write a character
            refusal=None if reply.refusal is None else scrub(reply.refusal),
            model=scrub(reply.model),
            attempts=attempts,
        )

    def _failure(self, error: APIError, request: ModelRequest, wire: Wire) -> GradingError:
        failure, attempts = self._named(error), _attempts(error)
        placed = self._placed(failure, request.model, attempts)
        role = _may_be_the_role(request, wire, failure)
        return _RoleRefusedError(placed, attempts) if role else placed

    def _named(self, error: APIError) -> GradingError:
        from openai import APIConnectionError, APIStatusError

        match error:
            case APIStatusError() if error.status_code < 400:
                location = error.response.headers.get("location", "")
                return redirect_failure(error.status_code, self._address.base_url, location)
            case APIStatusError():
                # Scrubbed before it is shortened, which could leave half a key.
                said = self._address.scrub(_text(error.response.content))
                return status_failure(error.status_code, said, error.response.headers)
            case APIConnectionError():
                return connection_failure(error)
            case _:
                return GradingError(FailureKind.MODEL_SERVER, str(error), "other")

    def _placed(self, error: GradingError, model: str, attempts: int) -> GradingError:
        """The same error saying where, for whom and after how many tries, without secrets."""
        tries = f" after {attempts} tries" if attempts > 1 else ""
        message = f"{self._address.base_url}, model {model!r}{tries}: {error.failure.message}"
        return GradingError(error.failure.kind, self._address.scrub(message), error.failure.reason)

    async def _sdk(self) -> AsyncOpenAI:
        loop = asyncio.get_running_loop()
        if loop not in self._open:
            sessions = self._session()
            sdk = await anext(sessions)
            still = {loop: entry for loop, entry in self._open.items() if not loop.is_closed()}
            self._open = still | {loop: (sdk, sessions)}
        return self._open[loop][0]

    async def _session(self) -> AsyncGenerator[AsyncOpenAI, None]:
        # A generator, because asyncio.run closes those that are open when it ends: nobody has to
        # remember to, and no connection outlives its loop. Up to the yield nothing is awaited,
        # so that two first requests do not open two.
        from openai import AsyncOpenAI, DefaultAioHttpClient, DefaultAsyncHttpxClient, Timeout

        settings: dict[str, Any] = {
            "follow_redirects": False,
            "event_hooks": {"request": [self._say_when_waiting], "response": [self._receive]},
        }
        try:
            http = DefaultAioHttpClient(**settings)
        except RuntimeError:  # aiohttp is missing: twice the CPU, and all else the same
            http = DefaultAsyncHttpxClient(**settings)
        basic = self._address.basic
        sdk = AsyncOpenAI(
            api_key=self._address.api_key or _NO_KEY,
            base_url=self._address.base_url,
            max_retries=self._retries,
            timeout=Timeout(self._timeout, connect=min(self._timeout, _CONNECT_SECONDS)),
            default_headers=_UNCOMPRESSED | ({"Authorization": f"Basic {basic}"} if basic else {}),
            default_query=self._address.query,
            http_client=http,
        )
        try:
            yield sdk
        finally:
            await sdk.close()

    async def _say_when_waiting(self, request: Any) -> None:
        tries = int(request.headers.get("x-stainless-retry-count", 0))
        if self._notify is not None and tries >= _SILENT_TRIES:
            self._notify(
                f"{self._address.base_url} has not answered after {tries} tries; "
                f"trying {self._retries + 1 - tries} more"
            )
            self._notify = None

    async def _receive(self, response: Any) -> None:
        self._notify = None  # it is there; what it answers is a row's matter
        await read_bounded(response)


async def _post(sdk: AsyncOpenAI, request: ModelRequest, wire: Wire) -> tuple[str, int]:
    """The body of the answer, and how often it was asked for."""
    # As extra_body, because the SDK walks what it is given by name, part by part, and takes
    # a quarter of a call's CPU for that; to_body has done it.
    if wants_embeddings(request):
        vectors = await sdk.embeddings.with_raw_response.create(
            model=to_sendable(request.model), input=[], extra_body=to_embeddings_body(request)
        )
        return _text(vectors.content), vectors.retries_taken + 1
    answer = await sdk.chat.completions.with_raw_response.create(
        model=to_sendable(request.model), messages=[], extra_body=to_body(request, wire)
    )
    return _text(answer.content), answer.retries_taken + 1


def _parse(content: str, request: ModelRequest) -> ModelReply:
    if wants_embeddings(request):
        return parse_embeddings(content, len(request.messages))
    return parse_completion(content)


def _text(content: bytes) -> str:
    return content.decode(errors="replace")


def _identity(address: Address, wire: Wire) -> str:
    query = f"?{urlencode(sorted(address.query.items()))}" if address.query else ""
    settings = {setting.name: getattr(wire, setting.name) for setting in fields(wire)}
    unusual = [f"{name}={value}" for name, value in settings.items() if value != _USUAL[name]]
    return address.base_url + query + (f"#{'&'.join(unusual)}" if unusual else "")


def _attempts(error: APIError) -> int:
    return int(error.request.headers.get("x-stainless-retry-count", 0)) + 1


def _may_be_the_role(request: ModelRequest, wire: Wire, failure: GradingError) -> bool:
    """Whether a refusal names the developer role. llama.cpp's templates refuse it by a 500."""
    asked = any(message.role == "developer" for message in request.messages)
    refused = failure.failure.reason.startswith("http_")
    words = failure.failure.message.lower()
    named = "developer" in words or "role" in words
    return wire.developer == "auto" and asked and refused and named
