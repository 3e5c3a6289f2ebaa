"""How much work one pair may be, so that two long texts are an error and never a hang.

Work is counted in *cells* of the dynamic-programming table an algorithm fills, 3 to 10 thousand
million a second. What is linear in the texts (n-grams, METEOR, hashing) is not limited.

| metric | cells |
| --- | --- |
| `fuzzy_match` | characters x characters |
| `fuzzy_match`: `partial`, `wratio` | longer x shorter x shorter, in characters |
| `rouge_l` | tokens x tokens |
| `rouge_l`: `lsum`, `pltrdy`; `explain` | 100 x tokens x tokens, as the whole table is kept |
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

# Ten to thirty seconds; two texts of 100,000 tokens in rouge_l are a tenth of it.
DEFAULT_WORK_LIMIT: Final = 10**11
_KEPT: Final = 100
# Setting up the table of two lines costs as much as a hundred kept cells.
_TABLE: Final = 100 * _KEPT


class TooMuchWork(ValueError):  # noqa: N818 - what it says; a failure kind to callers, not a bug
    """A pair of texts that would take too long; what it needs and what is allowed."""


def check_work(what: str, cells: int, limit: int) -> None:
    """Refuse a pair before it is computed.

    Raises:
        TooMuchWork: The pair needs more cells than the limit.
    """
    if cells > limit:
        raise TooMuchWork(
            f"{what}: this pair needs {cells:.2e} table cells and {limit:.2e} are allowed; "
            "shorten the texts or raise Settings(work_limit=...)"
        )


def kept_cells(ours: Sequence[Sequence[str]], theirs: Sequence[Sequence[str]]) -> int:
    """What paths through the tables of all pairs of lines cost."""
    tokens = sum(map(len, ours)) * sum(map(len, theirs))
    return _KEPT * tokens + _TABLE * len(ours) * len(theirs)
