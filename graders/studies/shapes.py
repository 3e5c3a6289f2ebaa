"""What to draw of scores: their spread over good and bad rows, or within items, and points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from graders.studies.statistics.signal import by_item
from graders.studies.statistics.statistic import Floats, Ints, columns

POINTS: Final = 300
"""Rows that are drawn as points beside what people said, where there are more."""

_BARS: Final = 20

Bars = tuple[tuple[float, ...], tuple[int, ...]]
"""Edges of bars, one more than there are, and how many values are in each."""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """The rewards of an item's samples.

    Attributes:
        code: Which item it is.
        samples: How many, at least 2.
        mean: Of their rewards.
        sd: Standard deviation, the population's.
        low: The lowest reward.
        high: The highest.
    """

    code: int
    samples: int
    mean: float
    sd: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemSpread:
    """How rewards are spread within items that have several samples.

    Attributes:
        sds: Items by the standard deviation of their rewards; None where there is no such item.
        means: And by their mean.
        widest: Those whose rewards differ most, the widest first.
    """

    sds: Bars | None
    means: Bars | None
    widest: tuple[Item, ...]


def item_spread(rewards: Floats, items: Ints, *, most: int = 10) -> ItemSpread:
    """How far apart the rewards of items are.

    Args:
        rewards: One a sample, finite.
        items: Codes of their items.
        most: How many of the widest items are told.

    Example:
        >>> found = item_spread(np.array([0.0, 1.0, 0.5, 0.5]), np.array([7, 7, 9, 9]))
        >>> [(one.code, one.sd) for one in found.widest], sum(found.sds[1])
        ([(7, 0.5)], 2)
    """
    found = by_item(rewards, items)
    codes = list(dict.fromkeys(items.tolist()))
    spread, several = np.sqrt(found.variances), found.sizes > 1
    order = np.argsort(-spread, kind="stable").tolist()
    widest = [at for at in order if several[at] and spread[at] > 0][:most]
    return ItemSpread(
        sds=_bars(spread[several]),
        means=_bars(found.means[several]),
        widest=tuple(
            Item(
                code=codes[at],
                samples=int(found.sizes[at]),
                mean=float(found.means[at]),
                sd=float(spread[at]),
                low=float(found.lows[at]),
                high=float(found.highs[at]),
            )
            for at in widest
        ),
    )


def change_bars(pairs: Sequence[tuple[float, float]], *, bins: int = 21) -> Bars | None:
    """Pairs by how far the second is above the first; None where none differ.

    Args:
        pairs: Old and new scores.
        bins: How many, an odd number: the middle one is around no change.

    Example:
        >>> change_bars([(0.0, 0.0), (0.0, 1.0), (1.0, 1.0)], bins=3)
        ((-1.0, -0.33333333333333337, 0.33333333333333326, 1.0), (0, 2, 1))
    """
    old, new = np.array(pairs, float).reshape(-1, 2).T
    changes = new - old
    most = float(np.abs(changes).max(initial=0.0))
    if not most:
        return None
    counts, edges = np.histogram(changes, bins, (-most, most))
    return tuple(edges.tolist()), tuple(counts.tolist())


def _bars(values: Floats) -> Bars | None:
    if not len(values):
        return None
    counts, edges = np.histogram(values, bins=_BARS)
    return tuple(edges.tolist()), tuple(counts.tolist())


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
