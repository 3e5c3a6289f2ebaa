"""The grades of a batch as a table: what graders that compute give.

A `Grade` object a row, and one for each of its members, takes longer to make than a comparison
or a short metric does to compute. A table holds columns, is checked as a whole, and makes grades
only for those who look at them one by one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import cast, overload

import msgspec

from graders.errors import Failure
from graders.grades import Grade
from sandbox import JSON


class Compared(msgspec.Struct, frozen=True):
    """The texts that a grader compared: the detail of its grades.

    Attributes:
        inputs: A text for each row; of one that failed, any.
        references: What each was compared with.
        notes: More to say of some rows, by position.
    """

    inputs: Sequence[str]
    references: Sequence[str]
    notes: Mapping[int, Mapping[str, JSON]] = {}


@dataclass(slots=True, kw_only=True, eq=False)
class Grades(Sequence[Grade]):
    """One grader's judgement of a batch of rows: a sequence of grades.

    As in a `Grade`, a row has a finite score or a failure, and not both.

    Attributes:
        name: The grader's name in its config.
        scores: Of each row; None for a failure.
        failures: Why there is no score, by position.
        passed: Whether each counts as a pass; None where the config does not say when it would.
        parts: Members' grades of the same rows, by key.
        compared: What was compared, if texts were.
        seconds: Wall time that each took: its share of the batch, waiting included.
    """

    name: str
    scores: Sequence[float | None]
    failures: Mapping[int, Failure] = field(default_factory=dict)
    passed: Sequence[bool] | None = None
    parts: Mapping[str, Grades] = field(default_factory=dict)
    compared: Compared | None = None
    seconds: float = 0.0

    def __post_init__(self) -> None:
        scores, failures = self.scores, self.failures
        for column in (scores if self.passed is None else self.passed, *self.parts.values()):
            if len(column) != len(scores):
                raise ValueError(f"grades {self.name!r} have columns of different lengths")
        missing = [i for i in failures if scores[i] is None]
        if not len(missing) == len(failures) == scores.count(None):
            raise ValueError(f"grades {self.name!r} need a score or a failure each, and not both")
        there = self.there
        # A sum is finite only if each score is, and takes a third of the time to look at.
        if not isfinite(sum(there)) and not all(map(isfinite, there)):
            wrong = next(score for score in there if not isfinite(score))
            raise ValueError(f"grades {self.name!r} have a score {wrong}; scores are finite")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence):
            return NotImplemented
        return list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]

    def __len__(self) -> int:
        return len(self.scores)

    def __iter__(self) -> Iterator[Grade]:
        return map(self._grade, range(len(self.scores)))

    @overload
    def __getitem__(self, at: int) -> Grade: ...
    @overload
    def __getitem__(self, at: slice) -> list[Grade]: ...
    def __getitem__(self, at: int | slice) -> Grade | list[Grade]:
        positions = range(len(self.scores))[at]
        if isinstance(positions, range):
            return [self._grade(position) for position in positions]
        return self._grade(positions)

    @property
    def there(self) -> Sequence[float]:
        """The scores of rows that have one."""
        if not self.failures:
            return cast("Sequence[float]", self.scores)
        return [score for score in self.scores if score is not None]

    @property
    def warnings(self) -> Mapping[int, str]:
        """What makes a score suspect, by position."""
        notes = {} if self.compared is None else self.compared.notes
        return {i: str(note["warning"]) for i, note in notes.items() if "warning" in note}

    def remarkable(self) -> set[int]:
        """Positions of rows with a failure or a warning, of their own or of a part."""
        parts = [part.remarkable() for part in self.parts.values()]
        return set(self.failures).union(self.warnings, *parts)

    def _grade(self, position: int) -> Grade:
        return Grade(
            name=self.name,
            score=self.scores[position],
            failure=self.failures.get(position),
            passed=None if self.passed is None else self.passed[position],
            parts={key: part[position] for key, part in self.parts.items()},
            detail=self._detail(position),
            seconds=self.seconds,
        )

    def _detail(self, position: int) -> dict[str, JSON]:
        if self.compared is None or position in self.failures:
            return {}
        inputs, references = self.compared.inputs, self.compared.references
        notes = self.compared.notes.get(position, {})
        return {"input": inputs[position], "reference": references[position], **notes}


def pass_each(scores: Sequence[float | None], threshold: float | None) -> Sequence[bool] | None:
    """Whether each score passes; None where there is no threshold. See `grades.passes`."""
    if threshold is None:
        return None
    return [score is not None and score >= threshold for score in scores]
