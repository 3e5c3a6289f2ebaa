"""Why a formula has no value for one row: a slow computation that looks at each step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice
from math import isfinite
from typing import Final

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


def _first_fault(program: Program, given: Mapping[str, float]) -> tuple[str, str]:
    values = {f"v{i}": value for i, value in enumerate(given.values())}
    for step in program.steps:
        operands = [values[x] if x in values else float(x) for x in step.operands]
        try:
            value = float(OPERATIONS[step.operation].compute(*operands))
        except ZeroDivisionError:
            return "division by zero", "division_by_zero"
        except OverflowError:
            return f"{_shown(step, operands)} is too large for a float", "overflow"
        except ValueError:
            return f"{_shown(step, operands)} has no real value", "domain"
        if not isfinite(value):  # how Python reports an overflow in + - * /
            return f"{_shown(step, operands)} is too large for a float", "overflow"
        values[step.target] = value
    raise RuntimeError("the formula has a value for these scores")


def _shown(step: Step, operands: Sequence[float]) -> str:
    if step.operation.isalpha():
        return f"{step.operation}({', '.join(map(_number, operands))})"
    left, right = (f"({_number(x)})" if x < 0 else _number(x) for x in operands)
    return f"{left} {step.operation} {right}"


def _with(given: Mapping[str, float]) -> str:
    shown = [
        f"{_cut(name, _NAME_SHOWN)} = {_number(value)}"
        for name, value in islice(given.items(), _SCORES_SHOWN)
    ]
    if len(given) > len(shown):
        shown.append(f"{len(given) - len(shown)} more")
    return f" (with {', '.join(shown)})" if shown else ""


def _number(value: float) -> str:
    return repr(value).removesuffix(".0")


def _cut(text: str, limit: int) -> str:
    """One line, and not much longer than `limit`."""
    return " ".join(text[:limit].split()) + ("..." if len(text) > limit else "")
