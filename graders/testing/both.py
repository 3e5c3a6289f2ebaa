"""Two graders over the same rows: each row is read once and graded by both."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from graders.engine import RunOptions, grade_stream
from graders.errors import RowError
from graders.grade_table import Grades
from graders.grades import Grade, Grader, Waits, waits_most
from graders.kinds.multi import as_tables, by_row, grade_all
from graders.ledger import Ledger
from graders.results import Result, to_result
from graders.rows import REFERENCE_KEYS, Row, output_texts
from graders.studies.change.pairs import Pair


@dataclass(frozen=True, slots=True)
class Both:
    """An old and a new grader as one, whose grades are the new one's and hold both as parts."""

    old: Grader
    new: Grader

    @property
    def name(self) -> str:
        return self.new.name

    @property
    def signature(self) -> str:
        return f"both|old={self.old.signature};new={self.new.signature}"

    @property
    def waits(self) -> Waits:
        return waits_most([self.old, self.new])

    async def grade(self, rows: Sequence[Row]) -> Sequence[Grade]:
        graded = await grade_all({"old": self.old, "new": self.new}, rows)
        if (tables := as_tables(graded)) is not None:
            new = tables["new"]
            return Grades(name=self.name, scores=new.scores, failures=new.failures, parts=tables)
        return [
            Grade(
                name=self.name,
                score=parts["new"].score,
                failure=parts["new"].failure,
                parts=parts,
            )
            for parts in by_row(graded)
        ]


async def graded_pairs(
    both: Both,
    rows: Iterable[Row | RowError],
    options: RunOptions,
    *,
    bad_line: Callable[[RowError], None],
    ledger: Ledger,
) -> AsyncGenerator[Pair, None]:
    """Grade rows by both graders, in input order; arguments and errors as of `grade_stream`."""
    stream = grade_stream(both, rows, options, bad_line=bad_line, ledger=ledger)
    async with aclosing(stream):
        async for graded in stream:
            for row, grade, _ in graded:
                yield _pair(both, row, grade)


def _pair(both: Both, row: Row, grade: Grade) -> Pair:
    old, new = (
        to_result(
            row,
            grade.parts[side],
            signature=grader.signature,
            reward=grade.parts[side].score,
            detail="all",
        )
        for side, grader in (("old", both.old), ("new", both.new))
    )
    (text,) = output_texts([row])
    return Pair(old, new, text if isinstance(text, str) else None, _reference(row, new, old))


def _reference(row: Row, *results: Result) -> str | None:
    """What a result says it compared with; else what stands under a usual key of the item."""
    if (compared := compared_with(*results)) is not None:
        return compared
    usual = (row.item.get(key) for key in REFERENCE_KEYS)
    return next((str(value) for value in usual if isinstance(value, (str, int, float))), None)


def compared_with(*results: Result) -> str | None:
    """The rendered reference of the first result, or member of one, that has kept any."""
    for result in results:
        for detail in (result.detail, *(part.detail for part in result.parts.values())):
            reference = (detail or {}).get("reference")
            if isinstance(reference, str):
                return reference
    return None
