"""What a formula does with scores in their declared ranges, and which members it could do without.

A range is declared by what a grader is: 0 or 1, from 0 to 1, or a judge's `range`. The score of a
python or endpoint grader can be any number: what holds for all formulas of such members is little,
so they are taken for 0 to 1 where it is said what *can* happen, and for anything where it is said
what *cannot*.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from graders.config.graders import (
    AnyConfig,
    EndpointConfig,
    LabelModelConfig,
    MultiConfig,
    PythonConfig,
    ScoreModelConfig,
    StringCheckConfig,
)
from graders.errors import ConfigError, Finding, Severity
from graders.formula import Formula, compile_formula
from graders.formula.parse import parse_program
from graders.formula.program import Program, is_number
from graders.lint.codes import say
from graders.lint.intervals import (
    ANY,
    Interval,
    Tried,
    crossed,
    linear,
    linear_reach,
    outside,
    reach,
    tries,
)

_UNIT: Final = Interval(0.0, 1.0)
_FUNCTIONS: Final = frozenset({"abs", "ceil", "exp", "floor", "log", "max", "min", "sqrt"})
_SHOWN: Final = 48
CROSSING_TRIED: Final = 256
"""Scores for which denominators are computed, to see whether one crosses 0."""
_JUMPS: Final = (StringCheckConfig, LabelModelConfig)
"""Whose scores are 0 or 1 and nothing between."""
_AT: Final = "calculate_output"
_FAULTS: Final[Mapping[str, tuple[str, str, str]]] = {
    "division_by_zero": (
        "divides-by-zero",
        "can divide by zero",
        "Keep the denominator from 0: add a constant, or take max(x, 0.1).",
    ),
    "domain": (
        "no-real-value",
        "can have no real value",
        "Keep what log and sqrt are given above 0: take max(x, 0.001).",
    ),
    "overflow": ("overflows", "can be too large for a float", "Keep exponents small."),
}


def declared_range(part: AnyConfig) -> Interval | None:
    """Where a grader's scores lie by what it is; None where nothing says."""
    match part:
        case ScoreModelConfig():
            return Interval(*part.range)
        case PythonConfig() | EndpointConfig():
            return None
        case MultiConfig():
            return formula_range(part)
        case _:
            return _UNIT


def formula_range(part: MultiConfig) -> Interval | None:
    """Where a multi's scores lie for certain; None where nothing says, or it does not parse."""
    try:
        program = parse_program(part.calculate_output, part.graders)
    except ConfigError:
        return None
    found = _reach(program, _ranges(part, ANY))
    return None if found == ANY else found


def check_formula(part: MultiConfig) -> Iterator[Finding]:
    """Findings about a multi's formula and members, with paths below the multi."""
    try:
        formula = compile_formula(part.calculate_output, part.graders)
    except ConfigError as error:
        yield from _names_for_keys(part, error)
        return
    program = parse_program(part.calculate_output, part.graders)
    yield from _members(part, formula)
    yield from _constant(part, program)
    yield from _dominated(part, program)
    yield from _cancelled(program)
    yield from _tried(part, formula, program)


def _names_for_keys(part: MultiConfig, error: ConfigError) -> Iterator[Finding]:
    """The formula's unknown name is a member's name, and its key is what counts."""
    for finding in error.findings:
        word = word_at(part.calculate_output, finding.position)
        keys = [key for key, member in part.graders.items() if member.name == word]
        if word and word not in part.graders and keys:
            message = f"{word!r} is a member's name, and the formula's variables are the keys"
            fix = f"Write {keys[0]}."
            yield say("name-for-key", _AT, message, fix, position=finding.position)


def word_at(text: str, position: int | None) -> str:
    """The name that begins at a position of a formula; "" if none does.

    Example:
        >>> word_at("0.5 * exact_match", 6)
        'exact_match'
    """
    end = start = position or 0
    while end < len(text) and (text[end].isalnum() or text[end] == "_"):
        end += 1
    return text[start:end]


