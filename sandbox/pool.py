"""A pool of sandboxes: rows in, outcomes out, as many at once as there are workers."""

from __future__ import annotations

import asyncio
import json
import os
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Final

from sandbox import forks
from sandbox.inside.nested import RUNNER
from sandbox.interpreter import Interpreter, interpreter
from sandbox.limits import Limits
from sandbox.mother import BrokenSandboxError
from sandbox.plan import make_plan
from sandbox.turns import Run, Turns
from sandbox.types import Call, Outcome, Status
from sandbox.warm import Warm
from sandbox.zygote import CompilingEndedError, RefusedError, Zygote

_MOTHERS: Final = 4  # beside those that may be in use at once
_ATTEMPTS: Final = 2


class Pool:
    """Runs calls, each in a child of its own, behind the layers it is told to use.

    In a forked child of this process it has mothers and zygotes of its own, and the parent's stay
    as they are.

    Args:
        layers: Names of the layers to put on; `sandbox.doctor` says which hold here.
        limits: What a call may use.
        workers: Calls at once; the number of processors by default. More of them keep the
            processors busy while some sleep.
        python: The interpreter for the code; the one that runs this by default.
        preload: Modules to import once, before any code: a mapping by source, or for all.
        batch: Calls that share a child. More than 1 is faster, and lets a call see what the
            ones before it in its batch left behind.
        idle: Warm sandboxes to keep beside those that are busy; the least recently used go.
        hash_seed: PYTHONHASHSEED of the code.

    Raises:
        OSError: The interpreter does not run.
        ValueError: `idle` is less than 0, or `hash_seed` is none.
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
        hash_seed: int = 0,
    ) -> None:
        if idle < 0:
            raise ValueError(f"idle counts warm sandboxes and must be at least 0, got {idle}")
        self.layers = frozenset(layers)
        self.limits = limits or Limits()
        self.workers = workers or len(os.sched_getaffinity(0))
        self.batch = batch
        self._interpreter: Interpreter = replace(interpreter(python), hash_seed=hash_seed)
        self._warm = Warm(self._interpreter, preload, mothers=_MOTHERS + self.workers, idle=idle)
        self._turns = Turns(self._run_batch, workers=self.workers, batch=batch)
        self._begin_anew()
        forks.tell(self)

    def _begin_anew(self) -> None:
        self._lock = threading.Lock()
        self._loads = dict.fromkeys(range(self.workers), 0)  # sandboxes at work by slot

    def after_fork(self) -> None:
        """In a child of this process: nothing is at work; see `sandbox.forks`."""
        self._begin_anew()

    async def run(self, calls: Sequence[Call]) -> list[Outcome]:
        """Run calls; an outcome each, in the same order. Never raises for what the code did."""
        with self._turns.running(calls) as run:
            await asyncio.wrap_future(run.over)
        return run.results()

    def run_now(self, calls: Sequence[Call]) -> list[Outcome]:
        """The same, for callers without an event loop."""
        with self._turns.running(calls) as run:
            run.over.result()
        return run.results()

    async def aclose(self) -> None:
        """Stop what runs, and end every process."""
        await asyncio.to_thread(self.close)

    def close(self) -> None:
        """The same, for callers without an event loop."""
        self._turns.close()
        self._warm.close()  # mothers too that are still starting
        self._turns.join()

    def _run_batch(self, run: Run, taken: list[int]) -> None:
        """Give each call an outcome. What breaks is tried again in a new sandbox."""
        source, attempts = run.calls[taken[0]].source, 0
        while taken and not run.cancelled:
            with self._placed(source) as (warm, slot):
                problem: Exception | None = None
                done = 0
                if not warm and (verdict := self._warm.verdict(source)):
                    for i in taken:
                        run.outcomes[i] = verdict
                    return
                try:
                    zygote = warm or self._start(run, source, slot)
                except (BrokenSandboxError, OSError) as error:
                    problem = error
                else:
                    if zygote.verdict:
                        continue
                    done, problem = self._run_in(zygote, run, taken)
            # That a warm one breaks is no attempt: it may have died long ago.
            attempts = (0 if done else attempts) + (warm is None and problem is not None)
            taken = taken[done:]
            if problem and (attempts >= _ATTEMPTS or isinstance(problem, RefusedError)):
                ended = isinstance(problem, CompilingEndedError)
                status = Status.SIGNALED if ended else Status.BROKEN
                run.outcomes[taken[0]] = Outcome(status=status, error=str(problem))
                taken, attempts = taken[1:], 0

    @contextmanager
    def _placed(self, source: str) -> Iterator[tuple[Zygote | None, int]]:
        """A warm zygote if there is one, and its slot; else the slot for a new one.

        Of several it is the one beside which the least is at work.
        """
        with self._lock:
            zygote = self._warm.take(source, self._loads)
            slot = zygote.slot if zygote else min(self._loads, key=self._loads.__getitem__)
            self._loads[slot] = self._loads.pop(slot) + 1  # to the end: the next takes another
        try:
            yield zygote, slot
        finally:
            with self._lock:
                self._loads[slot] -= 1

    def _run_in(self, zygote: Zygote, run: Run, taken: list[int]) -> tuple[int, Exception | None]:
        """Run calls in one child; returns how many have an outcome, and what broke."""
        done = 0
        with run.watched(zygote):
            try:
                calls = [run.calls[i] for i in taken]
                nested = _asks_for_nested(zygote.source)
                answer = partial(self._answer, run) if nested else None
                for outcome in zygote.run(calls, self.limits.wall_seconds, answer):
                    run.outcomes[taken[done]] = outcome
                    done += 1
            except BrokenSandboxError as error:
                return done, error
            finally:
                self._warm.give_back(zygote)
        return done, None

    def _start(self, run: Run, source: str, slot: int, seconds: float | None = None) -> Zygote:
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
            with run.watched(zygote):
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

    def _answer(self, run: Run, request: bytes, left: float) -> bytes:
        """Run what a row asks to be run, in a zygote that knows nothing of the row."""
        try:
            code, stdin, timeout, memory = json.loads(request)
            seconds = max(0.001, min(float(timeout), left))
            call = Call(RUNNER, "run", [str(code), str(stdin), int(memory), int(seconds) + 1])
            outcome = self._run_nested(run, call, seconds)
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

    def _run_nested(self, run: Run, call: Call, seconds: float) -> Outcome:
        while True:
            with self._placed(RUNNER) as (warm, slot):
                zygote = warm or self._start(run, RUNNER, slot, seconds)
                with run.watched(zygote):
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


def _asks_for_nested(source: str) -> bool:
    return "run_code" in source
