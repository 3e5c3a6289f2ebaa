"""A formula over numpy columns, block by block. Loaded on first use, and numpy with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from graders.errors import Failure, GradingError
from graders.formula.emit import Vector
from graders.formula.program import Program

Column: TypeAlias = NDArray[np.float64]

_BLOCKS: Final = (16_384, 1_024, 64)
"""Rows computed together: few enough that a formula's columns stay in a core's cache. A block in
which a row fails is split into blocks of the next size, and the last of these into rows."""


def compute_columns(
    program: Program,
    scalar: Callable[[Mapping[str, float]], float],
    vector: Vector,
    columns: Mapping[str, ArrayLike],
) -> tuple[Column, dict[int, Failure]]:
    """Compute a program for each row of the columns. See `Formula.columns`."""
    # A constant has no columns of its own; any will do to count the rows.
    given = {name: np.asarray(columns[name], np.float64) for name in program.names or columns}
    run = _Run(
        names=program.names,
        scores=[given[name] for name in program.names],
        values=np.empty(_rows(given)),
        spare=[np.empty(_BLOCKS[0]) for _ in range(1, program.registers)],
        failures={},
        scalar=scalar,
        vector=vector,
    )
    # Underflow is no failure: the scalar form rounds to zero too.
    with np.errstate(all="raise", under="ignore"):
        run.fill(range(len(run.values)), _BLOCKS)
    return run.values, run.failures


def _rows(columns: Mapping[str, Column]) -> int:
    shapes = {name: column.shape for name, column in columns.items()}
    if len(set(shapes.values())) != 1 or any(len(shape) != 1 for shape in shapes.values()):
        found = ", ".join(f"{name}: {shape}" for name, shape in shapes.items())
        raise ValueError(f"columns must be lists of one length, not {found or 'none'}")
    return next(iter(columns.values())).size


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    """One computation: what it reads, what it fills, and columns of a block's size to work in."""

    names: tuple[str, ...]
    scores: Sequence[Column]
    values: Column
    spare: Sequence[Column]
    failures: dict[int, Failure]
    scalar: Callable[[Mapping[str, float]], float]
    vector: Vector

    def fill(self, rows: range, sizes: Sequence[int]) -> None:
        size, *smaller = sizes
        for start in range(rows.start, rows.stop, size):
            block = range(start, min(start + size, rows.stop))
            if self.at_once(block):
                continue
            if smaller:
                self.fill(block, smaller)
            else:
                self.one_by_one(block)

    def at_once(self, rows: range) -> bool:
        """Compute these rows unless one of them fails."""
        block = slice(rows.start, rows.stop)
        scores = [column[block] for column in self.scores]
        for name, column in zip(self.names, scores, strict=True):
            if not np.isfinite(column).all():
                i = int(np.isfinite(column).argmin())
                raise ValueError(f"column {name!r}, row {rows[i]}: {column[i]} is not finite")
        try:
            spare = (column[: len(rows)] for column in self.spare)
            self.vector(len(rows), *scores, self.values[block], *spare)
        except (ArithmeticError, ValueError):
            return False
        return True

    def one_by_one(self, rows: range) -> None:
        block = slice(rows.start, rows.stop)
        columns = [column[block].tolist() for column in self.scores]
        for i, row in enumerate(rows):
            scores = {name: column[i] for name, column in zip(self.names, columns, strict=True)}
            try:
                self.values[row] = self.scalar(scores)
            except GradingError as error:
                self.values[row] = np.nan
                self.failures[row] = error.failure
