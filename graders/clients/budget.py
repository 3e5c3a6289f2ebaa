"""Counting what is spent, and sending nothing more when a budget is used up."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from contextlib import AbstractAsyncContextManager, nullcontext
from decimal import Decimal
from typing import Final
from weakref import WeakKeyDictionary

from graders.clients import ModelClient, ModelReply, ModelRequest
from graders.errors import FailureKind, GradersError, GradingError
from graders.ledger import Ledger, has_price

OVER_BUDGET: Final = "over_budget"
"""The reason of a failure that is none of the row's: it was not asked. The engine knows it."""
_IN_FLIGHT: Final = 64


class UnpricedError(GradersError):
    """A budget in dollars cannot be kept, because a model's price is not known."""


class Budgeted:
    """A client that enters each answer of another into a ledger, and stops at a budget.

    A request is sent only while less than the budget is spent. What an answer takes is known
    when it is there, so those in flight by then are paid too: the overshoot is less than what
    `in_flight` of them take. Answers that were there before cost nothing.
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
        budget = usd is not None or tokens is not None
        self._in_flight = _IN_FLIGHT if in_flight is None and budget else in_flight
        # A semaphore belongs to one event loop, and each `grade` has its own.
        self._slots: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore] = (
            WeakKeyDictionary()
        )

    async def complete(self, request: ModelRequest) -> ModelReply:
        async with self._slot():
            if self._usd is not None:
                refuse_unpriced([request.model], self._ledger.base_url)
            self._ledger.stopped = self._ledger.stopped or self._used_up()
            if self._ledger.stopped:
                message = f"not asked: {self._ledger.stopped}"
                raise GradingError(FailureKind.MODEL_SERVER, message, OVER_BUDGET)
            reply = await self._client.complete(request)
            self._ledger.add(request.model, reply.usage, cached=reply.cached)
            return reply

    def _slot(self) -> AbstractAsyncContextManager[None]:
        if self._in_flight is None:
            return nullcontext()
        loop = asyncio.get_running_loop()
        if loop not in self._slots:
            self._slots[loop] = asyncio.Semaphore(self._in_flight)
        return self._slots[loop]

    def _used_up(self) -> str:
        """Why nothing more may be sent, or ""."""
        if self._usd is None and self._tokens is None:
            return ""
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


def refuse_unpriced(models: Iterable[str], base_url: str) -> None:
    """Refuse a budget in dollars for models without a price.

    Raises:
        UnpricedError: The price of one is not known.
    """
    for model in models:
        if not has_price(model, base_url):
            at = f" at {base_url}" if base_url else ""
            raise UnpricedError(
                f"a budget in dollars cannot be kept: the price of {model!r}{at} is not known "
                "(prices come with the extra: pip install 'local-graders[models]'); "
                "give the budget in tokens: --budget-tokens N"
            )
