"""How much is asked of a service at once, and how often.

Requests are spaced evenly instead of let go in bursts: then no window of a minute holds more
than its number, wherever the service lets its minutes begin.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Callable
from typing import Final

from graders.clients import ModelClient, ModelReply, ModelRequest
from sandbox import JSON

CHARACTERS_PER_TOKEN: Final = 4
"""Roughly, in English; what a reply says about its tokens corrects it."""


class Limited:
    """A bound on requests in flight, and on requests and tokens a minute, for another client.

    Args:
        client: What sends.
        in_flight: Requests at once, per event loop.
        requests_per_minute: Any positive number; 0.5 is one in two minutes. Retries inside the
            client are not counted: they go by what the service says.
        tokens_per_minute: Prompt and answer. A request is counted by a guess at its prompt, and
            by the service's own number once that is known, so a window may go over by what is
            in flight.
        clock: Seconds, monotonic.
        sleep: Waits so many seconds of that clock.

    Raises:
        ValueError: A limit that would let nothing through.
    """

    def __init__(  # noqa: PLR0913 - each is a setting
        self,
        client: ModelClient,
        *,
        in_flight: int = 64,
        requests_per_minute: float | None = None,
        tokens_per_minute: float | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        for name, limit in (
            ("in_flight", in_flight),
            ("requests_per_minute", requests_per_minute),
            ("tokens_per_minute", tokens_per_minute),
        ):
            if limit is not None and not 0 < limit < math.inf:
                raise ValueError(f"{name} is {limit}, and lets nothing through; give more than 0")
        self._client, self._in_flight, self._sleep = client, in_flight, sleep
        self._slots: dict[asyncio.AbstractEventLoop, asyncio.Semaphore] = {}
        self._pace = Pace(requests_per_minute, tokens_per_minute, clock)

    async def complete(self, request: ModelRequest) -> ModelReply:
        async with self._slots_here():
            guess = prompt_tokens(request)
            wait = self._pace.reserve(guess)
            if wait > 0:
                await self._sleep(wait)
            reply = await self._client.complete(request)
        if reply.usage is not None:
            self._pace.correct(reply.usage.total_tokens - guess)
        return reply

    def _slots_here(self) -> asyncio.Semaphore:
        # A semaphore belongs to the event loop it was first waited for in; asyncio.run makes new
        # loops and closes the old ones.
        loop = asyncio.get_running_loop()
        if loop not in self._slots:
            open_ = {loop: slots for loop, slots in self._slots.items() if not loop.is_closed()}
            self._slots = open_ | {loop: asyncio.Semaphore(self._in_flight)}
        return self._slots[loop]


class Pace:
    """When the next request may start: a request takes its share of a minute for itself."""

    def __init__(
        self,
        requests_per_minute: float | None,
        tokens_per_minute: float | None,
        clock: Callable[[], float],
    ) -> None:
        self._clock = clock
        self._request_seconds = 60 / requests_per_minute if requests_per_minute else 0.0
        self._token_seconds = 60 / tokens_per_minute if tokens_per_minute else 0.0
        self._next_request = self._next_token = -math.inf

    def reserve(self, tokens: int) -> float:
        """Take the next turn; returns the seconds until it comes."""
        now = self._clock()
        start = max(now, self._next_request, self._next_token)
        self._next_request = start + self._request_seconds
        self._next_token = start + tokens * self._token_seconds
        return start - now

    def correct(self, tokens: int) -> None:
        """Count so many tokens more (or fewer) than were reserved; turns given stay."""
        self._next_token += tokens * self._token_seconds


def prompt_tokens(request: ModelRequest) -> int:
    """A guess at a prompt's tokens, from its text; images and audio are not in it.

    Example:
        >>> from graders.clients import Message
        >>> messages = (Message("user", ["a" * 8, {"type": "input_text", "text": "b" * 4}]),)
        >>> prompt_tokens(ModelRequest(model="m", messages=messages, schema=None, sampling={}))
        3
    """
    texts: list[JSON] = []
    for message in request.messages:
        content = [message.content] if isinstance(message.content, str) else message.content
        texts += [block.get("text") if isinstance(block, dict) else block for block in content]
    characters = sum(len(text) for text in texts if isinstance(text, str))
    return math.ceil(characters / CHARACTERS_PER_TOKEN)
