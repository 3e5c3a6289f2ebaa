"""Does a longer answer get a better reward? Then length is what a trainer learns.

Length is worth a look, not wrong by itself: where people prefer longer answers, so may a reward.
`beyond_labels` takes out what labels explain: the partial rank correlation, r_xy.z =
(r_xy - r_xz r_yz) / sqrt((1 - r_xz^2) (1 - r_yz^2)) of Spearman's rho (Kendall and Stuart, "The
Advanced Theory of Statistics", volume 2, chapter 27).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import ArrayLike

from graders.studies.statistics.agreement import pairwise_accuracy
from graders.studies.statistics.correlation import spearman
from graders.studies.statistics.statistic import Items, Statistic, columns


@dataclass(frozen=True, slots=True, kw_only=True)
class LengthBias:
    """How rewards go with length. Correlations are Spearman's, in [-1, 1].

    Attributes:
        rows: Samples.
        with_length: Of reward and length.
        with_ratio: Of reward and length over the reference's length.
        empty_references: Samples that `with_ratio` leaves out, for the reference is empty.
        longer_wins: Of pairs of an item's samples of different length, the share in which the
            longer one has the higher reward, ties counted half; in [0, 1], .5 is no bias.
        beyond_labels: Of reward and length, human labels held constant.
    """

    rows: int
    with_length: Statistic
    with_ratio: Statistic
    empty_references: int
    longer_wins: Statistic
    beyond_labels: Statistic


def length_bias(
    rewards: ArrayLike,
    lengths: ArrayLike,
    reference_lengths: ArrayLike,
    items: Items,
    labels: ArrayLike | None = None,
) -> LengthBias:
    """How rewards go with the length of what is graded.

    Args:
        rewards: One a sample, finite.
        lengths: Of the sample, in characters or tokens, at least 0.
        reference_lengths: Of its reference, in the same unit.
        items: Which item it is a sample of.
        labels: What a person said of it, where somebody did.

    Raises:
        ValueError: The columns are empty, of different length, or not finite; a length below 0.

    Example:
        >>> found = length_bias([0.1, 0.5, 0.9], [10, 20, 30], [10, 40, 90], ["a", "a", "a"])
        >>> found.with_length.value, found.with_ratio.value, found.longer_wins.value
        (1.0, -1.0, 1.0)
    """
    x, length, reference = columns(
        rewards=rewards, lengths=lengths, reference_lengths=reference_lengths
    )
    if (least := min(length.min(), reference.min())) < 0:
        raise ValueError(f"a length is at least 0, got {least:g}")
    some = reference > 0
    with_ratio = Statistic(undefined="there is no reference, or all are empty")
    if some.any():
        ratio = length[some] / reference[some]
        with_ratio = spearman(x[some], ratio, names=("rewards", "length ratios"))
    wins = pairwise_accuracy(x, length, items)
    if wins.value is None:
        wins = Statistic(undefined="no item has two samples of different length")
    return LengthBias(
        rows=len(x),
        with_length=spearman(x, length, names=("rewards", "lengths")),
        with_ratio=with_ratio,
        empty_references=int((~some).sum()),
        longer_wins=wins,
        beyond_labels=Statistic(undefined="there are no labels")
        if labels is None
        else partial_spearman(x, length, labels, names=("rewards", "lengths", "labels")),
    )


def partial_spearman(
    x: ArrayLike, y: ArrayLike, held: ArrayLike, *, names: tuple[str, str, str]
) -> Statistic:
    """Spearman's rho of two columns, a third held constant; in [-1, 1].

    Raises:
        ValueError: The columns are empty, of different length, or not finite.

    Example:
        >>> names = ("rewards", "lengths", "labels")
        >>> found = partial_spearman([1, 2, 3, 4], [1, 2, 4, 3], [1, 1, 2, 2], names=names)
        >>> round(abs(found.value), 9)
        0.0
    """
    first, second, third = names
    sides = (
        spearman(x, y, names=(first, second)),
        spearman(x, held, names=(first, third)),
        spearman(y, held, names=(second, third)),
    )
    for side in sides:
        if side.undefined is not None:
            return side
    xy, xz, yz = (side.value or 0.0 for side in sides)
    left = (1 - xz * xz) * (1 - yz * yz)
    if left < np.finfo(float).eps:
        return Statistic(undefined=f"{third} leave nothing of {first} or {second} to explain")
    return Statistic(value=max(-1.0, min(1.0, (xy - xz * yz) / sqrt(left))))
