"""Correlations of two columns: Pearson's r, Spearman's rho, Kendall's tau-b.

Ties share the mean of their ranks (Kendall, "The treatment of ties in ranking problems",
Biometrika 1945); tau-b is from the same paper. A weight says how often a row counts: the numbers
are those of the rows repeated so many times, which is what a resample of the bootstrap is. Oracle
in the tests: scipy's `pearsonr`, `spearmanr`, `kendalltau`.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import sqrt
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from graders.studies.statistics.statistic import (
    Bools,
    Floats,
    Ints,
    Statistic,
    columns,
    row_weights,
)

NAMES = ("scores", "labels")


def midranks(values: Floats, weights: ArrayLike | None = None) -> Floats:
    """Ranks from 1; equal values share the mean of theirs.

    Example:
        >>> midranks(np.array([0.5, 0.1, 0.5]))
        array([2.5, 1. , 2.5])
    """
    _, place = np.unique(values, return_inverse=True)
    counts = np.bincount(place, row_weights(weights, len(values)))
    shared: Floats = (np.cumsum(counts) - (counts - 1) / 2)[place]
    return shared


def pearson(
    x: ArrayLike,
    y: ArrayLike,
    weights: ArrayLike | None = None,
    *,
    names: tuple[str, str] = NAMES,
) -> Statistic:
    """Pearson's r, in [-1, 1]; undefined where a side has no variance.

    Args:
        x: A value a row.
        y: Another.
        weights: How often each row counts.
        names: What a reason calls the two.

    Raises:
        ValueError: The columns are empty, of different length, or not finite.

    Example:
        >>> pearson([0.1, 0.2, 0.4], [1, 2, 4])
        Statistic(value=1.0, undefined=None)
        >>> pearson([0.5, 0.5], [0, 1]).undefined
        'scores do not vary: all 2 are 0.5'
    """
    return _correlated(x, y, weights, names, ranked=False)


def spearman(
    x: ArrayLike,
    y: ArrayLike,
    weights: ArrayLike | None = None,
    *,
    names: tuple[str, str] = NAMES,
) -> Statistic:
    """Spearman's rho, Pearson's r of the ranks; arguments and errors as of `pearson`.

    Example:
        >>> spearman([0.1, 0.2, 0.9], [5, 7, 6]).value
        0.5
    """
    return _correlated(x, y, weights, names, ranked=True)


def _correlated(
    x: ArrayLike,
    y: ArrayLike,
    weights: ArrayLike | None,
    names: tuple[str, str],
    *,
    ranked: bool,
) -> Statistic:
    first, second, counts = _counted(x, y, weights, names)
    if reason := _same(first, names[0]) or _same(second, names[1]):
        return Statistic(undefined=reason)
    if ranked:
        first, second = midranks(first, counts), midranks(second, counts)
    first, second = _deviations(first, counts), _deviations(second, counts)
    both = float((counts * first) @ second)
    spread = float((counts * first) @ first) * float((counts * second) @ second)
    return Statistic(value=max(-1.0, min(1.0, both / sqrt(spread))))


def _counted(
    x: ArrayLike, y: ArrayLike, weights: ArrayLike | None, names: tuple[str, str]
) -> tuple[Floats, Floats, Floats]:
    """The rows that count at all, and how often they do."""
    first, second = columns(**{names[0]: x, names[1]: y})
    counts = row_weights(weights, len(first))
    kept: Bools = counts > 0
    if not kept.any():
        raise ValueError("weights count rows, and all are 0")
    return first[kept], second[kept], counts[kept]


def _same(values: Floats, name: str) -> str | None:
    """Why there is no variance, where there is none."""
    if values.min() < values.max():
        return None
    if len(values) == 1:
        return f"{name} do not vary: there is one, {values[0]:g}"
    return f"{name} do not vary: all {len(values):,} are {values[0]:g}"


def _deviations(values: Floats, counts: Floats) -> Floats:
    # Scaled, or the squares of 1e-200 are 0 and those of 1e200 infinite; before and after the
    # mean, and by powers of two, which round nothing.
    scaled = _near_one(values)
    return _near_one(scaled - (counts @ scaled) / counts.sum())


def _near_one(values: Floats) -> Floats:
    scaled: Floats = np.ldexp(values, -np.frexp(np.abs(values).max())[1])
    return scaled


def kendall(
    x: ArrayLike,
    y: ArrayLike,
    weights: ArrayLike | None = None,
    *,
    names: tuple[str, str] = NAMES,
) -> Statistic:
    """Kendall's tau-b, in O(n log n); arguments and errors as of `pearson`.

    Pairs of rows in the same order on both sides, minus those in opposite order, over the
    geometric mean of the pairs that are no tie on the one side and on the other.

    Example:
        >>> kendall([1, 2, 3, 4], [1, 3, 2, 4]).value
        0.6666666666666666
    """
    first, second, counts = _counted(x, y, weights, names)
    if reason := _same(first, names[0]) or _same(second, names[1]):
        return Statistic(undefined=reason)
    _, a = np.unique(first, return_inverse=True)
    _, b = np.unique(second, return_inverse=True)
    _, ab = np.unique(a * (int(b.max()) + 1) + b, return_inverse=True)
    order = np.lexsort((b, a))
    discordant = _discordant(b[order], counts[order])
    pairs = _pairs(np.array([counts.sum()]))
    tied_a, tied_b, tied_both = (_pairs(np.bincount(codes, counts)) for codes in (a, b, ab))
    agreeing = pairs - tied_a - tied_b + tied_both - 2 * discordant
    tau = agreeing / sqrt((pairs - tied_a) * (pairs - tied_b))
    return Statistic(value=max(-1.0, min(1.0, tau)))


def _pairs(counts: NDArray[Any]) -> float:
    return float((counts * (counts - 1) / 2).sum())


class Level(NamedTuple):
    """Inversions of a sequence that one bit decides.

    Attributes:
        ones: Places in the sequence, in the order of the sort so far, where the bit is 1.
        zeros: Places where it is 0 and some of these come before, in the same block.
        first: How many of `ones` come before the block of each of `zeros`.
        last: How many come before itself: those from `first` to `last` are inversions with it.
    """

    ones: Ints
    zeros: Ints
    first: Ints
    last: Ints


def inversions(codes: Ints) -> Iterator[Level]:
    """Pairs of a sequence of which the earlier is the larger, each once.

    A sort by one bit at a time, the highest first. Where two codes first differ in a bit, they
    stand in one block, and are an inversion if the one with a 1 comes first.

    Args:
        codes: At least 0.

    Example:
        >>> [int((level.last - level.first).sum()) for level in inversions(np.array([2, 1, 0]))]
        [2, 1]
    """
    rows = np.arange(len(codes))
    for bit in reversed(range(int(codes.max()).bit_length())):
        high = codes >> bit
        one = (high & 1).astype(bool)
        block, start = _blocks(high >> 1)
        before = np.append(0, np.cumsum(one))
        first, last = before[start][block], before[:-1]
        kept = ~one & (last > first)
        yield Level(rows[one], rows[kept], first[kept], last[kept])
        place = _stable_places(one, block, start)
        codes, rows = _moved(codes, place), _moved(rows, place)


def _discordant(codes: Ints, counts: Floats) -> float:
    """Inversions, each as often as its two rows count."""
    total = 0.0
    for level in inversions(codes):
        ones = np.append(0.0, np.cumsum(counts[level.ones]))
        total += float(counts[level.zeros] @ (ones[level.last] - ones[level.first]))
    return total


def _moved(values: Ints, place: Ints) -> Ints:
    moved = np.empty_like(values)
    moved[place] = values
    return moved


def _blocks(keys: Ints) -> tuple[Ints, Ints]:
    """The number of the run of equal keys each row stands in, and where each run starts."""
    fresh = np.append(True, keys[1:] != keys[:-1])
    return np.cumsum(fresh) - 1, np.flatnonzero(fresh)


def _stable_places(one: Bools, block: Ints, start: Ints) -> Ints:
    """Where rows go when each block puts its zeros first and keeps their order."""
    zeros = np.append(0, np.cumsum(~one))
    in_block = zeros[np.append(start[1:], len(one))] - zeros[start]
    rank_of_zero = zeros[:-1] - zeros[start][block]
    row = np.arange(len(one)) - start[block]
    places: Ints = start[block] + np.where(one, in_block[block] + row - rank_of_zero, rank_of_zero)
    return places
