"""Passing: pass@k, and a threshold that lets a wanted share of samples fail.

pass@k is the chance that at least one of k samples passes, estimated without bias from n samples
of which c passed: 1 - C(n - c, k) / C(n, k) (Chen et al., "Evaluating Large Language Models
Trained on Code", 2021, equation 1).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from graders.studies.statistics.bootstrap import interval, item_draws, share_interval
from graders.studies.statistics.statistic import (
    Floats,
    Interval,
    Ints,
    Items,
    Statistic,
    columns,
    item_codes,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PassAtK:
    """The chance that one of k samples passes.

    Attributes:
        k: Samples drawn, at least 1.
        value: The mean over items with at least k samples, in [0, 1].
        interval: Of it, items resampled.
        items: These items.
        left_out: Items with fewer samples, of which nothing is known.
    """

    k: int
    value: Statistic
    interval: Interval | None
    items: int
    left_out: int


def pass_at_k(
    passed: ArrayLike, items: Items, k: int, *, resamples: int = 1_000, seed: int = 0
) -> PassAtK:
    """The unbiased estimate of pass@k.

    Args:
        passed: Whether each sample passed.
        items: Which item it is a sample of.
        k: Samples drawn, at least 1.
        resamples: For the interval; 0 for none.
        seed: The same seed gives the same interval.

    Raises:
        ValueError: `k` is less than 1; columns are empty or of different length.

    Example:
        >>> found = pass_at_k([True, False, False, False], ["a", "a", "a", "a"], 2)
        >>> found.value.value, found.items
        (0.5, 1)
    """
    if k < 1:
        raise ValueError(f"k counts samples and must be at least 1, got {k}")
    (good,) = columns(passed=np.asarray(passed, bool))
    codes = item_codes(items, len(good))
    n, c = np.bincount(codes), np.bincount(codes, good).astype(int)
    enough = n >= k
    chances = np.where(enough, _chance(n, c, k), 0.0)
    count = int(enough.sum())
    if not count:
        value = Statistic(undefined=f"no item has {k} samples")
    else:
        value = Statistic(value=float(chances.sum() / count))
    return PassAtK(
        k=k,
        value=value,
        interval=share_interval(chances, enough.astype(float), resamples=resamples, seed=seed),
        items=count,
        left_out=len(n) - count,
    )


def _chance(n: ArrayLike, c: ArrayLike, k: int) -> Floats:
    # C(n - c, k) / C(n, k), as a product: the binomials themselves overflow.
    samples, passed = np.asarray(n, float), np.asarray(c, float)
    none = np.ones(len(samples))
    for drawn in range(k):
        left = np.maximum(samples - drawn, 1.0)
        none *= np.clip((samples - passed - drawn) / left, 0.0, 1.0)
    return 1 - none


@dataclass(frozen=True, slots=True, kw_only=True)
class ThresholdSuggestion:
    """A pass threshold at which about the wanted share of samples fails.

    Attributes:
        threshold: One of the scores; a sample passes from here on.
        interval: Of the threshold that would be suggested, items resampled; None of one item.
        failing: The share of samples that fails at it, in [0, 1].
        failing_interval: Of that, for this threshold, items resampled; None of one item.
        in_band: Whether that share is in the wanted band. It is not where so many scores are equal
            that no threshold divides them so.
    """

    threshold: float
    interval: Interval | None
    failing: float
    failing_interval: Interval | None
    in_band: bool


def suggest_threshold(
    scores: ArrayLike,
    items: Items,
    *,
    band: tuple[float, float] = (0.25, 0.5),
    resamples: int = 1_000,
    seed: int = 0,
) -> ThresholdSuggestion:
    """The threshold whose failing share is nearest to the middle of a band.

    Samples without a score are left out, and whoever shows the threshold says so. They do not pass
    at any; but one that is chosen so that they and what is below it are the wanted share would let
    bad answers pass as long as the grader breaks, and be another when it is mended.

    Args:
        scores: One a sample, finite.
        items: Which item it is a sample of.
        band: The least and the greatest share of samples that should fail, in [0, 1].
        resamples: For the intervals; 0 for none.
        seed: The same seed gives the same intervals.

    Raises:
        ValueError: The band is none; columns are empty, of different length, or not finite.

    Example:
        >>> found = suggest_threshold([0.1, 0.2, 0.3, 0.4, 0.5], ["a", "b", "c", "d", "e"])
        >>> found.threshold, found.failing, found.in_band
        (0.3, 0.4, True)
    """
    low, high = band
    if not 0 <= low <= high <= 1:
        raise ValueError(f"a band is two shares in [0, 1], the lower first, got {low} and {high}")
    (x,) = columns(scores=scores)
    codes = item_codes(items, len(x))
    order = np.argsort(x, kind="stable")
    start = np.flatnonzero(np.append(True, np.diff(x[order]) > 0))
    values, middle = x[order][start], (low + high) / 2
    at = int(_nearest(np.ones((len(x), 1)), start, middle)[0])
    threshold, failing = float(values[at]), float(start[at] / len(x))
    number = int(codes.max()) + 1
    drawn = []
    if resamples and number > 1:
        draws = item_draws(number, resamples, seed=seed, rows=len(x))
        drawn = [values[_nearest(counts[codes[order]], start, middle)] for counts in draws]
    fails = share_interval(
        np.bincount(codes, x < threshold).astype(float),
        np.bincount(codes).astype(float),
        resamples=resamples,
        seed=seed,
    )
    return ThresholdSuggestion(
        threshold=threshold,
        interval=interval(np.concatenate(drawn)) if drawn else None,
        failing=failing,
        failing_interval=fails,
        in_band=low <= failing <= high,
    )


def failing_curve(scores: ArrayLike, *, most: int = 60) -> tuple[tuple[float, float], ...]:
    """The share of samples that fails at each threshold, or at some of many, both ends among them.

    Args:
        scores: One a sample, finite.
        most: How many thresholds, at least 2.

    Raises:
        ValueError: The column is empty, or not finite.

    Example:
        >>> failing_curve([0.0, 0.5, 0.5, 1.0])
        ((0.0, 0.0), (0.5, 0.25), (1.0, 0.75))
    """
    (x,) = columns(scores=scores)
    values, first = np.unique(np.sort(x), return_index=True)
    chosen = np.unique(np.linspace(0, len(values) - 1, min(most, len(values))).round().astype(int))
    shares = first[chosen] / len(x)
    return tuple(zip(values[chosen].tolist(), shares.tolist(), strict=True))


def _nearest(counts: Floats, start: Ints, middle: float) -> Ints:
    """In each resample, the tie of scores below which the share is nearest to `middle`."""
    below = np.cumsum(counts, axis=0) - counts
    nearest: Ints = np.abs(below[start] / counts.sum(axis=0) - middle).argmin(axis=0)
    return nearest
