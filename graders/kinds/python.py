"""`python`: a function `grade(sample, item)` in a sandbox; the number it returns is the score."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from graders.errors import FailureKind, GradingError
from graders.grades import Grade, Waits, finite_number, passes, signed
from graders.profile import BoolReturns
from graders.rows import Row
from graders.terminal import shorten
from sandbox import JSON, Call, Outcome, Sandbox, Status

_KINDS: Final[Mapping[Status, FailureKind]] = {
    Status.RAISED: FailureKind.PYTHON_RUNTIME,
    Status.SIGNALED: FailureKind.PYTHON_RUNTIME,
    Status.TIMED_OUT: FailureKind.PYTHON_RUNTIME,
    Status.OUT_OF_MEMORY: FailureKind.PYTHON_RUNTIME,
    Status.OUTPUT_TOO_LARGE: FailureKind.PYTHON_RUNTIME,
    Status.NO_RESULT: FailureKind.PYTHON_RUNTIME,
    Status.BROKEN: FailureKind.PYTHON_SERVER,
}


@dataclass(frozen=True, slots=True)
class PythonGrader:
    """Compiled `python`. How many calls run at once is the sandbox's business."""

    name: str
    source: str
    sandbox: Sandbox
    bool_returns: BoolReturns
    threshold: float | None

    @property
    def signature(self) -> str:
        bools = "" if self.bool_returns == "fail" else f"|bool_returns:{self.bool_returns}"
        shared = f"|isolation:batch:{self.sandbox.batch}" if self.sandbox.batch > 1 else ""
        return signed(f"python|call:grade(sample,item){bools}{shared}", self.threshold)

    @property
    def waits(self) -> Waits:
        return "batches"

    async def grade(self, rows: Sequence[Row]) -> list[Grade]:
        calls = [Call(self.source, "grade", [dict(row.sample), dict(row.item)]) for row in rows]
        return [self._read(outcome) for outcome in await self.sandbox.run(calls)]

    def _read(self, outcome: Outcome) -> Grade:
        score, failure = None, None
        try:
            score = self._score(outcome)
        except GradingError as error:
            failure = error.failure
        return Grade(
            name=self.name,
            score=score,
            failure=failure,
            passed=passes(score, self.threshold),
            detail=_said(outcome),
            seconds=outcome.wall_seconds,
            resources={**_used(outcome), "layers": "+".join(sorted(self.sandbox.layers)) or "none"},
        )

    def _score(self, outcome: Outcome) -> float:
        if outcome.status is Status.BAD_VALUE:
            raise _bad_return(shorten(outcome.error, 200))
        if outcome.status is not Status.OK:
            message = outcome.error.rstrip() or f"grade() ended: {outcome.status}"
            raise GradingError(_KINDS[outcome.status], message, outcome.status)
        value = outcome.value
        if isinstance(value, bool) and self.bool_returns == "number":
            return float(value)
        score = finite_number(value)
        if score is None:
            raise _bad_return(_describe(value))
        return score


def _used(outcome: Outcome) -> dict[str, float]:
    """Processor time and memory, where they were measured."""
    used: dict[str, float] = {}
    if outcome.cpu_seconds is not None:
        used["cpu_seconds"] = round(outcome.cpu_seconds, 6)
    if outcome.peak_bytes is not None:
        used["peak_bytes"] = outcome.peak_bytes
    return used


def _bad_return(what: str) -> GradingError:
    message = f"grade() returned {what}, and a score is a finite number"
    return GradingError(FailureKind.PYTHON_RUNTIME, message, "bad_return")


def _describe(value: JSON) -> str:
    try:
        shown = repr(value)
    except ValueError:  # an integer of more than 4,300 digits
        shown = "a very long number"
    return f"{shorten(shown, 60)} ({type(value).__name__})"


def _said(outcome: Outcome) -> dict[str, JSON]:
    """What the code printed, for people; nothing where it printed nothing."""
    printed = {"stdout": outcome.stdout, "stderr": outcome.stderr}
    return {stream: text for stream, text in printed.items() if text}
