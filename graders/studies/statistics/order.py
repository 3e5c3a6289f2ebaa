"""The order of an item's samples: which pairs two columns put in the same order.

Within an item is where a trainer that compares samples of one prompt (GRPO) looks. Of small items
each pair is looked at. In a large one, pairs in the wrong order are the inversions of one column in
the order of the other, as in Kendall's tau, so that nothing is quadratic. Law in the tests: both
are the count pair by pair.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from graders.studies.statistics.correlation import inversions
from graders.studies.statistics.statistic import Bools, Floats, Ints

_FEW: Final = 64
"""Samples of an item up to which looking at each pair is faster than sorting."""


def ordered_pairs(scores: Floats, labels: Floats, items: Ints) -> tuple[Floats, Floats]:
    """Of each item, the pairs of samples people ranked, and how many of them scores rank alike.

    A tie of scores is half right. Cost: O(rows times the bits of their number).

    Args:
        scores: Shape (rows,) or (rows, metrics).
        labels: Shape (rows,).
        items: Codes from 0, shape (rows,).

    Returns:
        Pairs ranked alike, of shape (items,) or (items, metrics); and pairs, of shape (items,).
    """
    sizes = np.bincount(items)
    many: Bools = (sizes > _FEW)[items]
    if not many.any():
        return _by_distance(scores, labels, items, len(sizes))
    alike, pairs = _by_sorting(scores[many], labels[many], items[many], len(sizes))
    few = _by_distance(scores[~many], labels[~many], items[~many], len(sizes))
    return alike + few[0], pairs + few[1]


def _by_distance(x: Floats, y: Floats, items: Ints, number: int) -> tuple[Floats, Floats]:
    """Compare each row with the next of its item, then with the one after that, and so on."""
    order = np.argsort(items, kind="stable")
    x, y, item = x[order], y[order], items[order]
    alike, pairs = np.zeros((number, *x.shape[1:])), np.zeros(number)
    for apart in range(1, int(np.bincount(item, minlength=1).max())):
        together = np.flatnonzero(item[apart:] == item[:-apart])
        ranked = np.sign(y[together + apart] - y[together])
        scored = np.sign(x[together + apart] - x[together])
        right = (1 + (scored.T * ranked).T) / 2 * np.abs(ranked).reshape(-1, *[1] * (x.ndim - 1))
        np.add.at(alike, item[together], right)
        np.add.at(pairs, item[together], np.abs(ranked))
    return alike, pairs


def _by_sorting(x: Floats, y: Floats, items: Ints, number: int) -> tuple[Floats, Floats]:
    """Of pairs that `y` orders, take those that `x` orders otherwise, and half of its ties."""
    labels, sizes = _ranks(y, items), np.bincount(items, minlength=number).astype(float)
    pairs = sizes * (sizes - 1) / 2 - _tied(labels, items, number)
    alike = []
    for column in x.reshape(len(x), -1).T:
        scores = _ranks(column, items)
        ties = _tied_alone(scores, labels, items, number)
        alike.append(pairs - _turned(scores, labels, items, number) - ties / 2)
    return np.stack(alike, axis=1).reshape(number, *x.shape[1:]), pairs


def _ranks(values: Floats | Ints, items: Ints, *, apart: float = 0.0) -> Ints:
    """Codes from 0, in the order of items and, in an item, of values; neighbours not apart tie."""
    order = np.lexsort((values, items))
    fresh = (np.diff(items[order]) > 0) | (np.diff(values[order]) > apart)
    ranks = np.empty(len(order), np.int64)
    ranks[order] = np.append(0, np.cumsum(fresh))
    return ranks


def _turned(scores: Ints, labels: Ints, items: Ints, number: int) -> Floats:
    """Pairs of each item of which the one with the higher label has the lower score."""
    order = np.lexsort((scores, labels))
    turned = np.zeros(number)
    for level in inversions(scores[order]):
        turned += np.bincount(items[order[level.zeros]], level.last - level.first, number)
    return turned


def _tied(ranks: Ints, items: Ints, number: int) -> Floats:
    """Pairs of each item that are of one rank."""
    ties = np.bincount(ranks)
    item = np.empty(len(ties), np.int64)
    item[ranks] = items
    return np.bincount(item, ties * (ties - 1) / 2, number).astype(np.float64)


def _tied_alone(scores: Ints, labels: Ints, items: Ints, number: int) -> Floats:
    """Pairs of each item that are of one score, and not of one label too."""
    return _tied(scores, items, number) - _tied(_ranks(labels, scores), items, number)


class Kept(NamedTuple):
    """What became of the order of each item's samples; all of shape (items,).

    Attributes:
        pairs: Those that differed before.
        same: Of them, those in the same order after.
        turned: Those in the opposite order. The rest are ties after.
    """

    pairs: Floats
    same: Floats
    turned: Floats


def kept_order(old: Floats, new: Floats, items: Ints, *, apart: float) -> Kept:
    """Which pairs of an item's samples are in the order that they were in.

    Args:
        old: Scores before, shape (rows,).
        new: Scores after.
        items: Codes from 0.
        apart: Scores no farther apart are equal.

    Example:
        >>> old, new = np.array([0.1, 0.2, 0.3, 0.3]), np.array([0.2, 0.1, 0.2, 0.9])
        >>> [one.tolist() for one in kept_order(old, new, np.array([0, 0, 0, 0]), apart=0)]
        [[5.0], [3.0], [1.0]]
    """
    was, is_now = (_ranks(values, items, apart=apart) for values in (old, new))
    alike, pairs = ordered_pairs(is_now.astype(float), was.astype(float), items)
    ties = _tied_alone(is_now, was, items, len(pairs))
    same = alike - ties / 2
    return Kept(pairs, same, pairs - ties - same)
