"""Which rows contestants can be compared on: those that each of them has a score of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from graders.studies.statistics.statistic import Floats

Scores = Sequence[float | None]
"""A contestant's, one a row; None where it failed."""
_FARTHEST: Final = 1e100
"""Scores and labels farther from 0 are refused: sums of their squares are infinite."""


def with_scores(
    scores: Mapping[str, Scores],
) -> tuple[dict[str, Scores], tuple[str, ...]]:
    """The contestants with a score on some row, and the names of the others."""
    none = tuple(name for name, column in scores.items() if all(x is None for x in column))
    return {name: column for name, column in scores.items() if name not in none}, none


def failures(column: Scores) -> int:
    """The number of rows without a score."""
    return sum(score is None for score in column)


def paired_rows(given: Mapping[str, Scores], rows: int) -> tuple[int, ...]:
    """The rows that all have a score of.

    Raises:
        ValueError: There is none.
    """
    for name, column in given.items():
        if len(column) != rows:
            raise ValueError(f"one score a row is needed: {name} has {len(column)} of {rows}")
    failed = {i for column in given.values() for i, score in enumerate(column) if score is None}
    if kept := tuple(i for i in range(rows) if i not in failed):
        return kept
    worst = max(given, key=lambda name: failures(given[name]))
    said = f"{worst} failed on {failures(given[worst]):,} of {rows:,}; leave it out"
    raise ValueError(f"there is no row that all have a score of: {said}")


def failing_alone(given: Mapping[str, Scores]) -> dict[str, int]:
    """By contestant, the rows on which it alone has no score."""
    missing = {
        name: {i for i, x in enumerate(column) if x is None} for name, column in given.items()
    }
    return {
        name: len(own - set().union(*(rest for other, rest in missing.items() if other != name)))
        for name, own in missing.items()
    }


def refuse_far(what: str, values: Floats) -> None:
    """Refuse numbers that nothing can be computed of.

    Raises:
        ValueError: One is beyond 1e100.
    """
    farthest = float(values[np.abs(values).argmax()])
    if abs(farthest) > _FARTHEST:
        raise ValueError(f"{what} is {farthest:g}, and only numbers up to 1e100 can be compared")
