"""Kendall's tau-b in many resamples at once, from how often each draws each item.

Which pairs are discordant does not depend on the draw, only how often they count does: the sort of
`correlation.inversions` is done once, and each resample adds up weights along it. Cost: rows times
resamples times the bits of the number of different labels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from graders.studies.correlation import Level, inversions
from graders.studies.statistic import Floats, Ints


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


def tau_b(order: Concordance, counts: Floats, tied_labels: Floats) -> Floats:
    """Kendall's tau-b in each resample; NaN where a side has no variance.

    Args:
        order: The rows.
        counts: How often each item is drawn, shape (items, resamples).
        tied_labels: The sum of squares of the weights of equal labels, shape (resamples,).
    """
    below = np.zeros((len(order.items) + 1, counts.shape[1]))
    np.cumsum(counts[order.items], axis=0, out=below[1:])
    total = below[-1]
    tied_scores, tied_both = (
        _squares(below if len(edges) == len(below) else below[edges])
        for edges in (order.score_edges, order.both_edges)
    )
    discordant = np.zeros(counts.shape[1])
    for level in order.levels:
        ones = np.zeros((len(level.ones) + 1, counts.shape[1]))
        np.cumsum(counts[level.ones], axis=0, out=ones[1:])
        before = ones[level.last]
        if level.first.any():  # not of the first bit, whose block is all there is
            before -= ones[level.first]
        discordant += np.einsum("rc,rc->c", counts[level.zeros], before)
    square = total * total
    agreeing = square - tied_scores - tied_labels + tied_both - 4 * discordant
    with np.errstate(invalid="ignore", divide="ignore"):
        tau = agreeing / np.sqrt((square - tied_scores) * (square - tied_labels))
    clipped: Floats = np.clip(tau, -1, 1)
    return clipped


def _squares(edges: Floats) -> Floats:
    tied = edges[1:] - edges[:-1]
    squares: Floats = np.einsum("tc,tc->c", tied, tied)
    return squares
