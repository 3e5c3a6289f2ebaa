"""Shards: the pieces of a file that are graded, kept and counted as one.

Where a file is cut depends on its lines alone, never on who grades them, so that any number of
workers and any later session meet the same shards.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from itertools import count, islice
from pathlib import Path
from typing import Final, NamedTuple

from graders.errors import RowError
from graders.formats.forms import form_of
from graders.grades import Boundary
from graders.joins import Joined
from graders.lines import numbered, open_lines
from graders.row_files import Group, Reader, RowFormat, read_lines

_SHARDS: Final = 32
"""A small file has about so many, to be shared out among workers."""
_FEWEST_LINES, _MOST_LINES = 32, 4096
_MOST_BYTES: Final = 1 << 24
"""Of a shard, about: each worker has one in memory, and the next."""
_UNMEASURED: Final = 1024
"""Lines of a shard where the file's length is not known before it is read."""
_LOOKED_AT: Final = 1 << 16


@dataclass(frozen=True, slots=True)
class Block:
    """Lines of one file as they stand in it, which are far quicker to send than one by one.

    Attributes:
        first: The number of the first of them.
        data: All of them, blank ones too.
    """

    first: int
    data: bytes

    def __iter__(self) -> Iterator[Joined]:
        return (Joined(*line) for line in numbered(BytesIO(self.data), self.first))

    def __reversed__(self) -> Iterator[Joined]:
        lines = self.data.removesuffix(b"\n").split(b"\n")
        for number in range(self.first + len(lines) - 1, self.first - 1, -1):
            for line in numbered([lines[number - self.first]], number):
                yield Joined(*line)


@dataclass(frozen=True, slots=True)
class Shard:
    """Lines that stand together in the file.

    Attributes:
        number: Its place among the shards, from 0.
        lines: What was read, in order.
        group: The group that may go on at its beginning.
        whole: Whether all its lines are there; else reading broke off behind them.
    """

    number: int
    lines: Block | list[Joined | RowError]
    group: Group | None
    whole: bool = True


def lines_per_shard(rows: Path | str) -> int:
    """How many lines of a file make a shard, by its size and the length of its first lines."""
    path = Path(rows)
    if str(rows) == "-" or not form_of(rows).is_plain or not path.is_file():
        return _UNMEASURED
    with path.open("rb") as file:
        start = file.read(_LOOKED_AT)
    counted, length = max(start.count(b"\n"), 1), max(len(start), 1)
    shared = min(path.stat().st_size // _SHARDS, _MOST_BYTES) * counted // length
    return min(max(shared, _FEWEST_LINES), _MOST_LINES)


def with_boundaries(
    lines: Iterable[Joined | RowError], per_shard: int
) -> Iterator[Joined | RowError | Boundary]:
    """The same lines, with a boundary behind the last one of each shard."""
    last = per_shard
    for line in lines:
        while isinstance(line, Joined) and line.number > last:
            yield Boundary(last // per_shard - 1)
            last += per_shard
        yield line
    yield Boundary(last // per_shard - 1)


def shards(rows: Path | str, shape: RowFormat, per_shard: int, reader: Reader) -> Iterator[Shard]:
    """Cut the lines of a file into shards.

    Raises:
        Exception: What reading raised, after a shard of the lines before it.
    """
    joined = shape.outputs is not None
    cut = _lists(read_lines(rows, shape), per_shard) if joined else _blocks(rows, per_shard)
    group: Group | None = None
    for number, lines, whole in cut:
        yield Shard(number, lines, group, whole)
        group = reader.last_group(lines, group)


class _Cut(NamedTuple):
    number: int
    lines: Block | list[Joined | RowError]
    whole: bool


def _blocks(rows: Path | str, per_shard: int) -> Iterator[_Cut]:
    with open_lines(rows) as file:
        for number in count():
            held: list[bytes] = []
            block = partial(Block, number * per_shard + 1)
            try:
                for line in islice(file, per_shard):
                    held.append(line)  # noqa: PERF402 - so that it is kept whatever the next one is
            except Exception:
                if held:
                    yield _Cut(number, block(b"".join(held)), whole=False)
                raise
            if held:
                yield _Cut(number, block(b"".join(held)), whole=True)
            if len(held) < per_shard:
                return


def _lists(lines: Iterable[Joined | RowError], per_shard: int) -> Iterator[_Cut]:
    held: list[Joined | RowError] = []
    number = 0
    try:
        for line in with_boundaries(lines, per_shard):
            if isinstance(line, Boundary):
                yield _Cut(line.shard, held, whole=True)
                held, number = [], line.shard + 1
            else:
                held.append(line)
    except Exception:
        if held:
            yield _Cut(number, held, whole=False)
        raise


def skip(lines: Iterable[Joined | RowError | Boundary], count: int, reader: Reader) -> Group | None:
    """Read over the first `count` shards; returns the group that may go on behind them."""
    held: list[Joined | RowError] = []
    group: Group | None = None
    if not count:
        return None
    for line in lines:
        if isinstance(line, Boundary):
            group = reader.last_group(held, group)
            held = []
            if line.shard == count - 1:
                break
        else:
            held.append(line)
    return group
