"""Grading shards in one process: rows in, lines and summaries out."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import aclosing
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from graders.engine import RunOptions, grade_stream
from graders.errors import RowError
from graders.grades import Boundary, Graded, Grader
from graders.ledger import Ledger
from graders.report.summary import Summary
from graders.results import Lines, to_lines
from graders.row_files import RowFormat
from graders.rows import Row
from graders.runs.undisturbed import undisturbed

Progress = Callable[[int, int, int], object]
"""Called with the last line that is done, and how many samples and failures came with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What a run does with each row.

    Attributes:
        signature: The profile and the grader's signature, for every line.
        options: Policies.
        rows: The file of rows, as it was named.
        shape: How its lines become rows.
        per_shard: Lines of a shard.
        retry: Whether failed rows are graded again.
    """

    signature: str
    options: RunOptions
    rows: str
    shape: RowFormat
    per_shard: int
    retry: bool = False

    def lines(self, graded: Graded) -> Lines:
        """The result lines of graded rows."""
        return to_lines(graded, signature=self.signature, detail=self.options.detail)


class Keeper(Protocol):
    """Keeps the lines of shards."""

    def write(self, graded: Graded) -> None: ...

    def finish(self, shard: int, summary: Summary) -> Summary: ...


class Done(NamedTuple):
    """A shard whose rows are graded, and the summary of them all."""

    shard: int
    summary: Summary


class Grading:
    """Rows on their way through a grader.

    Attributes:
        unfinished: The summary of rows behind the last boundary, as far as they were graded now.
    """

    def __init__(self, grader: Grader, options: RunOptions, ledger: Ledger | None = None) -> None:
        """Grade with these."""
        self._grader, self._options, self._ledger = grader, options, ledger
        self.unfinished = Summary.of_part()
        self._gap = False

    async def shards(
        self,
        rows: Iterable[Row | RowError | Boundary],
        keeper: Keeper,
        progress: Progress,
    ) -> AsyncGenerator[Done, None]:
        """Grade rows and keep their lines; yields each shard when its boundary is reached.

        Raises:
            Exception: What `grade_stream` raises; what is graded by then is kept.
        """
        stream = grade_stream(
            self._grader,
            rows,
            self._options,
            bad_line=self._bad_line,
            ledger=self._ledger,
        )
        async with aclosing(stream):
            async for graded in stream:
                if graded.rows:
                    keeper.write(graded)
                    failed = self.unfinished.failed
                    self.unfinished.add(graded)
                    new = self.unfinished.failed - failed
                    progress(graded.rows[-1].row, len(graded.rows), new)
                if graded.boundary is not None and self._is_whole(graded.boundary):
                    shard = graded.boundary.shard
                    with undisturbed():  # while it is taken, too: a shard is in no two summaries
                        yield Done(shard, keeper.finish(shard, self.unfinished))
                        self.unfinished = Summary.of_part()

    def _bad_line(self, error: RowError) -> None:
        self.unfinished.bad_line(error)  # of today's summary, not of the first one

    def _is_whole(self, boundary: Boundary) -> bool:
        """Whether nothing is missing before a boundary, as when a run ends behind a slow row."""
        self._gap = self._gap or boundary.rows not in {None, self.unfinished.samples}
        return not self._gap
