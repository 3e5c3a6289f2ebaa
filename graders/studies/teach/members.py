"""Which member of a multi grader decides? The share of the reward's variance it brings.

Of a linear formula, reward = sum of w_j x_j + c, the variance of the reward is the sum over
members of w_j cov(x_j, reward): exact, whatever the members' correlations. A share can be below 0
(a member that pulls against the rest) and above 1. Weights are fitted by least squares, so no
formula has to be read; how much of the variance they explain says whether it was linear. Where that
is little, as of abs(a - b), shares of it say nothing of who decides, and there are none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from graders.studies.statistics.correlation import pearson
from graders.studies.statistics.statistic import Floats, Items, Statistic, columns, item_codes
from graders.studies.verdict import percent

LINEAR: Final = 0.8
"""The share of a reward's variance that a linear formula explains where its parts are told."""

_ROUNDING: Final = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One member's part in a reward.

    Attributes:
        name: The member's.
        weight: In the linear formula nearest to the reward; where members say the same, it is
            divided among them.
        share: Of the reward's variance that the linear formula explains; all members' sum is 1.
            None where it explains less than `LINEAR`.
        with_reward: Pearson's r of its scores with the reward.
    """

    name: str
    weight: float
    share: Statistic
    with_reward: Statistic


@dataclass(frozen=True, slots=True, kw_only=True)
class Members:
    """Members of a multi grader.

    Attributes:
        members: In the order given.
        correlations: Pearson's r of each pair of members, by their names in the order given.
        explained: The share of the reward's variance that a linear formula explains, in [0, 1]: 1
            where the formula is linear.
        decides: The member with the greatest share; None where there are no shares.
    """

    members: tuple[Member, ...]
    correlations: Mapping[tuple[str, str], Statistic]
    explained: Statistic
    decides: str | None


def members_of(
    scores: Mapping[str, ArrayLike], rewards: ArrayLike, items: Items | None = None
) -> Members:
    """What each member adds to the differences of rewards.

    Args:
        scores: By member, one score a row.
        rewards: One a row.
        items: Which item the row is a sample of: only differences within items count, those that
            group-relative methods see. None counts all.

    Raises:
        ValueError: No members; columns empty, of different length, or not finite.

    Example:
        >>> scores = {"exact": [0, 1, 0, 1], "wording": [0.4, 0.4, 0.6, 0.6]}
        >>> found = members_of(scores, [0.2, 0.7, 0.3, 0.8])  # 0.5 exact + 0.5 wording
        >>> found.decides, round(found.members[0].share.value, 3)
        ('exact', 0.962)
    """
    if not scores:
        raise ValueError("a multi grader has members, and there are none")
    # A member may be called anything that has no space in it.
    x = np.stack(columns(**{"the rewards": rewards, **scores}), axis=1)
    codes = np.zeros(len(x), np.int64) if items is None else item_codes(items, len(x))
    sums = np.stack([np.bincount(codes, column) for column in x.T], axis=1)
    away = x - (sums / np.bincount(codes)[:, None])[codes]
    away[np.abs(away) <= _ROUNDING * np.abs(x).max(axis=0)] = 0.0  # what means leave of no variance
    weights = np.linalg.lstsq(away[:, 1:], away[:, 0], rcond=None)[0]
    return _described(tuple(scores), away, weights.astype(np.float64))


def _described(names: tuple[str, ...], away: Floats, weights: Floats) -> Members:
    rewards, scores = away[:, 0], away[:, 1:]
    fitted = scores @ weights
    parts = weights * (scores.T @ fitted)
    all_parts, variance = float(parts.sum()), float(rewards @ rewards)
    explained = Statistic(undefined="rewards do not vary")
    if variance:
        share = min(1.0, all_parts / variance)
        explained = Statistic(value=share if share > _ROUNDING else 0.0)
    none = _no_shares(explained)
    shares = [
        Statistic(value=float(part / all_parts)) if none is None else Statistic(undefined=none)
        for part in parts
    ]
    return Members(
        members=tuple(
            Member(
                name=name,
                weight=float(weight),
                share=share,
                with_reward=_correlated(column, rewards, (name, "rewards")),
            )
            for name, weight, share, column in zip(names, weights, shares, scores.T, strict=True)
        ),
        correlations={
            (a, b): _correlated(x, y, (a, b))
            for (a, x), (b, y) in combinations(zip(names, scores.T, strict=True), 2)
        },
        explained=explained,
        decides=max(zip(parts, names, strict=True))[1] if none is None else None,
    )


def _no_shares(explained: Statistic) -> str | None:
    """Why members have no shares; None where they have."""
    if explained.value is None:
        return explained.undefined
    if not explained.value:
        return "members explain none of the rewards"
    if explained.value < LINEAR:
        return f"a linear formula explains {percent(explained.value)} of the rewards' variance"
    return None


def _correlated(x: Floats, y: Floats, names: tuple[str, str]) -> Statistic:
    for side, name in zip((x, y), names, strict=True):
        if not side.any():
            return Statistic(undefined=f"{name} does not vary")
    return pearson(x, y, names=names)
