"""Totals of a run, added up batch by batch in constant memory."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import ceil, floor, isfinite

from graders.engine import Graded
from graders.errors import RowError
from graders.grades import Grade
from graders.rows import Row

_SLOWEST = 3
_BARS = 10
_FIRST = 1024
"""Scores seen before the histogram's range is decided."""
_BAD_LINES_SHOWN = 5
_SMALL = 2.0**-64


@dataclass(slots=True)
class Mean:
    """A mean in constant memory, good to the last bits of a double (Neumaier's summation).

    A sum that is too large for a double is kept in units of 2**64.
    """

    count: int = 0
    total: float = 0.0
    lost: float = 0.0
    unit: float = 1.0

    def add(self, value: float) -> None:
        value *= self.unit
        total = self.total + value
        if not isfinite(total):
            self.total, self.lost, self.unit = self.total * _SMALL, self.lost * _SMALL, _SMALL
            value *= _SMALL
            total = self.total + value
        if abs(self.total) >= abs(value):
            self.lost += (self.total - total) + value
        else:
            self.lost += (value - total) + self.total
        self.total = total
        self.count += 1

    @property
    def value(self) -> float | None:
        """The mean, or None of nothing."""
        return (self.total + self.lost) / self.count / self.unit if self.count else None


@dataclass(slots=True)
class Histogram:
    """Ten bars over [0, 1], or over the range of the first scores where that is wider.

    Later scores outside the range are counted in the outermost bars; `low` and `high` say what
    was really seen.
    """

    first: list[float] = field(default_factory=list)
    edges: tuple[float, float] | None = None
    counts: list[int] = field(default_factory=lambda: [0] * _BARS)
    low: float = float("inf")
    high: float = float("-inf")

    def add(self, score: float) -> None:
        self.low, self.high = min(self.low, score), max(self.high, score)
        if self.edges is None:
            self.first.append(score)
            if len(self.first) == _FIRST:
                self.settle()
        else:
            self._count(score)

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

    def add(self, row: Row, message: str) -> None:
        if self.count == 0:
            self.row, self.sample_index, self.message = row.row, row.sample_index, message
        self.count += 1

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
    last_group: int | str | None = None

    @property
    def samples(self) -> int:
        """Samples that were graded or failed."""
        return self.rewards_with_failures_as_zero.count

    @property
    def failed(self) -> int:
        """Samples without a score."""
        return self.samples - self.graded.count

    def add(self, batch: Iterable[Graded]) -> None:
        """Count a batch."""
        for row, grade, _ in batch:
            if row.group != self.last_group:  # neighbours; to know all names would take memory
                self.groups, self.last_group = self.groups + 1, row.group
            self._add_grade(grade, row)
            for key, part in grade.parts.items():
                self._add_member(key, part, row)
            place = (grade.seconds, -row.row, -row.sample_index)  # ties: the earliest row
            if len(self.slowest) < _SLOWEST:
                heapq.heappush(self.slowest, place)
            elif place > self.slowest[0]:
                heapq.heapreplace(self.slowest, place)

    def bad_line(self, error: RowError) -> None:
        """Count a line that is not a row."""
        self.bad_lines += 1
        if len(self.first_bad_lines) < _BAD_LINES_SHOWN:
            self.first_bad_lines.append(str(error))

    def _add_grade(self, grade: Grade, row: Row) -> None:
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

    def _add_warning(self, grade: Grade, row: Row) -> None:
        warning = grade.detail.get("warning")
        if isinstance(warning, str):
            self.warnings.setdefault(warning, Tally()).add(row, warning)

    def _add_member(self, key: str, part: Grade, row: Row) -> None:
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
