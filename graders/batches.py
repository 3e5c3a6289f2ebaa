"""Cutting a stream of rows into batches, and what is met between rows with them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from graders.errors import RowError
from graders.grades import Boundary
from graders.rows import Row


@dataclass(slots=True)
class Batch:
    """Rows to be graded together, and what was met between them.

    Attributes:
        rows: The rows.
        bad_lines: Lines that are no rows, each with the number of rows before it.
        boundary: What follows.
    """

    rows: list[Row] = field(default_factory=list)
    bad_lines: list[tuple[int, RowError]] = field(default_factory=list)
    boundary: Boundary | None = None


def batches(
    rows: Iterable[Row | RowError | Boundary], size: int, *, limit: int | None, strict: bool
) -> Iterator[Batch]:
    """Cut rows into batches; none goes over a boundary.

    Args:
        rows: Rows, errors of lines that are none, and boundaries.
        size: Rows and bad lines of a batch, at most.
        limit: Read no further than so many rows.
        strict: Whether a bad line ends them.

    Raises:
        RowError: A bad line, if `strict`; after a batch of what stands before it.
        Exception: What reading the rows raised, the same.
    """
    batch, room = Batch(), size
    left = -1 if limit is None else limit
    damage: Exception | None = None
    try:
        for row in rows:
            room -= 1
            if isinstance(row, Row):
                batch.rows.append(row)
                left -= 1
                if left == 0:
                    break
            elif isinstance(row, Boundary):
                batch.boundary, room = row, 0
            elif strict:
                damage = row
                break
            else:
                batch.bad_lines.append((len(batch.rows), row))
            if room == 0:
                yield batch
                batch, room = Batch(), size
    except Exception as error:  # noqa: BLE001 - raised again, after what stands before it
        damage = error
    if batch.rows or batch.bad_lines:
        yield batch
    if damage is not None:
        raise damage
