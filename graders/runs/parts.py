"""Part files: the results of one shard, while it is graded and until they join the others.

A part holds blocks: two lengths, result lines, and the lines of their times; so one file can be
renamed whole, and joined without a look at its lines. A block without its end, which a killed
writer leaves, is dropped when the part is read again; every row before it need not be graded again.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterable, Iterator
from io import FileIO
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from graders.errors import RowError
from graders.grades import Boundary, Graded
from graders.report.summary import Summary
from graders.results import Lines, read_line
from graders.rows import Row
from graders.runs.grading import Work
from graders.runs.output import write_all
from graders.strict_json import NotJSONError, decode

Key = tuple[int, int]
"""A row and its sample index."""


class Pair(NamedTuple):
    """A result line and the line of its times, with their ends."""

    result: bytes
    times: bytes


class Place(msgspec.Struct, frozen=True):
    """As much of a line as says whose it is; a line of times has no failure."""

    row: int
    sample_index: int
    failure: Any = None  # JSON; msgspec cannot read a recursive alias

    @property
    def key(self) -> Key:
        """The row and its sample index."""
        return self.row, self.sample_index

    @property
    def failed(self) -> bool:
        """Whether the line says why there is no score."""
        return self.failure is not None


_decode = msgspec.json.Decoder(Place).decode
_HEADER: Final = re.compile(rb"(\d{1,15}) (\d{1,15})\n")


def place_of(line: bytes) -> Place:
    """Whose a line is.

    Raises:
        NotJSONError: It is damaged.
        msgspec.ValidationError: It is something else.
    """
    try:
        return _decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError):  # a lone surrogate, which ours can hold
        return msgspec.convert(decode(line), Place)


def blocks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The result lines and the lines of times of each block that is whole."""
    at = 0
    while header := _HEADER.match(data, at):
        middle = header.end() + int(header[1])
        at = middle + int(header[2])
        if at > len(data):
            return
        yield data[header.end() : middle], data[middle:at]


def to_block(results: bytes, times: bytes) -> bytes:
    r"""Lines as a block.

    Example:
        >>> list(blocks(to_block(b"result\n", b"times\n") + b"7 6\nres"))
        [(b'result\n', b'times\n')]
    """
    return b"%d %d\n%b%b" % (len(results), len(times), results, times)


def pairs(data: bytes) -> dict[Key, Pair]:
    """The rows of a part file, up to what is cut off or damaged."""
    found: dict[Key, Pair] = {}
    for results, times in blocks(data):
        lines = results.splitlines(keepends=True), times.splitlines(keepends=True)
        for pair in map(Pair, *lines):
            try:
                key = place_of(pair.result).key
                if place_of(pair.times).key != key:
                    return found
            except (NotJSONError, msgspec.ValidationError):
                return found
            found[key] = pair
    return found


def summary_of(kept: Iterable[Pair]) -> Summary:
    """What result lines and their times come to, in order."""
    listed, summary = list(kept), Summary.of_part()
    took = (msgspec.json.decode(times, type=_Took).seconds for _, times in listed)
    summary.add_lines([read_line(result) for result, _ in listed], took)
    return summary


class _Took(msgspec.Struct):
    seconds: float


class Part:
    """The part file of one shard.

    Attributes:
        known: Rows that need not be graded again.
    """

    def __init__(self, folder: Path, shard: int) -> None:
        """Name the files; nothing is read or made."""
        self._whole = folder / f"{shard:08}.part"
        self._open = folder / f"{shard:08}.partial"
        self._file: FileIO | None = None
        self.known: frozenset[Key] = frozenset()

    def begin(self, *, retry: bool) -> None:
        """Look what is known already, and go on behind it.

        Args:
            retry: Whether failed rows are to be graded again.
        """
        known = self.read()
        if retry:
            known = {key: pair for key, pair in known.items() if not place_of(pair.result).failed}
        self.known = frozenset(known)
        if known:
            _replace(self._open, known.values())
        self._whole.unlink(missing_ok=True)
        self._file = FileIO(self._open, "a" if known else "w")

    def read(self) -> dict[Key, Pair]:
        """Every row that is on disk."""
        for path in (self._open, self._whole):
            if path.exists():
                return pairs(path.read_bytes())
        return {}

    @property
    def is_whole(self) -> bool:
        """Whether all rows of the shard are in it."""
        return self._whole.exists()

    def ordered(self) -> list[Pair]:
        """The rows that are on disk, in their order."""
        return [pair for _, pair in sorted(self.read().items())]

    def columns(self) -> tuple[bytes, bytes]:
        """The results on disk and their times, in the order of the rows."""
        return _columns(blocks(self._whole.read_bytes()) if self.is_whole else self.ordered())

    @property
    def size(self) -> int:
        """Bytes on disk: it grows with every row."""
        found = [path.stat().st_size for path in (self._open, self._whole) if path.exists()]
        return sum(found)

    def write(self, lines: Lines) -> None:
        """Append rows; they are the kernel's when this returns, whatever becomes of us.

        Raises:
            OSError: They cannot be written; those before are there. Names the file.
        """
        assert self._file is not None, "begun"
        block = to_block(b"".join(lines.results), b"".join(lines.times))
        write_all(self._file, self._open, block)

    def finish(self) -> None:
        """Give the file the name of one that is whole, its rows in order."""
        self.close()
        if self.known:
            _replace(self._open, self.ordered())
        self._open.rename(self._whole)

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()

    def fill(self, kept: Iterable[Pair]) -> None:
        """Put rows into a part that is not begun."""
        _replace(self._open, kept)

    def remove(self) -> None:
        """Delete the files."""
        self._open.unlink(missing_ok=True)
        self._whole.unlink(missing_ok=True)


