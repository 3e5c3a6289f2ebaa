"""How far does a grader agree with itself? Repeats of the same rows.

The one-way random effects model of Shrout and Fleiss ("Intraclass correlations: uses in assessing
rater reliability", Psychological Bulletin 1979), their ICC(1,1) and ICC(1,k); rows with different
numbers of repeats by the mean number k0 of analysis of variance (Searle, "Linear Models", 1971,
section 9.2). The worked example in the tests is the paper's own.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

from numpy.typing import ArrayLike

from graders.studies.statistics.signal import TOLERANCE, by_item
from graders.studies.statistics.statistic import Floats, Items, Statistic


@dataclass(frozen=True, slots=True, kw_only=True)
class Noise:
    """What repeats of a grader differ by.

    Attributes:
        rows: Rows that were graded at least twice; all below is about these.
        single: Rows that were graded once.
        repeats: The mean number of gradings of a row.
        sd: Standard deviation of a row's scores, pooled, in scores.
        unstable: Share of rows whose scores are not all equal, in [0, 1].
        widest: The greatest difference of two scores of a row.
        reliability: ICC(1,1): the correlation of two gradings of the same rows, at most 1. Below 0
            where rows differ less than repeats would make them.
        mean_reliability: ICC(1,k), that of the mean of so many gradings.
        flips: Share of rows of which some gradings pass and some do not, in [0, 1].
    """

    rows: int
    single: int
    repeats: Statistic
    sd: Statistic
    unstable: Statistic
    widest: Statistic
    reliability: Statistic
    mean_reliability: Statistic
    flips: Statistic


def noise(scores: ArrayLike, rows: Items, *, threshold: float | None = None) -> Noise:
    """How much repeated gradings of the same rows differ.

    Args:
        scores: One a grading, finite.
        rows: Which row was graded.
        threshold: A score from here on passes; None where nothing says what passes.

    Raises:
        ValueError: The columns are empty, of different length, or not finite.

    Example:
        >>> found = noise([0.5, 0.7, 0.2, 0.2], ["a", "a", "b", "b"], threshold=0.6)
        >>> found.unstable.value, found.flips.value, round(found.sd.value, 6)
        (0.5, 0.5, 0.1)
    """
    every = by_item(scores, rows)
    again = every.sizes > 1
    if not again.any():
        return _none(len(again))
    sizes, lows, highs = every.sizes[again], every.lows[again], every.highs[again]
    within = float(sizes @ every.variances[again] / (sizes.sum() - len(sizes)))
    one, mean = _reliability(sizes, every.means[again], within)
    flips = Statistic(undefined="there is no threshold")
    if threshold is not None:
        flips = Statistic(value=float(((lows < threshold) & (highs >= threshold)).mean()))
    return Noise(
        rows=len(sizes),
        single=len(again) - len(sizes),
        repeats=Statistic(value=float(sizes.mean())),
        sd=Statistic(value=sqrt(within)),
        unstable=Statistic(value=float((highs - lows > TOLERANCE).mean())),
        widest=Statistic(value=float((highs - lows).max())),
        reliability=one,
        mean_reliability=mean,
        flips=flips,
    )


def _none(single: int) -> Noise:
    none = Statistic(undefined="no row was graded twice")
    return Noise(
        rows=0,
        single=single,
        repeats=none,
        sd=none,
        unstable=none,
        widest=none,
        reliability=none,
        mean_reliability=none,
        flips=none,
    )


def _reliability(sizes: Floats, means: Floats, within: float) -> tuple[Statistic, Statistic]:
    """ICC(1,1) and ICC(1,k), from the mean squares between and within rows."""
    count, total = len(sizes), float(sizes.sum())
    if count < 2:
        one_row = Statistic(undefined="one row has no other to differ from")
        return one_row, one_row
    away = means - sizes @ means / total
    between = float(sizes @ away**2) / (count - 1)
    if between <= TOLERANCE**2 and within <= TOLERANCE**2:
        equal = Statistic(undefined="all scores are equal")
        return equal, equal
    mean_repeats = (total - float(sizes @ sizes) / total) / (count - 1)
    one = (between - within) / (between + (mean_repeats - 1) * within)
    if between <= TOLERANCE**2:
        return Statistic(value=one), Statistic(undefined="all rows have the same mean")
    return Statistic(value=one), Statistic(value=(between - within) / between)
