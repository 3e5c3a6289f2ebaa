"""Resamples as rows of whole numbers: sums along such a row are ten times those along columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from graders.studies.statistics.statistic import Floats, Ints

Whole = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Draws:
    """How often each item is drawn.

    Attributes:
        counts: Shape (resamples, items).
        weights: The same as floats.
    """

    counts: Whole
    weights: Floats

    @classmethod
    def of(cls, counts: Floats) -> Self:
        """Those of counts of shape (items, resamples), as `item_draws` gives them."""
        weights = np.ascontiguousarray(counts.T)
        return cls(weights.astype(np.int32), weights)


def running(draws: Draws, items: Ints) -> Whole:
    """Sums of how often rows are drawn, from none of them to all.

    Args:
        draws: Of items, less than 2^31 rows in all.
        items: Of the rows, in their order.

    Returns:
        Shape (resamples, rows + 1).

    Example:
        >>> running(Draws.of(np.array([[2.0], [1.0]])), np.array([1, 0, 1]))
        array([[0, 1, 3, 4]], dtype=int32)
    """
    sums = np.zeros((len(draws.counts), len(items) + 1), np.int32)
    drawn = draws.counts.take(items, axis=1)
    np.cumsum(drawn, axis=1, dtype=np.int32, out=sums[:, 1:])
    return sums
