"""How the scores of observed samples agree with what people said of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from graders.studies.statistics.agreement import Agreement, agreement
from graders.studies.statistics.bootstrap import rank_intervals
from graders.studies.statistics.labels import label_scale
from graders.studies.statistics.resampled import Measure
from graders.studies.statistics.statistic import Floats, Interval, Ints
from graders.studies.teach.samples import Samples
from graders.studies.teach.written import Written


@dataclass(frozen=True, slots=True, kw_only=True)
class HumanStudy:
    """Agreement of scores with people.

    Attributes:
        found: The measures.
        good_from: A label from here on is good, as `label_scale` says.
        intervals: Of each measure.
        places: Where the samples that it rests on are among all.
        scores: Of each of them.
        labels: What people said of it.
    """

    found: Agreement
    good_from: float
    intervals: Mapping[Measure, Interval | None]
    places: Ints
    scores: Floats
    labels: Floats


def human_of(
    samples: Samples, written: Written | None, draws: Mapping[str, int]
) -> HumanStudy | None:
    """How scores of samples agree with people; None where nobody was asked for."""
    if written is None or written.human is None:
        return None
    kept = samples.graded & ~np.isnan(written.human)
    if not kept.any():
        return None
    scores, labels, items = samples.rewards[kept], written.human[kept], samples.items[kept]
    good_from = label_scale(labels, items).good_from
    return HumanStudy(
        found=agreement(scores, labels, items, good_from=good_from),
        good_from=good_from,
        intervals=rank_intervals(scores, labels, items, good_from=good_from, **draws),
        places=np.flatnonzero(kept),
        scores=scores,
        labels=labels,
    )
