"""Many pieces of work under way at once that wait for others; their results in order.

Reading has a daemon thread of its own: a pipe whose writer is slow holds up no result, no Ctrl-C,
and not the end of the event loop, which waits for every thread of `asyncio.to_thread`.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterable
from contextlib import suppress
from typing import Final, Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")
_TURNS: Final = 16
"""Of the event loop, that an answer is given to reach its row: through tasks, a few levels deep."""


async def in_order(
    things: Iterable[T],
    work: Callable[[T], Coroutine[None, None, R]],
    *,
    ahead: int,
    stopped: Callable[[], bool] = lambda: False,
) -> AsyncGenerator[list[tuple[T, R]], None]:
    """Yield things with what the work on them gave, in their order, as soon as it is there.

    When the run is cancelled, or an exception is thrown in (`athrow`), what is finished behind a
    slow thing is yielded too, before that comes out: it may have been paid for.

    Args:
        things: Read in a thread, and never more than `ahead` of what is handed on.
        work: Done on each thing; an exception ends the run.
        ahead: Things that are read and not handed on, at most.
        stopped: When true, no further thing is begun; those under way come to their end.

    Raises:
        Exception: What work raised, at once; or what reading raised, after all that was read.
    """
    news = asyncio.Event()
    window = _Window(work, news)
    reading = _Reading(things, ahead, news)
    try:
        while True:
            news.clear()
            reading.told = False
            over = reading.over or stopped()  # asked before what is read: no thing is missed
            while reading.read and not stopped():
                window.begin(reading.read.popleft())
            if ready := window.take():
                reading.let(len(ready))
                yield ready
            elif window.under_way or not over:
                await news.wait()
            else:
                break
        if not stopped():
            reading.check()
    except (asyncio.CancelledError, Exception):
        if finished := await window.finished():
            yield finished
        raise
    finally:
        reading.stop()
        await window.cancel()


class _Window(Generic[T, R]):
    """Things and the work on them, in their order."""

    def __init__(self, work: Callable[[T], Coroutine[None, None, R]], news: asyncio.Event) -> None:
        self.under_way: deque[tuple[T, asyncio.Task[R]]] = deque()
        self._work, self._news = work, news
        self._error: BaseException | None = None

    def begin(self, thing: T) -> None:
        """Start the work on one more."""
        task = asyncio.create_task(self._work(thing))
        self.under_way.append((thing, task))
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[R]) -> None:
        error = asyncio.CancelledError() if task.cancelled() else task.exception()
        self._error = self._error or error
        self._news.set()

    def take(self) -> list[tuple[T, R]]:
        """Take what is finished, as far as nothing before it is under way.

        Raises:
            BaseException: What work raised, wherever it stands.
        """
        if self._error is not None:
            raise self._error
        taken = []
        while self.under_way and _succeeded(self.under_way[0][1]):
            thing, task = self.under_way.popleft()
            taken.append((thing, task.result()))
        return taken

    async def finished(self) -> list[tuple[T, R]]:
        """All that is finished, also behind what is under way."""
        for _ in range(_TURNS):
            await asyncio.sleep(0)
        return [(thing, task.result()) for thing, task in self.under_way if _succeeded(task)]

    async def cancel(self) -> None:
        """Cancel what is under way, and wait until it is gone."""
        tasks = [task for _, task in self.under_way]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _succeeded(task: asyncio.Task[R]) -> bool:
    return task.done() and not task.cancelled() and task.exception() is None


class _Reading(Generic[T]):
    """Things read by a thread, as far ahead as it is let.

    Attributes:
        read: What was read and not taken yet.
        over: Whether everything was read.
        told: Whether there is news of it that was not looked at; said once, because waking the
            event loop costs more than reading a row.
    """

    def __init__(self, things: Iterable[T], ahead: int, news: asyncio.Event) -> None:
        self.read: deque[T] = deque()
        self.over = self.told = False
        self._error: Exception | None = None
        self._news, self._loop = news, asyncio.get_running_loop()
        self._room, self._stopped = threading.Semaphore(ahead), False
        threading.Thread(target=self._run, args=(things,), name="reading", daemon=True).start()

    def check(self) -> None:
        """Raise what ended the reading before its end."""
        if self._error is not None:
            raise self._error

    def let(self, count: int) -> None:
        """Let so many more be read."""
        self._room.release(count)

    def stop(self) -> None:
        """Read no further; a read that blocks is left to itself."""
        self._stopped = True
        self._room.release()

    def _run(self, things: Iterable[T]) -> None:
        try:
            unread = iter(things)
            while self._room.acquire() and not self._stopped:
                self.read.append(next(unread))
                self._tell()
        except StopIteration:
            pass
        except Exception as error:  # noqa: BLE001 - raised again, where the things are awaited
            self._error = error
        self.over = True
        self._tell()

    def _tell(self) -> None:
        if self.told:
            return
        self.told = True
        with suppress(RuntimeError):  # the loop is closed, and nobody waits
            self._loop.call_soon_threadsafe(self._news.set)
