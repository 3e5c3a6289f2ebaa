"""Work that goes on after the request that began it was answered."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine


class Background:
    """Tasks under way."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        return len(self._tasks)

    def start(
        self, work: Coroutine[None, None, None], at_the_end: Callable[[], None]
    ) -> asyncio.Task[None]:
        """Begin something.

        Args:
            work: What is to be done.
            at_the_end: Called when it has ended, also where it was cancelled before it began.
        """
        task = asyncio.create_task(work)
        self._tasks.add(task)

        def ended(task: asyncio.Task[None]) -> None:
            self._tasks.discard(task)
            at_the_end()

        task.add_done_callback(ended)
        return task

    async def close(self) -> None:
        """Cancel what is under way, and wait for its end."""
        while self._tasks:
            for task in self._tasks:
                task.cancel()
            await asyncio.wait(self._tasks)
            await asyncio.sleep(0)  # so that they are told
