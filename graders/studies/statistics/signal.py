"""Do rewards of an item's samples differ? Where they do not, a trainer learns nothing from it.

Group-relative methods (GRPO: Shao et al., "DeepSeekMath", 2024) subtract the mean reward of an
item's samples: a group whose rewards are equal has no gradient. DAPO (Yu et al., 2025) drops such
groups, so that the batch is effectively smaller. The population's variance (divided by the number
of samples) is meant throughout.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from graders.studies.statistics.bootstrap import share_interval
from graders.studies.statistics.statistic import (
    Floats,
    Interval,
    Items,
    Statistic,
    columns,
    item_codes,
)

TOLERANCE = 1e-12
"""Rewards no farther apart are equal: what rounding in a formula leaves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupSignal:
    """What an item's samples tell apart. All shares are in [0, 1].

    Attributes:
        groups: Items with at least two samples; all below is about these.
        single: Items with one sample, which a group-relative method cannot learn from.
        zero_variance: Share of groups whose rewards are all equal.
        zero_variance_interval: Of it, items resampled.
        all_low: Share of groups whose rewards are all the lowest reward there is in the rows.
        all_high: Share of groups whose rewards are all the highest.
        effective_batch: Share of the groups' samples in groups with a gradient.
        mean_sd: The mean over groups of the standard deviation of rewards, in rewards.
        tied_pairs: Share of pairs of a group's samples with equal rewards.
        within_share: Share of all variance of rewards that lies within groups, the part that such
            a method sees; the rest tells easy items from hard ones.
    """

    groups: int
    single: int
    zero_variance: Statistic
    zero_variance_interval: Interval | None
    all_low: Statistic
    all_high: Statistic
    effective_batch: Statistic
    mean_sd: Statistic
    tied_pairs: Statistic
    within_share: Statistic


@dataclass(frozen=True, slots=True, kw_only=True)
class Groups:
    """Rewards by item, in the order in which items come first.

    Attributes:
        sizes: Samples of each item.
        lows: The lowest reward of each.
        highs: The highest.
        variances: The population's variance of each.
        means: The mean of each.
        tied: Pairs of samples with equal rewards.
    """

    sizes: Floats
    lows: Floats
    highs: Floats
    variances: Floats
    means: Floats
    tied: Floats


def by_item(rewards: ArrayLike, items: Items) -> Groups:
    """Each item's rewards in a few numbers.

    Raises:
        ValueError: The columns are empty, of different length, or not finite.

    Example:
        >>> found = by_item([0, 1, 1], ["a", "a", "b"])
        >>> found.sizes.tolist(), found.variances.tolist()
        ([2.0, 1.0], [0.25, 0.0])
    """
    (x,) = columns(rewards=rewards)
    codes = item_codes(items, len(x))
    order = np.lexsort((x, codes))
    x, codes = x[order], codes[order]
    fresh = np.append(True, codes[1:] != codes[:-1])
    start = np.flatnonzero(fresh)
    sizes = np.diff(np.append(start, len(x))).astype(float)
    means = np.add.reduceat(x, start) / sizes
    apart = np.append(True, (np.diff(x) > TOLERANCE)) | fresh
    ties = np.diff(np.append(np.flatnonzero(apart), len(x)))
    tied = np.bincount(codes[apart], ties * (ties - 1) / 2, len(start))
    variances = np.add.reduceat((x - means[codes]) ** 2, start) / sizes
    lows, highs = np.minimum.reduceat(x, start), np.maximum.reduceat(x, start)
    return Groups(
        sizes=sizes,
        lows=lows,
        highs=highs,
        variances=np.where(highs - lows <= TOLERANCE, 0.0, variances),
        means=means,
        tied=tied.astype(float),
    )


def group_signal(
    rewards: ArrayLike, items: Items, *, resamples: int = 1_000, seed: int = 0
) -> GroupSignal:
    """How much a group-relative method can learn from these rewards.

    Args:
        rewards: One a sample, finite.
        items: Which item it is a sample of.
        resamples: For the interval; 0 for none.
        seed: The same seed gives the same interval.

    Raises:
        ValueError: The columns are empty, of different length, or not finite.

    Example:
        >>> found = group_signal([0, 1, 1, 1, 0, 0], ["a", "a", "b", "b", "c", "c"])
        >>> round(found.zero_variance.value, 2), found.tied_pairs.value == found.all_low.value * 2
        (0.67, True)
    """
    every = by_item(rewards, items)
    grouped = every.sizes > 1
    flat = grouped & (every.highs - every.lows <= TOLERANCE)
    count, samples = float(grouped.sum()), every.sizes * grouped
    lowest, highest = every.lows.min() + TOLERANCE, every.highs.max() - TOLERANCE
    pairs = samples * (samples - 1) / 2
    return GroupSignal(
        groups=int(count),
        single=int(len(grouped) - count),
        zero_variance=_ratio(flat.sum(), count),
        zero_variance_interval=share_interval(
            flat.astype(float), grouped.astype(float), resamples=resamples, seed=seed
        ),
        all_low=_ratio((flat & (every.highs <= lowest)).sum(), count),
        all_high=_ratio((flat & (every.lows >= highest)).sum(), count),
        effective_batch=_ratio(samples[~flat].sum(), samples.sum()),
        mean_sd=_ratio(np.sqrt(every.variances[grouped]).sum(), count),
        tied_pairs=_ratio(every.tied[grouped].sum(), pairs.sum()),
        within_share=_within_share(every, samples),
    )


def _within_share(every: Groups, samples: Floats) -> Statistic:
    if not samples.any():
        return _ratio(0, 0)
    away = np.abs(every.means - samples @ every.means / samples.sum())
    between = float(samples @ np.where(away > TOLERANCE, away**2, 0.0))
    within = float(samples @ every.variances)
    return _ratio(within, within + between, "all rewards of items with several samples are equal")


def _ratio(above: float, below: float, otherwise: str = "no item has two samples") -> Statistic:
    return Statistic(value=float(above / below)) if below else Statistic(undefined=otherwise)
