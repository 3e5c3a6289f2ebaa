"""Totals of a run, added up batch by batch in constant memory."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import compress
from operator import ne
from typing import Final

from graders.errors import RowError
from graders.grade_table import Grades
from graders.grades import Grade, Graded, Judged
from graders.report.named import Named
from graders.report.totals import Histogram, Mean, Placed, Tally
from graders.results import Result
from graders.rows import Row
from graders.studies.teach.observed import Observed

_SLOWEST = 3
_BAD_LINES_SHOWN = 5
SAMPLES: Final = 20_000
"""Samples of which a run says whether they teach, at most: `graders study` takes more time."""


@dataclass(slots=True)
class Summary:
    """Everything the end of a run says, filled by `add` and `bad_line`.

    Attributes:
        neighbours: Groups that are named after a line, whose samples stand side by side.
        named: Names of the other groups, whose samples stand anywhere.
        observed: The samples themselves, or some, for a study; None where nobody asks for one.
    """

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
    neighbours: int = 0
    named: Named[None] = field(default_factory=Named)
    first_group: int | str | None = None
    last_group: int | str | None = None
    observed: Observed | None = field(default=None, compare=False)

    @classmethod
    def of_part(cls) -> Summary:
        """An empty one, to be merged into that of a whole."""
        return cls(histogram=Histogram(open=True), observed=Observed(SAMPLES))

    @property
    def samples(self) -> int:
        """Samples that were graded or failed."""
        return self.rewards_with_failures_as_zero.count

    @property
    def failed(self) -> int:
        """Samples without a score."""
        return self.samples - self.graded.count

    @property
    def groups(self) -> int:
        """What samples are compared within; of more than a million names, about so many."""
        return self.neighbours + self.named.count

    def add(self, batch: Iterable[tuple[Row, Grade, float | None]]) -> None:
        """Count a batch."""
        if isinstance(batch, Graded) and batch.rows and self.observed is not None:
            self.observed.add(batch)
        if isinstance(batch, Graded) and type(batch.grades) is Grades:
            if batch.rows:
                self._add_table(batch, batch.grades)
            return
        for row, grade, _ in batch:
            self.add_one(row, grade, grade.seconds)

    def add_lines(self, lines: Sequence[Result], seconds: Iterable[float]) -> None:
        """Count rows by their result lines, which are as good as their grades."""
        for line, took in zip(lines, seconds, strict=True):
            self.add_one(line, line, took)
        if self.observed is not None:
            self.observed.add_lines(lines)

    def see_again(self, lines: Sequence[Result]) -> None:
        """See what a summary that was saved does not have: names, and samples for a study."""
        self.named.see({line.group for line in lines if isinstance(line.group, str)})
        if self.observed is not None:
            self.observed.add_lines(lines)

    @property
    def lean(self) -> Summary:
        """What is worth saving: without what `see_again` gets from results."""
        return replace(self, named=Named(), observed=None)

    def add_one(self, row: Placed, grade: Judged, seconds: float) -> None:
        """Count a graded row, which is not observed."""
        if row.group != self.last_group:
            self._add_groups([row.group])
        self._add_grade(grade, row)
        for key, part in grade.parts.items():
            self._add_member(key, part, row)
        place = (seconds, -row.row, -row.sample_index)  # ties: the earliest row
        if len(self.slowest) < _SLOWEST or place > self.slowest[0]:
            self._add_place(place)

    def _add_table(self, batch: Graded, grades: Grades) -> None:
        """Count a batch by its columns."""
        rows = batch.rows
        self._add_groups(batch.columns.groups)
        scores = grades.there
        mean = Mean()
        mean.add(*scores)
        self.graded.merge(mean)
        self.rewards_with_failures_as_zero.merge(mean)
        self.rewards_with_failures_as_zero.count += len(grades.failures)
        self.histogram.add(*scores)
        if grades.passed is not None:
            self.with_threshold += len(rows)
            self.passed += sum(grades.passed)
        for i in sorted(grades.failures):
            failure = grades.failures[i]
            self.failures.setdefault(failure.kind.value, Tally()).add(rows[i], failure.message)
        for key, part in grades.parts.items():
            self.members.setdefault(key, Mean()).add(*part.there)
            failed = self.member_failures.get(key, 0) + len(part.failures)
            self.member_failures[key] = failed
        self._add_warnings(rows, grades)
        if len(self.slowest) < _SLOWEST or grades.seconds >= self.slowest[0][0]:
            places = [(grades.seconds, -row.row, -row.sample_index) for row in rows]
            for place in heapq.nlargest(_SLOWEST, places):
                self._add_place(place)

    def _add_warnings(self, rows: Sequence[Row], grades: Grades) -> None:
        tables = (grades, *grades.parts.values())
        found = [(i, k, said) for k, one in enumerate(tables) for i, said in one.warnings.items()]
        for i, _, warning in sorted(found):
            self.warnings.setdefault(warning, Tally()).add(rows[i], warning)

    def _add_groups(self, groups: Sequence[int | str]) -> None:
        """Count names, and of groups without one where neighbours differ."""
        if not groups:
            return
        self.first_group = self.first_group if self.groups else groups[0]
        new = [*compress(groups, map(ne, groups, [self.last_group, *groups[:-1]]))]
        if str in {*map(type, new)}:
            self.named.see({one for one in new if isinstance(one, str)})
            self.neighbours += sum(isinstance(one, int) for one in new)
        else:
            self.neighbours += len(new)
        self.last_group = groups[-1]

    def _add_place(self, place: tuple[float, int, int]) -> None:
        if len(self.slowest) < _SLOWEST:
            heapq.heappush(self.slowest, place)
        else:
            heapq.heappushpop(self.slowest, place)

    def merge(self, other: Summary) -> None:
        """Count in the summary of rows that stand behind these; its histogram is open."""
        if other.groups:
            self.first_group = self.first_group if self.groups else other.first_group
            both = self.last_group == other.first_group and isinstance(self.last_group, int)
            self.neighbours += other.neighbours - both
            self.named.merge(other.named)
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
        if self.observed is not None and other.observed is not None:
            self.observed.merge(other.observed)
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
