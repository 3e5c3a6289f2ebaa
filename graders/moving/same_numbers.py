"""Are the scores the hosted ones? Each grade of ours against the result that an export tells.

Equal is equal to the last digit, passed or not alike, and failed where the service failed: in an
export a failed grading has the score 0.0 and an error, or null, which is no score.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from graders.grades import Grade
from sandbox import JSON

_UUID: Final = r"-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A score that is not the hosted one.

    Attributes:
        row: The line of its row.
        name: Of the grader; of the hosted result, where no grader of ours is meant.
        ours: What it is here, in words.
        hosted: What it is there.
    """

    row: int
    name: str
    ours: str
    hosted: str

    def __str__(self) -> str:
        return f"row {self.row}, {self.name}: {self.ours} here, {self.hosted} hosted"


@dataclass(slots=True)
class Agreement:
    """How many scores were compared, and which differ.

    Attributes:
        compared: Scores that the service and we have.
        rows: Rows with a hosted score.
        left_out: Hosted results of criteria that are left out here.
        differences: What is not equal.
    """

    compared: int = 0
    rows: int = 0
    left_out: int = 0
    differences: list[Difference] = field(default_factory=list)

    @property
    def equal(self) -> int:
        """How many are equal."""
        return self.compared - len(self.differences)


def compare(
    rows: Sequence[tuple[int, Mapping[str, JSON]]],
    grades: Sequence[Grade],
    names: Sequence[tuple[str, str | None]],
    *,
    members: bool,
    left_out: Sequence[tuple[str, str | None]] = (),
) -> Agreement:
    """Compare grades with the hosted results of their rows.

    Args:
        rows: Lines of a file of rows that have `hosted`, with their numbers.
        grades: Ours, one for each.
        names: The name and id of each grader that results are of.
        members: Whether those are a grade's parts, as of an eval, or itself.
        left_out: The name and id of each criterion whose results are not compared.
    """
    found = Agreement()
    called = Counter(name for name, _ in (*names, *left_out))
    for (number, row), grade in zip(rows, grades, strict=True):
        hosted: Any = row["hosted"]
        if not hosted["results"]:  # a line that was no row there
            continue
        found.rows += 1
        parts = list(grade.parts.values()) if members else [grade]
        results = [
            result
            for result in hosted["results"]
            if not any(_is_called(result["name"], *one, called) for one in left_out)
        ]
        found.left_out += len(hosted["results"]) - len(results)
        for difference in _of_row(number, parts, results, names, called):
            found.compared += 1
            if difference is not None:
                found.differences.append(difference)
    return found


def _of_row(
    row: int,
    parts: Sequence[Grade],
    results: Sequence[Mapping[str, Any]],
    names: Sequence[tuple[str, str | None]],
    called: Counter[str],
) -> Iterator[Difference | None]:
    """For each result, and each grader without one, how it differs; None where it does not."""
    missing = dict(enumerate(names))
    for result in results:
        told = _told(result)
        meant = [i for i in missing if _is_called(result["name"], *missing[i], called)]
        if not meant:
            yield Difference(row=row, name=result["name"], ours="no such grader", hosted=told)
            continue
        (name, _), ours = missing.pop(meant[0]), parts[meant[0]]
        alike = _equal(ours, result)
        yield None if alike else Difference(row=row, name=name, ours=_own(ours), hosted=told)
    for i, (name, _) in missing.items():
        yield Difference(row=row, name=name, ours=_own(parts[i]), hosted="no result")


def _is_called(told: str, name: str, own_id: str | None, called: Counter[str]) -> bool:
    """Whether a result's name means a criterion: it is its id, its name, or its name and a UUID."""
    if own_id is not None and (told == own_id or called[name] > 1):
        return told == own_id
    return told == name or re.fullmatch(re.escape(name) + _UUID, told) is not None


def _equal(ours: Grade, result: Mapping[str, Any]) -> bool:
    failed = bool(result.get("error")) or result["score"] is None
    if failed or ours.failure is not None:
        return failed and ours.failure is not None
    passed = result["passed"]
    alike = passed is None or ours.passed is None or ours.passed == passed
    return ours.score == result["score"] and alike


def _own(grade: Grade) -> str:
    if grade.failure is not None:
        return f"failed ({grade.failure.message})"
    return f"{grade.score!r}{_said(grade.passed)}"


def _told(result: Mapping[str, Any]) -> str:
    if error := result.get("error"):
        said = error.get("message") if isinstance(error, dict) else error
        return f"failed ({said})"
    if result["score"] is None:
        return "no score"
    return f"{float(result['score'])!r}{_said(result['passed'])}"


def _said(passed: bool | None) -> str:  # noqa: FBT001 - a value, no switch
    return "" if passed is None else " passed" if passed else " not passed"
