"""Grading inside a trainer's process: from any thread or event loop, in bounded time.

What grades is made at the first call, once in each process, and shared by all that have the same
config and options: copies, pickled ones, those of a file that a trainer loads again and again.
"""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, wait
from dataclasses import dataclass
from time import monotonic
from typing import Final, TypeVar, Unpack

from graders.clients import asked_for
from graders.config.parse import ConfigSource, Document
from graders.errors import MAX_MESSAGE, Failure, FailureKind
from graders.grades import Grade, Grader
from graders.rows import Row
from graders.trainers import process
from graders.trainers.recipe import Options, Recipe
from graders.trainers.slices import fields_read, slices

T = TypeVar("T")
_GRACE_SECONDS: Final = 1.0
"""After the deadline, for a loop that something else keeps busy."""
_OPENING_SECONDS: Final = 60.0
"""The least that a first call waits for what grades: to try the sandbox, to import libraries."""
_CLOSED: Final = Failure(
    kind=FailureKind.OTHER, reason="closed", message="the grading was closed meanwhile"
)


@dataclass(frozen=True, slots=True)
class Grading:
    """A grader that any process can use: made by `open_grading`. Thread-safe, picklable."""

    recipe: Recipe

    @property
    def name(self) -> str:
        """The grader's name."""
        return self.recipe.name

    def grade(self, rows: Sequence[Row | Failure]) -> list[Grade]:
        """Grade rows and wait for it; also where an event loop runs in this thread.

        Args:
            rows: What to grade. A `Failure` is a row that could not be read, and stays one.

        Returns:
            A grade for each, in order. What takes longer than the deadline, or breaks the grader,
            is a failure; nothing that a row does is raised.

        Raises:
            IsolationError: It cannot be opened: the machine does not isolate python graders.
            GradersError: It cannot be opened: judges cannot be asked.
        """
        live, done = process.here(), dict[int, Grade]()
        try:
            if live.opened(self.recipe) is None:
                _result(live.submit(live.grader(self.recipe)), self._opening_seconds)
            return _result(live.submit(self._graded(live, rows, done)), self._most_seconds)
        except _LateError:
            return self._told(rows, done, self._not_in_time(live))
        except process.ClosedError:
            return self._told(rows, done, _CLOSED)

    async def agrade(self, rows: Sequence[Row | Failure]) -> list[Grade]:
        """The same without blocking the running event loop, an asyncio one of any kind.

        Under trio, await `grade` in a thread.
        """
        live, done = process.here(), dict[int, Grade]()
        try:
            if live.opened(self.recipe) is None:
                await _awaited(live.submit(live.grader(self.recipe)), self._opening_seconds)
            return await _awaited(live.submit(self._graded(live, rows, done)), self._most_seconds)
        except _LateError:
            return self._told(rows, done, self._not_in_time(live))
        except process.ClosedError:
            return self._told(rows, done, _CLOSED)

    def close(self) -> None:
        """Close what this and its equals have open in this process; a later call opens it anew."""
        process.close(self.recipe)

    @property
    def _most_seconds(self) -> float:
        return self.recipe.deadline + _GRACE_SECONDS

    @property
    def _opening_seconds(self) -> float:
        return max(_OPENING_SECONDS, self.recipe.deadline)

    async def _graded(
        self, live: process.Process, rows: Sequence[Row | Failure], done: dict[int, Grade]
    ) -> list[Grade]:
        """Grades of rows; what is done is put into `done` at once, for who waits no longer."""
        grader = await live.grader(self.recipe)  # open already, unless it was closed meanwhile
        readable = {at: row for at, row in enumerate(rows) if isinstance(row, Row)}
        if readable:
            way = self._in_slices if grader.waits == "never" else self._all_at_once
            await way(grader, readable, done)
        return self._told(rows, done, self._late())

    async def _in_slices(
        self, grader: Grader, rows: Mapping[int, Row], done: dict[int, Grade]
    ) -> None:
        """Compute grades until the deadline. Nothing stops a slice; others go on between two."""
        until = monotonic() + self.recipe.deadline
        places, given = [*rows], [*rows.values()]
        for some in slices(given, fields_read(self.recipe.config)):
            if done:
                await asyncio.sleep(0)
            if monotonic() > until:
                return
            grades = await self._safely(grader, [given[at] for at in some])
            done.update(zip([places[at] for at in some], grades, strict=True))

    async def _all_at_once(
        self, grader: Grader, rows: Mapping[int, Row], done: dict[int, Grade]
    ) -> None:
        """Wait for grades until the deadline; what is not finished by then is cancelled.

        What a member computes meanwhile holds up the others, and may cost them their scores.
        """
        tasks = [
            asyncio.create_task(self._alone(grader, at, row, done)) for at, row in rows.items()
        ]
        try:
            finished, _ = await asyncio.wait(tasks, timeout=self.recipe.deadline)
        finally:
            for task in tasks:
                task.cancel()  # nothing to one that is done
        for task in finished:
            task.result()  # an error, where there is one

    async def _alone(self, grader: Grader, at: int, row: Row, done: dict[int, Grade]) -> None:
        asked_for.set(f"{row.row}:{row.sample_index}")
        (done[at],) = await self._safely(grader, [row])

    async def _safely(self, grader: Grader, rows: Sequence[Row]) -> Sequence[Grade]:
        """What a grader raises is broken, and no score either; a trainer is not to stop for it.

        So is what a user's client raises to end a process, or as if somebody had cancelled it.
        """
        try:
            return await grader.grade(rows)
        except (Exception, SystemExit, KeyboardInterrupt, asyncio.CancelledError) as error:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            said = "".join(traceback.format_exception(error))[-MAX_MESSAGE:]
            return self._told(rows, {}, _failure(f"the grader broke: {said}", "broken"))

    def _told(
        self, rows: Sequence[Row | Failure], done: Mapping[int, Grade], failure: Failure
    ) -> list[Grade]:
        """What is done, and of the rest why it is not: its own failure, or this one."""
        if len(done) == len(rows):
            return [done[at] for at in range(len(rows))]
        return [
            done.get(at) or Grade(name=self.name, failure=failure if isinstance(row, Row) else row)
            for at, row in enumerate(rows)
        ]

    def _not_in_time(self, live: process.Process) -> Failure:
        if live.opened(self.recipe) is not None:
            return self._late()
        message = f"what grades was not open after {self._opening_seconds:g} s"
        return _failure(message, "timeout")

    def _late(self) -> Failure:
        message = f"took longer than the deadline of {self.recipe.deadline:g} s"
        return _failure(message, "timeout")


