"""What judging took: tokens per model, asked and cached apart, and about what it cost.

Prices are those that the installed `genai-prices` brings along; they are never fetched. A price
that is not known makes a cost that is not known ("n/a"), never 0.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache
from typing import Final

from graders.grades import Usage

OTHERS: Final = "(others)"
"""What has the account of models past the thousandth: a server is sent whatever names there are."""

_MOST_ACCOUNTS: Final = 1_000
_LONGEST_NAME: Final = 256
"""Characters by which a model is known here."""


@lru_cache(maxsize=4096)
def price_usd(model: str, usage: Usage, base_url: str = "") -> Decimal | None:
    """About what an answer costs, in US dollars; None where the price is not known.

    Args:
        model: The model's name at the service.
        usage: Its tokens.
        base_url: Whose price; "" is the first provider known by the model's name. A server of
            your own has no price, whatever its models are called.

    Example:
        >>> price_usd("a-model-of-my-own", Usage(prompt_tokens=9)) is None
        True
    """
    try:
        from genai_prices import Usage as Tokens
        from genai_prices import calc_price
    except ImportError:
        return None
    prompt = max(usage.prompt_tokens, 0)
    tokens = Tokens(
        input_tokens=prompt,
        cache_read_tokens=min(max(usage.cached_tokens, 0), prompt),
        output_tokens=max(usage.completion_tokens, 0),
    )
    try:
        if base_url:
            return calc_price(tokens, model, provider_api_url=base_url).total_price
        return calc_price(tokens, model).total_price
    except LookupError:
        return None


def has_price(model: str, base_url: str = "") -> bool:
    """Whether a model's price is known."""
    return price_usd(model, Usage(), base_url) is not None


@dataclass(slots=True)
class Account:
    """What one model answered.

    Attributes:
        calls: Answers that were asked for, and paid.
        usage: Their tokens.
        usd: About what they cost; None where that is not known.
        cached_calls: Answers that were there before.
        cached_usage: Their tokens, paid once before.
    """

    calls: int = 0
    usage: Usage = field(default_factory=Usage)
    usd: Decimal | None = Decimal(0)
    cached_calls: int = 0
    cached_usage: Usage = field(default_factory=Usage)


@dataclass(slots=True)
class Ledger:
    """The accounts of a run, filled by `clients.budget.Budgeted`.

    Attributes:
        base_url: Whose prices hold, as in `price_usd`.
        accounts: By the model's name in the request; a bounded number of them.
        silent: Answers that were paid and did not say how many tokens they took.
        stopped: Why nothing more is sent; "" as long as it is.

    Example:
        >>> ledger = Ledger()
        >>> ledger.add("mine", Usage(prompt_tokens=5, completion_tokens=2), cached=False)
        >>> ledger.tokens, ledger.usd is None
        (7, True)
    """

    base_url: str = ""
    accounts: dict[str, Account] = field(default_factory=dict)
    silent: int = 0
    stopped: str = ""

    def add(self, model: str, usage: Usage | None, *, cached: bool) -> None:
        """Count an answer; `usage` is None where the service did not say."""
        model = model[:_LONGEST_NAME]
        if model not in self.accounts and len(self.accounts) >= _MOST_ACCOUNTS:
            model = OTHERS
        account = self.accounts.setdefault(model, Account())
        if cached:
            account.cached_calls += 1
            account.cached_usage += usage or Usage()
            return
        account.calls += 1
        account.usage += usage or Usage()
        self.silent += usage is None
        price = price_usd(model, usage, self.base_url) if usage else None
        account.usd = None if account.usd is None or price is None else account.usd + price

    @property
    def tokens(self) -> int:
        """Tokens that were paid."""
        used = [account.usage for account in self.accounts.values()]
        return sum(one.prompt_tokens + one.completion_tokens for one in used)

    @property
    def usd(self) -> Decimal | None:
        """About what was paid, in US dollars; None where a part of it is not known."""
        costs = [account.usd for account in self.accounts.values()]
        known = [cost for cost in costs if cost is not None]
        return sum(known, Decimal(0)) if len(known) == len(costs) else None
