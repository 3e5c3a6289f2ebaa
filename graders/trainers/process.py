"""What a process has open for its gradings: one event loop in a thread, sandboxes, graders.

It is made when it is first used, shared by all that grade in the process, and closed at its exit.
A forked child has nothing of it: it makes its own, and what its parent has open stays as it is.
"""

from __future__ import annotations

import asyncio
import atexit
import os
import selectors
import threading
from collections.abc import Coroutine, Sequence
from concurrent.futures import Future
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, TypeVar

from graders.clients import ModelClient
from graders.errors import GradersError
from graders.grades import Grader
from graders.trainers.recipe import Recipe
from sandbox import Level, Limits, open_sandbox

if TYPE_CHECKING:
    from sandbox.pool import Pool
    from sandbox.unsafe import Processes

T = TypeVar("T")
Preloads = dict[str, Sequence[str]]
"""Modules to import ahead, by source."""
_CLOSING_SECONDS: Final = 10.0


class ClosedError(GradersError):
    """What was to grade was closed by another thread."""


class Process:
    """The live part of every grading in one process. Its methods are safe from any thread."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._loop = asyncio.SelectorEventLoop(self._selector)
        self._graders: dict[str, tuple[Grader, ModelClient | None]] = {}
        self._boxes: dict[tuple[Level, Limits, int | None], Pool | Processes] = {}
        self._preload: Preloads = {}  # of all sources; sandboxes look when they start
        self._submitting, self._closed, self._ended = threading.Lock(), False, False
        self._thread = threading.Thread(target=self._run, name="graders", daemon=True)
        self._thread.start()

    def submit(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Run a coroutine in the loop's thread; cancelling the future cancels it.

        Raises:
            ClosedError: The loop was closed meanwhile.
        """
        with self._submitting:
            if not self._closed:
                return asyncio.run_coroutine_threadsafe(work, self._loop)
        work.close()
        raise ClosedError("the grading was closed meanwhile")

    async def grader(self, recipe: Recipe) -> Grader:
        """The grader of a recipe, opened if it is not; only in the loop's thread.

        Nothing is awaited, so that nobody opens one that another is opening.
        """
        if recipe.key not in self._graders:
            self._graders[recipe.key] = recipe.open(self._open_box)
        return self._graders[recipe.key][0]

    def opened(self, recipe: Recipe) -> Grader | None:
        """The grader of a recipe if it is open."""
        return self._graders.get(recipe.key, (None,))[0]

    async def forget(self, recipe: Recipe) -> bool:
        """Let go of a recipe's grader; says whether it was the last."""
        _, client = self._graders.pop(recipe.key, (None, None))
        if close := getattr(client, "aclose", None):
            await close()
        return not self._graders

    def close(self) -> None:
        """End what runs, and every process, connection and thread."""
        with self._submitting:
            if not self._closed:
                self._closed = True  # what was submitted before is a task when the end begins
                asyncio.run_coroutine_threadsafe(self._end(), self._loop)
        self._thread.join(_CLOSING_SECONDS)  # or it ends by itself, once what computes in it has

    def abandon(self) -> None:
        """In a forked child: leave the parent's loop alone, which shares its selector with it."""
        self._selector.close()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            while not self._ended:
                # What ends a process is raised through the loop, too; here it ends its task alone.
                with suppress(SystemExit, KeyboardInterrupt):
                    self._loop.run_forever()
        finally:
            self._loop.close()

    async def _end(self) -> None:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        for box in self._boxes.values():
            box.close()
        await self._loop.shutdown_asyncgens()  # connections hang on them
        await self._loop.shutdown_default_executor()
        self._ended = True
        self._loop.call_soon(self._loop.stop)  # after whoever waits for what is done was told

    def _open_box(
        self,
        level: Level,
        limits: Limits,
        workers: int | None,
        preload: Preloads,
    ) -> Pool | Processes:
        self._preload.update(preload)
        key = level, limits, workers
        if key not in self._boxes:
            self._boxes[key] = open_sandbox(
                level, limits=limits, workers=workers, preload=self._preload
            )
        return self._boxes[key]


_lock = threading.Lock()
_here: Process | None = None
_of_parents: Final[list[Process]] = []
"""Kept, because a loop that is collected would change the selector it shares with its owner."""


def here() -> Process:
    """This process' live part."""
    global _here  # noqa: PLW0603 - it is the one of the process
    with _lock:
        if _here is None:
            _here = Process()
        return _here


def close(recipe: Recipe) -> None:
    """Close what a recipe has open in this process, and all if nothing else is open."""
    with _lock:
        open_ = _here
    if open_ is None:
        return
    with suppress(ClosedError):
        if open_.submit(open_.forget(recipe)).result(_CLOSING_SECONDS):
            close_all(open_)


def close_all(only: Process | None = None) -> None:
    """Close all that is open in this process; a later use opens it anew.

    Args:
        only: Where another is open now, leave that.
    """
    global _here  # noqa: PLW0603 - it is the one of the process
    with _lock:
        open_ = _here
        if open_ is None or only not in {None, open_}:
            return
        _here = None
    open_.close()


def _after_fork() -> None:
    global _lock, _here  # noqa: PLW0603 - they are the parent's
    _lock = threading.Lock()
    if _here is not None:
        _here.abandon()
        _of_parents.append(_here)
        _here = None


# Sooner than atexit, which comes after the end of all threads: the sandbox' ones end with its rows.
getattr(threading, "_register_atexit", atexit.register)(close_all)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
