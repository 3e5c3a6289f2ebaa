"""Totals of a run, added up batch by batch in constant memory."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import ceil, floor, fsum
from typing import Protocol

from graders.errors import Failure, RowError
from graders.grades import Grade
from graders.rows import Row
from sandbox import JSON

_SLOWEST = 3
_BARS = 10
_FIRST = 1024
"""Scores seen before the histogram's range is decided."""
_BAD_LINES_SHOWN = 5
_SMALL = 2.0**-64


class Placed(Protocol):
    """Where a result stands: a row, or its line."""

    @property
    def row(self) -> int: ...
    @property
    def sample_index(self) -> int: ...
    @property
    def group(self) -> int | str: ...


class Judged(Protocol):
    """What a result says: a grade, or its line, or a part of either."""

    @property
    def score(self) -> float | None: ...
    @property
    def failure(self) -> Failure | None: ...
    @property
    def passed(self) -> bool | None: ...
    @property
    def parts(self) -> Mapping[str, Judged]: ...
    @property
    def detail(self) -> Mapping[str, JSON] | None: ...


@dataclass(slots=True)
class Mean:
    """A mean in constant memory; the sum is exact, so no order and no grouping changes it.

    Attributes:
        count: How many values there were.
        sum: Doubles whose sum is theirs, largest first, in units of `unit`.
        unit: 1.0, or less where the sum is too large for a double.
    """

    count: int = 0
    sum: list[float] = field(default_factory=list)
    unit: float = 1.0

    def add(self, *values: float) -> None:
        """Count values in."""
        self.count += len(values)
        self._take(values)

    def merge(self, other: Mean) -> None:
        """Count in what another has counted."""
        self.count += other.count
        if other.unit < self.unit:
            self._shrink()
        self._take(other.sum, other.unit)

    def _take(self, values: Iterable[float], unit: float = 1.0) -> None:
        scale = self.unit / unit
        more = values if scale == 1.0 else [value * scale for value in values]
        try:
            self.sum = _exact([*self.sum, *more])
        except OverflowError:
            self._shrink()
            self._take(values, unit)

    def _shrink(self) -> None:
        self.sum, self.unit = [part * _SMALL for part in self.sum], _SMALL

    @property
    def value(self) -> float | None:
        """The mean, or None of nothing."""
        return fsum(self.sum) / self.count / self.unit if self.count else None


def _exact(values: list[float]) -> list[float]:
    """A few doubles with the same sum: what one rounds off, the next one has."""
    parts = []
    while part := fsum(values):
        parts.append(part)
        values.append(-part)
    return parts


@dataclass(slots=True)
class Histogram:
    """Ten bars over [0, 1], or over the range of the first scores where that is wider.

    Later scores outside the range are counted in the outermost bars.

    Attributes:
        open: Whether all scores are kept as they are, so that another can take them in.
        first: Scores seen before the range is decided.
        edges: The range.
        counts: Of each bar.
        low: The least score that was seen.
        high: The greatest.
    """

    open: bool = False
    first: list[float] = field(default_factory=list)
    edges: tuple[float, float] | None = None
    counts: list[int] = field(default_factory=lambda: [0] * _BARS)
    low: float | None = None
    high: float | None = None

    def add(self, *scores: float) -> None:
        """Count scores in."""
        if not scores:
            return
        seen = scores if self.low is None or self.high is None else (self.low, self.high, *scores)
        self.low, self.high = min(seen), max(seen)
        room = len(scores) if self.open else _FIRST - len(self.first) if self.edges is None else 0
        self.first += scores[:room]
        if len(self.first) >= _FIRST and not self.open:
            self.settle()
        for score in scores[room:]:
            self._count(score)

    def merge(self, other: Histogram) -> None:
        """Count in the scores of one that is open."""
        self.add(*other.first)

    def settle(self) -> None:
        """Decide the range from the scores so far."""
        if self.edges is None and self.first:
            low, high = min(self.first), max(self.first)
            inside = low >= 0 and high <= 1
            wider = min(0.0, float(floor(low))), max(1.0, float(ceil(high)))
            self.edges = (0.0, 1.0) if inside else wider
            for score in self.first:
                self._count(score)
            self.first = []

    def _count(self, score: float) -> None:
        assert self.edges is not None, "settled"
        low, high = self.edges
        # Halves, because the difference of two doubles may be too large for one.
        bar = int((score / 2 - low / 2) / (high / 2 - low / 2) * _BARS)
        self.counts[min(max(bar, 0), _BARS - 1)] += 1


@dataclass(slots=True)
class Tally:
    """How many rows failed in one way, or carry one warning, and the first of them."""

    count: int = 0
    row: int = 0
    sample_index: int = 0
    message: str = ""

    def add(self, row: Placed, message: str) -> None:
        if self.count == 0:
            self.row, self.sample_index, self.message = row.row, row.sample_index, message
        self.count += 1

    def merge(self, other: Tally) -> None:
        """Count in those of another, which stand behind these."""
        if self.count == 0:
            self.row, self.sample_index, self.message = other.row, other.sample_index, other.message
        self.count += other.count

    def to_json(self) -> Mapping[str, object]:
        first = {"row": self.row, "sample_index": self.sample_index, "message": self.message}
        return {"count": self.count, "first": first}


