"""Counting what is spent, and sending nothing more when a budget is used up."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from decimal import Decimal
from importlib.util import find_spec
from typing import Final
from weakref import WeakKeyDictionary

from graders.clients import ModelClient, ModelReply, ModelRequest
from graders.clients.limits import prompt_tokens
from graders.errors import FailureKind, GradersError, GradingError
from graders.ledger import Ledger, has_price

OVER_BUDGET: Final = "over_budget"
"""The reason of a failure that is none of the row's: it was not asked. The engine knows it."""
_IN_FLIGHT: Final = 64


class UnpricedError(GradersError):
    """A budget in dollars cannot be kept, because a model's price is not known."""


class Budgeted:
    """A client that enters each answer of another into a ledger, and stops at a budget.

    What an answer takes is known when it is there, so requests under way are counted by an
    estimate: a guess at their prompts, and for each the mean of what answers so far took more
    than that. A request is sent only while the estimate and what is spent are together less than
    the budget; near the budget it waits for those under way. Until an answer is paid there is no
    mean, and each goes alone. The overshoot is then less than one request, and what those under
    way take more than their estimate. Answers that were there before cost nothing.
    """

    def __init__(
        self,
        client: ModelClient,
        ledger: Ledger,
        *,
        usd: float | None = None,
        tokens: int | None = None,
        in_flight: int | None = None,
    ) -> None:
        """Wrap a client.

        Args:
            client: Whom to ask.
            ledger: Where answers are entered.
            usd: Dollars to spend at most; None is no bound.
            tokens: Tokens to spend at most, of prompts and answers; None is no bound.
            in_flight: Requests under way at a time; None is 64 with a budget, else no bound.
        """
        self._client, self._ledger, self._tokens = client, ledger, tokens
        self._usd = None if usd is None else Decimal(str(usd))  # 0.1 is a tenth of a dollar
        self._bounded = usd is not None or tokens is not None
        self._in_flight = _IN_FLIGHT if in_flight is None and self._bounded else in_flight
        self._under_way, self._guessed = 0, 0  # requests, and the guesses at their prompts
        self._paid, self._over = 0, 0  # answers, and what they took more than those guesses
        # Primitives belong to one event loop, and each `grade` has its own.
        self._here: WeakKeyDictionary[asyncio.AbstractEventLoop, _Waiting] = WeakKeyDictionary()

    async def complete(self, request: ModelRequest) -> ModelReply:
        if self._in_flight is None:
            return await self._ask(request)
        loop = asyncio.get_running_loop()
        if loop not in self._here:
            self._here[loop] = _Waiting(self._in_flight)
        here = self._here[loop]
        async with here.slots:
            if not self._bounded:
                return await self._ask(request)
            return await self._ask_within(request, here.settled)

    async def _ask(self, request: ModelRequest) -> ModelReply:
        reply = await self._client.complete(request)
        self._ledger.add(request.model, reply.usage, cached=reply.cached)
        return reply

    async def _ask_within(self, request: ModelRequest, settled: asyncio.Event) -> ModelReply:
        if self._usd is not None:
            refuse_unpriced([request.model], self._ledger.base_url)
        while self._under_way and not self._ledger.stopped and not self._has_room():
            settled.clear()
            await settled.wait()
        self._ledger.stopped = self._ledger.stopped or self._used_up()
        if self._ledger.stopped:
            message = f"not asked: {self._ledger.stopped}"
            raise GradingError(FailureKind.MODEL_SERVER, message, OVER_BUDGET)
        guess = prompt_tokens(request)
        self._under_way += 1
        self._guessed += guess
        try:
            reply = await self._ask(request)
            if reply.usage is not None and not reply.cached:
                self._paid += 1
                self._over += reply.usage.prompt_tokens + reply.usage.completion_tokens - guess
            return reply
        finally:
            self._under_way -= 1
            self._guessed -= guess
            settled.set()

    def _has_room(self) -> bool:
        """Whether a request may be sent beside those under way."""
        spent, usd = self._ledger.tokens, self._ledger.usd
        if not self._paid or not spent or self._ledger.silent:
            return False
        reserved = max(self._guessed + self._under_way * self._over // self._paid, 0)
        if self._tokens is not None and spent + reserved >= self._tokens:
            return False
        # A token is reserved at what one cost so far.
        return self._usd is None or usd is None or usd * (spent + reserved) / spent < self._usd

    def _used_up(self) -> str:
        """Why nothing more may be sent, or "". Nothing is under way, so that the sum is final."""
        spent, tokens = self._ledger.usd, self._ledger.tokens
        if self._ledger.silent:
            return (
                "the service does not say how many tokens an answer took, "
                "so that no budget can be kept"
            )
        if self._tokens is not None and tokens >= self._tokens:
            return f"the budget of {self._tokens:,} tokens is used up ({tokens:,} spent)"
        if self._usd is not None and spent is not None and spent >= self._usd:
            return f"the budget of ${self._usd:,.4f} is used up (about ${spent:,.4f} spent)"
        return ""


class _Waiting:
    """What requests of one event loop wait for: a slot, and others that settle."""

    def __init__(self, in_flight: int) -> None:
        self.slots, self.settled = asyncio.Semaphore(in_flight), asyncio.Event()


def refuse_unpriced(models: Iterable[str], base_url: str) -> None:
    """Refuse a budget in dollars for models without a price.

    Raises:
        UnpricedError: The price of one is not known.
    """
    missing = find_spec("genai_prices") is None
    hint = " (prices come with an extra: pip install 'local-graders[models]')" if missing else ""
    for model in models:
        if not has_price(model, base_url):
            at = f" at {base_url}" if base_url else ""
            raise UnpricedError(
                f"a budget in dollars cannot be kept: the price of {model!r}{at} is not known"
                f"{hint}; give the budget in tokens: --budget-tokens N"
            )
