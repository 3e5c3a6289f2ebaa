"""Which rows of a long run a page shows, chosen as they come and in bounded memory."""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable, Collection, Sequence
from itertools import zip_longest
from typing import Final, Generic, NamedTuple, TypeVar

from graders.report.text import count

T = TypeVar("T")

LIMIT: Final = 2_000
"""Rows of a page; of a run with no more of them, all are shown."""
_FAILURES: Final = 500
_WORST: Final = 500

Place = tuple[int, int]
"""Row and sample index."""


class _Kept(NamedTuple, Generic[T]):
    """What a heap holds: the least is given up first, of equal ranks the latest row."""

    rank: float
    back: Place  # the place, negated; no two are equal, so rows are never compared
    row: T

    @property
    def place(self) -> Place:
        """Where the row stands."""
        return -self.back[0], -self.back[1]


class Draw(Generic[T]):
    """The first failures, the lowest scores, and of all rows as many more as there is room for.

    The same rows in the same order give the same draw.

    Attributes:
        total: Rows that were seen.
    """

    def __init__(self, *, limit: int = LIMIT, seed: int = 0) -> None:
        """Keep up to `limit` rows, a quarter of it failures and a quarter lowest scores."""
        self.total = 0
        self._limit, self._seed = limit, seed
        self._chance = random.Random(seed)  # noqa: S311 - a sample, no secret
        self._most_failures = min(_FAILURES, limit // 4)
        self._most_worst = min(_WORST, limit // 4)
        self._failures: list[tuple[Place, T]] = []
        self._worst: list[_Kept[T]] = []
        self._drawn: list[_Kept[T]] = []

    def add(self, place: Place, score: float | None, make: Callable[[], T]) -> None:
        """See a row.

        Args:
            place: Where it stands; rows come in order.
            score: What it got; None is a failure.
            make: Gives what is kept of it. Called at most once, and only of rows that are kept.
        """
        self.total += 1
        made: list[T] = []

        def row() -> T:
            if not made:
                made.append(make())
            return made[0]

        if score is None:
            if len(self._failures) < self._most_failures:
                self._failures.append((place, row()))
        else:
            _offer(self._worst, self._most_worst, -score, place, row)
        _offer(self._drawn, self._limit, self._chance.random(), place, row)

    def ranked(self) -> list[tuple[Place, T]]:
        """What is shown: in turn a failure, a low score and one that was drawn.

        Any first part of it is a fair view too.
        """
        worst, drawn = _sorted(self._worst), _sorted(self._drawn)
        chosen: dict[Place, T] = {}
        for several in zip_longest(self._failures, worst, drawn):
            chosen |= {one[0]: one[1] for one in several if one is not None}
        return [*chosen.items()][: self._limit]

    def how(self, shown: Collection[Place]) -> str:
        """How rows were chosen; "" where all are there.

        Args:
            shown: Places of those that are shown in the end, a first part of the ranked ones.
        """
        if len(shown) == self.total:
            return ""
        failures = _leading([place for place, _ in self._failures], shown)
        worst = _leading([place for place, _ in _sorted(self._worst)], shown)
        first = f"the first {count(failures, 'failure')}, " if failures else ""
        lowest = f"the {count(worst, 'lowest score')}, " if worst else ""
        return f"{first}{lowest}and others drawn from all with seed {self._seed}"


def _leading(places: Sequence[Place], shown: Collection[Place]) -> int:
    """How many of some places are shown up to the first that is not."""
    return next((i for i, place in enumerate(places) if place not in shown), len(places))


def _sorted(heap: Sequence[_Kept[T]]) -> list[tuple[Place, T]]:
    """What a heap holds, what is given up last first."""
    return [(one.place, one.row) for one in sorted(heap, reverse=True)]


def _offer(
    heap: list[_Kept[T]], most: int, rank: float, place: Place, row: Callable[[], T]
) -> None:
    back = (-place[0], -place[1])
    if len(heap) < most:
        heapq.heappush(heap, _Kept(rank, back, row()))
    elif most and (rank, back) > heap[0][:2]:
        heapq.heapreplace(heap, _Kept(rank, back, row()))
