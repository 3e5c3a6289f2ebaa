"""How well scores agree with what people said: ranking, order within items, a threshold.

A row is one sample of an item, with a score and a human label. Where labels are graded, a label
from `good_from` on is good; AUC and F1 look at good and not good, pairs and correlations at the
labels themselves. Oracles in the tests: scikit-learn's `roc_auc_score`, `f1_score` and
`precision_recall_curve`; scipy's correlations.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from graders.studies.statistics.correlation import kendall, midranks, pearson, spearman
from graders.studies.statistics.order import ordered_pairs
from graders.studies.statistics.statistic import (
    Bools,
    Floats,
    Items,
    Statistic,
    columns,
    item_codes,
    row_weights,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """The agreement of one metric's scores with human labels.

    Attributes:
        rows: Samples with both, at least 1.
        good: Those whose label is good.
        auc: The chance that a good sample scores above one that is not, in [0, 1]; .5 is chance.
        pairwise_accuracy: Of pairs of an item's samples that people ranked, the share that scores
            rank alike, in [0, 1]; .5 is chance.
        pearson: Of score and label, in [-1, 1].
        spearman: Of their ranks, in [-1, 1].
        kendall: Tau-b, in [-1, 1].
        threshold: Of all scores, the one from which on to call a sample good for the best F1.
        f1: F1 there, in (0, 1]; chosen and measured on the same rows, so a little too high.
    """

    rows: int
    good: int
    auc: Statistic
    pairwise_accuracy: Statistic
    pearson: Statistic
    spearman: Statistic
    kendall: Statistic
    threshold: Statistic
    f1: Statistic


def agreement(
    scores: ArrayLike, labels: ArrayLike, items: Items, *, good_from: float = 0.5
) -> Agreement:
    """Every measure of one metric's agreement with human labels.

    Args:
        scores: One a row, finite; the higher the better.
        labels: What a person said of the row, on any scale; the higher the better.
        items: Which item the row is a sample of.
        good_from: A label from here on is good.

    Raises:
        ValueError: The columns are empty, of different length, or not finite.

    Example:
        >>> found = agreement([0.9, 0.2, 0.4, 0.1], [1, 0, 0, 1], ["a", "a", "b", "b"])
        >>> found.auc.value, found.pairwise_accuracy.value, found.threshold.value
        (0.5, 0.5, 0.9)
    """
    x, y = columns(scores=scores, labels=labels)
    good = y >= good_from
    threshold, f1 = best_threshold(x, good)
    return Agreement(
        rows=len(x),
        good=int(good.sum()),
        auc=auc(x, good),
        pairwise_accuracy=pairwise_accuracy(x, y, items),
        pearson=pearson(x, y),
        spearman=spearman(x, y),
        kendall=kendall(x, y),
        threshold=threshold,
        f1=f1,
    )


def auc(scores: ArrayLike, good: ArrayLike, weights: ArrayLike | None = None) -> Statistic:
    """The area under the ROC curve, in [0, 1]; undefined where there is one class.

    The share of pairs of a good and a bad row that scores put in that order, ties counted half:
    Mann and Whitney's U over the pairs (Hanley and McNeil, "The meaning and use of the area under
    a ROC curve", Radiology 1982).

    Args:
        scores: One a row.
        good: Whether the row is good.
        weights: How often each row counts.

    Raises:
        ValueError: The columns are empty, of different length, or not finite.

    Example:
        >>> auc([0.1, 0.4, 0.4, 0.8], [False, False, True, True]).value
        0.875
        >>> auc([0.1, 0.4], [True, True]).undefined
        'labels have one class: all 2 rows are good'
    """
    x, y = columns(scores=scores, good=np.asarray(good, bool))
    counts = row_weights(weights, len(x))
    if reason := _one_class(y, counts):
        return Statistic(undefined=reason)
    goods, bads = float(counts @ y), float(counts @ (1 - y))
    u = float((counts * y) @ midranks(x, counts)) - goods * (goods + 1) / 2
    return Statistic(value=u / (goods * bads))


def _one_class(good: Floats, counts: Floats) -> str | None:
    """Why nothing can be told apart, where there is one class."""
    counted = good[counts > 0]
    if not len(counted):
        raise ValueError("weights count rows, and all are 0")
    if counted.min() < counted.max():
        return None
    said = "good" if counted[0] else "bad"
    rows = "the only row is" if len(counted) == 1 else f"all {len(counted):,} rows are"
    return f"labels have one class: {rows} {said}"


def pairwise_accuracy(scores: ArrayLike, labels: ArrayLike, items: Items) -> Statistic:
    """The share of ranked pairs within items that scores rank alike, ties of scores counted half.

    What a trainer that compares samples of one prompt (GRPO) sees of a reward; AUC also rewards
    telling easy items from hard ones. Undefined where people ranked no pair.

    Raises:
        ValueError: The columns are empty, of different length, or not finite.

    Example:
        >>> pairwise_accuracy([0.3, 0.2, 0.9, 0.9], [1, 0, 1, 0], [0, 0, 1, 1]).value
        0.75
    """
    x, y = columns(scores=scores, labels=labels)
    alike, pairs = ordered_pairs(x, y, item_codes(items, len(x)))
    if not pairs.any():
        return Statistic(undefined="no item has two samples with different labels")
    return Statistic(value=float(alike.sum() / pairs.sum()))


def best_threshold(
    scores: ArrayLike, good: ArrayLike, weights: ArrayLike | None = None
) -> tuple[Statistic, Statistic]:
    """The threshold with the best F1, and F1 there; the highest of equally good ones.

    A row passes when its score is at least the threshold, which is one of the scores.

    Args:
        scores: One a row.
        good: Whether the row is good.
        weights: How often each row counts.

    Raises:
        ValueError: The columns are empty, of different length, or not finite.

    Example:
        >>> threshold, f1 = best_threshold([0.1, 0.3, 0.6, 0.8], [False, True, False, True])
        >>> threshold.value, f1.value
        (0.3, 0.8)
    """
    x, y = columns(scores=scores, good=np.asarray(good, bool))
    counts = row_weights(weights, len(x))
    if not counts @ y:
        none = Statistic(undefined="no row is good, so no threshold finds a good one")
        return none, none
    kept: Bools = counts > 0
    values, place = np.unique(-x[kept], return_inverse=True)
    found = np.cumsum(np.bincount(place, (counts * y)[kept]))
    passing = np.cumsum(np.bincount(place, counts[kept]))
    f1 = 2 * found / (passing + counts @ y)
    best = int(np.argmax(f1))
    return Statistic(value=float(-values[best])), Statistic(value=float(f1[best]))
