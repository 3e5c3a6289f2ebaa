"""What another formula changed: totals before and after, for people and for programs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from graders.errors import RowError
from graders.report.text import bad_line_lines, count, failure_lines, value_line
from graders.report.totals import Histogram, Mean, Tally
from graders.results import Result
from graders.studies.statistics.ranks import RankCorrelation
from graders.studies.teach.rescore import Rescored
from graders.terminal import wrap

_BAD_LINES_SHOWN: Final = 5


@dataclass(slots=True)
class Totals:
    """What results come to."""

    graded: Mean = field(default_factory=Mean)
    failed: int = 0
    passed: int = 0
    with_threshold: int = 0
    failures: dict[str, Tally] = field(default_factory=dict)
    histogram: Histogram = field(default_factory=Histogram)

    def add(self, result: Result) -> None:
        """Count a result."""
        if result.score is not None:
            self.graded.add(result.score)
            self.histogram.add(result.score)
        else:
            self.failed += 1
        if result.passed is not None:
            self.with_threshold += 1
            self.passed += result.passed
        if result.failure is not None:
            kind, message = result.failure.kind.value, result.failure.message
            first = Tally(row=result.row, sample_index=result.sample_index, message=message)
            self.failures.setdefault(kind, first).count += 1

    @property
    def samples(self) -> int:
        """All, graded or failed."""
        return self.graded.count + self.failed

    @property
    def mean_with_failures_as_zero(self) -> float | None:
        """The mean over all."""
        return replace(self.graded, count=self.samples).value

    @property
    def pass_rate(self) -> float | None:
        """In [0, 1]; None where nothing says what passes."""
        return self.passed / self.with_threshold if self.with_threshold else None

    def to_json(self) -> Mapping[str, object]:
        """In the words of `graders run --json`."""
        return {
            "graded": self.graded.count,
            "failed": self.failed,
            "mean_reward": self.graded.value,
            "mean_reward_failures_as_zero": self.mean_with_failures_as_zero,
            "pass_rate": self.pass_rate,
            "failures": {kind: tally.to_json() for kind, tally in self.failures.items()},
        }


@dataclass(slots=True)
class Comparison:
    """Everything the end of a rescoring says, filled by `add`.

    Attributes:
        before: The results as they were.
        after: The results as they are now.
        changed: Rows with another score, those among them that have one now or had one before.
        now_graded: Rows that had failed and have a score.
        now_failed: Rows that had a score and have none.
        ranks: How alike the scores order the rows that had one and have one.
        bad_lines: Lines that were left out.
        first_bad_lines: The first of them.
    """

    before: Totals = field(default_factory=Totals)
    after: Totals = field(default_factory=Totals)
    changed: int = 0
    now_graded: int = 0
    now_failed: int = 0
    ranks: RankCorrelation = field(default_factory=RankCorrelation)
    bad_lines: int = 0
    first_bad_lines: list[str] = field(default_factory=list)

    @property
    def samples(self) -> int:
        """Results that were rescored."""
        return self.after.samples

    def add(self, batch: Rescored) -> None:
        """Count a batch."""
        olds, news = list[float](), list[float]()
        for before, after in batch.pairs:
            self.before.add(before)
            self.after.add(after)
            old, new = before.score, after.score
            self.changed += old != new
            if old is not None and new is not None:
                olds.append(old)
                news.append(new)
            else:
                self.now_graded += old is None and new is not None
                self.now_failed += old is not None and new is None
        self.ranks.add(olds, news)
        for error in batch.bad_lines:
            self.bad_line(error)

    def bad_line(self, error: RowError) -> None:
        """Count a line that was left out."""
        self.bad_lines += 1
        if len(self.first_bad_lines) < _BAD_LINES_SHOWN:
            self.first_bad_lines.append(str(error))

    def to_json(self) -> Mapping[str, object]:
        """The comparison for programs: what `graders study --formula --json` prints."""
        return {
            "samples": self.samples,
            "bad_lines": self.bad_lines,
            "before": self.before.to_json(),
            "after": self.after.to_json(),
            "changed": self.changed,
            "now_graded": self.now_graded,
            "now_failed": self.now_failed,
            "rank_correlation": {"spearman": self.ranks.value, "samples": self.ranks.rows},
            "first_bad_lines": self.first_bad_lines,
        }


def to_lines(comparison: Comparison, *, seconds: float) -> Iterator[str]:
    """The lines of a comparison, for a terminal of 80 columns.

    Args:
        comparison: What became of the results.
        seconds: Wall time it took.
    """
    before, after, samples = comparison.before, comparison.after, comparison.samples
    said = f"{count(samples, 'sample')}, {after.failed:,} failed (before {before.failed:,}), "
    yield from wrap(said + count(comparison.bad_lines, "bad line"), indent=0)
    yield ""
    for name, totals in (("mean reward", after), ("  before", before)):
        yield value_line(name, totals.graded.value, f"over {totals.graded.count:,} graded")
    if before.failed or after.failed:
        for name, totals in (("with failures as 0", after), ("  before", before)):
            yield value_line(name, totals.mean_with_failures_as_zero, f"over {samples:,}")
    if before.with_threshold or after.with_threshold:
        for name, totals in (("pass rate", after), ("  before", before)):
            passed = f"{totals.passed:,} of {totals.with_threshold:,}"
            yield value_line(name, totals.pass_rate, passed if totals.with_threshold else "")
    yield from _changes(comparison)
    yield from failure_lines(after.failures)
    yield from bad_line_lines(comparison.bad_lines, comparison.first_bad_lines)
    yield ""
    rate = samples / seconds if seconds > 0 else 0.0
    yield f"  time     {seconds:.1f} s ({rate:,.0f} samples/s)"


def _changes(comparison: Comparison) -> Iterator[str]:
    yield ""
    said = f"  changed  {comparison.changed:,} of {count(comparison.samples, 'sample')}"
    for number, what in (
        (comparison.now_graded, "graded that had failed"),
        (comparison.now_failed, "failed that were graded"),
    ):
        said += f", {number:,} {what}" if number else ""
    yield said
    ranks = comparison.ranks
    over = f"Spearman's, over {ranks.rows:,}"
    yield value_line("rank correlation", ranks.value, over)
