"""Which contestants are not beaten on everything at once: agreement, cost, hackability."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from typing import Final

_ALIKE: Final = 1.25
"""Costs are measured: those that differ by no more than this factor are the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """What a contestant offers. None is what nobody knows, and no advantage.

    Attributes:
        name: Its name.
        agreement: With people; the higher the better.
        cost: In CPU-seconds of 1,000 rows; the lower the better.
        hackability: The share of rows on which an attack wins, in [0, 1]; the lower the better.
    """

    name: str
    agreement: float | None
    cost: float | None = None
    hackability: float | None = None


def pareto(points: Sequence[Point]) -> tuple[str, ...]:
    """The names of those that no other dominates, in their order.

    One dominates another if it is as good in all three, and better in one. A contestant without
    agreement is never among them.

    Example:
        >>> pareto([Point(name="best", agreement=0.9, cost=2.0, hackability=0.5),
        ...     Point(name="worse", agreement=0.8, cost=3.0, hackability=0.5),
        ...     Point(name="cheap", agreement=0.7, cost=0.1, hackability=0.5)])
        ('best', 'cheap')
    """
    known = [point for point in points if point.agreement is not None]
    return tuple(
        point.name for point in known if not any(_dominates(other, point) for other in known)
    )


def _dominates(one: Point, other: Point) -> bool:
    agreements = -_or_worst(one.agreement, -inf), -_or_worst(other.agreement, -inf)
    hacked = _or_worst(one.hackability, inf), _or_worst(other.hackability, inf)
    costs = _or_worst(one.cost, inf), _or_worst(other.cost, inf)
    as_good = agreements[0] <= agreements[1] and hacked[0] <= hacked[1]
    if not as_good or costs[0] > costs[1] * _ALIKE:
        return False
    better = agreements[0] < agreements[1] or hacked[0] < hacked[1]
    return better or costs[0] * _ALIKE < costs[1]


def _or_worst(value: float | None, worst: float) -> float:
    return worst if value is None else value