def _members(part: MultiConfig, formula: Formula) -> Iterator[Finding]:
    for key, member in part.graders.items():
        path = f"graders.{key}" if key.isidentifier() else _AT
        if key not in formula.names:
            asks = isinstance(member, (ScoreModelConfig, LabelModelConfig))
            cost = "its model is asked for each row" if asks else "it is computed for each row"
            message = f"{key!r} is not in the formula, and {cost} all the same"
            fix = "Use it, or leave it out."
            yield say("unused-member", path, message, fix)
        if key in _FUNCTIONS:
            message = f"{key!r} is also a function of the formula"
            yield say("member-called-function", path, message, "Give it another key.")
    first: dict[str, str] = {}
    for key, member in part.graders.items():
        body = member.model_dump_json(exclude={"name", "pass_threshold"})
        same = first.setdefault(body, key)
        if same != key:
            path = f"graders.{key}" if key.isidentifier() else "graders"
            message = f"{key!r} computes the same as {same!r}"
            yield say("same-member", path, message, f"Use {same} twice in the formula.")


def _ranges(part: MultiConfig, unknown: Interval) -> dict[str, Interval]:
    return {key: declared_range(member) or unknown for key, member in part.graders.items()}


def _reach(program: Program, ranges: Mapping[str, Interval]) -> Interval:
    form = linear(program)
    return reach(program, ranges).result if form is None else linear_reach(form, ranges)


def _constant(part: MultiConfig, program: Program) -> Iterator[Finding]:
    result = _reach(program, _ranges(part, ANY))
    if result.is_point:
        message = f"is {_number(result.low)} for every row, whatever the members' scores"
        yield say("constant-formula", _AT, message, "Let the members count.")


def _dominated(part: MultiConfig, program: Program) -> Iterator[Finding]:
    """A min or max of which one side can never be the result."""
    reached, words = reach(program, _ranges(part, ANY)), _Words(program)
    for step, given in zip(program.steps, reached.operands, strict=True):
        left, right = words.take(step.operands), list(given)
        words.put(step.target, step.operation, left)
        if step.operation not in ("max", "min"):
            continue
        for lose, win in ((0, 1), (1, 0)):
            low, high = right[win], right[lose]
            never = low.low >= high.high if step.operation == "max" else low.high <= high.low
            if never or (left[lose] == left[win] and not left[win].endswith("...")):
                message = (
                    f"{step.operation}({left[0]}, {left[1]}) is always {left[win]}, for "
                    f"{left[lose]} is {_between(right[lose])} and {left[win]} "
                    f"{_between(right[win])}"
                )
                # A clamp that never clamps is a habit; a member that never counts, a mistake.
                grave: Severity | None = "note" if is_number(step.operands[lose]) else None
                fix = f"Write {left[win]} alone."
                yield say("dominated", _AT, message, fix, severity=grave)
                break


def _cancelled(program: Program) -> Iterator[Finding]:
    form = linear(program)
    zero = [name for name in program.names if form is not None and form[name] == 0]
    for name in zero:
        message = f"{name!r} counts with a coefficient of 0"
        yield say("zero-coefficient", _AT, message, "Leave it out, or give it a weight.")
    if form is None:
        words = _Words(program)
        for step in program.steps:
            given = words.take(step.operands)
            words.put(step.target, step.operation, given)
            numbers = [float(x) for x in step.operands if is_number(x)]
            if step.operation == "*" and 0.0 in numbers:
                message = f"{given[0]} * {given[1]} is always 0"
                yield say("zero-coefficient", _AT, message, "Leave it out, or give it a weight.")


