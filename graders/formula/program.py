"""What a parsed formula is: a list of steps, each one operation on one or two operands.

There is no syntax tree, so that neither a long formula nor a deep one costs stack: not here,
not in CPython's compiler, which gets one statement per step. An operand is a word of our own:
`v0`, `v1`, ... are scores, `t0`, `t1`, ... hold results of earlier steps, and anything else is
a number as Python writes it. Text of the user's is in none of them.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple


class Operation(NamedTuple):
    """One thing a step can do.

    Attributes:
        compute: What it does, plainly. Raises, or is not finite, where there is no value.
        scalar: The same as Python source, with `{0}` and `{1}` for the operands.
        ufunc: The numpy function that does the same to columns, bit for bit, or "" if there is
            none: numpy's own `exp`, `log` and `power` differ from `math` in the last bit.
        guarded: Operands through which an infinity or a NaN could vanish, as in `1 / inf`.
            Through the others it reaches the result and is found there.
        finite: Whether it raises where it has no finite value, so that what it returns, given
            guarded operands, needs no guard.
    """

    compute: Callable[..., float]
    scalar: str
    ufunc: str = ""
    guarded: tuple[int, ...] = ()
    finite: bool = False


# Which zero min and max return, and the sign of any zero, cannot be seen in a result: a zero
# denominator fails, 0 ^ -1 fails, and both forms end in `+ 0.0`, which makes -0.0 a 0.0.
OPERATIONS: Final[Mapping[str, Operation]] = {
    "+": Operation(operator.add, "{0} + {1}", "add"),
    "-": Operation(operator.sub, "{0} - {1}", "subtract"),
    "*": Operation(operator.mul, "{0} * {1}", "multiply"),
    "/": Operation(operator.truediv, "{0} / {1}", "divide", guarded=(1,)),
    # math.pow is never complex and never a giant int, as ** can be.
    "^": Operation(math.pow, "pow({0}, {1})", guarded=(0, 1), finite=True),
    "negate": Operation(operator.neg, "-{0}", "negative"),
    "abs": Operation(abs, "abs({0})", "absolute"),
    "ceil": Operation(math.ceil, "float(ceil({0}))", "ceil", finite=True),
    "exp": Operation(math.exp, "exp({0})", guarded=(0,), finite=True),
    "floor": Operation(math.floor, "float(floor({0}))", "floor", finite=True),
    "log": Operation(math.log, "log({0})"),
    "max": Operation(max, "{0} if {0} >= {1} else {1}", "maximum", guarded=(0, 1), finite=True),
    "min": Operation(min, "{0} if {0} <= {1} else {1}", "minimum", guarded=(0, 1), finite=True),
    "sqrt": Operation(math.sqrt, "sqrt({0})", "sqrt"),
}


class Step(NamedTuple):
    """`target` becomes `operation` of `operands`; `target` may be one of them."""

    operation: str
    target: str
    operands: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A parsed formula.

    Attributes:
        names: The scores it uses: `v0` is the first.
        steps: In order of computation. None for a formula that is one name or number.
        result: The operand that is the formula's value: `t0` if there are steps.
        registers: How many of `t0`, `t1`, ... the steps use.
    """

    names: tuple[str, ...]
    steps: tuple[Step, ...]
    result: str
    registers: int


def is_number(operand: str) -> bool:
    """Whether an operand is a number, rather than a score or a result.

    Example:
        >>> is_number("0.5"), is_number("v0"), is_number("t0")
        (True, False, False)
    """
    return operand[0] not in "vt"
