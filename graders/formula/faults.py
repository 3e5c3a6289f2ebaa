"""Why a formula has no value for one row: a slow computation that looks at each step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from math import isfinite
from typing import Final, NamedTuple

from graders.errors import Failure, FailureKind
from graders.formula.program import OPERATIONS, Program, Step

_TEXT_SHOWN: Final = 100
_NAME_SHOWN: Final = 40
_SCORES_SHOWN: Final = 12


def find_fault(text: str, program: Program, scores: Mapping[str, float]) -> Failure:
    """Describe the first step that has no finite value, with the scores that led there.

    Raises:
        RuntimeError: Nothing is wrong with these scores.
    """
    given = {name: float(scores[name]) for name in program.names}
    problem, reason = _unusable(given) or _first_fault(program, given)
    formula = _cut(text, _TEXT_SHOWN)
    message = f"{formula}: {problem}{_with(given)}"
    return Failure(kind=FailureKind.FORMULA_PARSE, reason=reason, message=message)


def _unusable(given: Mapping[str, float]) -> tuple[str, str] | None:
    wrong = next((name for name, value in given.items() if not isfinite(value)), None)
    return None if wrong is None else (f"{_cut(wrong, _NAME_SHOWN)} is not finite", "not_finite")


class Fault(NamedTuple):
    """Why a step has no finite value, in words and in one."""

    problem: str
    reason: str


def compute(
    program: Program, given: Mapping[str, float]
) -> Iterator[tuple[Step, Sequence[float], float | Fault]]:
    """Each step of a formula with its operands' values and its own; a fault is the last."""
    values = {f"v{i}": value for i, value in enumerate(given.values())}
    for step in program.steps:
        operands = [values[x] if x in values else float(x) for x in step.operands]
        value = _value(step, operands)
        yield step, operands, value
        if isinstance(value, Fault):
            return
        values[step.target] = value


def _value(step: Step, operands: Sequence[float]) -> float | Fault:
    try:
        value = float(OPERATIONS[step.operation].compute(*operands))
    except ZeroDivisionError:
        return Fault("division by zero", "division_by_zero")
    except OverflowError:
        return Fault(f"{in_words(step, operands)} is too large for a float", "overflow")
    except ValueError:
        return Fault(f"{in_words(step, operands)} has no real value", "domain")
    if not isfinite(value):  # how Python reports an overflow in + - * /
        return Fault(f"{in_words(step, operands)} is too large for a float", "overflow")
    return value


def _first_fault(program: Program, given: Mapping[str, float]) -> Fault:
    for _, _, value in compute(program, given):
        if isinstance(value, Fault):
            return value
    raise RuntimeError("the formula has a value for these scores")


def in_words(step: Step, operands: Sequence[float]) -> str:
    """A step on numbers, as one would write it: `max(1, 0.5)`, `0.4 * (-1)`."""
    if step.operation == "negate":
        return f"-{number(operands[0], inside=True)}"
    if step.operation.isalpha():
        return f"{step.operation}({', '.join(map(number, operands))})"
    left, right = (number(x, inside=True) for x in operands)
    return f"{left} {step.operation} {right}"


def _with(given: Mapping[str, float]) -> str:
    shown = [
        f"{_cut(name, _NAME_SHOWN)} = {number(value)}"
        for name, value in islice(given.items(), _SCORES_SHOWN)
    ]
    if len(given) > len(shown):
        shown.append(f"{len(given) - len(shown)} more")
    return f" (with {', '.join(shown)})" if shown else ""


def number(value: float, *, inside: bool = False) -> str:
    """A number as a formula has it; a negative one in parentheses where an operator stands by."""
    shown = repr(value).removesuffix(".0")
    return f"({shown})" if inside and shown.startswith("-") else shown


def _cut(text: str, limit: int) -> str:
    """One line, and not much longer than `limit`."""
    return " ".join(text[:limit].split()) + ("..." if len(text) > limit else "")
