"""Whoever grades shards for a run: the processes of one machine, or the tasks of a cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, Protocol

from graders.report.summary import Summary
from graders.runs.grading import Done, Work
from graders.runs.shards import Shard
from graders.runs.worker import Ended

AHEAD: Final = 2
"""Shards for each of a crew that may be graded before those in front of them are."""


class Crew(Protocol):
    """Takes shards, and answers with the summaries of those that it has put into their parts."""

    def has_room(self, under_way: int) -> bool:
        """Whether it takes one more, beside those that are not handed on."""

    def send(self, shard: Shard) -> None:
        """Have a shard graded."""

    def answers(self) -> Iterator[Done | Ended]:
        """Wait until something is graded; in any order."""

    def stop(self) -> None:
        """End what is under way; what is graded of it may be lost."""


Hire = Callable[[Work, Path], Crew]
"""Gets a crew for what is to be done with each row, and for the folder of the parts."""


class InOrder:
    """A crew's answers in the order of the shards."""

    def __init__(self, crew: Crew) -> None:
        """Have shards graded by a crew."""
        self._crew = crew
        self._finished: dict[int, Done | Ended] = {}

    def grade(self, shards: Iterator[Shard]) -> Iterator[Done | Ended]:
        """Grade shards; yields them in their order.

        Raises:
            Exception: What reading them raised, after all that was read is graded; or what the
                crew raises.
        """
        finished = self._finished
        under_way: list[int] = []  # those not handed on, in their order
        reading = _Reading(shards)
        while True:
            while self._crew.has_room(len(under_way)):
                shard = reading.next()
                if shard is None:
                    break
                under_way.append(shard.number)
                self._crew.send(shard)
            if not under_way:
                break
            for answer in self._crew.answers():
                finished[answer.shard] = answer
            while under_way and under_way[0] in finished:
                yield finished.pop(under_way.pop(0))
        reading.check()

    def waiting(self) -> dict[int, Summary]:
        """The summaries of shards that wait for those in front of them."""
        return {shard: answer.summary for shard, answer in self._finished.items()}


class _Reading:
    """Shards one by one, and what reading them raised, for later."""

    def __init__(self, shards: Iterator[Shard]) -> None:
        self._shards = shards
        self._error: Exception | None = None

    def next(self) -> Shard | None:
        try:
            return next(self._shards, None)
        except Exception as error:  # noqa: BLE001 - raised again, when all that was read is graded
            self._error = error
            return None

    def check(self) -> None:
        if self._error is not None:
            raise self._error
