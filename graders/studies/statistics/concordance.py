"""Kendall's tau-b in many resamples at once, from how often each draws each item.

Which pairs are discordant does not depend on the draw, only how often they count does: the sort of
`correlation.inversions` is done once, and each resample adds up weights along it. Cost: rows times
resamples times the bits of the number of different labels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from graders.studies.statistics.correlation import Level, inversions
from graders.studies.statistics.draws import Draws, Whole, running
from graders.studies.statistics.statistic import Floats, Ints


@dataclass(frozen=True, slots=True, kw_only=True)
class Concordance:
    """Scores and labels of rows, sorted by both.

    Attributes:
        items: The items of the rows, lowest score first, of equal scores the lowest label.
        score_edges: Where each tie of scores starts among them, and where the last one ends.
        both_edges: The same of rows whose score and label are equal.
        levels: Discordant pairs, with items in the place of rows.
    """

    items: Ints
    score_edges: Ints
    both_edges: Ints
    levels: tuple[Level, ...]


def concordance(scores: Floats, labels: Floats, items: Ints) -> Concordance:
    """Sort once what every resample needs.

    Args:
        scores: Shape (rows,).
        labels: Shape (rows,).
        items: Codes from 0, shape (rows,).
    """
    order = np.lexsort((labels, scores))
    ordered, (_, codes) = items[order], np.unique(labels, return_inverse=True)
    other_score = np.diff(scores[order]) != 0
    other = other_score | (np.diff(labels[order]) != 0)
    return Concordance(
        items=ordered,
        score_edges=_edges(other_score),
        both_edges=_edges(other),
        levels=tuple(
            level._replace(ones=ordered[level.ones], zeros=ordered[level.zeros])
            for level in inversions(codes[order])
        ),
    )


def _edges(other: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> Ints:
    return np.concatenate([[0], np.flatnonzero(other) + 1, [len(other) + 1]])


def tau_b(order: Concordance, draws: Draws, tied_labels: Floats) -> Floats:
    """Kendall's tau-b in each resample; NaN where a side has no variance.

    Args:
        order: The rows.
        draws: How often each item is drawn.
        tied_labels: The sum of squares of the weights of equal labels, shape (resamples,).
    """
    below = running(draws, order.items)
    total = below[:, -1].astype(float)
    tied_scores, tied_both = (
        _squares(below if len(edges) == below.shape[1] else below[:, edges])
        for edges in (order.score_edges, order.both_edges)
    )
    discordant = np.zeros(len(total))
    for level in order.levels:
        ones = running(draws, level.ones)
        before = ones.take(level.last, axis=1)
        if level.first.any():  # not of the first bit, whose block is all there is
            before -= ones.take(level.first, axis=1)
        zeros = draws.weights.take(level.zeros, axis=1)
        discordant += np.einsum("cr,cr->c", zeros, before.astype(float))
    square = total * total
    agreeing = square - tied_scores - tied_labels + tied_both - 4 * discordant
    with np.errstate(invalid="ignore", divide="ignore"):
        tau = agreeing / np.sqrt((square - tied_scores) * (square - tied_labels))
    clipped: Floats = np.clip(tau, -1, 1)
    return clipped


def _squares(edges: Whole) -> Floats:
    tied = (edges[:, 1:] - edges[:, :-1]).astype(float)
    squares: Floats = np.einsum("ct,ct->c", tied, tied)
    return squares
