"""Which of several scores agrees best with people? All of them on the same rows.

Rows on which a contestant has no score are left out of all, so that differences are paired; how
many, and because of whom, is part of the findings. Intervals and Holm's tests see items as drawn
(`bootstrap`, `differences`); Williams' test takes rows as independent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import Final

import numpy as np

from graders.studies.choice.paired import (
    Scores,
    failing_alone,
    failures,
    paired_rows,
    refuse_far,
    with_scores,
)
from graders.studies.choice.thresholds import threshold_interval
from graders.studies.statistics.agreement import Agreement, agreement
from graders.studies.statistics.bootstrap import Resamples, bootstrap, interval
from graders.studies.statistics.correlation import pearson, spearman
from graders.studies.statistics.differences import Difference, behind_best, enough_resamples
from graders.studies.statistics.labels import Labels, label_scale
from graders.studies.statistics.length import LengthBias, length_bias
from graders.studies.statistics.resampled import MEASURES, Measure, prepare
from graders.studies.statistics.signal import GroupSignal, group_signal
from graders.studies.statistics.statistic import Floats, Interval, Items, Statistic, item_codes
from graders.studies.statistics.williams import WilliamsTest, williams

_CORRELATIONS: Final[tuple[Measure, ...]] = ("pearson", "spearman")
"""Those that Williams' test is about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """Rows that people judged; each has an entry in every column.

    Attributes:
        labels: What a person said, on any scale; the higher the better.
        items: Which item the row is a sample of.
        lengths: Of its output.
        reference_lengths: Of its reference, in the same unit.
    """

    labels: Sequence[float]
    items: Items
    lengths: Sequence[float]
    reference_lengths: Sequence[float]

    def at(self, places: Sequence[int]) -> Judged:
        """Some of them."""
        return Judged(
            labels=[self.labels[i] for i in places],
            items=[self.items[i] for i in places],
            lengths=[self.lengths[i] for i in places],
            reference_lengths=[self.reference_lengths[i] for i in places],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One contestant among the others.

    Attributes:
        name: Its name.
        scores: On the rows that are compared.
        agreement: With the labels.
        intervals: Of each measure, items resampled.
        threshold_interval: Of the best threshold, chosen anew in each of 200 resamples.
        passes_all: Whether the best threshold lets every row pass.
        behind: How far it is behind the best by each measure; none where it is the best itself.
        williams: Williams' test of the best one's correlation against this one's, which takes rows
            as independent; None where it is the best itself, or there is no such test.
        signal: What it tells apart within items.
        length: How it goes with length.
    """

    name: str
    scores: Floats
    agreement: Agreement
    intervals: Mapping[Measure, Interval | None]
    threshold_interval: Interval | None
    passes_all: bool
    behind: Mapping[Measure, Difference]
    williams: Mapping[Measure, WilliamsTest | None]
    signal: GroupSignal
    length: LengthBias

    def of(self, measure: Measure) -> Statistic:
        """Its agreement by some measure."""
        statistic: Statistic = getattr(self.agreement, measure)
        return statistic


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Contestants, compared.

    Attributes:
        labels: What people said of the rows that are compared.
        by: The measure that decides who is best.
        standings: The best first; those without a value last.
        rows: Rows there were.
        kept: Places of the rows that are compared.
        failed: Rows on which a contestant has no score, by its name.
        alone: Of these, the rows that are left out because of it alone.
        unscored: Contestants without a score on any row, which are not compared.
        resamples: Of every interval but that of thresholds.
        seed: Of the resamples.
    """

    labels: Labels
    by: Measure
    standings: tuple[Standing, ...]
    rows: int
    kept: tuple[int, ...]
    failed: Mapping[str, int]
    alone: Mapping[str, int]
    unscored: tuple[str, ...]
    resamples: int
    seed: int

    @property
    def best(self) -> Standing | None:
        """The contestant that agrees most; None where none has a value."""
        first = self.standings[0]
        return None if first.of(self.by).value is None else first


@dataclass(frozen=True, slots=True, kw_only=True)
class CompareOptions:
    """How contestants are compared.

    Attributes:
        good_from: A label from here on is good; None is as `label_scale` says.
        by: What decides who is best. None is AUC where labels are two, and else Spearman's rho.
        resamples: Of each interval; None is 2,000, or as many as Holm's test of so many takes.
        seed: The same seed gives the same numbers.
    """

    good_from: float | None = None
    by: Measure | None = None
    resamples: int | None = None
    seed: int = 0


def compare(
    scores: Mapping[str, Scores],
    rows: Judged,
    options: CompareOptions | None = None,
) -> Comparison:
    """Compare contestants by their agreement with labels.

    Args:
        scores: By contestant, a score for each row; None where it failed.
        rows: What people said of the rows.
        options: How to compare.

    Raises:
        ValueError: There are no contestants; no row has a score of all that have any; columns are
            of different length, not finite, or hold numbers beyond 1e100.

    Example:
        >>> rows = Judged(labels=[0, 1, 0, 1], items=["a", "a", "b", "b"], lengths=[3, 4, 5, 6],
        ...     reference_lengths=[4, 4, 5, 5])
        >>> scores = {"flat": [0.5] * 4, "sharp": [0.1, 0.9, None, 0.8]}
        >>> found = compare(scores, rows, CompareOptions(resamples=50))
        >>> found.best.name, found.kept, found.failed
        ('sharp', (0, 1, 3), {'flat': 0, 'sharp': 1})
    """
    options = options or CompareOptions()
    if not scores:
        raise ValueError("there is nothing to compare: no metric and no grader")
    given, unscored = with_scores(scores)
    if not given:
        raise ValueError("no contestant has a score on any row")
    resamples = options.resamples or enough_resamples(len(given) - 1)
    kept = paired_rows(given, len(rows.labels))
    paired = rows.at(kept)
    taken = {name: np.array([column[i] for i in kept], float) for name, column in given.items()}
    refuse_far("a label", np.asarray(paired.labels, float))
    for name, column in taken.items():
        refuse_far(f"a score of {name}", column)
    labels = label_scale(paired.labels, paired.items, options.good_from)
    by: Measure = options.by or ("auc" if labels.distinct <= 2 else "spearman")
    found = _standings(taken, paired, labels, (resamples, options.seed))
    return Comparison(
        labels=labels,
        by=by,
        standings=tuple(sorted(found, key=lambda one: -_known(one.of(by)))),
        rows=len(rows.labels),
        kept=kept,
        failed={name: failures(column) for name, column in scores.items()},
        alone=failing_alone(given),
        unscored=unscored,
        resamples=resamples,
        seed=options.seed,
    )


def _known(statistic: Statistic) -> float:
    return -inf if statistic.value is None else statistic.value


def _standings(
    taken: Mapping[str, Floats], rows: Judged, labels: Labels, drawing: tuple[int, int]
) -> list[Standing]:
    good_from, (resamples, seed) = labels.good_from, drawing
    items, y = item_codes(rows.items, len(rows.labels)), np.asarray(rows.labels, float)
    prepared = prepare(taken, y, items, good_from=good_from)
    drawn = bootstrap(prepared, resamples=resamples, seed=seed)
    agreements = {
        name: agreement(column, y, items, good_from=good_from) for name, column in taken.items()
    }
    behind = {one: _behind(one, agreements, drawn) for one in MEASURES}
    tests = {one: _williams(one, taken, agreements, behind[one]) for one in _CORRELATIONS}
    return [
        Standing(
            name=name,
            scores=column,
            agreement=agreements[name],
            intervals={one: interval(drawn.of(one, name)) for one in MEASURES},
            threshold_interval=threshold_interval(column, y >= good_from, items, seed=seed),
            passes_all=agreements[name].threshold.value == float(column.min()),
            behind={one: found[name] for one, found in behind.items() if name in found},
            williams={one: found.get(name) for one, found in tests.items()},
            signal=group_signal(column, items, resamples=resamples, seed=seed),
            length=length_bias(column, rows.lengths, rows.reference_lengths, items, y),
        )
        for name, column in taken.items()
    ]


def _behind(
    measure: Measure, agreements: Mapping[str, Agreement], drawn: Resamples
) -> dict[str, Difference]:
    values = {name: getattr(one, measure) for name, one in agreements.items()}
    return {one.metric: one for one in behind_best(measure, values, drawn)}


def _williams(
    measure: Measure,
    taken: Mapping[str, Floats],
    agreements: Mapping[str, Agreement],
    behind: Mapping[str, Difference],
) -> dict[str, WilliamsTest | None]:
    """The best one's correlation against each other's."""
    correlation = pearson if measure == "pearson" else spearman
    found: dict[str, WilliamsTest | None] = {}
    for name, difference in behind.items():
        best = getattr(agreements[difference.best], measure).value
        own = getattr(agreements[name], measure).value
        between = correlation(taken[difference.best], taken[name]).value
        rows = len(taken[name])
        if best is None or own is None or between is None or rows < 4:
            found[name] = None
        else:
            found[name] = williams(best, own, between, rows=rows)
    return found
