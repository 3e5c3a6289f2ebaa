"""What a trainer gets for a row without a score: never a number.

Each adapter says which of the two is its trainer's word for it. None, where the trainer leaves such
a row out by itself; an exception, where that is what costs this row and no other.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from graders.errors import GradingError
from graders.grades import Grade

Failures = Literal["none", "raise"]


def rewards(grades: Sequence[Grade], failures: Failures) -> list[float | None]:
    """The rewards of grades.

    Args:
        grades: Some may be failures.
        failures: What these are: None, or the error of the first.

    Raises:
        GradingError: There is a failure, and `failures` is "raise"; says which completion's.

    Example:
        >>> from graders.errors import Failure, FailureKind
        >>> failure = Failure(kind=FailureKind.OTHER, message="no text")
        >>> rewards([Grade(name="g", score=0.5), Grade(name="g", failure=failure)], "none")
        [0.5, None]
    """
    if failures == "raise":
        refuse_failures(grades, "completion")
    return [grade.score for grade in grades]


def refuse_failures(grades: Sequence[Grade], of: str) -> None:
    """Raise the first failure, if there is one.

    Args:
        grades: In the order of what was graded.
        of: What that is, one of them.

    Raises:
        GradingError: Its message begins with `OF[POSITION]: `.
    """
    for position, grade in enumerate(grades):
        if (failure := grade.failure) is not None:
            message = f"{of}[{position}]: {failure.message}"
            raise GradingError(failure.kind, message, failure.reason)


def reward_or_raise(grade: Grade) -> float:
    """The score of a grade.

    Raises:
        GradingError: It is a failure; has its kind, reason and message.
    """
    if grade.failure is not None:
        failure = grade.failure
        raise GradingError(failure.kind, failure.message, failure.reason)
    assert grade.score is not None, "a grade has a score or a failure"
    return grade.score
