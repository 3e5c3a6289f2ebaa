"""Is the best metric better than the others? Paired differences, many of them, with p-values.

Differences are taken within each resample, in which all metrics saw the same items. A p-value is
that of the percentile interval turned round (Efron and Tibshirani, "An Introduction to the
Bootstrap", 1993, section 15.4), with one resample added to each side (Davison and Hinkley,
"Bootstrap Methods and their Application", 1997, equation 4.11), so that it is never 0: of 1,000
resamples the least is 2/1,001. Holm's step-down procedure ("A simple sequentially rejective
multiple test procedure", Scandinavian Journal of Statistics 1979) makes up for the number of
comparisons, not for having picked the best from the same rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from graders.studies.statistics.bootstrap import Resamples, interval
from graders.studies.statistics.resampled import Measure
from graders.studies.statistics.statistic import Floats, Interval, Statistic

LEVEL: Final = 0.05
"""Of Holm's test: a metric whose p is below is behind."""
_USUAL: Final = 2_000
_FOR_EACH: Final = 60  # half again of what Holm's least p takes to be below the level


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """How far a metric is behind the best.

    Attributes:
        metric: Its name.
        best: The name of the metric with the highest value.
        value: The best one's value minus this one's, at least 0; undefined where one has none.
        interval: Of that, over the resamples in which both have a value.
        p: The chance of a difference so far from 0 on either side if there were none, in (0, 1].
        p_holm: The same, made up for the number of comparisons, in [p, 1].
    """

    metric: str
    best: str
    value: Statistic
    interval: Interval | None = None
    p: float | None = None
    p_holm: float | None = None


def behind_best(
    measure: Measure,
    values: Mapping[str, Statistic],
    resamples: Resamples,
    *,
    level: float = 0.95,
) -> list[Difference]:
    """Compare every metric with the best one by some measure; metrics in the order of `values`.

    Args:
        measure: What to compare by.
        values: By metric, its value over all rows.
        resamples: The same metrics in resamples of these rows.
        level: Of the intervals, in (0, 1).

    Returns:
        One of each metric but the best (the first of equals); none where no metric has a value.

    Example:
        >>> from graders.studies.statistics.bootstrap import bootstrap
        >>> from graders.studies.statistics.resampled import prepare
        >>> rows = {"good": [0, 1] * 50, "bad": [0, 0] * 50}
        >>> drawn = bootstrap(prepare(rows, [0, 1] * 50, [*range(50)] * 2), resamples=199)
        >>> values = {"good": Statistic(value=1.0), "bad": Statistic(value=0.5)}
        >>> found, = behind_best("auc", values, drawn)
        >>> found.metric, found.value.value, found.p, found.p_holm
        ('bad', 0.5, 0.01, 0.01)
    """
    known = {name: s.value for name, s in values.items() if s.value is not None}
    if not known:
        return []
    best = max(known, key=known.__getitem__)
    found = [
        _difference(resamples, measure, level, best=(best, known[best]), other=(name, statistic))
        for name, statistic in values.items()
        if name != best
    ]
    ps = [difference.p for difference in found if difference.p is not None]
    adjusted = iter(holm(ps))
    return [d if d.p is None else replace(d, p_holm=next(adjusted)) for d in found]


def _difference(
    resamples: Resamples,
    measure: Measure,
    level: float,
    *,
    best: tuple[str, float],
    other: tuple[str, Statistic],
) -> Difference:
    (best_name, best_value), (name, statistic) = best, other
    if statistic.value is None:
        return Difference(metric=name, best=best_name, value=statistic)
    drawn = resamples.of(measure, best_name) - resamples.of(measure, name)
    return Difference(
        metric=name,
        best=best_name,
        value=Statistic(value=best_value - statistic.value),
        interval=interval(drawn, level=level),
        p=two_sided_p(drawn),
    )


def two_sided_p(differences: Floats) -> float | None:
    """The p-value of "no difference" from a difference's resamples; NaN is left out.

    In (0, 1]; None where no resample has a value.

    Example:
        >>> two_sided_p(np.array([0.1] * 98 + [-0.1]))
        0.04
    """
    defined = differences[~np.isnan(differences)]
    if not len(defined):
        return None
    least = min(int((defined <= 0).sum()), int((defined >= 0).sum()))
    return min(1.0, 2 * (least + 1) / (len(defined) + 1))


def least_holm(found: Sequence[Difference]) -> float | None:
    """The least p that Holm's procedure can give any of some differences, however large they are.

    In (0, 1]; None where nothing is tested. At or above the level, nothing can be told apart, and
    that says something of the number of resamples, and nothing of the metrics.

    Example:
        >>> within = Interval(low=0.1, high=0.2, level=0.95, resamples=999)
        >>> one = Difference(metric="a", best="b", value=Statistic(value=0.1), interval=within, p=0.1)
        >>> least_holm([one] * 31)
        0.062
    """  # noqa: E501 - a doctest has a line for a call
    drawn = [one.interval.resamples for one in found if one.interval is not None]
    return min(1.0, len(drawn) * 2 / (max(drawn) + 1)) if drawn else None


def enough_resamples(comparisons: int) -> int:
    """Resamples of which Holm's procedure can tell the best from each of so many others.

    Example:
        >>> enough_resamples(31), enough_resamples(100)
        (2000, 6000)
    """
    return max(_USUAL, _FOR_EACH * comparisons)


def holm(ps: Sequence[float]) -> list[float]:
    """P-values made up for their number by Holm's procedure, in the order given.

    Raises:
        ValueError: A value is outside [0, 1].

    Example:
        >>> holm([0.01, 0.04, 0.03])
        [0.03, 0.06, 0.06]
    """
    if wrong := [p for p in ps if not 0 <= p <= 1]:
        raise ValueError(f"a p-value is in [0, 1], got {wrong[0]}")
    order = np.argsort(ps, kind="stable")
    stepped = np.asarray(ps, float)[order] * np.arange(len(ps), 0, -1)
    adjusted = np.empty(len(ps))
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(stepped))
    return [float(p) for p in adjusted]
