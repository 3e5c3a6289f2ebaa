"""Holding a case against what the grader makes of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from operator import eq, ge, gt
from typing import Final

from graders.clients import asked_for
from graders.errors import Failure, FailureKind
from graders.grades import Grade, Grader
from graders.rows import Row, to_sample
from graders.testing.case_file import Case, Expect, parse_order

_TRACEBACK: Final = "Traceback (most recent call last):"
_RELATIONS: Final[Mapping[str, Callable[[float, float], bool]]] = {">": gt, ">=": ge, "=": eq}

NOT_THE_GRADERS: Final = frozenset(
    {FailureKind.PYTHON_SERVER, FailureKind.MODEL_SERVER, FailureKind.ENDPOINT_SERVER}
)
"""Failures of whoever was asked, and not of the grader."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What came of a case.

    Attributes:
        rows: What was graded.
        grades: A grade for each.
        problems: What is not as the case expects, in sentences; empty where all is.
    """

    rows: tuple[Row, ...]
    grades: tuple[Grade, ...]
    problems: tuple[str, ...]


def rows_of(case: Case) -> tuple[Row, ...]:
    """The rows that a case is about: one, or one for each of its samples, in order."""
    samples = [*case.samples.values()] if case.samples else [case.sample]
    return tuple(
        Row(item=case.item, sample=to_sample(sample), row=1, sample_index=i, group=1)
        for i, sample in enumerate(samples)
    )


async def check_case(grader: Grader, case: Case) -> Checked:
    """Grade a case's samples, each alone, and compare."""
    rows = rows_of(case)
    grades = tuple([await grade_alone(grader, row) for row in rows])
    if case.samples:
        problems = _order_problems(case, dict(zip(case.samples, grades, strict=True)))
    else:
        problems = _problems(case.expect, grades[0], "")
    return Checked(rows=rows, grades=grades, problems=tuple(problems))


async def grade_alone(grader: Grader, row: Row) -> Grade:
    """Grade one sample, and let whoever is asked know which."""
    before = asked_for.set(f"{row.row}:{row.sample_index}")  # a case's judge may answer by sample
    try:
        (grade,) = await grader.grade([row])
    finally:
        asked_for.reset(before)
    return grade


def _problems(expect: Expect, grade: Grade, place: str) -> Iterator[str]:
    """What is not as expected of one grade."""
    failure = grade.failure
    if expects_failure(expect):
        yield from _failure_problems(expect, grade, place)
    elif failure is not None:  # where no pass is expected too: a grader that broke told nothing
        yield f"{place}expected {_wanted(expect)}, and got {said(failure)}"
        return
    if grade.score is not None:
        if expect.score is not None and abs(grade.score - expect.score) > expect.tolerance:
            yield f"{place}expected a score of {expect.score!r}, and got {grade.score!r}"
        if expect.range is not None and not expect.range[0] <= grade.score <= expect.range[1]:
            low, high = expect.range
            yield f"{place}expected a score from {low!r} to {high!r}, and got {grade.score!r}"
    if expect.passed is not None and grade.passed is not expect.passed:
        yield f"{place}expected {_passing(expect.passed)}, and it {_came(grade.passed)}"
    for key, part in expect.parts.items():
        if key in grade.parts:
            yield from _problems(part, grade.parts[key], f"{place}{key}: ")
        else:
            yield f"{place}expected a member {key!r}, and there is none"


def expects_failure(expect: Expect) -> bool:
    """Whether a case is there to say how the grader fails."""
    return any(one is not None for one in (expect.failure, expect.reason, expect.message))


def _failure_problems(expect: Expect, grade: Grade, place: str) -> Iterator[str]:
    failure = grade.failure
    if failure is None:
        yield f"{place}expected {expect.failure or 'a failure'}, and got a score of {grade.score!r}"
        return
    if expect.failure is not None and failure.kind != expect.failure:
        yield f"{place}expected {expect.failure}, and got {said(failure)}"
    if expect.reason is not None and failure.reason != expect.reason:
        yield f"{place}expected the reason {expect.reason!r}, and got {failure.reason!r}"
    if expect.message is not None and expect.message not in failure.message:
        yield f"{place}expected a message with {expect.message!r}, and got {said(failure)}"


def _order_problems(case: Case, grades: Mapping[str, Grade]) -> Iterator[str]:
    assert case.expect.order is not None, "several samples have an order"
    failed = {name: grade.failure for name, grade in grades.items() if grade.failure is not None}
    for name, failure in failed.items():
        yield f"{name}: expected a score, and got {said(failure)}"
    for one, relation, other in parse_order(case.expect.order, case.samples):
        left, right = grades[one].score, grades[other].score
        if left is not None and right is not None and not _RELATIONS[relation](left, right):
            yield f"expected {one} {relation} {other}, and got {left!r} and {right!r}"


def said(failure: Failure) -> str:
    r"""A failure in one line: its kind and what it says; of a traceback, how that ends.

    Example:
        >>> from graders.errors import FailureKind
        >>> message = "member: Traceback (most recent call last):\n  ...\nKeyError: 'a'"
        >>> said(Failure(kind=FailureKind.OTHER, message=message))
        "other_error: member: KeyError: 'a'"
    """
    first, *more = failure.message.strip().splitlines() or [""]
    begun = first.removesuffix(_TRACEBACK)
    return f"{failure.kind}: {first if begun == first or not more else begun + more[-1]}"


def _wanted(expect: Expect) -> str:
    """What was expected, in a few words."""
    if expect.score is not None:
        return f"a score of {expect.score!r}"
    if expect.range is not None:
        return f"a score from {expect.range[0]!r} to {expect.range[1]!r}"
    return "a score" if expect.passed is None else _passing(expect.passed)


def _passing(passed: bool) -> str:  # noqa: FBT001 - a word for it
    return "a pass" if passed else "no pass"


def _came(passed: bool | None) -> str:  # noqa: FBT001 - a word for it
    words = {True: "passed", False: "did not pass", None: "says nothing of passing; no threshold"}
    return words[passed]
