"""On what scale people judged, and from which label on a row is good."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from graders.studies.statistics.statistic import Floats, Items, columns, item_codes


@dataclass(frozen=True, slots=True, kw_only=True)
class Labels:
    """What people said of rows.

    Attributes:
        rows: How many, at least 1.
        items: Of how many items.
        low: The lowest label.
        high: The highest.
        distinct: How many different ones there are.
        good_from: A label from here on is good.
        chosen: Why from there, in words.
        good: Rows whose label is good.
    """

    rows: int
    items: int
    low: float
    high: float
    distinct: int
    good_from: float
    chosen: str
    good: int


def label_scale(labels: ArrayLike, items: Items, good_from: float | None = None) -> Labels:
    """Describe labels, and say which are good where nobody does.

    Args:
        labels: One a row, finite.
        items: Which item the row is a sample of.
        good_from: A label from here on is good. None is .5 for labels in [0, 1] on both sides of
            it, or all the same; for others it is the median, or the next label where nothing is
            below the median.

    Raises:
        ValueError: The columns are empty, of different length, or not finite.

    Example:
        >>> found = label_scale([1, 2.5, 4, 5], ["a", "a", "b", "b"])
        >>> found.good_from, found.chosen, found.good
        (3.25, 'the median', 2)
        >>> label_scale([1, 1, 1, 5], [0, 1, 2, 3]).good_from
        5.0
        >>> label_scale([0, 0.1, 0.1, 0.3], [0, 1, 2, 3]).chosen
        'the median'
    """
    (y,) = columns(labels=labels)
    values = np.unique(y)
    if good_from is not None:
        chosen = "as told"
    elif _around_half(values):
        good_from, chosen = 0.5, "the middle of 0 to 1"
    else:
        good_from, chosen = float(np.median(y)), "the median"
        if good_from == values[0] and len(values) > 1:
            good_from, chosen = float(values[1]), "the lowest but one"
    return Labels(
        rows=len(y),
        items=len(set(item_codes(items, len(y)).tolist())),
        low=float(values[0]),
        high=float(values[-1]),
        distinct=len(values),
        good_from=float(good_from),
        chosen=chosen,
        good=int((y >= good_from).sum()),
    )


def _around_half(values: Floats) -> bool:
    """Whether .5 parts labels in [0, 1], or there is nothing to part."""
    low, high = values[0], values[-1]
    return bool(low >= 0 and high <= 1 and (low < 0.5 <= high or low == high))
