"""A file of training rows, read once: its problems, its tokens, and some of its rows to try.

Streams: memory holds one line, the rows that are kept to be tried, and a tally for each kind of
problem.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from graders.column_map import Columns, unsampled
from graders.errors import Finding, RowError
from graders.jobs.bounds import Kind, Target
from graders.jobs.messages import Problem, Size
from graders.jobs.rows import FORMATS
from graders.lines import decode_object, numbered, open_lines
from sandbox import JSON

TRIED: Final = 256
"""Rows that are kept, about evenly spread over the file; never more than twice as many."""

_LINES_SHOWN: Final = 5


@dataclass(slots=True)
class Tally:
    """How many rows have one kind of problem.

    Attributes:
        place: Where the first one is: `file:line:column`.
        problem: What it is there.
        rows: How many have it.
        lines: The first of them.
    """

    place: str
    problem: Problem
    rows: int = 0
    lines: list[int] = field(default_factory=list)

    def add(self, line: int) -> None:
        """Count a row."""
        self.rows += 1
        if len(self.lines) < _LINES_SHOWN:
            self.lines.append(line)

    def to_finding(self, of: int) -> Finding:
        """The first problem, and how many more there are.

        Args:
            of: Rows of the file.
        """
        said = self.problem.message
        if self.rows > 1:
            more = ", ..." if self.rows > len(self.lines) else ""
            lines = ", ".join(map(str, self.lines)) + more
            said += f" (in {self.rows:,} of {of:,} rows: lines {lines})"
        return Finding(
            code=self.problem.code,
            severity=self.problem.severity,
            path=self.place,
            message=said,
            fix=self.problem.fix,
        )


@dataclass(slots=True)
class Kept:
    """Rows evenly spread over a stream whose length nobody knows."""

    rows: list[tuple[int, dict[str, JSON]]] = field(default_factory=list)
    seen: int = 0
    stride: int = 1

    def add(self, line: int, row: dict[str, JSON]) -> None:
        """Keep a row where its turn is."""
        if self.seen % self.stride == 0:
            self.rows.append((line, row))
        self.seen += 1
        if len(self.rows) >= 2 * TRIED:
            del self.rows[1::2]
            self.stride *= 2

    def spread(self, most: int) -> list[tuple[int, dict[str, JSON]]]:
        """At most so many of them, evenly spread too.

        Example:
            >>> kept = Kept([(line, {}) for line in range(1, 8)])
            >>> [line for line, _ in kept.spread(3)], len(kept.spread(9)), kept.spread(0)
            ([1, 3, 5], 7, [])
        """
        count = min(most, len(self.rows))
        return [self.rows[i * len(self.rows) // count] for i in range(count)]


@dataclass(slots=True, kw_only=True)
class Dataset:
    """What a file of training rows holds.

    Attributes:
        name: What it is called.
        rows: Lines that are not blank.
        bad_rows: Those with an error.
        bytes: Of its lines, unpacked.
        tokens: About how many tokens the rows without an error are.
        media: Images and clips in them, which are in no estimate.
        longest: Tokens of the longest of them, and its line.
        tallies: Problems by code.
        kept: Rows without an error, to be tried.
    """

    name: str
    rows: int = 0
    bad_rows: int = 0
    bytes: int = 0
    tokens: int = 0
    media: int = 0
    longest: tuple[int, int] = (0, 0)
    tallies: dict[str, Tally] = field(default_factory=dict)
    kept: Kept = field(default_factory=Kept)

    @property
    def findings(self) -> Iterator[Finding]:
        """One for each kind of problem, in the order in which they were met."""
        return (tally.to_finding(self.rows) for tally in self.tallies.values())

    def tally(self, line: int, place: str, problems: Iterable[Problem]) -> bool:
        """Count a row's problems, each kind once; gives whether one of them is an error."""
        by_code: dict[str, Problem] = {}
        for problem in problems:
            by_code.setdefault(problem.code, problem)
        for code, problem in by_code.items():
            self.tallies.setdefault(code, Tally(place, problem)).add(line)
        bad = any(problem.severity == "error" for problem in by_code.values())
        self.bad_rows += bad
        return bad


def read_dataset(  # noqa: PLR0913 - all but three have their usual values
    path: Path | str,
    kind: Kind,
    target: Target,
    *,
    most_tokens: int | None = None,
    name: str | None = None,
    columns: Columns | None = None,
) -> Dataset:
    """Read and check a file of training rows.

    Args:
        path: A file, whose name says its form, or `-` for JSON Lines from standard input.
        kind: The method that trains on it.
        target: The service that is to have it.
        most_tokens: How long an example may be; None is not known.
        name: What the file is called; by default its path.
        columns: What columns are, where their names do not say it.

    Raises:
        OSError: It cannot be read to its end.
    """
    dataset = Dataset(name=str(path) if name is None else name)
    with open_lines(path) as lines:
        for number, line in numbered(lines):
            dataset.rows += 1
            dataset.bytes += len(line)
            place = f"{dataset.name}:{number}:1"
            try:
                row = unsampled(columns, place, decode_object(dataset.name, number, line))
                if not dataset.tally(number, place, FORMATS[kind].check(row, target)):
                    _measure(dataset, number, row, FORMATS[kind].size(row), most_tokens)
            except RowError as error:
                dataset.tally(number, error.place, [Problem("not-a-row", error.problem)])
            except RecursionError:
                dataset.tally(number, place, [Problem("not-a-row", "is nested too deeply")])
    return dataset


def _measure(
    dataset: Dataset, number: int, row: dict[str, JSON], size: Size, most: int | None
) -> None:
    if most is not None and size.tokens > most:
        said = f"is about {size.tokens:,} tokens long, and this model reads {most:,} of an example"
        fix = "The rest is cut off; shorten or split it."
        place = f"{dataset.name}:{number}:1"
        dataset.tally(number, place, [Problem("long-row", said, fix, "warning")])
    dataset.tokens += size.tokens if most is None else min(size.tokens, most)
    dataset.media += size.media
    dataset.longest = max(dataset.longest, (size.tokens, number))
    dataset.kept.add(number, row)
