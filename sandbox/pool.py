"""A pool of sandboxes: rows in, outcomes out, as many at once as there are workers."""

from __future__ import annotations

import asyncio
import json
import os
import threading
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Final

from sandbox.inside.nested import RUNNER
from sandbox.interpreter import Interpreter, interpreter
from sandbox.limits import Limits
from sandbox.mother import BrokenSandboxError
from sandbox.plan import make_plan
from sandbox.types import Call, Outcome, Status
from sandbox.warm import Warm
from sandbox.zygote import CompilingEndedError, RefusedError, Zygote

_MOTHERS: Final = 4  # beside those that may be in use at once
_ATTEMPTS: Final = 2
_CLOSED: Final = Outcome(status=Status.BROKEN, error="the sandbox was closed during the run")


@dataclass(slots=True)
class _Run:
    """The calls of one `run` that still wait, and the outcomes so far."""

    calls: Sequence[Call]
    waiting: deque[int]
    outcomes: list[Outcome | None]
    cancelled: bool = False
    busy: set[Zygote] = field(default_factory=set)  # starting or busy, nested ones included

    def results(self) -> list[Outcome]:
        return [outcome or _CLOSED for outcome in self.outcomes]


class Pool:
    """Runs calls, each in a child of its own, behind the layers it is told to use.

    Args:
        layers: Names of the layers to put on; `sandbox.doctor` says which hold here.
        limits: What a call may use.
        workers: Calls at once; the number of processors by default.
        python: The interpreter for the code; the one that runs this by default.
        preload: Modules to import once, before any code: a mapping by source, or for all.
        batch: Calls that share a child. More than 1 is faster, and lets a call see what the
            ones before it in its batch left behind.
        idle: Warm sandboxes to keep; the least recently used go.

    Raises:
        OSError: The interpreter does not run.
    """

    def __init__(  # noqa: PLR0913 - each is a choice of its own
        self,
        *,
        layers: Iterable[str],
        limits: Limits | None = None,
        workers: int | None = None,
        python: str | None = None,
        preload: Mapping[str, Sequence[str]] | Sequence[str] = (),
        batch: int = 1,
        idle: int = 16,
    ) -> None:
        self.layers = frozenset(layers)
        self.limits = limits or Limits()
        self.workers = workers or len(os.sched_getaffinity(0))
        self.batch = batch
        self._interpreter: Interpreter = interpreter(python)
        self._warm = Warm(self._interpreter, preload, mothers=_MOTHERS + self.workers, idle=idle)
        self._lock = threading.Lock()
        self._threads = ThreadPoolExecutor(self.workers, thread_name_prefix="sandbox")
        self._slots = deque(range(self.workers))
        self._closed = False
        self._runs: list[_Run] = []

    async def run(self, calls: Sequence[Call]) -> list[Outcome]:
        """Run calls; an outcome each, in the same order. Never raises for what the code did."""
        with self._running(calls) as (run, futures):
            await asyncio.gather(*map(asyncio.wrap_future, futures))
        return run.results()

    def run_now(self, calls: Sequence[Call]) -> list[Outcome]:
        """The same, for callers without an event loop."""
        with self._running(calls) as (run, futures):
            for future in futures:
                future.result()
        return run.results()

    async def aclose(self) -> None:
        """Stop what runs, and end every process."""
        await asyncio.to_thread(self.close)

    def close(self) -> None:
        """The same, for callers without an event loop."""
        with self._lock:
            self._closed = True
        for run in list(self._runs):
            _stop(run)
        self._warm.close()  # mothers too that are still starting
        self._threads.shutdown()

    @contextmanager
    def _running(self, calls: Sequence[Call]) -> Iterator[tuple[_Run, list[Future[None]]]]:
        """A run and its workers' work; whoever leaves early stops it."""
        run = _Run(calls, deque(range(len(calls))), [None] * len(calls))
        workers = min(self.workers, -(-len(calls) // self.batch))
        with self._lock:
            if self._closed:
                workers = 0
            self._runs.append(run)
            futures = [self._threads.submit(self._work, run) for _ in range(workers)]
        try:
            yield run, futures
        finally:
            _stop(run)
            self._runs.remove(run)

    def _work(self, run: _Run) -> None:
        """One worker's share of a run: take calls until none waits."""
        slot = self._slots.popleft()
        try:
            while not run.cancelled:
                taken = self._take(run)
                if not taken:
                    return
                self._run_batch(run, taken, slot)
        finally:
            self._slots.append(slot)

    def _take(self, run: _Run) -> list[int]:
        """The next calls that may share a child: of one source, in order."""
        taken: list[int] = []
        with self._lock:
            while run.waiting and len(taken) < self.batch:
                if taken and run.calls[run.waiting[0]].source != run.calls[taken[0]].source:
                    break
                taken.append(run.waiting.popleft())
        return taken

    def _run_batch(self, run: _Run, taken: list[int], slot: int) -> None:
        """Give each call an outcome. What breaks is tried again in a new sandbox."""
        attempts = 0
        while taken and not run.cancelled:
            source, done = run.calls[taken[0]].source, 0
            problem: Exception | None = None
            if verdict := self._warm.verdict(source):
                for i in taken:
                    run.outcomes[i] = verdict
                return
            zygote = self._warm.take(source, slot)
            new = zygote is None
            try:
                zygote = zygote or self._start(run, source, slot)
            except (BrokenSandboxError, OSError) as error:
                problem = error
            else:
                if zygote.verdict:
                    continue
                done, problem = self._run_in(zygote, run, taken, slot)
            # That a warm one breaks is no attempt: it may have died long ago.
            attempts = (0 if done else attempts) + (new and problem is not None)
            taken = taken[done:]
            if problem and (attempts >= _ATTEMPTS or isinstance(problem, RefusedError)):
                ended = isinstance(problem, CompilingEndedError)
                status = Status.SIGNALED if ended else Status.BROKEN
                run.outcomes[taken[0]] = Outcome(status=status, error=str(problem))
                taken, attempts = taken[1:], 0

    def _run_in(
        self, zygote: Zygote, run: _Run, taken: list[int], slot: int
    ) -> tuple[int, Exception | None]:
        """Run calls in one child; returns how many have an outcome, and what broke."""
        done = 0
        with self._watched(zygote, run):
            try:
                calls = [run.calls[i] for i in taken]
                answer = None
                if _asks_for_nested(zygote.source):
                    answer = lambda request, left: self._answer(run, request, left, slot)  # noqa: E731
                for outcome in zygote.run(calls, self.limits.wall_seconds, answer):
                    run.outcomes[taken[done]] = outcome
                    done += 1
            except BrokenSandboxError as error:
                return done, error
            finally:
                self._warm.give_back(zygote)
        return done, None

    @staticmethod
    @contextmanager
    def _watched(zygote: Zygote, run: _Run) -> Iterator[None]:
        """While a zygote works for a run, whoever stops the run stops it."""
        run.busy.add(zygote)
        try:
            if run.cancelled:  # between the last look and here
                zygote.abandon()
            yield
        finally:
            run.busy.discard(zygote)

    def _start(self, run: _Run, source: str, slot: int, seconds: float | None = None) -> Zygote:
        """A new zygote; without `seconds` for one that a row asks for.

        Raises:
            BrokenSandboxError: It does not come up.
            OSError: This process lacks descriptors, memory or processes.
        """
        nested = seconds is not None
        limits = nested_limits(self.limits) if nested else self.limits
        plan = make_plan(self._interpreter, self.layers, limits, slot=slot, runner=nested)
        plan["nested"] = not nested and _asks_for_nested(source)
        mother = self._warm.mother(source)
        try:
            mother.wait()
            zygote = Zygote(mother, plan, source)
            with self._watched(zygote, run):
                zygote.start(self.limits.wall_seconds if seconds is None else seconds)
        except (RefusedError, CompilingEndedError):
            raise
        except BrokenSandboxError:
            self._warm.forget(mother)
            raise
        if zygote.verdict:
            zygote.close()
            self._warm.remember(source, zygote.verdict)
        return zygote

    def _answer(self, run: _Run, request: bytes, left: float, slot: int) -> bytes:
        """Run what a row asks to be run, in a zygote that knows nothing of the row."""
        try:
            code, stdin, timeout, memory = json.loads(request)
            seconds = max(0.001, min(float(timeout), left))
            call = Call(RUNNER, "run", [str(code), str(stdin), int(memory), int(seconds) + 1])
            outcome = self._run_nested(run, call, seconds, slot)
        except (BrokenSandboxError, OSError) as error:
            outcome = Outcome(status=Status.BROKEN, error=str(error))
        except (ValueError, TypeError, RecursionError, OverflowError) as error:
            outcome = Outcome(status=Status.RAISED, error=f"not a request: {error}")
        reply = {
            "status": outcome.status,
            "stdout": outcome.stdout,
            "stderr": outcome.stderr + outcome.error,
            "value": outcome.value,
        }
        return json.dumps(reply).encode()

    def _run_nested(self, run: _Run, call: Call, seconds: float, slot: int) -> Outcome:
        while True:
            warm = self._warm.take(RUNNER, slot)
            zygote = warm or self._start(run, RUNNER, slot, seconds)
            with self._watched(zygote, run):
                try:
                    (outcome,) = zygote.run([call], seconds)
                except BrokenSandboxError:
                    if not warm:  # one that an earlier row's code left dying says nothing
                        raise
                else:
                    return outcome
                finally:
                    self._warm.give_back(zygote)


def nested_limits(limits: Limits) -> Limits:
    """What nested code may use: one processor, a small disk; time and memory are set by call."""
    return replace(limits, cores=1, disk_bytes=min(limits.disk_bytes, 64 << 20))


def _stop(run: _Run) -> None:
    run.cancelled = True
    for zygote in list(run.busy):
        zygote.abandon()


def _asks_for_nested(source: str) -> bool:
    return "run_code" in source
