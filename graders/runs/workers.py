"""Grading on all cores: a supervisor, and processes that each grade one shard at a time.

A worker that is killed costs its shard's last unwritten rows and nothing else: another one goes
on with that shard. A row that kills its worker again and again becomes a failure.
"""

from __future__ import annotations

import os
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from time import monotonic
from typing import Final

from graders.grades import Grader
from graders.runs.crew import AHEAD
from graders.runs.grading import Done, Work
from graders.runs.parts import Part
from graders.runs.shards import Shard
from graders.runs.undisturbed import undisturbed
from graders.runs.worker import (
    HOPELESS,
    UNTRIED,
    Ended,
    Stalled,
    Task,
    WorkersDiedError,
    work_on,
)

_LEAVE_SECONDS: Final = 0.5
"""How long a worker may take to come to the end of a batch when the run is stopped."""


class Workers:
    """Processes that grade shards: a `Crew`."""

    def __init__(self, count: int, work: Work, recipe: Callable[[], Grader], parts: Path) -> None:
        """Prepare them; each is started when there is a shard for it.

        Args:
            count: How many.
            work: What to do with each row.
            recipe: Makes the grader, in the worker.
            parts: The folder of the parts.
        """
        self._count, self._work, self._recipe, self._parts = count, work, recipe, parts
        self._workers: list[_Worker] = []
        self._stalled: dict[int, Stalled] = {}

    def has_room(self, under_way: int) -> bool:
        return under_way < AHEAD * self._count and self._idle() is not None

    def send(self, shard: Shard) -> None:
        worker = self._idle()
        assert worker is not None, "there is room"
        worker.send(Task(shard))

    def _idle(self) -> _Worker | None:
        for worker in self._workers:
            if worker.task is None:
                return worker
        if len(self._workers) < self._count:
            return self._start()
        return None

    @undisturbed()
    def _start(self) -> _Worker:
        """Start one more; it is not known that it runs before this returns."""
        self._workers.append(self._started())
        return self._workers[-1]

    def _started(self) -> _Worker:
        # Forked, a worker has all modules at once; but other threads would not be in it, and a
        # lock that one of them holds would stay locked for ever.
        alone = threading.active_count() == 1 and hasattr(os, "fork")
        context = get_context("fork") if alone else get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(
            target=work_on, args=(theirs, self._work, self._recipe, self._parts), daemon=True
        )
        with warnings.catch_warnings():  # a library's idle threads (OpenBLAS) look after themselves
            warnings.simplefilter("ignore", DeprecationWarning)
            process.start()
        theirs.close()
        return _Worker(process, ours)

    def answers(self) -> Iterator[Done | Ended]:
        """What workers say of the shards that they are done with.

        Raises:
            WorkersDiedError: One after the other dies of a shard.
            Exception: A bug in a worker, with its traceback.
        """
        busy = {worker.connection: worker for worker in self._workers if worker.task is not None}
        for connection in wait(list(busy)):
            worker = busy[connection]  # type: ignore[index]
            try:
                answer = worker.connection.recv()
            except (EOFError, OSError):
                self._replace(worker)
                continue
            worker.task = None
            if isinstance(answer, BaseException):
                raise answer
            yield answer

    def _replace(self, dead: _Worker) -> None:
        """Start another for the shard of one that died."""
        assert dead.task is not None, "it was busy"
        dead.end()
        self._workers.remove(dead)
        shard = dead.task.shard
        size = Part(self._parts, shard.number).size
        before = self._stalled.get(shard.number, UNTRIED)
        stalled = self._stalled[shard.number] = before.died(size)
        if stalled.deaths > HOPELESS:
            raise WorkersDiedError(stalled.deaths + 1, shard.number)
        self._start().send(Task(shard, stalled.deaths))

    def stop(self) -> None:
        """Let each come to the end of its batch, and end it."""
        for worker in self._workers:
            worker.ask_to_stop()
        until = monotonic() + _LEAVE_SECONDS
        for worker in self._workers:
            if worker.task is not None:  # else there is nothing to come to the end of
                worker.process.join(max(until - monotonic(), 0.0))
            worker.end()
        self._workers.clear()


@dataclass(slots=True)
class _Worker:
    """A process, our end of the pipe to it, and what it has to do."""

    process: BaseProcess
    connection: Connection
    task: Task | None = None

    def send(self, task: Task) -> None:
        self.task = task
        with suppress(BrokenPipeError, ConnectionResetError):  # it is dead, as its end will say
            self.connection.send(task)

    def ask_to_stop(self) -> None:
        self.connection.close()
        with suppress(OSError, AttributeError):
            self.process.terminate()

    def end(self) -> None:
        """Make sure that it is gone."""
        self.connection.close()
        self.process.kill()
        self.process.join()
        self.process.close()
