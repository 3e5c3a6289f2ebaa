"""Whose turn it is: a batch of each run in turn, so that a long run keeps no other waiting."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final, Protocol

from sandbox import forks
from sandbox.types import Call, Outcome, Status

_CLOSED: Final = Outcome(status=Status.BROKEN, error="the sandbox was closed during the run")


class Busy(Protocol):
    """What works for a run, and can be made to stop from any thread."""

    def abandon(self) -> None: ...


@dataclass(slots=True, eq=False)
class Run:
    """The calls of one run, and the outcomes so far.

    Attributes:
        waiting: Indexes of the calls that no worker has taken.
        cancelled: Whether to stop; whoever works for it looks now and then.
        busy: What works for it, starting or started. Those of nested code come behind their row's,
            so that no row lives to value what was ended under it.
        over: Set once nothing of it will run any more; raises what a worker raised.
        workers: How many have calls of it.
        raised: The first thing that a worker raised.
    """

    calls: Sequence[Call]
    waiting: deque[int] = field(init=False)
    outcomes: list[Outcome | None] = field(init=False)
    cancelled: bool = False
    busy: dict[Busy, None] = field(default_factory=dict)
    over: Future[None] = field(default_factory=Future)
    workers: int = 0
    raised: BaseException | None = None

    def __post_init__(self) -> None:
        self.waiting = deque(range(len(self.calls)))
        self.outcomes = [None] * len(self.calls)
        self.over.set_running_or_notify_cancel()  # only we end it, whatever becomes of who waits

    @contextmanager
    def watched(self, busy: Busy) -> Iterator[None]:
        """While something works for the run, whoever stops the run stops it."""
        self.busy[busy] = None
        try:
            if self.cancelled:  # between the last look and here
                busy.abandon()
            yield
        finally:
            self.busy.pop(busy, None)

    def results(self) -> list[Outcome]:
        """An outcome for each call; of one that did not run, that the sandbox was closed."""
        return [outcome or _CLOSED for outcome in self.outcomes]

    def take(self, most: int) -> list[int]:
        """The next calls that may share a child: of one source, in order."""
        taken = [self.waiting.popleft()]
        source = self.calls[taken[0]].source
        while self.waiting and len(taken) < most and self.calls[self.waiting[0]].source == source:
            taken.append(self.waiting.popleft())
        return taken

    def settle(self) -> None:
        """End it if there is nothing more to come."""
        if self.workers or (self.waiting and not self.cancelled) or self.over.done():
            return
        if self.raised:
            self.over.set_exception(self.raised)
        else:
            self.over.set_result(None)


class Turns:
    """Workers that take a batch of each run in turn. Safe from any thread.

    Args:
        work: Gives the calls of a run at these indexes their outcomes.
        workers: Threads, and so batches at once.
        batch: The most calls to a batch.
    """

    def __init__(
        self, work: Callable[[Run, list[int]], None], *, workers: int, batch: int = 1
    ) -> None:
        self._work, self._most_workers, self._batch = work, workers, batch
        self._closed = False
        self._begin_anew()
        forks.tell(self)

    def _begin_anew(self) -> None:
        self._threads = ThreadPoolExecutor(self._most_workers, thread_name_prefix="sandbox")
        self._lock = threading.Lock()
        self._working = 0
        self._queue: deque[Run] = deque()  # each run with calls that wait, once
        self.runs: list[Run] = []

    def after_fork(self) -> None:
        """Forget, in a child of this process, the parent's runs; see `sandbox.forks`."""
        self._begin_anew()

    @contextmanager
    def running(self, calls: Sequence[Call]) -> Iterator[Run]:
        """A run under way; wait for its `over`. Whoever leaves before that stops it."""
        run = Run(calls)
        try:
            self._begin(run)
            yield run
        finally:
            if not run.over.done():
                self._stop(run)
            self.runs.remove(run)

    def close(self) -> None:
        """Stop every run, and take no other."""
        with self._lock:
            self._closed = True
        for run in list(self.runs):
            self._stop(run)

    def join(self) -> None:
        """Wait until no worker is busy, and end the threads."""
        self._threads.shutdown()

    def _begin(self, run: Run) -> None:
        with self._lock:
            self.runs.append(run)
            run.cancelled = self._closed
            run.settle()
            if run.over.done():
                return
            self._queue.append(run)
            batches = -(-len(run.calls) // self._batch)
            for _ in range(min(self._most_workers - self._working, batches)):
                self._threads.submit(self._take_turns)
                self._working += 1  # not if no thread could be had

    def _stop(self, run: Run) -> None:
        run.cancelled = True
        for busy in list(run.busy):
            busy.abandon()
        with self._lock:
            if run in self._queue:
                self._queue.remove(run)
            run.settle()

    def _take_turns(self) -> None:
        """What a worker does, until no call waits."""
        while turn := self._next():
            run, taken = turn
            try:
                self._work(run, taken)
            except BaseException as error:  # noqa: BLE001 - for whoever waits for this run
                run.raised = run.raised or error
                self._stop(run)
            with self._lock:
                run.workers -= 1
                run.settle()

    def _next(self) -> tuple[Run, list[int]] | None:
        with self._lock:
            if not self._queue:
                self._working -= 1
                return None
            run = self._queue.popleft()
            taken = run.take(self._batch)
            if run.waiting:
                self._queue.append(run)
            run.workers += 1
        return run, taken
