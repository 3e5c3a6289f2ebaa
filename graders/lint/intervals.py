"""Interval arithmetic over a formula's steps: every value it can have, and a few that it has.

An interval is safe: no scores within their ranges lead out of it. It is not tight, for `a - a` is
0 and its interval is not. So what an interval rules out is certain, and what it allows is only
said where scores were found that do it (`tries`), or where the formula is linear, for which the
bounds are exact.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice, product
from math import inf
from typing import Final, NamedTuple

from graders.errors import GradingError
from graders.formula import Formula
from graders.formula.program import OPERATIONS, Program, Step, is_number

TRIED: Final = 4_096
"""Combinations of scores that `tries` takes at most."""
WORK: Final = 400_000
"""Steps of a formula that it computes at most, for as many as there are combinations."""
_TOLERANCE: Final = 1e-9


class Interval(NamedTuple):
    """Every number from `low` to `high`, both included; may be infinite."""

    low: float
    high: float

    @property
    def is_point(self) -> bool:
        return self.low == self.high and math.isfinite(self.low)


ANY: Final = Interval(-inf, inf)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """What the steps of a formula can come to.

    Attributes:
        operands: The interval of each step's operands, step by step.
        result: The interval of the formula.
    """

    operands: Sequence[tuple[Interval, ...]]
    result: Interval


def reach(program: Program, scores: Mapping[str, Interval]) -> Reach:
    """The intervals of every step, for scores within theirs.

    Example:
        >>> from graders.formula.parse import parse_program
        >>> reach(parse_program("1 - a^2", ["a"]), {"a": Interval(0, 0.5)}).result
        Interval(low=0.75, high=1.0)
    """
    values = {f"v{i}": scores[name] for i, name in enumerate(program.names)}
    operands = []
    for step in program.steps:
        given = tuple(_value(operand, values) for operand in step.operands)
        operands.append(given)
        found = _STEPS[step.operation](*given)
        values[step.target] = ANY if math.isnan(sum(found)) and found != ANY else found
    return Reach(operands=operands, result=_value(program.result, values))


def _value(operand: str, values: Mapping[str, Interval]) -> Interval:
    return Interval(float(operand), float(operand)) if is_number(operand) else values[operand]


# --- one operation


def _hull(values: Sequence[float]) -> Interval:
    known = [value for value in values if not math.isnan(value)]
    return Interval(min(known), max(known)) if len(known) == len(values) else ANY


def _times(left: float, right: float) -> float:
    return 0.0 if 0 in (left, right) else left * right  # 0 * inf is a bound of 0 here


def _multiply(a: Interval, b: Interval) -> Interval:
    return _hull([_times(x, y) for x, y in product(a, b)])


def _divide(a: Interval, b: Interval) -> Interval:
    if b.low <= 0 <= b.high:
        return ANY
    return _multiply(a, Interval(1 / b.high, 1 / b.low))


def _power(a: Interval, b: Interval) -> Interval:
    whole = b.is_point and b.low == int(b.low) if math.isfinite(b.low) else False
    if math.inf in (abs(a.low), abs(a.high), abs(b.low), abs(b.high)) or (
        a.low <= 0 and (not whole or b.low < 0)
    ):
        return ANY if not (a.low >= 0 and b.low >= 0) else Interval(0, inf)
    corners = [_pow(x, y) for x, y in product(a, b)]
    if whole and b.low % 2 == 0 and b.low > 0 and a.low < 0 < a.high:
        corners.append(0.0)
    return _hull(corners)


def _pow(base: float, exponent: float) -> float:
    try:
        return math.pow(base, exponent)
    except OverflowError:
        return inf if base > 0 or exponent % 2 == 0 else -inf


def _abs(a: Interval) -> Interval:
    ends = sorted((abs(a.low), abs(a.high)))
    return Interval(0 if a.low <= 0 <= a.high else ends[0], ends[1])


def _rising(function: Callable[[float], float], least: float = -inf) -> Callable[..., Interval]:
    """A function that never falls, from `least` on; below it there is no value."""

    def apply(a: Interval) -> Interval:
        return Interval(_end(function, max(a.low, least)), _end(function, max(a.high, least)))

    return apply


def _end(function: Callable[[float], float], x: float) -> float:
    if function is math.log:
        return -inf if x <= 0 else math.log(x)
    if function is math.exp and x == -inf:
        return 0.0
    try:
        return float(x if math.isinf(x) else function(x))
    except OverflowError:
        return inf


_STEPS: Final[Mapping[str, Callable[..., Interval]]] = {
    "+": lambda a, b: Interval(a.low + b.low, a.high + b.high),
    "-": lambda a, b: Interval(a.low - b.high, a.high - b.low),
    "*": _multiply,
    "/": _divide,
    "^": _power,
    "negate": lambda a: Interval(-a.high, -a.low),
    "abs": _abs,
    "ceil": _rising(math.ceil),
    "exp": _rising(math.exp),
    "floor": _rising(math.floor),
    "log": _rising(math.log, 0.0),
    "max": lambda a, b: Interval(max(a.low, b.low), max(a.high, b.high)),
    "min": lambda a, b: Interval(min(a.low, b.low), min(a.high, b.high)),
    "sqrt": _rising(math.sqrt, 0.0),
}


# --- linear formulas


def linear(program: Program) -> dict[str, float] | None:
    """The coefficient of each score, and of "" for what is added; None if it is not linear.

    Example:
        >>> from graders.formula.parse import parse_program
        >>> linear(parse_program("2 * (a - b) / 4 + 1 - a / 2", ["a", "b"]))
        {'a': 0.0, 'b': -0.5, '': 1.0}
    """
    values = {f"v{i}": {name: 1.0} for i, name in enumerate(program.names)}
    for step in program.steps:
        given = [_form(operand, values) for operand in step.operands]
        combined = _combine(step, given)
        if combined is None:
            return None
        values[step.target] = combined
    form = _form(program.result, values)
    return {name: form.get(name, 0.0) for name in (*program.names, "")}


def _form(operand: str, values: Mapping[str, dict[str, float]]) -> dict[str, float]:
    return {"": float(operand)} if is_number(operand) else values[operand]


def _combine(step: Step, given: Sequence[dict[str, float]]) -> dict[str, float] | None:
    left, right = given[0], given[-1]
    match step.operation:
        case "negate":
            return _scaled(left, -1.0)
        case "+" | "-":
            other = right if step.operation == "+" else _scaled(right, -1.0)
            return {k: left.get(k, 0.0) + other.get(k, 0.0) for k in [*left, *other]}
        case "*" if not right.keys() - {""}:
            return _scaled(left, right.get("", 0.0))
        case "*" if not left.keys() - {""}:
            return _scaled(right, left.get("", 0.0))
        case "/" if not right.keys() - {""} and right.get("", 0.0) != 0:
            return _scaled(left, 1 / right[""])
    return None


def _scaled(form: Mapping[str, float], factor: float) -> dict[str, float]:
    return {name: value * factor for name, value in form.items()}


def linear_reach(form: Mapping[str, float], scores: Mapping[str, Interval]) -> Interval:
    """The exact bounds of a linear formula."""
    ends = [
        sorted((_times(c, scores[name].low), _times(c, scores[name].high)))
        for name, c in form.items()
        if name
    ]
    added = form.get("", 0.0)
    return Interval(added + sum(low for low, _ in ends), added + sum(high for _, high in ends))


# --- scores that do it


class Tried(NamedTuple):
    """Scores that were tried, and what came of them: a value, or why there is none."""

    scores: Mapping[str, float]
    value: float | None
    reason: str = ""
    message: str = ""


def tries(formula: Formula, points: Mapping[str, Sequence[float]]) -> Iterator[Tried]:
    """The formula's value for combinations of the scores that matter most.

    Args:
        formula: What is computed.
        points: For each score, values that it can have; those in front are tried first.
    """
    names = formula.names
    axes = [points[name] for name in names]
    first = [[axis[min(i, len(axis) - 1)] for axis in axes] for i in range(2)]
    single = (
        [axis[-1] if j == i else start[j] for j, axis in enumerate(axes)]
        for i in range(len(axes))
        for start in first
    )
    most = min(TRIED, 8 + WORK // (len(formula.text) + 1))
    for values in islice(chain(first, single, product(*axes)), most):
        scores = dict(zip(names, values, strict=True))
        try:
            yield Tried(scores, formula(scores))
        except GradingError as error:
            yield Tried(scores, None, error.failure.reason, error.failure.message)


def crossed(program: Program, scores: Iterable[Mapping[str, float]]) -> set[int]:
    """The divisions whose denominator is above 0 for some scores and below for others.

    Scores that can be anything between, and steps without jumps, are 0 there on the way.
    """
    signs: dict[int, set[bool]] = {}
    if all(step.operation != "/" for step in program.steps):
        return set()
    for given in scores:
        values = {f"v{i}": given[name] for i, name in enumerate(program.names)}
        for i, step in enumerate(program.steps):
            if step.operation in ("floor", "ceil"):
                return set()
            operands = [values[x] if x in values else float(x) for x in step.operands]
            if step.operation == "/" and operands[1] != 0:
                signs.setdefault(i, set()).add(operands[1] > 0)
            try:
                values[step.target] = float(OPERATIONS[step.operation].compute(*operands))
            except (ArithmeticError, ValueError):
                break
    return {i for i, seen in signs.items() if len(seen) > 1}


def outside(value: float, bounds: Interval) -> bool:
    """Whether a value is beyond what rounding explains."""
    slack = _TOLERANCE * max(1.0, abs(bounds.low), abs(bounds.high))
    return value < bounds.low - slack or value > bounds.high + slack
