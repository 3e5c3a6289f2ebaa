"""Longest common subsequences of token strings: length, lengths of a batch, and one path.

Lengths come from rapidfuzz. Paths need the table, kept here as one big integer per row (Hyyrö,
"Bit-parallel LCS-length computation revisited", AWOCA 2004): a bit is 0 where the length grows
by one from the column before. That is 64 times smaller than a table of lengths and just enough to
walk back, breaking ties as rouge-score and pltrdy's rouge do.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rapidfuzz import process
from rapidfuzz.distance import LCSseq

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def length(a: str, b: str) -> int:
    """Tokens in a longest common subsequence.

    Example:
        >>> length("abcd", "xbyd")
        2
    """
    return LCSseq.similarity(a, b)


def lengths(a: Sequence[str], b: Sequence[str]) -> NDArray[np.int64]:
    """`length` of the pairs at each position."""
    return process.cpdist(a, b, scorer=LCSseq.similarity, dtype="int64")


def path(rows: Sequence[str], columns: Sequence[str]) -> list[tuple[int, int]]:
    """One longest common subsequence, as positions in both strings, ascending.

    Where two are equally long, walking back from the ends prefers to drop a column, so which
    text gives the rows decides which one is found.

    Example:
        >>> path("ab", "ba"), path("ba", "ab")
        ([(1, 0)], [(1, 0)])
    """
    table = _table(rows, columns)
    found = []
    row, column = len(rows) - 1, len(columns) - 1
    while row >= 0 and column >= 0:
        if rows[row] == columns[column]:
            found.append((row, column))
            row -= 1
            column -= 1
        elif table[row] >> column & 1:
            column -= 1
        else:
            row -= 1
    return found[::-1]


def _table(rows: Sequence[str], columns: Sequence[str]) -> list[int]:
    where: dict[str, int] = {}
    for column, token in enumerate(columns):
        where[token] = where.get(token, 0) | 1 << column
    full = bits = (1 << len(columns)) - 1
    table = []
    for token in rows:
        matches = bits & where.get(token, 0)
        bits = (bits + matches | bits - matches) & full
        table.append(bits)
    return table
