"""Agreement with labels in many resamples at once, from how often each draws each item.

Weighted sums give every measure. Those of pairs and of Pearson's r are sums per item, so that one
matrix product does all metrics. With u the weight of the rows below a score plus half of that at
it, and P of Q weights good, AUC is (sum of w u over good rows - P^2 / 2) / (P (Q - P)); Spearman's
rho is Pearson's r of both sides' u, whose variance is (Q^3 - sum of t^3) / 12 with t the weights
of ties. F1 is that of the threshold which is best for all rows. The law in the tests: each value
is that of the rows, repeated as drawn.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike

from graders.studies.statistics.agreement import best_threshold
from graders.studies.statistics.concordance import Concordance, concordance, tau_b
from graders.studies.statistics.draws import Draws, running
from graders.studies.statistics.order import ordered_pairs
from graders.studies.statistics.statistic import Bools, Floats, Ints, Items, columns, item_codes

Measure = Literal["auc", "pairwise_accuracy", "pearson", "spearman", "kendall", "f1"]
MEASURES: Final[tuple[Measure, ...]] = get_args(Measure)

_NO_VARIANCE: Final = 1e-13  # of the mean square: less is what rounding leaves of none


@dataclass(frozen=True, slots=True, kw_only=True)
class Ordered:
    """Rows in the order of one column.

    Attributes:
        rows: The rows, lowest value first.
        items: Their items.
        edges: Where each tie starts among them, and where the last one ends.
        good_items: The items of the good rows.
        good_ties: The ties that these stand in.
    """

    rows: Ints
    items: Ints
    edges: Ints
    good_items: Ints
    good_ties: Ints


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """What does not depend on the draw.

    Attributes:
        metrics: Their names.
        rows: How many.
        items: How many.
        two_labels: Whether good or bad is all that labels say.
        row_items: The item of each row, shape (rows,).
        sums: Per item, shape (items, 2): rows, good rows.
        pairs: Per item, shape (items,): pairs that people ranked.
        alike: Per item and metric: those that scores rank alike.
        passing: Shape (2, items, metrics): rows at or above the metric's threshold, and good ones.
        labels: Of labels, per item, shape (items, 2): sum and sum of squares.
        scores: Of scores, shape (3, items, metrics): sum, sum of squares, sum of products with
            labels. All of them about their means.
        by_label: The rows in the order of labels.
        by_score: And of each metric's scores.
        by_both: And of each metric's scores and labels.
    """

    metrics: tuple[str, ...]
    rows: int
    items: int
    two_labels: bool
    row_items: Ints
    sums: Floats
    pairs: Floats
    alike: Floats
    passing: Floats
    labels: Floats
    scores: Floats
    by_label: Ordered
    by_score: tuple[Ordered, ...]
    by_both: tuple[Concordance, ...]


def prepare(
    scores: Mapping[str, ArrayLike], labels: ArrayLike, items: Items, *, good_from: float = 0.5
) -> Prepared:
    """Sort and sum once what every resample needs.

    Args:
        scores: By metric, one score a row.
        labels: What a person said of the row.
        items: Which item the row is a sample of.
        good_from: A label from here on is good.

    Raises:
        ValueError: No metrics; columns empty, of different length, or not finite.
    """
    if not scores:
        raise ValueError("there is no metric to resample")
    y, *all_scores = columns(**{"the labels": labels, **scores})
    codes = item_codes(items, len(y))
    order = np.argsort(codes, kind="stable")
    codes, y, x = codes[order], y[order], np.stack(all_scores, axis=1)[order]
    good = y >= good_from
    alike, pairs = ordered_pairs(x, y, codes)
    start = np.flatnonzero(np.append(True, codes[1:] != codes[:-1]))
    dx, dy = _standard(x), _standard(y)
    passing = np.stack([_passing(column, good) for column in x.T], axis=1)
    return Prepared(
        metrics=tuple(scores),
        rows=len(y),
        items=len(start),
        two_labels=len({*y[good].tolist()}) <= 1 and len({*y[~good].tolist()}) <= 1,
        row_items=codes,
        sums=np.add.reduceat(np.stack([np.ones(len(y)), good], axis=1), start),
        pairs=pairs,
        alike=alike,
        passing=np.add.reduceat(np.stack([passing, passing * good[:, None]]), start, axis=1),
        labels=np.add.reduceat(np.stack([dy, dy * dy], axis=1), start),
        scores=np.add.reduceat(np.stack([dx, dx * dx, dx * dy[:, None]]), start, axis=1),
        by_label=_ordered(y, codes, good),
        by_score=tuple(_ordered(column, codes, good) for column in x.T),
        by_both=tuple(concordance(column, y, codes) for column in x.T),
    )


def _passing(scores: Floats, good: Bools) -> Floats:
    threshold, _ = best_threshold(scores, good)
    return (scores >= (np.inf if threshold.value is None else threshold.value)).astype(float)


def _standard(values: Floats) -> Floats:
    away = values - values.mean(axis=0)
    most = np.abs(away).max(axis=0)
    scaled: Floats = away / np.where(most > 0, most, 1)
    return scaled


def _ordered(values: Floats, items: Ints, good: Bools) -> Ordered:
    rows = np.argsort(values, kind="stable")
    fresh = np.append(True, np.diff(values[rows]) > 0)
    goods = np.flatnonzero(good[rows])
    return Ordered(
        rows=rows,
        items=items[rows],
        edges=np.append(np.flatnonzero(fresh), len(rows)),
        good_items=items[rows][goods],
        good_ties=(np.cumsum(fresh) - 1)[goods],
    )


def resampled(prepared: Prepared, counts: Floats) -> dict[Measure, Floats]:
    """Every measure of every metric in some resamples.

    Args:
        prepared: The rows.
        counts: How often each item is drawn, shape (items, resamples).

    Returns:
        By measure, shape (resamples, metrics); NaN where there is no such value.
    """
    pairs, good = counts.T @ prepared.pairs, counts.T @ prepared.sums[:, 1]
    passing, found = (counts.T @ sums for sums in prepared.passing)
    draws = Draws.of(counts)
    auc, spearman = _by_ranks(prepared, draws)
    with np.errstate(invalid="ignore", divide="ignore"):
        alike = (counts.T @ prepared.alike) / pairs[:, None]
        f1 = np.where(good[:, None] > 0, 2 * found / (passing + good[:, None]), np.nan)
    pearson = _pearson(prepared, counts)
    return {
        "auc": auc,
        "pairwise_accuracy": alike,
        "pearson": pearson,
        "spearman": spearman,
        "kendall": _kendall(prepared, draws),
        "f1": f1,
    }


def _pearson(prepared: Prepared, counts: Floats) -> Floats:
    rows = (counts.T @ prepared.sums)[:, :1]
    y, yy = (counts.T @ prepared.labels).T[:, :, None]
    x, xx, xy = (counts.T @ sums for sums in prepared.scores)
    with np.errstate(invalid="ignore", divide="ignore"):
        r = (xy - x * y / rows) / np.sqrt(_spread(xx, x, rows) * _spread(yy, y, rows))
    clipped: Floats = np.clip(r, -1, 1)
    return clipped


def _kendall(prepared: Prepared, draws: Draws) -> Floats:
    tied, _ = _half_ranks(prepared.by_label, draws)
    tied_labels: Floats = np.einsum("ct,ct->c", tied, tied)
    return np.stack([tau_b(order, draws, tied_labels) for order in prepared.by_both], axis=1)


def _spread(squares: Floats, sums: Floats, rows: Floats) -> Floats:
    spread = squares - sums * sums / rows
    varied: Floats = np.where(spread > _NO_VARIANCE * squares, spread, np.nan)
    return varied


def _by_ranks(prepared: Prepared, draws: Draws) -> tuple[Floats, Floats]:
    """AUC and Spearman's rho, each of shape (resamples, metrics)."""
    total, good = (draws.weights @ prepared.sums).T
    cube = total**3
    labels = _half_ranks(prepared.by_label, draws)
    label_cubes = _cubes(labels[0])
    weighted = None
    if not prepared.two_labels:
        ties = np.repeat(np.arange(labels[1].shape[1]), np.diff(prepared.by_label.edges))
        weighted = np.empty((len(total), prepared.rows))
        by_label = labels[1][:, ties] * draws.weights[:, prepared.by_label.items]
        weighted[:, prepared.by_label.rows] = by_label
    aucs, rhos = np.empty((2, len(total), len(prepared.by_score)))
    for i, column in enumerate(prepared.by_score):
        tied, u = _half_ranks(column, draws)
        of_good = np.einsum("cr,cr->c", draws.weights[:, column.good_items], u[:, column.good_ties])
        if weighted is None:  # u of labels is (Q - P) / 2 in bad rows, and Q / 2 more in good ones
            product = total * (total * (total - good) / 2 + of_good) / 2
        else:
            product = np.einsum("ct,ct->c", _per_tie(weighted, column), u)
        with np.errstate(invalid="ignore", divide="ignore"):
            aucs[:, i] = (of_good - good * good / 2) / (good * (total - good))
            spread = np.sqrt((cube - _cubes(tied)) / 12) * np.sqrt((cube - label_cubes) / 12)
            rhos[:, i] = (product - cube / 4) / spread
    return aucs, np.clip(rhos, -1, 1)


def _half_ranks(column: Ordered, draws: Draws) -> tuple[Floats, Floats]:
    """Of each tie, its weight; and the weight below it plus half of its own."""
    below = running(draws, column.items)
    edges = below if len(column.edges) == below.shape[1] else below[:, column.edges]
    return (edges[:, 1:] - edges[:, :-1]).astype(float), (edges[:, 1:] + edges[:, :-1]) / 2


def _cubes(tied: Floats) -> Floats:
    cubes: Floats = np.einsum("ct,ct,ct->c", tied, tied, tied)
    return cubes


def _per_tie(values: Floats, column: Ordered) -> Floats:
    ordered = values[:, column.rows]
    if len(column.edges) == ordered.shape[1] + 1:
        return ordered
    sums: Floats = np.add.reduceat(ordered, column.edges[:-1], axis=1)
    return sums
