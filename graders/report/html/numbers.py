"""Statistics as lines of a table: each with its interval, or with why there is none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from graders.markup import Markup
from graders.report.html.table import table
from graders.studies.statistics.statistic import Interval, Statistic
from graders.studies.verdict import number_within

_LARGE: Final = 1e4


class Line(NamedTuple):
    """A statistic.

    Attributes:
        name: What it is.
        value: The number, or why there is none; or what is said of it already.
        interval: Where it lies in most resamples.
    """

    name: str
    value: Statistic | float | str
    interval: Interval | None = None


def numbers(caption: str, lines: Sequence[Line]) -> Markup:
    """A table of statistics."""
    rows = [
        [one.name, one.value if isinstance(one.value, str) else said(one.value, one.interval)]
        for one in lines
    ]
    return table((), rows, caption=caption, numbers=[1], class_="numbers")


def said(value: Statistic | float, interval: Interval | None = None, digits: int = 3) -> str:
    """A statistic in words.

    Example:
        >>> said(0.25), said(Statistic(undefined="all are equal"))
        ('0.250', 'none: all are equal')
    """
    number = value.value if isinstance(value, Statistic) else value
    if number is None:
        assert isinstance(value, Statistic), "a number is there"
        return f"none: {value.undefined}"
    if abs(number) >= _LARGE:
        return f"{number:.4g}"
    return number_within(number, interval, digits)


def in_short(value: Statistic, interval: Interval | None = None) -> str:
    """A statistic in a table that has no room for why there is none.

    Example:
        >>> in_short(Statistic(undefined="all are equal"))
        'none'
    """
    return "none" if value.value is None else said(value, interval)
