"""A run of one driver and many processors, simulated: what is not measured of a billion gradings.

Shards are in flight as `graders.cluster.tasks` bounds them. Nodes die, and what was under way on
them is graded again. The driver's link has one speed out and one in, and shards wait for both in
turn. What is by an address comes in over that link twice, in one stream (for its hash, and to be
graded), and its results are copied out in one stream at the end, when the cluster is let go.
"""

from __future__ import annotations

import heapq
import random
from typing import NamedTuple

from graders.cluster import tasks
from graders.runs.crew import AHEAD


class Source(NamedTuple):
    """Where rows come from, and what a shard of them takes.

    Attributes:
        lines: Of a shard.
        seconds: Of the driver's CPU.
        task_seconds: On its node, beyond its rows.
        file_bytes: Of its lines in the file.
        shard_bytes: As it is sent.
        result_bytes: Of its result lines.
        time_bytes: Of the lines of their times.
        by_address: Whether rows and results are in a storage.
    """

    lines: int
    seconds: float
    task_seconds: float
    file_bytes: int
    shard_bytes: int
    result_bytes: int
    time_bytes: int
    by_address: bool


class Speeds(NamedTuple):
    """Bytes a second: of the link each way, of one stream of a storage, and hashed."""

    link: float
    stream: float
    hashed: float


class Took(NamedTuple):
    """Seconds to hash, grade and copy, and the parts of the second that driver and link worked."""

    before: float
    grading: float
    after: float
    driver: float
    link: float

    @property
    def held(self) -> float:
        """How long the cluster is held: its nodes are looked at first, and the copy needs none."""
        return self.before + self.grading


def simulate(
    rows: int, row: float, source: Source, speeds: Speeds, *, cores: int, deaths: float
) -> Took:
    """What a run takes.

    Args:
        rows: How many.
        row: CPU seconds of one.
        source: Where they come from.
        speeds: Of the driver's link and of its storage.
        cores: How many grade.
        deaths: Of a node in an hour, which is back at once.
    """
    shards = -(-rows // source.lines)
    stream = min(speeds.stream, speeds.link)
    read = min(speeds.hashed, stream) if source.by_address else speeds.hashed
    results = source.result_bytes + source.time_bytes
    grading, driven, linked = _graded(shards, row, source, speeds, cores=cores, lost=deaths / 3600)
    return Took(
        before=shards * source.file_bytes / read,
        grading=grading,
        after=shards * results / stream if source.by_address else 0.0,
        driver=driven / grading,
        link=linked / grading,
    )


def _graded(
    left: int, row: float, source: Source, speeds: Speeds, *, cores: int, lost: float
) -> tuple[float, float, float]:
    """Seconds from the first shard to the last, and of them the driver's and the link's.

    The driver sends and takes one shard after another. A shard takes a processor as long as its
    rows, a tenth more or less. When a node dies, at random, its shard begins again elsewhere.
    """
    chance = random.Random(1)
    half = source.seconds / 2
    # Reading is the driver's: nothing reads ahead for it.
    read = source.file_bytes / min(speeds.stream, speeds.link) if source.by_address else 0.0
    comes = source.file_bytes / speeds.link if source.by_address else 0.0
    sends = source.shard_bytes / speeds.link
    returns = (source.result_bytes + source.time_bytes) / speeds.link
    most = max(1, min(AHEAD * cores, tasks._MOST_BYTES // source.shard_bytes))
    free = [0.0] * cores
    busy: list[tuple[float, int]] = []  # when shards are graded
    now = out = back = 0.0  # of the driver, and of each way of its link
    total = joined = 0
    finished = set[int]()
    while left or busy:
        while left and (total - joined) < most:
            now += read + half
            back += comes
            out = max(out, now) + sends
            begin = max(out, heapq.heappop(free))
            length = source.lines * row * chance.uniform(0.9, 1.1) + source.task_seconds
            while chance.random() < lost * length:
                begin += length * chance.random()
            heapq.heappush(free, begin + length)
            heapq.heappush(busy, (begin + length, total))
            left, total = left - 1, total + 1
        graded, number = heapq.heappop(busy)
        back = max(back, graded) + returns
        now = max(now, back) + half
        finished.add(number)
        while joined in finished:
            finished.remove(joined)
            joined += 1
    return now, total * source.seconds, total * max(sends, comes + returns)
