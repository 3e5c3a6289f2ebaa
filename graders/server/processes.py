"""Processes beside the server for what may compute long, each ended when its time is over.

While the server computes it answers nobody, and a thread cannot be ended. So a function of ours
and its arguments are sent to a process, which sends back what the function gives.
"""

from __future__ import annotations

import asyncio
import os
import pickle
import sys
import traceback
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import BinaryIO, Final, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

_LENGTH_BYTES: Final = 8
_MEMORY_BYTES: Final = 4 << 30


class ProcessDiedError(Exception):
    """The process ended before its work did: it took too much memory, or somebody killed it."""


class RaisedError(Exception):
    """What was called raised something, which nothing sent there should do. Its text says where."""


class Processes:
    """A few processes, started when they are first needed.

    Args:
        seconds: After which a process is ended, with what it computes.
        most: How many at a time; who finds none free waits, and that time does not count.

    Attributes:
        idle: Those that wait for work.
    """

    def __init__(self, *, seconds: float, most: int) -> None:
        self.seconds = seconds
        self._free = asyncio.Semaphore(most)
        self.idle: list[Process] = []

    async def call(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """What a function gives, called in another process.

        Args:
            function: One of a module's own, by whose name it is found there.
            args: Its arguments.
            kwargs: Those by name.

        Raises:
            TimeoutError: It took longer than it may.
            ProcessDiedError: There is no answer, and never will be.
            RaisedError: The function raised something else than for want of memory.
        """
        work = pickle.dumps((function, args, kwargs))
        async with self._free:
            try:
                async with asyncio.timeout(self.seconds):
                    answer = await self._ask(work)
            except (asyncio.IncompleteReadError, ConnectionError):
                raise ProcessDiedError from None
        given: T | _Raised = pickle.loads(answer)  # noqa: S301 - our own
        if isinstance(given, _Raised):
            raise RaisedError(given.told)
        return given

    async def close(self) -> None:
        """End the processes; those at work end with their requests."""
        while self.idle:
            await _end(self.idle.pop())

    async def _ask(self, work: bytes) -> bytes:
        self.idle = [process for process in self.idle if process.returncode is None]
        process = self.idle.pop() if self.idle else await _start()
        try:
            assert process.stdin is not None, "a pipe"
            assert process.stdout is not None, "a pipe"
            process.stdin.write(len(work).to_bytes(_LENGTH_BYTES, "big") + work)
            length = await process.stdout.readexactly(_LENGTH_BYTES)
            answer = await process.stdout.readexactly(int.from_bytes(length, "big"))
        except BaseException:  # what is still to come is nobody's
            await asyncio.shield(_end(process))
            raise
        self.idle.append(process)
        return answer


async def _start() -> Process:
    # Isolated from its surroundings: the environment holds keys, and a folder may hold a
    # `metrics.py` of its own.
    code = f"import sys; sys.path[:] = {sys.path!r}; from {__name__} import work; work()"
    return await asyncio.create_subprocess_exec(
        sys.executable, "-I", "-c", code, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, env={}
    )


async def _end(process: Process) -> None:
    with suppress(ProcessLookupError):
        process.kill()
    await process.wait()


# --- in the other process


@dataclass(frozen=True, slots=True)
class _Raised:
    """What is sent in the place of an answer.

    Attributes:
        told: The traceback.
    """

    told: str


def work() -> None:
    """The main function of such a process: call what comes, until nothing more does."""
    _bound_memory()
    source, answers = _own(0, "rb"), _own(1, "wb")
    while piece := _read(source):
        try:
            answer = _answer(piece)
        except MemoryError:
            return
        answers.write(len(answer).to_bytes(_LENGTH_BYTES, "big") + answer)
        answers.flush()


def _own(descriptor: int, mode: str) -> BinaryIO:
    """A pipe that nobody else has: what a function reads or prints is none of ours."""
    own = os.fdopen(os.dup(descriptor), mode)
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, descriptor)
    os.close(nothing)
    return own  # type: ignore[return-value]


def _answer(piece: bytes) -> bytes:
    """What the function gives, or the traceback of what it raised, to be sent.

    Raises:
        MemoryError: There is not enough.
    """
    try:
        function, args, kwargs = pickle.loads(piece)  # noqa: S301 - our own
        return pickle.dumps(function(*args, **kwargs))
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001 - a bug, to be told there
        return pickle.dumps(_Raised(traceback.format_exc()))


def _bound_memory() -> None:
    with suppress(ImportError, ValueError, OSError):  # not on Windows, or there is a lower bound
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))


def _read(source: BinaryIO) -> bytes:
    length = source.read(_LENGTH_BYTES)
    return source.read(int.from_bytes(length, "big"))
