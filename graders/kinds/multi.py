"""`multi`: a formula over the scores of other graders.

Every member is graded, used by the formula or not. A failed member fails the whole with the kind
of the first one in the map's order, and the formula is not evaluated (or the member counts as
0.0: the profile's `member_failure`). The parts keep everything.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import msgspec

from graders.clients import asked_for
from graders.errors import Failure, GradingError
from graders.formula import Formula
from graders.grade_table import Grades, pass_each
from graders.grades import Grade, Grader, Waits, passes, signed, together, total_usage, waits_most
from graders.profile import MemberFailure
from graders.rows import Row
from graders.texts import SharedRows


async def grade_all(
    members: Mapping[str, Grader], rows: Sequence[Row]
) -> Mapping[str, Sequence[Grade]]:
    """Every member's grades of the rows, in the members' order."""
    shared = SharedRows(rows)
    if all(member.waits == "never" for member in members.values()):
        # Tasks would cost as much as judging some rows does.
        columns = [await member.grade(shared) for member in members.values()]
    else:
        columns = await together(_grade_as(key, member, shared) for key, member in members.items())
    return dict(zip(members, columns, strict=True))


async def _grade_as(key: str, member: Grader, rows: Sequence[Row]) -> Sequence[Grade]:
    """A member's grades; what it asks is asked for the member, as two equal judges ask twice."""
    asked_for.set(f"{asked_for.get()}/{key}")  # of this task alone
    return await member.grade(rows)


def as_tables(members: Mapping[str, Sequence[Grade]]) -> dict[str, Grades] | None:
    """Members' grades as tables; None where some are not."""
    tables = {key: grades for key, grades in members.items() if type(grades) is Grades}
    return tables if len(tables) == len(members) else None


def by_row(members: Mapping[str, Sequence[Grade]]) -> list[dict[str, Grade]]:
    """Members' grades as a mapping for each row."""
    rows = zip(*members.values(), strict=True)
    return [dict(zip(members, parts, strict=True)) for parts in rows]


def first_failure(parts: Mapping[str, Grade]) -> Failure | None:
    """The failure of the first member that has one, with the member's key in its message."""
    for key, part in parts.items():
        if part.failure is not None:
            return _of_member(key, part.failure)
    return None


def first_failures(parts: Mapping[str, Grades]) -> dict[int, Failure]:
    """The same for each row of tables, by position."""
    found: dict[int, Failure] = {}
    for key, part in parts.items():
        for position, failure in part.failures.items():
            if position not in found:
                found[position] = _of_member(key, failure)
    return found


def _of_member(key: str, failure: Failure) -> Failure:
    return msgspec.structs.replace(failure, message=f"{key}: {failure.message}")


def total_seconds(parts: Mapping[str, Grade] | Mapping[str, Grades]) -> float:
    """Time that a row's members took, one after the other."""
    return sum([part.seconds for part in parts.values()])


@dataclass(frozen=True, slots=True)
class MultiGrader:
    """Compiled `multi`."""

    name: str
    members: Mapping[str, Grader]
    formula: Formula
    member_failure: MemberFailure
    threshold: float | None

    @property
    def signature(self) -> str:
        members = ";".join(f"{key}={member.signature}" for key, member in self.members.items())
        zero = "" if self.member_failure == "fail" else f"|member_failure:{self.member_failure}"
        return signed(f"multi|{self.formula.text}{zero}|{members}", self.threshold)

    @property
    def waits(self) -> Waits:
        return waits_most(self.members.values())

    async def grade(self, rows: Sequence[Row]) -> Sequence[Grade]:
        members = await grade_all(self.members, rows)
        if (tables := as_tables(members)) is not None:
            return self._combine_tables(tables, len(rows))
        return [self._combine(parts) for parts in by_row(members)]

    def _combine(self, parts: Mapping[str, Grade]) -> Grade:
        score, failure = None, None if self._fills_in else first_failure(parts)
        if failure is None:
            try:
                score = self.formula({key: part.score or 0.0 for key, part in parts.items()})
            except GradingError as error:
                failure = error.failure
        return Grade(
            name=self.name,
            score=score,
            failure=failure,
            passed=passes(score, self.threshold),
            parts=parts,
            seconds=total_seconds(parts),
            usage=total_usage(parts),
        )

    def _combine_tables(self, parts: Mapping[str, Grades], rows: int) -> Grades:
        """The same for tables, whose members asked nobody: no tokens."""
        failures = {} if self._fills_in else first_failures(parts)
        columns = {key: _numbers(part, without=failures) for key, part in parts.items()}
        values, faults = self.formula.each(columns, rows - len(failures))
        scores = values
        if failures:
            rest = iter(values)
            scores = [None if i in failures else next(rest) for i in range(rows)]
            asked = [i for i in range(rows) if i not in failures]
            faults = {asked[i]: failure for i, failure in faults.items()}
        failures |= faults
        return Grades(
            name=self.name,
            scores=scores,
            failures=failures,
            passed=pass_each(scores, self.threshold),
            parts=parts,
            seconds=total_seconds(parts),
        )

    @property
    def _fills_in(self) -> bool:
        """Whether a member's failure counts as 0.0, and fails nothing."""
        return self.member_failure == "zero"


def _numbers(part: Grades, *, without: Collection[int]) -> Sequence[float]:
    """A member's scores for the formula, of the rows that it is computed for."""
    if not part.failures and not without:
        return part.there
    return [score or 0.0 for i, score in enumerate(part.scores) if i not in without]
