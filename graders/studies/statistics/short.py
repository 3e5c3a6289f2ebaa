"""Thresholds in as few digits as part the same rows: easy to read, and safe to copy."""

from __future__ import annotations

from decimal import ROUND_FLOOR, Context
from typing import Final

from graders.studies.statistics.statistic import Floats, Interval

_DIGITS: Final = 17
"""That tell any float from all others."""


def short_threshold(threshold: float, scores: Floats, *, digits: int = 1) -> float:
    """The shortest number from which on the same scores pass; never above the threshold.

    Args:
        threshold: Finite.
        scores: What is parted by it.
        digits: Significant ones to have at least, where the threshold has as many.

    Example:
        >>> import numpy as np
        >>> scores = np.array([0.25, 0.999, 0.9995, 2 / 3])
        >>> [short_threshold(x, scores) for x in (0.25, 2 / 3, 0.999, 0.9995)]
        [0.2, 0.6, 0.9, 0.9995]
        >>> short_threshold(2 / 3, scores, digits=4)
        0.6666
    """
    least = float(scores[scores < threshold].max(initial=float("-inf")))
    for places in range(digits, _DIGITS):
        rounding = Context(prec=places, rounding=ROUND_FLOOR)
        shown = float(rounding.create_decimal(repr(float(threshold))))
        if least < shown <= threshold:
            return shown
    return threshold


def threshold_within(threshold: float, interval: Interval | None, scores: Floats) -> str:
    """A threshold with its interval, each number as `short_threshold` says.

    So they are in the same order as the numbers they stand for.

    Example:
        >>> import numpy as np
        >>> interval = Interval(low=1234.0, high=1235.5, level=0.95, resamples=1000)
        >>> threshold_within(1235.0, interval, np.array([1233.0, 1234.0, 1235.0]))
        '1235 [1234, 1235.5]'
    """
    shown = exactly(short_threshold(threshold, scores))
    if interval is None:
        return shown
    low, high = (exactly(short_threshold(x, scores)) for x in (interval.low, interval.high))
    return f"{shown} [{low}, {high}]"


def exactly(number: float) -> str:
    """A number in as few digits as tell it from all others.

    Example:
        >>> exactly(0.9995), exactly(1235.0), exactly(1e-7)
        ('0.9995', '1235', '1e-07')
    """
    return repr(float(number)).removesuffix(".0")
