"""The part of a page that says what models were asked, and what it cost."""

from __future__ import annotations

from typing import Final

from graders.ledger import Ledger
from graders.markup import Markup, cut, el, many
from graders.report.html.table import table
from graders.report.spending import show_cost
from graders.report.text import count

_MOST_MODELS: Final = 50
_LONGEST_NAME: Final = 200


def spending_part(ledger: Ledger) -> Markup:
    """A line for each model."""
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
