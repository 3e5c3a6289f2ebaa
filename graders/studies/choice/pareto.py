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
    """The names of those that no other of them dominates, in the order of the points.

    One dominates another if it is as good in all three, and better in one; of costs, as much as
    `_ALIKE` allows. Because of that, of a chain of ever cheaper ones each may dominate the next
    and the first not the last. So each is held against those alone that are in the set: whoever is
    out is dominated by one that is in. There is one such set of any points, for nobody dominates
    one that agrees more, or is harder to cheat at the same agreement: it is found from the best
    agreement down, and the order of the points decides nothing. A contestant without agreement is
    never in it.

    Example:
        >>> pareto([Point(name="best", agreement=0.9, cost=2.0, hackability=0.5),
        ...     Point(name="worse", agreement=0.8, cost=3.0, hackability=0.5),
        ...     Point(name="cheap", agreement=0.7, cost=0.1, hackability=0.5)])
        ('best', 'cheap')
    """
    known = [point for point in points if point.agreement is not None]
    front: list[Point] = []
    for point in sorted(known, key=_losses):
        if not any(_dominates(one, point) for one in front):
            front.append(point)
    return tuple(point.name for point in known if point in front)


def _losses(point: Point) -> tuple[float, float, float]:
    """What is lost with it: agreement, hackability and cost, the lower the better."""
    return (
        -_or_worst(point.agreement, -inf),
        _or_worst(point.hackability, inf),
        _or_worst(point.cost, inf),
    )


def _dominates(one: Point, other: Point) -> bool:
    (*ours, cost), (*theirs, other_cost) = _losses(one), _losses(other)
    as_good = all(x <= y for x, y in zip(ours, theirs, strict=True))
    if not as_good or cost > other_cost * _ALIKE:
        return False
    return ours != theirs or cost * _ALIKE < other_cost


def _or_worst(value: float | None, worst: float) -> float:
    return worst if value is None else value
