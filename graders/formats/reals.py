"""Columns of whole numbers that became real ones, because values are missing in them.

pandas makes 5.0 of 5 in such a column, and writes it so; to a template they are two texts. Values
are read as they are: this is what there is to say about them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from graders.formats.forms import form_of
from graders.formats.saved import files_of, is_folder
from graders.terminal import shorten

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from pyarrow import DataType, RecordBatch

_SHOWN: Final = 80
_DIGITS: Final = 24


class Lacking(NamedTuple):
    """A column of real numbers of which all are whole, and some missing.

    Attributes:
        column: Its name.
        row: The first row without a value, from 1.
        example: A value of it.
    """

    column: str
    row: int
    example: float

    def __str__(self) -> str:
        number = shorten(f"{self.example:.0f}", _DIGITS)
        return (
            f"column {self.column!r:.{_SHOWN}} is of real numbers, all whole and some missing: "
            f"{number} is read as {self.example!r}, which is another text; "
            "write whole numbers (Int64 in pandas)"
        )


class Reals:
    """Looks at columns of real numbers as they go by, until one has a number that is not whole."""

    def __init__(self) -> None:
        self._columns: dict[str, _Column] = {}

    def take(
        self, name: str, values: NDArray[np.float64], there: NDArray[np.bool_] | None = None
    ) -> None:
        """Look at more of a column.

        Args:
            name: Of the column.
            values: Its values.
            there: Which of them are; None where NaN is what is missing. Of those that are, NaN is
                one that is not whole.

        Example:
            >>> import numpy
            >>> reals = Reals()
            >>> reals.take("n", numpy.array([5.0, float("nan")]))
            >>> reals.take("weight", numpy.array([0.5, float("nan")]))
            >>> reals.lacking()
            [Lacking(column='n', row=2, example=5.0)]
        """
        column = self._columns.setdefault(name, _Column())
        if column.is_whole:
            import numpy as np

            column.take(values, ~np.isnan(values) if there is None else there)

    def take_batch(self, batch: RecordBatch) -> bool:
        """Look at a batch of Arrow's; whether a column has only whole numbers yet."""
        columns = zip(batch.schema.names, batch.columns, strict=True)
        reals = {name: column for name, column in columns if _is_real(column.type)}
        for name, column in reals.items():
            if self._is_open(name):
                values = column.to_numpy(zero_copy_only=False).astype(float)
                self.take(name, values, column.is_valid().to_numpy(zero_copy_only=False))
        return any(map(self._is_open, reals))

    def _is_open(self, name: str) -> bool:
        return name not in self._columns or self._columns[name].is_whole

    def lacking(self) -> list[Lacking]:
        """What was found until now."""
        return [
            Lacking(name, column.lacks, column.example)
            for name, column in self._columns.items()
            if column.is_whole and column.lacks is not None and column.example is not None
        ]


class _Column:
    """What is known of a column."""

    __slots__ = ("example", "is_whole", "lacks", "rows")

    def __init__(self) -> None:
        self.rows, self.is_whole = 0, True
        self.lacks: int | None = None
        self.example: float | None = None

    def take(self, values: NDArray[np.float64], there: NDArray[np.bool_]) -> None:
        import numpy as np

        known = values[there]
        self.is_whole = bool((np.isfinite(known) & (known == np.trunc(known))).all())
        if self.lacks is None and len(known) < len(values):
            self.lacks = self.rows + int(there.argmin()) + 1
        if self.example is None and len(known):
            self.example = float(known[0])
        self.rows += len(values)


def lacking_in(path: Path | str) -> list[Lacking]:
    """Such columns of a file; of Parquet, no others are read. Whoever reads it finds its damage.

    Raises:
        FormatError: It cannot be read.
    """
    reals = Reals()
    if is_folder(path) or form_of(path).is_columnar:
        with suppress(OSError):
            for batch in _batches(path):
                if not reals.take_batch(batch):
                    break
    return reals.lacking()


def _batches(path: Path | str) -> Iterator[RecordBatch]:
    from graders.formats.arrow import open_batches

    for file in files_of(path)[1 if is_folder(path) else 0 :]:
        with open_batches(file, of=_is_real) as (_, batches):
            yield from batches


def _is_real(kind: DataType) -> bool:
    import pyarrow.types as is_

    return bool(is_.is_floating(kind))
