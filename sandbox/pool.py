"""A pool of sandboxes: rows in, outcomes out, as many at once as there are workers."""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import secrets
import threading
from collections import OrderedDict, deque
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

from sandbox.inside.nested import RUNNER
from sandbox.interpreter import Interpreter, interpreter
from sandbox.limits import Limits
from sandbox.types import Call, Outcome, Status
from sandbox.worker import BrokenSandboxError, Mother, RefusedError, Zygote

_SLOTS: Final = itertools.count()  # one for each worker of every pool in this process
_USERS: Final = 256  # numbers of users that a process takes for its rows
_MAX_MOTHERS: Final = 4
_ATTEMPTS: Final = 2
_NESTED_MEMORY: Final = 512 << 20


@dataclass(slots=True)
class _Run:
    """The calls of one `run` that still wait, and the outcomes so far."""

    calls: Sequence[Call]
    waiting: deque[int]
    outcomes: list[Outcome | None]
    cancelled: bool = False
    busy: set[Zygote] = field(default_factory=set)


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
        self._preload = preload
        self._interpreter: Interpreter = interpreter(python)
        self._lock = threading.Lock()
        self._mothers: OrderedDict[tuple[str, ...], Mother] = OrderedDict()
        self._idle: OrderedDict[int, Zygote] = OrderedDict()
        self._max_idle = idle
        self._threads = ThreadPoolExecutor(self.workers, thread_name_prefix="sandbox")
        self._slots = deque(itertools.islice(_SLOTS, self.workers))
        self._closed = False
        self._runs: list[_Run] = []

    async def run(self, calls: Sequence[Call]) -> list[Outcome]:
        """Run calls; an outcome each, in the same order. Never raises for what the code did."""
        run = _Run(calls, deque(range(len(calls))), [None] * len(calls))
        loop = asyncio.get_running_loop()
        self._runs.append(run)
        try:
            count = min(self.workers, -(-len(calls) // self.batch))
            if not self._closed:
                await asyncio.gather(
                    *(loop.run_in_executor(self._threads, self._work, run) for _ in range(count))
                )
        finally:
            self._stop(run)
            self._runs.remove(run)
        closed = Outcome(status=Status.BROKEN, error="the sandbox was closed during the run")
        return [outcome or closed for outcome in run.outcomes]

    def run_now(self, calls: Sequence[Call]) -> list[Outcome]:
        """The same, for callers without an event loop."""
        run = _Run(calls, deque(range(len(calls))), [None] * len(calls))
        count = min(self.workers, -(-len(calls) // self.batch))
        for future in [self._threads.submit(self._work, run) for _ in range(count)]:
            future.result()
        closed = Outcome(status=Status.BROKEN, error="the sandbox was closed during the run")
        return [outcome or closed for outcome in run.outcomes]

    async def aclose(self) -> None:
        """Stop what runs, and end every process."""
        await asyncio.to_thread(self.close)

    def close(self) -> None:
        """The same, for callers without an event loop."""
        self._closed = True
        for run in list(self._runs):
            self._stop(run)
        self._threads.shutdown()
        with self._lock:
            for zygote in self._idle.values():
                zygote.close()
            self._idle.clear()
            for mother in self._mothers.values():
                mother.close()
            self._mothers.clear()

    @staticmethod
    def _stop(run: _Run) -> None:
        run.cancelled = True
        for zygote in list(run.busy):
            zygote.abandon()

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
        attempts = 0
        problem: Exception | None
        while taken and not run.cancelled:
            was_warm = False
            try:
                zygote = self._zygote(run.calls[taken[0]].source, slot)
            except (BrokenSandboxError, OSError) as error:
                problem = error
            else:
                was_warm = zygote.has_served
                done, problem = self._run_in(zygote, run, taken, slot)
                attempts = 0 if done else attempts
                taken = taken[done:]
            if problem is None:
                continue
            # One that an earlier row left dying says nothing about this row.
            attempts += not was_warm
            if attempts >= _ATTEMPTS or isinstance(problem, RefusedError):
                run.outcomes[taken[0]] = Outcome(status=Status.BROKEN, error=str(problem))
                taken, attempts = taken[1:], 0

    def _run_in(
        self, zygote: Zygote, run: _Run, taken: list[int], slot: int
    ) -> tuple[int, Exception | None]:
        """Run calls in one child; returns how many have an outcome, and what broke."""
        if zygote.does_not_compile:
            for i in taken:
                run.outcomes[i] = zygote.does_not_compile
            zygote.close()
            return len(taken), None
        done = 0
        run.busy.add(zygote)
        if run.cancelled:  # between taking the call and here
            zygote.abandon()
        try:
            calls = [run.calls[i] for i in taken]
            answer = None
            if _asks_for_nested(zygote.source):
                answer = lambda request, left: self._answer(request, left, slot)  # noqa: E731
            for outcome in zygote.run(calls, self.limits.wall_seconds, answer):
                run.outcomes[taken[done]] = outcome
                done += 1
        except BrokenSandboxError as error:
            return done, error
        finally:
            run.busy.discard(zygote)
            self._give_back(zygote)
        return done, None

    def _zygote(self, source: str, slot: int, *, nested: bool = False) -> Zygote:
        with self._lock:
            if self._closed:
                raise BrokenSandboxError("the sandbox was closed during the run")
            for key in reversed(self._idle):
                if self._idle[key].source == source:
                    return self._idle.pop(key)
            mother = self._mother(source)
        try:
            plan = make_plan(self._interpreter, self.layers, self.limits, slot=slot)
            plan["nested"] = not nested and _asks_for_nested(source)
            return Zygote(mother, plan, source)
        except RefusedError:
            raise
        except BrokenSandboxError:
            self._forget(mother)
            raise

    def _give_back(self, zygote: Zygote) -> None:
        gone = []
        with self._lock:
            if zygote.usable and not self._closed:
                self._idle[id(zygote)] = zygote
                while len(self._idle) > self._max_idle:
                    gone.append(self._idle.popitem(last=False)[1])
            else:
                gone.append(zygote)
        for other in gone:
            other.close()

    def _mother(self, source: str) -> Mother:
        preload = self._preload
        names = preload.get(source, ()) if isinstance(preload, Mapping) else preload
        key = tuple(names)
        if key not in self._mothers:
            while len(self._mothers) >= _MAX_MOTHERS:
                self._mothers.popitem(last=False)[1].close()
            self._mothers[key] = Mother(self._interpreter, key)
        self._mothers.move_to_end(key)
        return self._mothers[key]

    def _forget(self, mother: Mother) -> None:
        """A mother that gives no zygote is ended; the next attempt has another."""
        with self._lock:
            for key, known in list(self._mothers.items()):
                if known is mother:
                    del self._mothers[key]
                    mother.close()

    def _answer(self, request: bytes, left: float, slot: int) -> bytes:
        """Run what a row asks to be run, in a zygote that knows nothing of the row."""
        try:
            code, stdin, timeout, memory = json.loads(request)
            call = Call(RUNNER, "run", [str(code), str(stdin), int(memory)])
            seconds = max(0.001, min(float(timeout), left))
            outcome = self._run_nested(call, seconds, slot)
        except BrokenSandboxError as error:
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

    def _run_nested(self, call: Call, seconds: float, slot: int) -> Outcome:
        while True:
            zygote = self._zygote(RUNNER, slot, nested=True)
            was_warm = zygote.has_served
            try:
                (outcome,) = zygote.run([call], seconds)
            except BrokenSandboxError:
                if not was_warm:  # as above: what an earlier row's code left says nothing
                    raise
            else:
                return outcome
            finally:
                self._give_back(zygote)


def make_plan(
    python: Interpreter, layers: Iterable[str], limits: Limits, *, slot: int = 0
) -> dict[str, Any]:
    """What a zygote is told: plain data, as `sandbox.inside.zygote` reads it."""
    return {
        "layers": sorted(layers),
        "limits": {name: getattr(limits, name) for name in Limits.__slots__},
        "readable": python.readable,
        "user": _first_user() + slot % _USERS if "user" in layers else None,
        "slot": slot,
        "nested": False,
    }


@cache
def _first_user() -> int:
    """The first of the users that rows become, where the host is root.

    Limits such as that of threads count by user, over all of the machine: another run's rows must
    be other users than ours. Where a container has few numbers they are above ordinary users and
    below nobody's 65,534, and shared.
    """
    first = (1 << 30) + secrets.randbelow(1 << 22) * _USERS
    for path in ("/proc/self/uid_map", "/proc/self/gid_map"):
        with open(path, encoding="ascii") as file:
            ranges = [tuple(map(int, line.split())) for line in file]
        if not any(start <= first and first + _USERS <= start + size for start, _, size in ranges):
            return 64_000
    return first


def _asks_for_nested(source: str) -> bool:
    return "run_code" in source
