"""What the models of a run took: tokens and about what they cost, for people and for programs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal

from graders.grades import Usage
from graders.ledger import Account, Ledger
from graders.report.text import count
from graders.terminal import WIDTH, printable, shorten


def to_json(ledger: Ledger) -> Mapping[str, object]:
    """The ledger for programs. A cost that is not known is null."""
    return {
        "usage": {model: _account(account) for model, account in ledger.accounts.items()},
        "answers_without_usage": ledger.silent,
        "cost_usd": dollars(ledger.usd),
    }


def _account(account: Account) -> Mapping[str, object]:
    return {
        "calls": account.calls,
        **_tokens(account.usage),
        "cost_usd": dollars(account.usd),
        "answered_before": {"calls": account.cached_calls, **_tokens(account.cached_usage)},
    }


def _tokens(usage: Usage) -> Mapping[str, int]:
    return {
        "prompt_tokens": usage.prompt_tokens,
        "cached_tokens": usage.cached_tokens,
        "completion_tokens": usage.completion_tokens,
    }


def dollars(usd: Decimal | None) -> float | None:
    """A cost as a JSON number, to the millionth of a dollar."""
    return None if usd is None else round(float(usd), 6)


def to_lines(ledger: Ledger) -> Iterator[str]:
    """The ledger for people: a line for what was asked of each model, and for what was kept."""
    for model, account in ledger.accounts.items():
        name = shorten(printable(model), WIDTH // 3)
        if account.calls:
            used = f"{count(account.calls, 'call')}, {_shown(account.usage)}"
            yield f"  asked    {name}: {used}, {show_cost(account.usd)}"
        if account.cached_calls:
            used = f"{count(account.cached_calls, 'answer')}, {_shown(account.cached_usage)}"
            yield f"  kept     {name}: {used}, paid before"
    if len(ledger.accounts) > 1:
        yield f"  in all   {ledger.tokens:,} tokens, {show_cost(ledger.usd)}"
    if ledger.silent:
        yield f"           {count(ledger.silent, 'answer')} came without a count of tokens"


def _shown(usage: Usage) -> str:
    return f"{usage.prompt_tokens:,} + {usage.completion_tokens:,} tokens"


def show_cost(usd: Decimal | None) -> str:
    """A cost in words.

    Example:
        >>> show_cost(Decimal("0.01234")), show_cost(None)
        ('about $0.0123', 'cost n/a')
    """
    return "cost n/a" if usd is None else f"about ${usd:,.4f}"
