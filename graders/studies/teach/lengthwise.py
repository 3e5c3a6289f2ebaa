"""What the length of outputs has to do with the rewards of observed samples."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from graders.studies.statistics.bootstrap import rank_intervals
from graders.studies.statistics.length import LengthBias, length_bias, partial_spearman
from graders.studies.statistics.statistic import Interval
from graders.studies.teach.samples import Samples
from graders.studies.teach.traits import Explained, explained_by
from graders.studies.teach.written import Written
from graders.template import Slot


@dataclass(frozen=True, slots=True, kw_only=True)
class Lengthwise:
    """What length has to do with rewards.

    Attributes:
        bias: Rank correlations, and which of two samples wins.
        with_length: The interval of `bias.with_length`.
        longer_wins: The interval of `bias.longer_wins`.
        reference: Where rows have the reference; None where results say how long it is, or nothing
            does.
        explained: What length, and unlikeness to the reference's length, say of rewards within
            items.
    """

    bias: LengthBias
    with_length: Interval | None
    longer_wins: Interval | None
    reference: Slot | None
    explained: Explained

    @property
    def has_reference(self) -> bool:
        """Whether any sample has one that is not empty."""
        return self.bias.empty_references < self.bias.rows


def length_of(
    samples: Samples, written: Written | None, draws: Mapping[str, int]
) -> Lengthwise | None:
    """What length has to do with the rewards of samples; None where no output has a length."""
    kept = samples.rewarded & ~np.isnan(samples.output_chars)
    if not kept.any():
        return None
    rewards, items = samples.rewards[kept], samples.items[kept]
    references, where = samples.reference_chars, None
    if written is not None and written.reference_chars is not None:
        references, where = written.reference_chars, written.reference
    chars, reference = samples.output_chars[kept], np.nan_to_num(references[kept])
    bias = length_bias(rewards, chars, reference, items)
    if written is not None and written.human is not None:
        labels = written.human[kept]
        known = ~np.isnan(labels)
        if known.any():  # samples that nobody judged say nothing of this
            columns = rewards[known], chars[known], labels[known]
            beyond = partial_spearman(*columns, names=("rewards", "lengths", "labels"))
            bias = replace(bias, beyond_labels=beyond)
    traits = {"length": np.log1p(chars)}
    if reference.any():
        traits["unlike_reference"] = np.abs(np.log1p(chars) - np.log1p(reference))
    return Lengthwise(
        bias=bias,
        with_length=rank_intervals(chars, rewards, items, **draws)["spearman"],
        reference=where,
        longer_wins=rank_intervals(rewards, chars, items, **draws)["pairwise_accuracy"],
        explained=explained_by(traits, rewards, items, **draws),
    )