def _columns(both: Iterable[tuple[bytes, bytes]]) -> tuple[bytes, bytes]:
    listed = list(both)
    return b"".join([results for results, _ in listed]), b"".join([times for _, times in listed])


def _replace(path: Path, kept: Iterable[Pair]) -> None:
    beside = path.with_suffix(".new")
    results, times = _columns(kept)
    with FileIO(beside, "w") as file:
        write_all(file, beside, to_block(results, times))
    beside.replace(path)


class Parts:
    """The parts of the shards that one process grades.

    Attributes:
        last: The last shard that was read to its end.
    """

    def __init__(
        self, folder: Path, work: Work, fill: Callable[[int], object] = lambda _: None
    ) -> None:
        """Keep them in a folder.

        Args:
            folder: Where they are.
            work: What is done with each row.
            fill: Called before a shard is begun: what is known of it elsewhere comes into its part.
        """
        self._folder, self._work, self._fill = folder, work, fill
        self._parts: dict[int, Part] = {}
        self._closed, self._lock = False, threading.Lock()  # a thread may be reading rows
        self.last: int | None = None

    def missing(
        self, rows: Iterable[Row | RowError | Boundary]
    ) -> Iterator[Row | RowError | Boundary]:
        """The rows that are not known, and everything else; boundaries say how many they were."""
        count, known = 0, None
        for row in rows:
            if isinstance(row, Row):
                if known is None:  # the first of a shard, which ends with a boundary
                    known = self._of(row).known
                if not known or (row.row, row.sample_index) not in known:
                    count += 1
                    yield row
            elif isinstance(row, Boundary):
                self._part(row.shard)  # of no rows; begun in the order of the shards all the same
                self.last = row.shard
                yield Boundary(row.shard, count)
                count, known = 0, None
            else:
                yield row

    def write(self, graded: Graded) -> None:
        """Append graded rows, all of one shard, to its part."""
        self._of(graded.rows[0]).write(self._work.lines(graded))

    def _of(self, row: Row) -> Part:
        return self._part((row.row - 1) // self._work.per_shard)

    def finish(self, shard: int, summary: Summary) -> Summary:
        """Finish a shard; returns the summary of all its rows.

        Args:
            shard: Its number.
            summary: Of what was graded now, and of the lines that are no rows.
        """
        part = self._part(shard)
        part.finish()
        del self._parts[shard]
        return whole_summary(part, summary)

    def _part(self, shard: int) -> Part:
        with self._lock:
            part = self._parts.get(shard)
            if part is None:
                if self._closed:
                    raise RuntimeError(f"shard {shard} is begun after its run has ended")
                part = self._parts[shard] = self._begun(shard)
            return part

    def _begun(self, shard: int) -> Part:
        self._fill(shard)
        part = Part(self._folder, shard)
        # A failure that stops a run stops it again, as long as it is one.
        stops = self._work.options.failures == "stop"
        part.begin(retry=self._work.retry or stops)
        return part

    def close(self) -> None:
        """Close what is open; it stays as it is, and no other part is begun."""
        with self._lock:
            self._closed = True
            for part in self._parts.values():
                part.close()


def whole_summary(part: Part, summary: Summary) -> Summary:
    """The summary of a part whose rows were in part known before."""
    if not part.known:
        return summary
    whole = summary_of(part.ordered())
    whole.take_bad_lines(summary)
    return whole
