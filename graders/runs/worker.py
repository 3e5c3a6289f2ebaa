"""What a worker does: grade the shards it is sent, until nobody sends any more."""

from __future__ import annotations

import asyncio
import os
import pickle
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from multiprocessing import parent_process
from multiprocessing.connection import Connection, wait
from pathlib import Path
from traceback import format_exc
from typing import Final, NamedTuple, TypeVar

from graders.engine import reward_of, stopped
from graders.errors import Failure, FailureKind, GradersError, RowError
from graders.grades import Boundary, Grade, Graded, Grader
from graders.joins import Joined
from graders.report.summary import Summary
from graders.row_files import Reader
from graders.rows import Row
from graders.runs.grading import Done, Grading, Work
from graders.runs.parts import Parts
from graders.runs.shards import Shard

T = TypeVar("T")

_ONE_BY_ONE: Final = 1
"""Workers that died of a shard without a new row, from which on rows are graded one by one."""
_GIVEN_UP: Final = 3
"""The same, from which on the first missing row is a failure."""
HOPELESS: Final = 6
"""The same, from which on no further one is started."""
WORKER_DIED: Final = "worker_died"


class WorkersDiedError(GradersError):
    """Workers that die whatever they are given."""

    def __init__(self, count: int, shard: int) -> None:
        """So many died of a shard."""
        super().__init__(count, shard)
        self.count, self.shard = count, shard

    def __str__(self) -> str:
        return (
            f"{self.count} workers died one after the other before they graded a row of "
            f"shard {self.shard}; with --engine local --workers 1 the run says why"
        )


class Stalled(NamedTuple):
    """How often workers died of a shard without a new row, and how long its part was then."""

    size: int
    deaths: int

    def died(self, size: int) -> Stalled:
        """The same after one more has died.

        Args:
            size: Bytes of the part now.

        Example:
            >>> UNTRIED.died(0).died(0).died(0), UNTRIED.died(0).died(0).died(80)
            (Stalled(size=0, deaths=2), Stalled(size=80, deaths=0))
        """
        return Stalled(size, self.deaths + 1 if size == self.size else 0)


UNTRIED: Final = Stalled(-1, 0)


@dataclass(frozen=True, slots=True)
class Task:
    """A shard, and how many workers died of it one after the other without a new row."""

    shard: Shard
    stalled: int = 0


class Ended(NamedTuple):
    """A shard that is not graded to its end, and why; the run ends with it.

    Attributes:
        shard: Its number.
        summary: Of its lines that are no rows.
        error: Why; None where its lines break off.
    """

    shard: int
    summary: Summary
    error: BaseException | None


def work_on(connection: Connection, work: Work, recipe: Callable[[], Grader], parts: Path) -> None:
    """The main function of a worker."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the supervisor's to take
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    threading.Thread(target=_die_with_parent, name="parent", daemon=True).start()
    try:
        grader = recipe()
    except Exception as error:  # noqa: BLE001 - the supervisor raises it
        connection.send(sendable(error))
        return
    with asyncio.Runner() as runner:
        worker = ShardGrader(grader, work, parts)
        signal.signal(signal.SIGTERM, worker.stop)
        with suppress(EOFError, OSError):  # nobody sends any more, or waits for an answer
            while not worker.stopped:
                task = connection.recv()
                answer = runner.run(worker.grade(task))
                if not worker.stopped:
                    connection.send(answer)


def _die_with_parent() -> None:
    parent = parent_process()
    assert parent is not None, "a worker has one"
    wait([parent.sentinel])
    os._exit(1)


class ShardGrader:
    """Grades shards one by one.

    Attributes:
        stopped: Whether the run is being stopped; then a shard is left where it is.
    """

    def __init__(self, grader: Grader, work: Work, parts: Path) -> None:
        """Grade with these, into a folder of parts."""
        self.stopped = False
        self._grader, self._work, self._parts = grader, work, parts

    def stop(self, *_: object) -> None:
        """Come to the end after this batch."""
        self.stopped = True

    async def grade(self, task: Task) -> Done | Ended | BaseException:
        """Grade a shard; returns what ended it early, too."""
        work, shard = self._work, task.shard
        if task.stalled >= _ONE_BY_ONE:
            work = replace(work, options=replace(work.options, batch_size=1))
        grading, keeper = Grading(self._grader, work.options), Parts(self._parts, work)
        reader = Reader(work.rows, work.shape)
        rows = keeper.missing(self._unless_stopped(reader.rows(_lines(shard))))
        if task.stalled >= _GIVEN_UP:
            rows = _without_first(rows, grading, keeper, work)
        try:
            reader.go_on(shard.group)
            done = [done async for done in grading.shards(rows, keeper, lambda *_: None)]
        except (GradersError, OSError) as error:
            return Ended(shard.number, grading.unfinished, sendable(error))
        except BaseException as error:  # noqa: BLE001 - the supervisor raises it
            error.add_note(f"in a worker, at shard {shard.number}:\n{format_exc()}")
            return sendable(error)
        finally:
            keeper.close()
        return done[0] if done else Ended(shard.number, grading.unfinished, None)

    def _unless_stopped(self, things: Iterable[T]) -> Iterator[T]:
        for thing in things:
            if self.stopped:
                return
            yield thing


def _lines(shard: Shard) -> Iterator[Joined | RowError | Boundary]:
    yield from shard.lines
    if shard.whole:
        yield Boundary(shard.number)


def sendable(error: BaseException) -> BaseException:
    """An error that survives the way to the supervisor."""
    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301 - our own
    except Exception:  # noqa: BLE001 - whatever its class does
        return RuntimeError(f"{error!r}\n{format_exc()}")
    return error


def _without_first(
    rows: Iterator[Row | RowError | Boundary], grading: Grading, keeper: Parts, work: Work
) -> Iterator[Row | RowError | Boundary]:
    """The rows without the first one, which is a failure."""
    for row in rows:
        if isinstance(row, Row):
            graded = _died(row, work)
            keeper.write(graded)
            grading.unfinished.add(graded)
            if work.options.failures == "stop":
                raise stopped(row, graded.grades[0])
            break
        yield row
    yield from rows


def _died(row: Row, work: Work) -> Graded:
    message = "the process that graded it was killed several times: it may take too much memory"
    failure = Failure(kind=FailureKind.OTHER, reason=WORKER_DIED, message=message)
    grade = Grade(name="", failure=failure)
    return Graded([row], [grade], [reward_of(grade, work.options.failures)])
