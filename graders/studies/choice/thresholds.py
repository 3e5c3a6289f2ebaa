"""How certain is a best threshold? It is chosen anew in each of some resamples of items."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from graders.studies.statistics.bootstrap import interval, item_draws
from graders.studies.statistics.draws import Draws, running
from graders.studies.statistics.statistic import Interval, Ints, Items, columns, item_codes


def threshold_interval(
    scores: ArrayLike, good: ArrayLike, items: Items, *, resamples: int = 200, seed: int = 0
) -> Interval | None:
    """Where the threshold with the best F1 lies; see `agreement.best_threshold`.

    Args:
        scores: One a row, finite.
        good: Whether the row is good.
        items: Which item it is a sample of.
        resamples: How many times items are drawn, at least 1.
        seed: The same seed gives the same draws.

    Returns:
        None of one item, or where no row is good.

    Raises:
        ValueError: The columns are empty, of different length, or not finite.

    Example:
        >>> threshold_interval([0.1, 0.9, 0.2, 0.8], [0, 1, 0, 1], ["a", "a", "b", "b"]).low
        0.8
    """
    x, y = columns(scores=scores, good=np.asarray(good, bool))
    codes = item_codes(items, len(x))
    number = int(codes.max()) + 1
    if number < 2 or not y.any():
        return None
    order = np.argsort(-x, kind="stable")
    ends = np.flatnonzero(np.append(np.diff(x[order]) != 0, True))  # the last row of each tie
    codes, goods, values = codes[order], np.flatnonzero(y[order]), x[order][ends]
    found = np.searchsorted(goods, ends, side="right")
    drawn = [
        values[_best(Draws.of(counts), codes, goods, ends, found)]
        for counts in item_draws(number, resamples, seed=seed, rows=len(x))
    ]
    return interval(np.concatenate(drawn))


def _best(draws: Draws, codes: Ints, goods: Ints, ends: Ints, found: Ints) -> Ints:
    """In each resample, the tie that is the lowest to pass at the best F1."""
    passing = running(draws, codes)[:, ends + 1]
    right = running(draws, codes[goods])
    with np.errstate(invalid="ignore"):
        f1 = 2 * right[:, found] / (passing + right[:, -1:])
    best: Ints = np.nan_to_num(f1).argmax(axis=1)
    return best
