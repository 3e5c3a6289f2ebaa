"""A formula computed in the open: the scores filled in, and what each step came to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from graders.formula.faults import Fault, compute, in_words, number
from graders.formula.parse import words
from graders.formula.program import Program


class Trace(NamedTuple):
    """How a formula came to its value.

    Attributes:
        filled: Its text with a number in the place of each score.
        steps: Each operation on numbers, in order, as `0.4 * 0.5 = 0.2`; the last is one without a
            value where the formula has none.
    """

    filled: str
    steps: tuple[str, ...]


def trace(text: str, program: Program, scores: Mapping[str, float]) -> Trace:
    """Compute a formula step by step.

    Args:
        text: The formula.
        program: What it was parsed to.
        scores: A number for each score that it uses, or more.
    """
    given = {name: float(scores[name]) for name in program.names}
    filled = "".join(
        number(given[word], inside=True) if is_score else word for word, is_score in words(text)
    )
    steps = tuple(_said(in_words(step, of), value) for step, of, value in compute(program, given))
    return Trace(filled, steps)


def _said(shown: str, value: float | Fault) -> str:
    if not isinstance(value, Fault):
        return f"{shown} = {number(value)}"
    return value.problem if value.problem.startswith(shown) else f"{shown}: {value.problem}"
