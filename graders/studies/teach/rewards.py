"""How rewards are distributed: their spread, the values that many rows share, the ends.

An atom is one value that many rows have, as 0.0 and 1.0 of a string check. Saturation is the share
of rows at an end of the range: what is there cannot get better, or does not say how bad it is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from graders.studies.statistics.statistic import columns

QUANTILES = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Atom:
    """A value that many rows share.

    Attributes:
        value: The reward.
        share: Of all rows, in (0, 1].
    """

    value: float
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Distribution:
    """Rewards of some rows.

    Attributes:
        rows: How many, at least 1.
        mean: Their mean.
        sd: Their standard deviation, the population's.
        quantiles: Pairs of a share and the reward below which it lies, interpolated.
        distinct: How many different rewards there are.
        atoms: The values that the most rows share, most first, and of equals the lower first.
        at_floor: The share of rows at the lower end of the range or below, in [0, 1].
        at_ceiling: The share of rows at the upper end or above.
    """

    rows: int
    mean: float
    sd: float
    quantiles: tuple[tuple[float, float], ...]
    distinct: int
    atoms: tuple[Atom, ...]
    at_floor: float
    at_ceiling: float


def distribution(
    rewards: ArrayLike,
    *,
    ends: tuple[float, float] = (0.0, 1.0),
    atom_from: float = 0.05,
    most: int = 10,
) -> Distribution:
    """Describe rewards.

    Args:
        rewards: One a row, finite.
        ends: The least and the greatest reward that the grader can give.
        atom_from: The share of rows from which on a value is an atom, in (0, 1].
        most: Atoms that are named at most.

    Raises:
        ValueError: There are no rewards, one is not finite, or the ends are in the wrong order.

    Example:
        >>> found = distribution([0, 0, 0, 0.5, 1])
        >>> found.at_floor, found.at_ceiling, found.atoms[0]
        (0.6, 0.2, Atom(value=0.0, share=0.6))
    """
    low, high = ends
    if not low < high:
        raise ValueError(f"rewards range from a lower to a higher end, got {low} and {high}")
    (x,) = columns(rewards=rewards)
    values, counts = np.unique(x, return_counts=True)
    order = np.argsort(-counts, kind="stable")[:most]
    return Distribution(
        rows=len(x),
        mean=float(x.mean()),
        sd=float(x.std()),
        quantiles=tuple(zip(QUANTILES, np.quantile(x, QUANTILES).tolist(), strict=True)),
        distinct=len(values),
        atoms=tuple(
            Atom(value=float(values[i]), share=float(counts[i] / len(x)))
            for i in order
            if counts[i] >= atom_from * len(x)
        ),
        at_floor=float((x <= low).mean()),
        at_ceiling=float((x >= high).mean()),
    )
