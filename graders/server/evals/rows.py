"""The rows of a run: the lines of a file, read one at a time, and none longer than fits."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

import numpy as np

from graders.errors import RowError
from graders.joins import Joined
from graders.lines import numbered
from graders.row_files import Reader, RowFormat
from graders.rows import Row

_PIECE_BYTES: Final = 1 << 20
_NEWLINE: Final = 10


def longest_line(path: Path) -> int:
    """Bytes of a file's longest line, without its end."""
    longest, start, position = 0, 0, 0
    with path.open("rb") as file:
        while piece := file.read(_PIECE_BYTES):
            ends = np.flatnonzero(np.frombuffer(piece, np.uint8) == _NEWLINE) + position
            if ends.size:
                between = int(np.diff(ends).max(initial=1)) - 1
                longest = max(longest, int(ends[0]) - start, between)
                start = int(ends[-1]) + 1
            position += len(piece)
    return max(longest, position - start)


def read_rows(path: Path, name: str, most: int) -> Iterator[Row | RowError]:
    """Stream the rows of a file; a line that is none comes as its error.

    Args:
        path: Of the file.
        name: What it is called.
        most: Bytes of a line; a longer one is no row.
    """
    reader = Reader(name, RowFormat(sampled=False))
    with path.open("rb") as file:
        lines = numbered(_cut(file, most))
        yield from reader.rows(_joined(lines, name, most))


def _joined(
    lines: Iterator[tuple[int, bytes]], name: str, most: int
) -> Iterator[Joined | RowError]:
    for number, line in lines:
        if len(line) > most:
            problem = f"the line has more than the {most:,} bytes that a row may have here"
            yield RowError(f"{name}:{number}:1", problem)
        else:
            yield Joined(number, line)


def _cut(file: BinaryIO, most: int) -> Iterator[bytes]:
    """The lines of a file; of a long one, a little more than it may have."""
    while line := file.readline(most + 2):
        yield line.removesuffix(b"\n")
        while line and not line.endswith(b"\n"):
            line = file.readline(_PIECE_BYTES)