def open_grading(config: ConfigSource | Document, **options: Unpack[Options]) -> Grading:
    """Check a config; what grades is opened at the first use, in each process that uses it.

    Args:
        config: A dict, a path, an SDK object; a file is read once, now.
        **options: See `Options`.

    Raises:
        ConfigError: The config or an option cannot be used.
        GradersError: Judges cannot be asked: a package or a key is missing.
        OSError: The file cannot be read.

    Example:
        >>> config = {"type": "string_check", "name": "exact", "operation": "eq",
        ...           "input": "{{ sample.output_text }}", "reference": "{{ item.answer }}"}
        >>> grading = open_grading(config)
        >>> from graders.rows import to_sample
        >>> row = Row(item={"answer": "4"}, sample=to_sample("4"))
        >>> grading.grade([row])[0].score
        1.0
        >>> grading.close()
    """
    return Grading(Recipe.of(config, options))


class _LateError(Exception):
    """It took too long. No TimeoutError, which a trainer's own alarm may raise while we wait."""


def _result(future: Future[T], seconds: float) -> T:
    """What comes of a future; who stops waiting, for whatever reason, stops the work."""
    try:
        wait([future], seconds)
        return _said(future)
    finally:
        future.cancel()


async def _awaited(work: Future[T], seconds: float) -> T:
    """The same, for the running event loop."""
    future = asyncio.wrap_future(work)
    try:
        await asyncio.wait([future], timeout=seconds)
        return _said(future)
    finally:
        future.cancel()


def _said(future: Future[T] | asyncio.Future[T]) -> T:
    if not future.done():
        raise _LateError
    if future.cancelled():  # whoever waits has not done that
        raise process.ClosedError(_CLOSED.message)
    return future.result()


def _failure(message: str, reason: str) -> Failure:
    return Failure(kind=FailureKind.OTHER, reason=reason, message=message)
