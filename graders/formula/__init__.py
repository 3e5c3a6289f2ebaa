"""`calculate_output`: arithmetic over sub-grader scores, and nothing else.

Grammar, loosest binding first:

    sum     = product (("+" | "-") product)*
    product = signed (("*" | "/") signed)*
    signed  = ("+" | "-")* power
    power   = atom ("^" signed)?
    atom    = NUMBER | NAME | FUNCTION "(" sum ("," sum)* ")" | "(" sum ")"

    NUMBER   = (DIGITS ("." DIGITS?)? | "." DIGITS) (("e" | "E") ("+" | "-")? DIGITS)?
    NAME     = (LETTER | "_") (LETTER | DIGIT | "_")*
    FUNCTION = "abs" | "ceil" | "exp" | "floor" | "log" | "max" | "min" | "sqrt"

So `-2^2` is -4, `2^3^2` is 512 and `2^-1` is 0.5. Letters and digits are ASCII; space, tab,
newline and carriage return separate. `log` is natural; `max` and `min` take one argument or
more, the others exactly one. A NAME is a score, and any score: one called `max` is the score,
unless "(" follows.

Every number is a float. A formula has a finite value for a row, or the row fails: no infinity,
NaN or complex number is let through even halfway, where `min` or a denominator could hide it.
One parse has two forms: calling a formula (one row) is the definition, and `Formula.columns`
(numpy, many rows) equals it bit for bit.

Why not Python's parser: there `^` is exclusive-or and binds looser than `+`, and everything
else it accepts (attributes, calls, strings, walruses) would have to be refused one by one.
Here nothing exists that is not in the grammar.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from graders.errors import Failure, GradingError
from graders.formula.emit import Scalar, Vector, emit_scalar, emit_vector
from graders.formula.faults import find_fault
from graders.formula.parse import MAX_LENGTH, MAX_NESTING, parse_program
from graders.formula.program import Program
from graders.formula.trace import Trace, trace

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

__all__ = ["MAX_LENGTH", "MAX_NESTING", "Formula", "Trace", "compile_formula"]


@dataclass(frozen=True)
class Formula:
    """A compiled formula. Made by `compile_formula`; pickles as its text.

    Attributes:
        text: The formula as written.
        names: The scores it uses, in order of first use.

    Example:
        >>> formula = compile_formula("0.5 * (a + max(b, 0.5))", ["a", "b", "c"])
        >>> formula
        Formula(text='0.5 * (a + max(b, 0.5))', names=('a', 'b'))
        >>> formula({"a": 1.0, "b": 0.25})
        0.75
    """

    text: str
    names: tuple[str, ...]
    _program: Program = field(repr=False, compare=False)
    _scalar: Scalar = field(repr=False, compare=False)

    def __call__(self, scores: Mapping[str, float]) -> float:
        """Compute the formula for one row.

        Args:
            scores: A number for each of `names`, or more.

        Raises:
            GradingError: There is no finite value. The reason is `division_by_zero`, `overflow`
                (a step is beyond the largest float), `domain` (as `log(0)` and `sqrt(-1)`), or
                `not_finite` (a score is infinite or NaN).

        Example:
            >>> compile_formula("a / b", ["a", "b"])({"a": 1.0, "b": 0.0})
            Traceback (most recent call last):
            graders.errors.GradingError: a / b: division by zero (with a = 1, b = 0)
        """
        try:
            return self._scalar(*[scores[name] for name in self.names])
        except (ArithmeticError, ValueError):
            failure = find_fault(self.text, self._program, scores)
        raise GradingError(failure.kind, failure.message, failure.reason)

    def each(
        self, columns: Mapping[str, Sequence[float]], rows: int
    ) -> tuple[Sequence[float | None], dict[int, Failure]]:
        """Compute the formula for a few hundred rows, which numpy would have to be loaded for.

        Args:
            columns: Numbers for each of `names`, or more.
            rows: How many there are.

        Returns:
            The value of each row, None where there is none, and what a call would raise, by row
            number.

        Example:
            >>> values, failures = compile_formula("1 / a", ["a"]).each({"a": [4.0, 0.0]}, 2)
            >>> values, failures[1].reason
            ([0.25, None], 'division_by_zero')
        """
        given = [columns[name] for name in self.names]
        try:
            if given:
                return list(map(self._scalar, *given)), {}
            return [self._scalar()] * rows, {}
        except (ArithmeticError, ValueError):  # of some row
            return self._each_alone(given, rows)

    def _each_alone(
        self, given: Sequence[Sequence[float]], rows: int
    ) -> tuple[Sequence[float | None], dict[int, Failure]]:
        values: list[float | None] = [None] * rows
        failures: dict[int, Failure] = {}
        for row in range(rows):
            scores = [column[row] for column in given]
            try:
                values[row] = self(dict(zip(self.names, scores, strict=True)))
            except GradingError as error:
                failures[row] = error.failure
        return values, failures

    def columns(
        self, columns: Mapping[str, ArrayLike]
    ) -> tuple[NDArray[np.float64], dict[int, Failure]]:
        """Compute the formula for many rows.

        Args:
            columns: Finite numbers for each of `names`, all of one length. Others are ignored,
                unless there are no `names`: then they say how many rows there are.

        Returns:
            The value of each row, bit for bit that of a call, and what a call would raise, by
            row number. Rows that fail have NaN for a value.

        Raises:
            ValueError: The columns differ in length, or hold a number that is not finite.

        Example:
            >>> values, failures = compile_formula("1 / a", ["a"]).columns({"a": [4, 0]})
            >>> values.tolist()
            [0.25, nan]
            >>> failures[1].message
            '1 / a: division by zero (with a = 0)'
        """
        from graders.formula.columns import compute_columns

        return compute_columns(self._program, self, self._vector, columns)

    def trace(self, scores: Mapping[str, float]) -> Trace:
        """How a call comes to its value, or how far it comes.

        Args:
            scores: A number for each of `names`, or more.

        Example:
            >>> compile_formula("0.5 * a / b", ["a", "b"]).trace({"a": 0.5, "b": 0})
            Trace(filled='0.5 * 0.5 / 0', steps=('0.5 * 0.5 = 0.25', '0.25 / 0: division by zero'))
        """
        return trace(self.text, self._program, scores)

    @cached_property
    def _vector(self) -> Vector:
        return emit_vector(self._program)

    def __reduce__(self) -> tuple[Callable[..., Formula], tuple[str, tuple[str, ...]]]:
        return compile_formula, (self.text, self.names)


def compile_formula(text: str, names: Iterable[str]) -> Formula:
    """Compile a formula that may use the scores called `names`.

    Raises:
        FormulaError: It is not in the grammar, uses a name that is neither a score nor a
            function, or passes a limit of length or nesting.

    Example:
        >>> compile_formula("0.5 * exakt", ["exact"])
        Traceback (most recent call last):
        graders.errors.FormulaError: calculate_output: unknown name 'exakt'. Did you mean 'exact'?
            0.5 * exakt
                  ^
    """
    program = parse_program(text, names)
    return Formula(text, program.names, program, emit_scalar(program))
