"""A statistic of some rows: a finite number, or why there is none.

NaN in a mean is a number nobody sees, and 0.0 for "no order at all" is a claim. So every function
here gives a `Statistic`, whose reason can be shown in the number's place.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Items = Sequence[Hashable] | NDArray[Any]
"""Which item each row is a sample of: its number, its text, any value equal for the same item."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistic:
    """Exactly one of the two is set.

    Attributes:
        value: The number, finite.
        undefined: Why there is none, for people.
    """

    value: float | None = None
    undefined: str | None = None

    def __post_init__(self) -> None:
        if (self.value is None) == (self.undefined is None):
            raise ValueError("a statistic has a value or a reason why there is none, and not both")
        if self.value is not None and not isfinite(self.value):
            raise ValueError(f"a statistic is finite, and this one is {self.value}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """Where a statistic lies in most resamples.

    Attributes:
        low: Its lower end.
        high: Its upper end.
        level: The share of resamples in between, in (0, 1).
        resamples: How many resamples have the statistic; where not all do, it is uncertain by
            more than the interval says.
    """

    low: float
    high: float
    level: float
    resamples: int


def columns(**named: ArrayLike) -> list[Floats]:
    """Values of the same rows, as arrays of finite floats and of one length.

    Raises:
        ValueError: They differ in length, are empty, or hold what is no finite number.

    Example:
        >>> columns(scores=[1, 2], human=[0, 1])
        [array([1., 2.]), array([0., 1.])]
        >>> columns(scores=[1, 2], human=[0])
        Traceback (most recent call last):
        ValueError: one value a row is needed of each: scores has 2, human has 1
    """
    arrays = {name: np.asarray(values, np.float64) for name, values in named.items()}
    for name, array in arrays.items():
        if array.ndim != 1:
            raise ValueError(f"{name}: one value a row is needed, not an array of {array.shape}")
    if len({len(array) for array in arrays.values()}) > 1:
        said = ", ".join(f"{name} has {len(array)}" for name, array in arrays.items())
        raise ValueError(f"one value a row is needed of each: {said}")
    for name, array in arrays.items():
        if not len(array):
            raise ValueError(f"{name}: there are no rows")
        if not np.isfinite(array).all():
            at = int(np.flatnonzero(~np.isfinite(array))[0])
            raise ValueError(f"{name}: the value at {at} is {array[at]}; leave failed rows out")
    return list(arrays.values())


def item_codes(items: Items, rows: int) -> Ints:
    """The items of rows as numbers from 0, in the order in which items come first.

    Raises:
        ValueError: There is not one item a row.

    Example:
        >>> item_codes(["q7", "q2", "q7"], 3)
        array([0, 1, 0])
    """
    if len(items) != rows:
        raise ValueError(f"each row has an item: there are {rows} rows and {len(items)} items")
    if isinstance(items, np.ndarray) and items.dtype.kind == "i":
        if (np.diff(items) >= 0).all():
            return np.cumsum(np.diff(items, prepend=items[:1]) > 0)  # there is nothing to look up
        _, first, places = np.unique(items, return_index=True, return_inverse=True)
        return np.argsort(np.argsort(first))[places]
    codes: dict[Hashable, int] = {}
    listed = items.tolist() if isinstance(items, np.ndarray) else items
    return np.array([codes.setdefault(item, len(codes)) for item in listed], np.int64)


def row_weights(weights: ArrayLike | None, rows: int) -> Floats:
    """How often each row counts; once, where nothing is said.

    Raises:
        ValueError: There is not one weight a row, or a weight is negative.
    """
    if weights is None:
        return np.ones(rows)
    (array,) = columns(weights=weights)
    if len(array) != rows:
        raise ValueError(f"each row has a weight: there are {rows} rows and {len(array)} weights")
    if (array < 0).any():
        raise ValueError(f"weights count rows, and the least of them is {array.min():g}")
    return array
