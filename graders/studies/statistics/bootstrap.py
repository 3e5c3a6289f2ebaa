"""Cluster bootstrap: how far a statistic moves when other items had been drawn.

Samples of one item are alike, so items are drawn, with replacement, and bring all their samples
(Field and Welsh, "Bootstrapping clustered data", JRSS B 2007; Efron and Tibshirani, "An
Introduction to the Bootstrap", 1993, chapter 13 for percentile intervals). Every metric sees the
same draws, so differences of metrics are paired.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from graders.studies.statistics.resampled import MEASURES, Measure, Prepared, prepare, resampled
from graders.studies.statistics.statistic import Floats, Interval, Items, columns

_BLOCK: Final = 1 << 18  # floats of rows x draws at once: 2 MB, which a cache holds
_MOST_RANKED: Final = 20_000_000  # rows times resamples: some seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Resamples:
    """What each measure of each metric is in each resample.

    Attributes:
        metrics: Their names, in the order of the columns.
        values: By measure, shape (resamples, metrics). NaN where a resample has no such value, as
            with no bad row in it: these are no part of intervals and differences. All of one item
            are NaN: it says nothing of what others would have been.
    """

    metrics: tuple[str, ...]
    values: Mapping[Measure, Floats]

    def of(self, measure: Measure, metric: str) -> Floats:
        """One metric's values, shape (resamples,)."""
        column: Floats = self.values[measure][:, self.metrics.index(metric)]
        return column


