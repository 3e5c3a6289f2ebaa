"""Samples of results as numpy columns, item by item: what every study of rewards begins with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from graders.studies.statistics.statistic import Bools, Floats, Ints
from graders.studies.teach.observed import Observed
from graders.studies.teach.observed_columns import Path

_NO_LENGTH: Final = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Samples:
    """Samples, all those of an item one after the other; each array has one value a sample.

    Attributes:
        seen: Samples that there were.
        share: About the share of items that these are of; 1.0 where they are all.
        names: Of the items, in the order in which they come first.
        items: Places in `names`, ascending.
        rows: Lines of the file of rows.
        indexes: Places among the samples of a line.
        rewards: What a trainer gets; NaN is nothing.
        kinds: Numbers of `observed.KINDS`; 0 of a sample that has a score.
        passed: 1, 0, or `observed.NO_VERDICT`.
        output_chars: Length of the output; NaN where it has no text.
        reference_chars: Length of the reference; NaN where there is none.
        members: Scores of parts, by the keys that lead to them; NaN where there is none.
        crowded: Whether there were more members than these.
    """

    seen: int
    share: float
    names: tuple[int | str, ...]
    items: Ints
    rows: Ints
    indexes: Ints
    rewards: Floats
    kinds: Ints
    passed: Ints
    output_chars: Floats
    reference_chars: Floats
    members: Mapping[Path, Floats]
    crowded: bool

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def groups_by_line(self) -> Ints | None:
        """Of each sample its item's first line, where items are named by it; else None.

        That is how they are named where nothing says what makes rows one group.
        """
        if not len(self) or not all(isinstance(name, int) for name in self.names):
            return None
        first = np.full(len(self.names), np.iinfo(np.int64).max)
        np.minimum.at(first, self.items, self.rows)
        return first[self.items] if first.tolist() == [*self.names] else None

    @property
    def graded(self) -> Bools:
        """Which samples have a score."""
        scored: Bools = self.kinds == 0
        return scored

    @property
    def rewarded(self) -> Bools:
        """Which samples have a reward: a failure has one where the run made it 0."""
        there: Bools = ~np.isnan(self.rewards)
        return there


def first_regrouped(then: Ints, now: Ints) -> int | None:
    """A place that shows that samples are of other rows; None where nothing does.

    A field that rows got since, such as a label, divides items, and one that they lost joins them.
    What divides some and joins others is another file, or one in which both were done.

    Args:
        then: Of each sample, in which line its item began.
        now: The same of what may be the same rows.

    Example:
        >>> then, divided, moved = map(np.array, ([1, 1, 3, 3], [1, 2, 3, 3], [1, 1, 1, 4]))
        >>> first_regrouped(then, divided), first_regrouped(divided, then)
        (None, None)
        >>> first_regrouped(then, moved)
        2
    """
    if (now < then).any() and (now > then).any():
        return int(np.flatnonzero(now != then)[0])
    return None


def samples_of(observed: Observed) -> Samples:
    """What was observed, settled and in order: the same, in whatever order it came."""
    observed.settle()
    columns = {name: np.array(column) for name, column in observed.columns.items()}
    order = np.lexsort((columns["rewards"], columns["indexes"], columns["rows"]))
    groups = columns["groups"][order]
    numbers, first, codes = np.unique(groups, return_index=True, return_inverse=True)
    place = np.empty(len(numbers), np.int64)
    by_first = np.argsort(first)
    place[by_first] = np.arange(len(numbers))
    items = place[codes]
    together = np.argsort(items, kind="stable")
    order, items = order[together], items[together]
    called = {number: name for name, number in observed.names.items()}
    listed = numbers[by_first].tolist()

    def lengths(name: str) -> Floats:
        column = columns[name][order].astype(np.float64)
        column[column == _NO_LENGTH] = np.nan
        return column

    return Samples(
        seen=observed.seen,
        share=observed.share,
        names=tuple(called.get(number, number) for number in listed),
        items=items,
        rows=columns["rows"][order],
        indexes=columns["indexes"][order],
        rewards=columns["rewards"][order],
        kinds=columns["kinds"][order].astype(np.int64),
        passed=columns["passed"][order].astype(np.int64),
        output_chars=lengths("output_chars"),
        reference_chars=lengths("reference_chars"),
        members={path: np.array(column)[order] for path, column in observed.members.items()},
        crowded=observed.crowded,
    )
