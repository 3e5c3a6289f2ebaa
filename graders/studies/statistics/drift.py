"""Two sets of grades of the same rows: what changed, how far, and whether by chance.

Mean differences have a cluster bootstrap over items, and so has the share of pairs that keep their
order within an item, which is all of the order that a group-relative trainer sees. Flips of the
threshold have McNemar's test in its exact form ("Note on the sampling error of the difference
between correlated proportions", Psychometrika 1947): of the rows that flipped, either direction is
as likely. It takes rows as independent. Oracles in the tests: scipy's `binomtest` and `ks_2samp`.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import comb, exp, lgamma, log
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from graders.studies.statistics.bootstrap import ratio_interval, share_interval
from graders.studies.statistics.correlation import kendall, spearman
from graders.studies.statistics.order import kept_order
from graders.studies.statistics.signal import TOLERANCE
from graders.studies.statistics.statistic import (
    Floats,
    Interval,
    Items,
    Statistic,
    columns,
    item_codes,
)

_WHOLE: Final = 1_000  # flips up to which a binomial coefficient is a float's business


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """What became of the same rows' scores.

    Attributes:
        rows: Rows with an old and a new score, at least 1.
        changed: Share of rows whose score changed, in [0, 1].
        mean_change: New minus old, the mean over rows, in scores.
        mean_change_interval: Of it, 1,000 times items resampled; None of one item.
        mean_distance: The mean of how far scores moved either way, in scores.
        farthest: How far one moved at most.
        spearman: Of old and new scores: whether the order of rows stayed.
        kendall: Tau-b of the same.
        pairs: Two rows of one item whose old scores differ.
        pairs_kept: Share of pairs whose new scores are in the same order, in [0, 1].
        pairs_kept_interval: Of it, items resampled; None where fewer than two have pairs.
        pairs_turned: How many are in the opposite order.
        pairs_tied: How many have equal new scores.
        distribution: The greatest difference of the two cumulative distributions, in [0, 1]
            (Kolmogorov and Smirnov's statistic); 0 where only the rows' places changed.
        now_passing: Rows that failed and pass.
        now_failing: Rows that passed and fail.
        flips: Share of rows that do either; undefined without a threshold.
        flips_p: The chance that flips are so one-sided if either direction were as likely.
        worst: Places of the rows that moved the farthest, farthest first; none that did not move.
    """

    rows: int
    changed: float
    mean_change: float
    mean_change_interval: Interval | None
    mean_distance: float
    farthest: float
    spearman: Statistic
    kendall: Statistic
    pairs: int
    pairs_kept: Statistic
    pairs_kept_interval: Interval | None
    pairs_turned: int
    pairs_tied: int
    distribution: float
    now_passing: int
    now_failing: int
    flips: Statistic
    flips_p: Statistic
    worst: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """From which score on a row passes, before and after."""

    old: float
    new: float


def drift(
    old: ArrayLike,
    new: ArrayLike,
    items: Items,
    *,
    thresholds: Thresholds | None = None,
    worst: int = 10,
) -> Drift:
    """Compare two sets of grades of the same rows.

    Args:
        old: Scores before, one a row.
        new: Scores after.
        items: Which item the row is a sample of.
        thresholds: What passes; None where nothing says so.
        worst: How many of the rows that moved the farthest are named at most.

    Raises:
        ValueError: The columns are empty, of different length, or not finite.

    Example:
        >>> half = Thresholds(old=0.5, new=0.5)
        >>> found = drift([0.1, 0.4, 0.9], [0.1, 0.6, 0.8], ["a", "b", "c"], thresholds=half)
        >>> found.now_passing, found.now_failing, found.worst, found.spearman.value
        (1, 0, (1, 2), 1.0)
    """
    before, after = columns(old=old, new=new)
    codes = item_codes(items, len(before))
    change = after - before
    moved = np.abs(change)
    farthest = [int(i) for i in np.argsort(-moved, kind="stable")[:worst] if moved[i] > TOLERANCE]
    up, down, flips, flips_p = _flips(before, after, thresholds)
    pairs, same, turned = kept_order(before, after, codes, apart=TOLERANCE)
    return Drift(
        rows=len(change),
        changed=float((moved > TOLERANCE).mean()),
        mean_change=float(change.mean()),
        mean_change_interval=ratio_interval(
            np.bincount(codes, change).astype(float), np.bincount(codes).astype(float)
        ),
        mean_distance=float(moved.mean()),
        farthest=float(moved.max()),
        spearman=spearman(before, after, names=("old scores", "new scores")),
        kendall=kendall(before, after, names=("old scores", "new scores")),
        pairs=int(pairs.sum()),
        pairs_kept=_share(same, pairs),
        pairs_kept_interval=share_interval(same, pairs),
        pairs_turned=int(turned.sum()),
        pairs_tied=int((pairs - same - turned).sum()),
        distribution=_distance(before, after),
        now_passing=up,
        now_failing=down,
        flips=flips,
        flips_p=flips_p,
        worst=tuple(farthest),
    )


def _share(same: Floats, pairs: Floats) -> Statistic:
    if not pairs.any():
        return Statistic(undefined="no group has two samples whose old scores differ")
    return Statistic(value=float(same.sum() / pairs.sum()))


def _flips(
    before: Floats, after: Floats, thresholds: Thresholds | None
) -> tuple[int, int, Statistic, Statistic]:
    if thresholds is None:
        none = Statistic(undefined="there is no threshold")
        return 0, 0, none, none
    passed, passes = before >= thresholds.old, after >= thresholds.new
    up, down = int((~passed & passes).sum()), int((passed & ~passes).sum())
    p = Statistic(value=sign_test(up, down))
    return up, down, Statistic(value=(up + down) / len(before)), p


def _distance(before: Floats, after: Floats) -> float:
    places = np.concatenate([before, after])
    shares = [np.searchsorted(np.sort(x), places, side="right") / len(x) for x in (before, after)]
    return float(np.abs(shares[0] - shares[1]).max())


def sign_test(ups: int, downs: int) -> float:
    """The two-sided exact p-value of so many ups and downs if both are as likely; in [0, 1].

    Example:
        >>> sign_test(0, 5)
        0.0625
    """
    n, least = ups + downs, min(ups, downs)
    if 2 * least >= n - 1:
        return 1.0
    if n <= _WHOLE:
        chance = comb(n, least) / 2**n
    else:
        chance = exp(lgamma(n + 1) - lgamma(least + 1) - lgamma(n - least + 1) - n * log(2))
    total = 0.0
    for fewer in range(least, -1, -1):  # each chance from that of one more, until none adds
        total += chance
        chance *= fewer / (n - fewer + 1)
        if chance < total * 1e-17:
            break
    return min(1.0, 2 * total)