def _tried(part: MultiConfig, formula: Formula, program: Program) -> Iterator[Finding]:
    """What scores within the members' ranges can do to the formula, with such scores."""
    ranges = _ranges(part, _UNIT)
    tried = [*tries(formula, _points(part, program, ranges))]
    faults = {t.reason: t for t in reversed(tried) if t.reason in _FAULTS}
    for reason, first in sorted(faults.items()):
        code, what, fix = _FAULTS[reason]
        yield say(code, _AT, f"{what}{_with(first)}", fix)
    if "division_by_zero" not in faults:
        yield from _crossing(part, program, [t.scores for t in tried[:CROSSING_TRIED]])
    valued = [(t.value, t) for t in tried if t.value is not None]
    if valued and program.names:
        yield from _leaving([ranges[name] for name in program.names], valued)


def _crossing(
    part: MultiConfig, program: Program, scores: Sequence[Mapping[str, float]]
) -> Iterator[Finding]:
    """A denominator that goes through 0 on its way from one score to another."""
    jump = any(isinstance(part.graders[name], _JUMPS) for name in program.names)
    if not jump and crossed(program, scores):
        _, what, fix = _FAULTS["division_by_zero"]
        message = f"{what}: its denominator is above 0 for some scores and below 0 for others"
        yield say("divides-by-zero", _AT, message, fix)


def _leaving(
    ranges: Sequence[Interval], valued: Sequence[tuple[float, Tried]]
) -> Iterator[Finding]:
    hull = Interval(min(r.low for r in ranges), max(r.high for r in ranges))
    # A judge's 1 to 5, brought to 0 to 1, has left its range and is as it should be.
    usual = Interval(min(hull.low, 0.0), max(hull.high, 1.0))
    for value, extreme in (min(valued, key=_value), max(valued, key=_value)):
        if outside(value, usual):
            message = f"can be {_number(value)}{_with(extreme)}, and the members' scores lie "
            fix = "Let weights add to 1, or clamp it: min(1, max(0, ...))."
            yield say("leaves-range", _AT, message + _between(hull), fix)


def _value(pair: tuple[float, Tried]) -> float:
    return pair[0]


def _points(
    part: MultiConfig, program: Program, ranges: Mapping[str, Interval]
) -> dict[str, list[float]]:
    """Values to try for each score: its ends first, then what the formula compares it with."""
    numbers = {float(x) for step in program.steps for x in step.operands if is_number(x)}
    marks = {0.0, *numbers, *(-x for x in numbers), *(1 - x for x in numbers)}
    points = {}
    for name in program.names:
        low, high = ranges[name]
        if isinstance(part.graders[name], _JUMPS):
            points[name] = [0.0, 1.0]
            continue
        inner = sorted(x for x in {*marks, (low + high) / 2} if low < x < high)
        points[name] = [low, high, *inner[:6]]
    return points


# --- words


class _Words:
    """The text of each step's operands, put together again from the steps."""

    def __init__(self, program: Program) -> None:
        self.texts = {f"v{i}": name for i, name in enumerate(program.names)}

    def take(self, operands: tuple[str, ...]) -> list[str]:
        return [self.texts.get(x) or _number(float(x)) for x in operands]

    def put(self, target: str, operation: str, given: list[str]) -> None:
        if operation == "negate":
            text = f"-{given[0]}"
        elif operation.isalpha():
            text = f"{operation}({', '.join(given)})"
        else:
            text = f"({given[0]} {operation} {given[1]})"
        self.texts[target] = text if len(text) <= _SHOWN else f"{text[: _SHOWN - 4]} ..."


def _with(tried: Tried) -> str:
    shown = [f"{name} = {_number(value)}" for name, value in [*tried.scores.items()][:6]]
    return f" (with {', '.join(shown)})"


def _between(interval: Interval) -> str:
    if interval == ANY:
        return "is anything"
    if interval.is_point:
        return f"at {_number(interval.low)}"
    return f"from {_number(interval.low)} to {_number(interval.high)}"


def _number(value: float) -> str:
    return f"{value:.6g}"
