"""An Evals body: a sample passes (1.0) when it passes every criterion, else it does not (0.0)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from graders.grade_table import Grades
from graders.grades import Grade, Grader, Waits, total_usage, waits_most
from graders.kinds.multi import (
    as_tables,
    by_row,
    first_failure,
    first_failures,
    grade_all,
    total_seconds,
)
from graders.rows import Row


@dataclass(frozen=True, slots=True)
class CriteriaGrader:
    """Compiled `testing_criteria`. Each criterion says by itself when it is passed."""

    name: str
    criteria: Mapping[str, Grader]

    @property
    def signature(self) -> str:
        criteria = ";".join(f"{key}={part.signature}" for key, part in self.criteria.items())
        return f"criteria|{criteria}"

    @property
    def waits(self) -> Waits:
        return waits_most(self.criteria.values())

    async def grade(self, rows: Sequence[Row]) -> Sequence[Grade]:
        members = await grade_all(self.criteria, rows)
        if (tables := as_tables(members)) is not None:
            return self._combine_tables(tables, len(rows))
        return [self._combine(parts) for parts in by_row(members)]

    def _combine(self, parts: Mapping[str, Grade]) -> Grade:
        failure = first_failure(parts)
        passed = all(part.passed for part in parts.values())
        return Grade(
            name=self.name,
            score=float(passed) if failure is None else None,
            failure=failure,
            passed=passed,
            parts=parts,
            seconds=total_seconds(parts),
            usage=total_usage(parts),
        )

    def _combine_tables(self, parts: Mapping[str, Grades], rows: int) -> Grades:
        """The same for tables, whose members asked nobody: no tokens."""
        failures = first_failures(parts)
        columns = [part.passed or [False] * rows for part in parts.values()]
        passed = list(map(all, zip(*columns, strict=True)))
        scores: list[float | None] = list(map(float, passed))
        for position in failures:
            scores[position] = None
        return Grades(
            name=self.name,
            scores=scores,
            failures=failures,
            passed=passed,
            parts=parts,
            seconds=total_seconds(parts),
        )
