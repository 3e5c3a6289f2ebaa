"""What to draw of a score: how it is spread over good and bad rows, and points beside labels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from graders.studies.statistic import columns


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """A histogram of scores, good and bad rows apart.

    Attributes:
        edges: Of the bins, one more than there are; the last bin has both of its own.
        good: Good rows in each bin.
        bad: The others.
    """

    edges: tuple[float, ...]
    good: tuple[int, ...]
    bad: tuple[int, ...]


def spread(scores: ArrayLike, good: ArrayLike, *, bins: int = 20) -> Spread:
    """Count good and bad rows by their scores.

    Args:
        scores: One a row, finite. Bins go from 0 to 1 where all are there, and else from the
            lowest to the highest.
        good: Whether the row is good.
        bins: How many, at least 1.

    Raises:
        ValueError: The columns are empty, of different length, or not finite.

    Example:
        >>> found = spread([0.1, 0.6, 0.7], [False, True, True], bins=2)
        >>> found.edges, found.good, found.bad
        ((0.0, 0.5, 1.0), (0, 2), (1, 0))
    """
    x, y = columns(scores=scores, good=np.asarray(good, bool))
    low, high = float(x.min()), float(x.max())
    ends = (0.0, 1.0) if low >= 0 and high <= 1 else (low, high)
    edges = np.histogram_bin_edges(x, bins, ends)
    return Spread(
        edges=tuple(edges.tolist()),
        good=tuple(np.histogram(x[y == 1], edges)[0].tolist()),
        bad=tuple(np.histogram(x[y == 0], edges)[0].tolist()),
    )


def drawn_places(rows: int, *, most: int, seed: int = 0) -> tuple[int, ...]:
    """Places of some rows, each with the same chance, in their order.

    Example:
        >>> drawn_places(3, most=5), len(drawn_places(100, most=5))
        ((0, 1, 2), 5)
    """
    if rows <= most:
        return tuple(range(rows))
    drawn = np.random.default_rng(seed).choice(rows, most, replace=False)
    return tuple(sorted(drawn.tolist()))
