"""Samples graded twice, by an old grader and a new one, taken in one by one."""

from __future__ import annotations

import heapq
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, Literal, NamedTuple

from graders.errors import RowError
from graders.results import Result
from graders.studies.signatures import read_signature
from graders.studies.statistics.signal import TOLERANCE

Failed = Literal["new", "mended", "both"]
"""Whether a sample fails that had a score, has a score where it failed, or fails on both sides."""

_LARGEST: Final = 1e150  # of a score: squares of larger ones are no numbers


class Pair(NamedTuple):
    """One sample, graded twice.

    Attributes:
        old: Its result before.
        new: And after.
        text: What was graded, for people.
        reference: What it was compared with, for people.
    """

    old: Result
    new: Result
    text: str | None = None
    reference: str | None = None


@dataclass(slots=True, kw_only=True)
class Failing:
    """Samples that fail in one way, and the first of them."""

    count: int
    row: int
    sample_index: int
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """A sample whose score changed.

    Attributes:
        row: Its line.
        sample_index: Its place in it.
        old: The score before.
        new: And after.
        members: Of members of both graders, those whose score changed: before and after.
        text: What was graded.
        reference: What it was compared with.
        passes: Whether it passed, and passes; None where a side does not say.
    """

    row: int
    sample_index: int
    old: float
    new: float
    members: Mapping[str, tuple[float | None, float | None]]
    text: str | None
    reference: str | None
    passes: tuple[bool, bool] | None = None


class Broken(NamedTuple):
    """A sample that newly fails.

    Attributes:
        row: Its line.
        sample_index: Its place in it.
        old: The score that it had.
        kind: Of the failure.
        message: Of it too.
        text: What was graded.
        reference: What it was compared with.
    """

    row: int
    sample_index: int
    old: float
    kind: str
    message: str
    text: str | None
    reference: str | None


class _Near(NamedTuple):
    """A pair in the order of the worst: the one that moved least first."""

    distance: float
    minus_place: int
    moved: Moved


@dataclass(slots=True, kw_only=True)
class Pairs:
    """Samples graded twice, taken in one by one.

    Attributes:
        threshold: A score from here on passes, on both sides; None is what each side says.
        worst: How many are kept of the samples that moved the farthest, and of those that newly
            fail.
    """

    threshold: float | None = None
    worst: int = 5
    groups: dict[int | str, None] = field(default_factory=dict)
    items: list[int | str] = field(default_factory=list)
    scores: list[tuple[float, float]] = field(default_factory=list)
    passes: list[tuple[bool, bool, int | str]] = field(default_factory=list)
    failures: dict[Failed, dict[str, Failing]] = field(
        default_factory=lambda: {"new": {}, "mended": {}, "both": {}}
    )
    failed: list[int] = field(default_factory=lambda: [0, 0])
    samples: int = 0
    members: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    names: tuple[set[str], set[str]] = field(default_factory=lambda: (set(), set()))
    nearest: list[_Near] = field(default_factory=list)
    broken: list[Broken] = field(default_factory=list)

    def add(self, pair: Pair) -> None:
        """Take in one.

        Raises:
            RowError: A score is too large to be compared with.
        """
        old, new = pair.old, pair.new
        for score in (old.score, new.score):
            if score is not None and abs(score) > _LARGEST:
                at = f"row {old.row}, sample {old.sample_index}"
                raise RowError(at, f"its score {score:g} is too large to compare (over 1e150)")
        self.samples += 1
        self.groups[old.group] = None
        self._add_members(old, new)
        self._add_passes(old, new)
        if old.score is None or new.score is None:
            self._add_failure(pair)
            return
        place = len(self.scores)
        self.scores.append((old.score, new.score))
        self.items.append(old.group)
        distance = abs(new.score - old.score)
        if distance > TOLERANCE and self.worst:
            self._keep(distance, place, pair, (old.score, new.score))

    def _add_members(self, old: Result, new: Result) -> None:
        before, after = _members(old), _members(new)
        for name in before.keys() & after.keys():
            was, is_now = before[name], after[name]
            seen = self.members.setdefault(name, [])
            if was is not None and is_now is not None:
                seen.append((was, is_now))
        self.names[0].update(before)
        self.names[1].update(after)

    def _add_passes(self, old: Result, new: Result) -> None:
        if (passes := self._passes(old, new)) is not None:
            self.passes.append((*passes, old.group))

    def _passes(self, old: Result, new: Result) -> tuple[bool, bool] | None:
        if old.score is None or new.score is None:
            return None
        if self.threshold is not None:
            return old.score >= self.threshold, new.score >= self.threshold
        if old.passed is None or new.passed is None:
            return None
        return old.passed, new.passed

    def _add_failure(self, pair: Pair) -> None:
        old, new = pair.old, pair.new
        self.failed[0] += old.score is None
        self.failed[1] += new.score is None
        what: Failed = "new" if old.score is not None else "mended"
        if old.score is new.score:
            what = "both"
        failure = new.failure or old.failure
        kind, message = (failure.kind.value, failure.message) if failure else ("unknown", "")
        place = {"row": old.row, "sample_index": old.sample_index}
        seen = self.failures[what].setdefault(kind, Failing(count=0, message=message, **place))
        seen.count += 1
        if old.score is not None and len(self.broken) < self.worst:
            texts = pair.text, pair.reference
            broken = Broken(old.row, old.sample_index, old.score, kind, message, *texts)
            self.broken.append(broken)

    def _keep(self, distance: float, place: int, pair: Pair, scores: tuple[float, float]) -> None:
        if len(self.nearest) == self.worst and (distance, -place) < self.nearest[0][:2]:
            return
        before, after = _members(pair.old), _members(pair.new)
        moved = Moved(
            row=pair.old.row,
            sample_index=pair.old.sample_index,
            old=scores[0],
            new=scores[1],
            members={
                name: (was, after[name])
                for name, was in before.items()
                if name in after and _differ(was, after[name])
            },
            text=pair.text,
            reference=pair.reference,
            passes=self._passes(pair.old, pair.new),
        )
        push = heapq.heappush if len(self.nearest) < self.worst else heapq.heappushpop
        push(self.nearest, _Near(distance, -place, moved))


def _members(result: Result) -> Mapping[str, float | None]:
    """Scores of a multi's members or an Evals body's criteria; a judge's repeats are none."""
    first_key = next(iter(result.parts), None)
    if first_key is None or not _is_made_of_members(result.signature, first_key):
        return {}
    return {key: part.score for key, part in result.parts.items()}


@lru_cache(maxsize=8)
def _is_made_of_members(signature: str, first_key: str) -> bool:
    return read_signature(signature, first_key, has_threshold=False) is not None


def _differ(old: float | None, new: float | None) -> bool:
    if old is None or new is None:
        return old is not new
    return abs(new - old) > TOLERANCE
