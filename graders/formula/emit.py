"""A formula's program as two Python functions: for one row, and for a block of rows.

The source is written from `OPERATIONS` and our own words for operands; names of scores are in
none of it. CPython compiles it once, with no builtins but those listed here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from itertools import repeat
from typing import Any, Final, TypeAlias

from graders.formula.program import OPERATIONS, Program, Step, is_number

Scalar: TypeAlias = Callable[..., float]
Vector: TypeAlias = Callable[..., None]

_SCALAR_WORDS: Final[Mapping[str, object]] = {
    "Overflow": OverflowError,
    "abs": abs,
    "ceil": math.ceil,
    "exp": math.exp,
    "float": float,
    "floor": math.floor,
    "log": math.log,
    "pow": math.pow,
    "sqrt": math.sqrt,
}
_VECTOR_WORDS: Final[Mapping[str, object]] = {"list": list, "map": map, "repeat": repeat}


def emit_scalar(program: Program) -> Scalar:
    """Make the function for one row.

    It takes the scores of `program.names` in their order and returns the value, or raises
    `ArithmeticError` or `ValueError` where there is no finite one.
    """
    function: Scalar = _function(_scalar_lines(program), _SCALAR_WORDS)
    return function


def _scalar_lines(program: Program) -> Iterator[str]:
    scores = [f"v{i}" for i in range(len(program.names))]
    yield f"def formula({', '.join(scores)}):"
    for score in scores:
        # numpy's numbers would warn and go on where a float raises, and as float32 they round.
        yield f"{score} = float({score})"
    finite = set[str]()
    for step in program.steps:
        operation = OPERATIONS[step.operation]
        for operand in (step.operands[i] for i in operation.guarded):
            if not is_number(operand) and operand not in finite:
                yield _guard(operand)
                finite.add(operand)
        yield f"{step.target} = {operation.scalar.format(*step.operands)}"
        finite.discard(step.target)
        if operation.finite:
            finite.add(step.target)
    yield f"value = {program.result} + 0.0"
    yield _guard("value")
    yield "return value"


def _guard(operand: str) -> str:
    # x - x is 0.0 for every finite x and NaN for the rest, at a third of the cost of isfinite.
    return f"if {operand} - {operand} != 0.0: raise Overflow"


def emit_vector(program: Program) -> Vector:
    """Make the function for a block of rows.

    It takes the number of rows, the columns of `program.names`, and columns to work in: one
    for each register, and at least one. The first of these gets the values. Run it under
    `numpy.errstate(all="raise", under="ignore")`: it raises `ArithmeticError` or `ValueError`
    if there is a row without a finite value, and then the values mean nothing.
    """
    import numpy as np

    ufuncs = {op.ufunc: getattr(np, op.ufunc) for op in OPERATIONS.values() if op.ufunc}
    plain = {name: op.compute for name, op in OPERATIONS.items() if not op.ufunc}
    plain["pow"] = plain.pop("^")
    function: Vector = _function(_vector_lines(program), {**_VECTOR_WORDS, **ufuncs, **plain})
    return function


def _vector_lines(program: Program) -> Iterator[str]:
    scores = [f"v{i}" for i in range(len(program.names))]
    registers = [f"t{i}" for i in range(max(1, program.registers))]
    yield f"def formula(rows, {', '.join(scores + registers)}):"
    for step in program.steps:
        yield _vector_line(step)
    yield f"add({program.result}, 0.0, out=t0)"


def _vector_line(step: Step) -> str:
    operation = OPERATIONS[step.operation]
    if operation.ufunc:
        return f"{operation.ufunc}({', '.join(step.operands)}, out={step.target})"
    values = (f"repeat({x}, rows)" if is_number(x) else f"{x}.tolist()" for x in step.operands)
    function = operation.scalar.partition("(")[0]
    return f"{step.target}[:] = list(map({function}, {', '.join(values)}))"


def _function(lines: Iterator[str], words: Mapping[str, object]) -> Any:
    namespace = {"__builtins__": {}, **words}
    exec(compile("\n ".join(lines), "<formula>", "exec"), namespace)  # noqa: S102
    return namespace["formula"]
