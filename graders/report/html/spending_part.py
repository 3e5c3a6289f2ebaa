"""What a page says of what models were asked, and what it cost."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from graders.ledger import Ledger
from graders.markup import Markup, cut, el, many
from graders.report.html.page import Section
from graders.report.html.table import table
from graders.report.spending import show_cost
from graders.report.text import count

_MOST_MODELS: Final = 50
_LONGEST_NAME: Final = 200


def spent(ledger: Ledger | None) -> Iterator[tuple[str, tuple[str, str]]]:
    """A figure for the overview, where models were asked."""
    if ledger is not None and ledger.accounts:
        yield "Spent", (show_cost(ledger.usd), f"{ledger.tokens:,} tokens")


def spending_section(ledger: Ledger | None) -> Iterator[Section]:
    """A section with a line for each model, where models were asked."""
    if ledger is not None and ledger.accounts:
        yield Section(id="spending", title="Spending", body=_models(ledger))


def _models(ledger: Ledger) -> Markup:
    lines = [
        [
            cut(model, _LONGEST_NAME),
            f"{one.calls:,}",
            f"{one.usage.prompt_tokens:,}",
            f"{one.usage.completion_tokens:,}",
            show_cost(one.usd),
            f"{one.cached_calls:,}",
        ]
        for model, one in [*ledger.accounts.items()][:_MOST_MODELS]
    ]
    head = ["Model", "Calls", "Prompt tokens", "Completion tokens", "Cost", "Answered before"]
    said = f"{count(ledger.silent, 'answer')} came without a count of tokens."
    silent = el("p", said) if ledger.silent else None
    return many(table(head, lines, caption="What models were asked", numbers=range(1, 6)), silent)