@dataclass(slots=True)
class Summary:
    """Everything the end of a run says, filled by `add` and `bad_line`."""

    graded: Mean = field(default_factory=Mean)
    rewards_with_failures_as_zero: Mean = field(default_factory=Mean)
    passed: int = 0
    with_threshold: int = 0
    failures: dict[str, Tally] = field(default_factory=dict)
    warnings: dict[str, Tally] = field(default_factory=dict)
    members: dict[str, Mean] = field(default_factory=dict)
    member_failures: dict[str, int] = field(default_factory=dict)
    histogram: Histogram = field(default_factory=Histogram)
    slowest: list[tuple[float, int, int]] = field(default_factory=list)
    bad_lines: int = 0
    first_bad_lines: list[str] = field(default_factory=list)
    groups: int = 0
    first_group: int | str | None = None
    last_group: int | str | None = None

    @classmethod
    def of_part(cls) -> Summary:
        """An empty one, to be merged into that of a whole."""
        return cls(histogram=Histogram(open=True))

    @property
    def samples(self) -> int:
        """Samples that were graded or failed."""
        return self.rewards_with_failures_as_zero.count

    @property
    def failed(self) -> int:
        """Samples without a score."""
        return self.samples - self.graded.count

    def add(self, batch: Iterable[tuple[Row, Grade, float | None]]) -> None:
        """Count a batch."""
        for row, grade, _ in batch:
            self.add_one(row, grade, grade.seconds)

    def add_one(self, row: Placed, grade: Judged, seconds: float) -> None:
        """Count a graded row; its result line, read again, is as good."""
        if row.group != self.last_group:  # neighbours; to know all names would take memory
            self.first_group = self.first_group if self.groups else row.group
            self.groups, self.last_group = self.groups + 1, row.group
        self._add_grade(grade, row)
        for key, part in grade.parts.items():
            self._add_member(key, part, row)
        place = (seconds, -row.row, -row.sample_index)  # ties: the earliest row
        if len(self.slowest) < _SLOWEST:
            heapq.heappush(self.slowest, place)
        elif place > self.slowest[0]:
            heapq.heapreplace(self.slowest, place)

    def merge(self, other: Summary) -> None:
        """Count in the summary of rows that stand behind these; its histogram is open."""
        if other.groups:
            self.first_group = self.first_group if self.groups else other.first_group
            self.groups += other.groups - (self.last_group == other.first_group)
            self.last_group = other.last_group
        self.graded.merge(other.graded)
        self.rewards_with_failures_as_zero.merge(other.rewards_with_failures_as_zero)
        self.histogram.merge(other.histogram)
        self.passed += other.passed
        self.with_threshold += other.with_threshold
        for mine, theirs in ((self.failures, other.failures), (self.warnings, other.warnings)):
            for key, tally in theirs.items():
                mine.setdefault(key, Tally()).merge(tally)
        for key, mean in other.members.items():
            self.members.setdefault(key, Mean()).merge(mean)
            before = self.member_failures.get(key, 0)
            self.member_failures[key] = before + other.member_failures[key]
        self.slowest = heapq.nlargest(_SLOWEST, self.slowest + other.slowest)[::-1]
        self.take_bad_lines(other)

    def take_bad_lines(self, other: Summary) -> None:
        """Count in the lines that are no rows, and nothing else."""
        room = _BAD_LINES_SHOWN - len(self.first_bad_lines)
        self.bad_lines += other.bad_lines
        self.first_bad_lines += other.first_bad_lines[:room]

    def bad_line(self, error: RowError) -> None:
        """Count a line that is not a row."""
        self.bad_lines += 1
        if len(self.first_bad_lines) < _BAD_LINES_SHOWN:
            self.first_bad_lines.append(str(error))

    def _add_grade(self, grade: Judged, row: Placed) -> None:
        score = grade.score
        if score is not None:
            self.graded.add(score)
            self.histogram.add(score)
        self.rewards_with_failures_as_zero.add(score or 0.0)
        if grade.passed is not None:
            self.with_threshold += 1
            self.passed += grade.passed
        if grade.failure is not None:
            kind = grade.failure.kind.value
            self.failures.setdefault(kind, Tally()).add(row, grade.failure.message)
        self._add_warning(grade, row)

    def _add_warning(self, grade: Judged, row: Placed) -> None:
        warning = grade.detail.get("warning") if grade.detail else None
        if isinstance(warning, str):
            self.warnings.setdefault(warning, Tally()).add(row, warning)

    def _add_member(self, key: str, part: Judged, row: Placed) -> None:
        mean = self.members.get(key)
        if mean is None:
            mean = self.members[key] = Mean()
            self.member_failures[key] = 0
        if part.score is None:
            self.member_failures[key] += 1
        else:
            mean.add(part.score)
        self._add_warning(part, row)

    def to_json(self) -> Mapping[str, object]:
        """The summary for programs: what `graders run --json` prints."""
        self.histogram.settle()
        return {
            "samples": self.samples,
            "groups": self.groups,
            "graded": self.graded.count,
            "failed": self.failed,
            "bad_lines": self.bad_lines,
            "mean_reward": self.graded.value,
            "mean_reward_failures_as_zero": self.rewards_with_failures_as_zero.value,
            "pass_rate": self.passed / self.with_threshold if self.with_threshold else None,
            "failures": {kind: tally.to_json() for kind, tally in self.failures.items()},
            "warnings": [tally.to_json() for tally in self.warnings.values()],
            "members": {
                key: {"mean": mean.value, "failed": self.member_failures[key]}
                for key, mean in self.members.items()
            },
            "histogram": {"range": self.histogram.edges, "counts": self.histogram.counts},
            "slowest": [
                {"row": -row, "sample_index": -index, "seconds": round(seconds, 6)}
                for seconds, row, index in sorted(self.slowest, reverse=True)
            ],
            "first_bad_lines": self.first_bad_lines,
        }
