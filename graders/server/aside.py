"""Processes for what graders compute by themselves, when it may take long.

A metric over two long texts computes for seconds, and nothing else is answered meanwhile; nor can
a thread be ended. So what is more than a moment's work is done in a process beside the server,
which is ended when its time is over. What is small is done where it is.
"""

from __future__ import annotations

import asyncio
import pickle
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from typing import BinaryIO, Final

from graders.compile import compile_grader
from graders.config.graders import AnyConfig, StringCheckConfig, TextSimilarityConfig
from graders.errors import Failure, FailureKind
from graders.grades import Grade, Grader, Waits
from graders.profile import Profile
from graders.rows import Row
from graders.strict_json import encode

HERE_BYTES: Final = 32_768
"""What a row's templates may come to, to be graded in the server itself: some milliseconds."""
_CUBIC_BYTES: Final = 1_024
"""The same where a metric's time grows with the cube of a text."""
_LENGTH_BYTES: Final = 8
_MEMORY_BYTES: Final = 4 << 30


class Aside:
    """A few processes that grade, started when they are first needed.

    Args:
        profile: Settings that decide numbers.
        seconds: After which a process is ended, and what it graded has failed.
        processes: How many at a time.

    Attributes:
        idle: The processes that wait for work.
    """

    def __init__(self, profile: Profile, *, seconds: float, processes: int) -> None:
        self._profile, self.seconds = profile, seconds
        self._free = asyncio.Semaphore(processes)
        self.idle: list[Process] = []

    def take(self, config: AnyConfig, grader: Grader) -> Grader:
        """A grader that grades what may take long in another process."""
        assert isinstance(config, StringCheckConfig | TextSimilarityConfig), "others wait"
        slots = sum(text.count("{{") for _, text in config.templates())
        cubic = self._profile.metrics.fuzzy_match != "ratio"
        here = _CUBIC_BYTES if cubic else HERE_BYTES
        return _Taken(grader, config, self, most_bytes=here // max(slots, 1))

    async def grade(self, config: AnyConfig, rows: Sequence[Row]) -> Sequence[Grade]:
        """Grade rows in another process; all of them fail where it does not come to an end."""
        work = pickle.dumps((pickle.dumps((config, self._profile)), list(rows)))
        async with self._free:
            try:
                async with asyncio.timeout(self.seconds):
                    answer = await self._ask(work)
            except TimeoutError:
                problem = f"computing took longer than {self.seconds:g} s"
                failure = Failure(kind=FailureKind.OTHER, reason="timeout", message=problem)
            except (asyncio.IncompleteReadError, ConnectionError):
                problem = "the process that computed it died: it may take too much memory"
                failure = Failure(kind=FailureKind.OTHER, reason="worker_died", message=problem)
            else:
                grades: Sequence[Grade] = pickle.loads(answer)  # noqa: S301 - our own
                return grades
        return [Grade(name=config.name, failure=failure) for _ in rows]

    async def close(self) -> None:
        """End the processes; those at work end with their requests."""
        while self.idle:
            await _end(self.idle.pop())

    async def _ask(self, work: bytes) -> bytes:
        alive = [process for process in self.idle if process.returncode is None]
        process = alive.pop() if alive else await _start()
        self.idle = alive
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


@dataclass(frozen=True, slots=True)
class _Taken:
    """A grader that computes, with what may take long done in another process."""

    grader: Grader
    config: AnyConfig
    aside: Aside
    most_bytes: int = field(kw_only=True)

    @property
    def name(self) -> str:
        return self.grader.name

    @property
    def signature(self) -> str:
        return self.grader.signature

    @property
    def waits(self) -> Waits:
        return "batches"

    async def grade(self, rows: Sequence[Row]) -> Sequence[Grade]:
        if len(encode(list(rows))) <= self.most_bytes:
            return await self.grader.grade(rows)
        return await self.aside.grade(self.config, rows)


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


def work() -> None:
    """The main function of such a process: grade what comes, until nothing more does."""
    _bound_memory()
    source: BinaryIO = sys.stdin.buffer
    answers: BinaryIO = sys.stdout.buffer
    with asyncio.Runner() as runner:
        while piece := _read(source):
            recipe, rows = pickle.loads(piece)  # noqa: S301 - our own
            answer = pickle.dumps(list(runner.run(_grade(_compiled(recipe), rows))))
            answers.write(len(answer).to_bytes(_LENGTH_BYTES, "big") + answer)
            answers.flush()


def _bound_memory() -> None:
    with suppress(ImportError, ValueError, OSError):  # not on Windows, or there is a lower bound
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))


def _read(source: BinaryIO) -> bytes:
    length = source.read(_LENGTH_BYTES)
    return source.read(int.from_bytes(length, "big"))


@lru_cache(maxsize=32)
def _compiled(recipe: bytes) -> Grader:
    config, profile = pickle.loads(recipe)  # noqa: S301 - our own
    return compile_grader(config, profile=profile)


async def _grade(grader: Grader, rows: Sequence[Row]) -> Sequence[Grade]:
    return await grader.grade(rows)
