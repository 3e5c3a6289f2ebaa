"""`multi`: a formula over the scores of other graders.

Every member is graded, used by the formula or not. A failed member fails the whole with the kind
of the first one in the map's order, and the formula is not evaluated (or the member counts as
0.0: the profile's `member_failure`). The parts keep everything.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import assert_never

import msgspec

from graders.errors import Failure, GradingError
from graders.formula import Formula
from graders.grades import Grade, Grader, Waits, passes, signed, together, total_usage, waits_most
from graders.profile import MemberFailure
from graders.rows import Row


async def grade_all(members: Mapping[str, Grader], rows: Sequence[Row]) -> list[dict[str, Grade]]:
    """Every member's grade of every row: a mapping per row, in the members' order."""
    columns = await together(member.grade(rows) for member in members.values())
    return [dict(zip(members, parts, strict=True)) for parts in zip(*columns, strict=True)]


def first_failure(parts: Mapping[str, Grade]) -> Failure | None:
    """The failure of the first member that has one, with the member's key in its message."""
    for key, part in parts.items():
        if part.failure is not None:
            failure = part.failure
            return msgspec.structs.replace(failure, message=f"{key}: {failure.message}")
    return None


def total_seconds(parts: Mapping[str, Grade]) -> float:
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

    async def grade(self, rows: Sequence[Row]) -> list[Grade]:
        return [self._combine(parts) for parts in await grade_all(self.members, rows)]

    def _combine(self, parts: Mapping[str, Grade]) -> Grade:
        score, failure = self._score(parts)
        return Grade(
            name=self.name,
            score=score,
            failure=failure,
            passed=passes(score, self.threshold),
            parts=parts,
            seconds=total_seconds(parts),
            usage=total_usage(parts),
        )

    def _score(self, parts: Mapping[str, Grade]) -> tuple[float | None, Failure | None]:
        match self.member_failure:
            case "fail":
                failure = first_failure(parts)
                if failure is not None:
                    return None, failure
            case "zero":
                pass
            case _:
                assert_never(self.member_failure)
        scores = {key: part.score or 0.0 for key, part in parts.items()}
        try:
            return self.formula(scores), None
        except GradingError as error:
            return None, error.failure