def item_draws(items: int, resamples: int, *, seed: int, rows: int) -> Iterator[Floats]:
    """How often each item is drawn, resample by resample: arrays of (items, some resamples).

    Args:
        items: Items to draw from, and to draw each time; at least 1.
        resamples: How many times, at least 1.
        seed: The same seed gives the same draws, for the same numbers of items and rows.
        rows: Rows that the items have; of more rows fewer resamples come at once.

    Raises:
        ValueError: There are no resamples.
    """
    if resamples < 1:
        raise ValueError(f"resamples are counted from 1, got {resamples}")
    draws = np.random.default_rng(seed)
    at_once = max(1, _BLOCK // rows)
    for start in range(0, resamples, at_once):
        number = min(at_once, resamples - start)
        drawn = draws.integers(0, items, (number, items)) + items * np.arange(number)[:, None]
        counts = np.bincount(drawn.ravel(), minlength=number * items).reshape(number, items)
        yield np.ascontiguousarray(counts.T, np.float64)


def interval(values: Floats, *, level: float = 0.95) -> Interval | None:
    """The percentile interval of a statistic's resamples; None where no resample has a value.

    Args:
        values: One a resample; NaN is left out.
        level: The share of resamples in between, in (0, 1).

    Raises:
        ValueError: The level is no such share.

    Example:
        >>> interval(np.arange(101.0), level=0.5)
        Interval(low=25.0, high=75.0, level=0.5, resamples=101)
    """
    if not 0 < level < 1:
        raise ValueError(f"level is a share of resamples in (0, 1), got {level}")
    defined = values[~np.isnan(values)]
    if not len(defined):
        return None
    low, high = np.quantile(defined, [(1 - level) / 2, (1 + level) / 2])
    return Interval(low=float(low), high=float(high), level=level, resamples=len(defined))


def bootstrap(prepared: Prepared, *, resamples: int = 1_000, seed: int = 0) -> Resamples:
    """Draw items again and again, and measure every metric's agreement on the same draws.

    Args:
        prepared: Rows with scores, labels and items, from `prepare`.
        resamples: How many times items are drawn, at least 1.
        seed: The same seed gives the same numbers.

    Raises:
        ValueError: There are no resamples.

    Example:
        >>> from graders.studies.statistics.resampled import prepare
        >>> scores = {"one": [0.1, 0.9, 0.2, 0.8], "two": [0.1, 0.9, 0.1, 0.9]}
        >>> rows = prepare(scores, [0, 1, 0, 1], ["a", "a", "b", "b"])
        >>> found = bootstrap(rows, resamples=100)
        >>> found.values["auc"].shape, interval(found.of("auc", "one"))
        ((100, 2), Interval(low=1.0, high=1.0, level=0.95, resamples=100))
    """
    draws = item_draws(prepared.items, resamples, seed=seed, rows=prepared.rows)
    parts = [resampled(prepared, counts) for counts in draws]
    values = {name: np.concatenate([part[name] for part in parts]) for name in MEASURES}
    if prepared.items < 2:
        values = {name: np.full_like(drawn, np.nan) for name, drawn in values.items()}
    return Resamples(metrics=prepared.metrics, values=values)


def rank_intervals(  # noqa: PLR0913 - all but three have their usual values
    scores: ArrayLike,
    labels: ArrayLike,
    items: Items,
    *,
    good_from: float | None = None,
    resamples: int = 1_000,
    seed: int = 0,
) -> dict[Measure, Interval | None]:
    """The interval of each measure of how scores agree with labels.

    Args:
        scores: One a row.
        labels: One a row.
        items: Which item the row is a sample of.
        good_from: A label from here on is good; None is the middle of their range.
        resamples: How many times items are drawn; 0 where no interval is wanted.
        seed: The same seed gives the same draws.

    Returns:
        None of each where none is wanted, and where ranking so many rows so often would take long.

    Raises:
        ValueError: The columns are empty, of different length, or not finite.
    """
    x, y = columns(scores=scores, labels=labels)
    if not resamples or len(y) * resamples > _MOST_RANKED:
        return dict.fromkeys(MEASURES)
    if good_from is None:
        good_from = float(y.min() + y.max()) / 2
    prepared = prepare({"": x}, y, items, good_from=good_from)
    drawn = bootstrap(prepared, resamples=resamples, seed=seed)
    return {measure: interval(drawn.of(measure, "")) for measure in MEASURES}


def share_interval(
    above: Floats, below: Floats, *, resamples: int = 1_000, seed: int = 0, level: float = 0.95
) -> Interval | None:
    """The interval of a share in [0, 1]; arguments and errors as of `ratio_interval`.

    Where each item has a share of 0, or each of 1, every resample has, and says nothing of how far
    away the truth may be. The other end is then that of Clopper and Pearson's exact interval for
    as many items ("The use of confidence or fiducial limits", Biometrika 1934).

    Example:
        >>> found = share_interval(np.zeros(10), np.ones(10))
        >>> found.low, round(found.high, 3)
        (0.0, 0.308)
    """
    found = ratio_interval(above, below, resamples=resamples, seed=seed, level=level)
    if found is None:
        return None
    belong = below > 0
    reach = float(((1 - level) / 2) ** (1 / belong.sum()))
    if not above[belong].any():
        return replace(found, low=0.0, high=1 - reach)
    if (above[belong] == below[belong]).all():
        return replace(found, low=reach, high=1.0)
    return found


def ratio_interval(
    above: Floats, below: Floats, *, resamples: int = 1_000, seed: int = 0, level: float = 0.95
) -> Interval | None:
    """The interval of a sum over items divided by another: of a mean, a rate, a difference.

    Args:
        above: What each item adds to the numerator.
        below: What it adds to the denominator, at least 0: rows of a mean of rows, 1 of a share
            of items, 0 of an item that does not belong.
        resamples: How many times items are drawn; 0 where no interval is wanted.
        seed: The same seed gives the same draws.
        level: The share of resamples in between, in (0, 1).

    Returns:
        None where none is wanted, and where fewer than two items belong: one says nothing of what
        others would have been.

    Raises:
        ValueError: Resamples are below 0, or the level is no share.

    Example:
        >>> ratio_interval(np.array([1.0, 1.0]), np.array([2.0, 2.0]), resamples=50)
        Interval(low=0.5, high=0.5, level=0.95, resamples=50)
    """
    if resamples == 0 or (below > 0).sum() < 2:
        return None
    sums = np.stack([above, below])
    draws = item_draws(len(below), resamples, seed=seed, rows=len(below))
    numerators, denominators = np.concatenate([sums @ counts for counts in draws], axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return interval(numerators / denominators, level=level)
