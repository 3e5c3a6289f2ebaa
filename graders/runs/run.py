"""A run from its lines to its summary: streamed, in this process, or on workers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing
from dataclasses import dataclass, replace
from pathlib import Path

from graders.engine import RunStoppedError
from graders.errors import GradersError, RowError
from graders.grades import Boundary, Graded, Grader
from graders.joins import Joined
from graders.ledger import Ledger
from graders.report.summary import SAMPLES, Summary
from graders.row_files import Reader, read_lines
from graders.rows import Row
from graders.runs.crew import Crew, Hire, InOrder
from graders.runs.folder import Folder
from graders.runs.grading import Done, Grading, Progress, Work
from graders.runs.output import Sink
from graders.runs.parts import Parts
from graders.runs.shards import Shard, shards, skip, with_boundaries
from graders.runs.worker import Ended
from graders.runs.workers import Workers
from graders.studies.teach.observed import Observed

_ENDS = (GradersError, OSError, KeyboardInterrupt)
"""What ends a run early and is no bug."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended.

    Attributes:
        summary: Of all that is graded, in earlier sessions too.
        error: What ended it early; None at its end.
        as_asked: Whether it came to where its options say that it ends.
    """

    summary: Summary
    error: BaseException | None = None
    as_asked: bool = True


def run_streamed(
    grader: Grader, work: Work, out: Sink | None, ledger: Ledger | None, progress: Progress
) -> Outcome:
    """Grade rows in this process, and keep nothing for later.

    Args:
        grader: What judges.
        work: What to do with each row.
        out: Where result lines go as they come; None is nowhere.
        ledger: What the grader's client spends.
        progress: Called as rows are graded.
    """
    grading, summary = Grading(grader, work.options, ledger), Summary(observed=Observed(SAMPLES))
    rows: Iterator[Row | RowError | Boundary] = Reader(work.rows, work.shape).rows(_lines(work))
    keeper = _Straight(work, out, flush=grader.waits != "never")

    def count(done: Done) -> None:
        summary.merge(done.summary)

    error = _ended_by(grading.shards(rows, keeper, progress), count)
    summary.merge(grading.unfinished)
    return Outcome(summary, error)


def run_here(
    grader: Grader, work: Work, folder: Folder, ledger: Ledger | None, progress: Progress
) -> Outcome:
    """Grade the rows that a folder lacks in this process; arguments as in `run_streamed`."""
    grading = Grading(grader, work.options, ledger)
    work = replace(work, retry=folder.state.retrying)
    keeper = Parts(folder.parts, work, folder.fill)
    reader, lines = Reader(work.rows, work.shape), _lines(work)
    limit, at_end = work.options.limit, False

    def rows() -> Iterator[Row | RowError | Boundary]:
        nonlocal at_end
        reader.go_on(skip(lines, folder.state.joined, reader))
        found: Iterator[Row | RowError | Boundary] = reader.rows(lines)
        if limit is not None:
            found = _first(limit - folder.state.summary.samples, found)
        yield from keeper.missing(found)
        at_end = next(lines, None) is None

    def join(done: Done) -> None:
        folder.join(done.shard, done.summary)

    error = _ended_by(grading.shards(rows(), keeper, progress), join)
    keeper.close()
    if error is None and at_end and keeper.last in {None, folder.state.joined - 1}:
        return _completed(folder)
    as_asked = _as_asked(error, ledger, folder)
    # Of rows behind a slow one, it may have those of several shards: the parts say which.
    bad_lines = Summary.of_part()
    bad_lines.take_bad_lines(grading.unfinished)
    unjoined = {folder.state.joined: bad_lines}
    # Workers of an earlier session may have been further than where this one ends.
    ends = isinstance(error, (RunStoppedError, RowError)) and grader.waits == "never"
    last = folder.state.joined if ends else None
    return Outcome(folder.leave(unjoined, last=last, as_asked=as_asked), error, as_asked)


def run_on_workers(
    recipe: Callable[[], Grader], count: int, work: Work, folder: Folder, progress: Progress
) -> Outcome:
    """Grade the rows that a folder lacks on workers.

    Args:
        recipe: Makes the grader; pickled where a worker cannot be forked.
        count: How many workers.
        work: What to do with each row.
        folder: Where parts are, and what results are joined into.
        progress: Called as shards are graded.
    """

    def hire(work: Work, parts: Path) -> Crew:
        return Workers(count, work, recipe, parts)

    return run_by(hire, work, folder, progress)


def run_by(hire: Hire, work: Work, folder: Folder, progress: Progress) -> Outcome:
    """Grade the rows that a folder lacks by a crew; the other arguments as in `run_on_workers`."""
    work = replace(work, retry=folder.state.retrying)
    crew = hire(work, folder.parts)
    in_order = InOrder(crew)
    unjoined: dict[int, Summary] = {}
    ended: Ended | None = None
    error: BaseException | None = None
    try:
        for answer in in_order.grade(_shards(work, folder)):
            if isinstance(answer, Ended):
                ended, unjoined[answer.shard] = answer, answer.summary
                if answer.error is not None:
                    break
                continue
            folder.join(answer.shard, answer.summary)
            samples, failed = answer.summary.samples, answer.summary.failed
            progress((answer.shard + 1) * work.per_shard, samples, failed)
    except BrokenPipeError:
        raise  # nobody reads the report either
    except _ENDS as raised:
        error = raised
    finally:
        crew.stop()
    if error is None and ended is None:
        return _completed(folder)
    unjoined |= in_order.waiting()
    last = None
    if error is None and ended is not None and ended.error is not None:
        error, last = ended.error, ended.shard
    as_asked = _as_asked(error, None, folder)
    return Outcome(folder.leave(unjoined, last=last, as_asked=as_asked), error, as_asked)


def _completed(folder: Folder) -> Outcome:
    try:
        return Outcome(folder.complete())
    except OSError as error:
        return Outcome(folder.leave({}), error, as_asked=False)


def _first(
    left: int, rows: Iterator[Row | RowError | Boundary]
) -> Iterator[Row | RowError | Boundary]:
    """The rows up to a limit, which counts those that are known, too."""
    for row in rows if left > 0 else ():
        yield row
        if isinstance(row, Row):
            left -= 1
            if left == 0:
                return


def _lines(work: Work) -> Iterator[Joined | RowError | Boundary]:
    return with_boundaries(read_lines(work.rows, work.shape), work.per_shard)


def _shards(work: Work, folder: Folder) -> Iterator[Shard]:
    reader = Reader(work.rows, work.shape)
    for shard in shards(work.rows, work.shape, work.per_shard, reader):
        if shard.number >= folder.state.joined:
            folder.fill(shard.number)
            yield shard


def _ended_by(
    stream: AsyncGenerator[Done, None], take: Callable[[Done], None]
) -> BaseException | None:
    """Take what a stream yields; returns what ended it early."""

    async def consume() -> None:
        async with aclosing(stream):
            async for done in stream:
                take(done)

    try:
        asyncio.run(consume())
    except BrokenPipeError:
        raise  # nobody reads the report either
    except _ENDS as error:
        return error
    return None


def _as_asked(error: BaseException | None, ledger: Ledger | None, folder: Folder) -> bool:
    """Whether a run ends where its options say: at a limit, a failure or a bad line."""
    if folder.state.retrying or (ledger is not None and ledger.stopped):
        return False  # results of before would be lost behind it, or there is a budget to raise
    return error is None or isinstance(error, (RunStoppedError, RowError))


class _Straight:
    """Writes the lines of shards as they come."""

    def __init__(self, work: Work, out: Sink | None, *, flush: bool) -> None:
        self._work, self._out, self._flush = work, out, flush

    def write(self, graded: Graded) -> None:
        if self._out is None:
            return
        self._out.write(b"".join(self._work.lines(graded).results))
        if self._flush:  # the next row may take its time, and a reader goes on with this one
            self._out.flush()

    def finish(self, shard: int, summary: Summary) -> Summary:  # noqa: ARG002 - as in Keeper
        return summary
