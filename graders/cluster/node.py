"""What runs on the nodes of a cluster: a look whether one is fit, and the grading of shards there.

Ray starts a task again, here or on another node, when what it ran on died. So a shard is graded
into a folder of its own that outlives the process: who comes after it on the same node goes on
behind the last row, and a row that kills one process after the other is found, as on one machine.
A node that died took its folder along, and its shards are graded from their beginning.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

from graders.cluster.folders import alone, shard_folder, sweep_abandoned
from graders.compile import Tools, compile_grader
from graders.config.parse import Document
from graders.errors import GradersError
from graders.grades import Grader
from graders.profile import Profile
from graders.runs.grading import Done, Work
from graders.runs.manifest import versions
from graders.runs.parts import Pair, Part
from graders.runs.shards import Shard
from graders.runs.worker import (
    HOPELESS,
    UNTRIED,
    Ended,
    ShardGrader,
    Stalled,
    Task,
    WorkersDiedError,
    sendable,
)
from sandbox import Sandbox


class ClusterError(GradersError):
    """A cluster that cannot be reached, or that is not fit to grade."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kit:
    """What a node needs to grade, sent to each process once.

    Attributes:
        recipe: Makes the grader.
        versions: Of the packages that numbers depend on, which must be the same everywhere.
    """

    recipe: Callable[[], Grader]
    versions: Mapping[str, str]


class Reply(NamedTuple):
    """What came of a shard.

    Attributes:
        answer: As a worker of one machine answers; or why this node, or this code, is broken.
        lines: The result lines and the lines of their times.
    """

    answer: Done | Ended | BaseException
    lines: Pair


NO_LINES: Final = Pair(b"", b"")


def with_sandbox(document: Document, profile: Profile, box: Callable[[], Sandbox]) -> Grader:
    """A recipe for graders that run Python: the sandbox is opened where it is followed.

    Raises:
        IsolationError: That machine cannot isolate as asked.
    """
    return compile_grader(document, tools=Tools(sandbox=box()), profile=profile)


class _Station(NamedTuple):
    """What a process has ready for one shard after the other."""

    grader: Grader
    runner: asyncio.Runner


_READY: Final[dict[str, _Station]] = {}
"""By the kit it was made of; a process of Ray serves one run."""


def check(box: list[Any]) -> str | None:
    """What is wrong with this node; None if it is fit to grade. Sweeps it, too."""
    from sandbox import IsolationError

    sweep_abandoned()
    try:
        _station(box)
    except (GradersError, IsolationError, OSError) as error:
        return str(error)
    return None


def _station(box: list[Any]) -> _Station:
    """The grader of a run in this process, made when it is first asked for.

    Args:
        box: Holds the reference of a `Kit`; in a list, so that Ray does not fetch it each time.

    Raises:
        IsolationError: The node cannot isolate as asked.
        ClusterError: Its versions are others.
    """
    import ray

    name = box[0].hex()
    if name not in _READY:
        kit = ray.get(box[0])
        _check_versions(kit.versions, versions())
        _READY[name] = _Station(kit.recipe(), asyncio.Runner())
    return _READY[name]


def _check_versions(ours: Mapping[str, str], here: Mapping[str, str]) -> None:
    wrong = [
        f"{name} is {here.get(name, 'missing')} there and {ours.get(name, 'missing')} here"
        for name in {**ours, **here}
        if ours.get(name) != here.get(name)
    ]
    if wrong:
        raise ClusterError(
            f"numbers could differ: {'; '.join(wrong)}. Install the same versions on every node"
        )


def grade_shard(
    box: list[Any], name: str, work: Work, shard: Shard, known: Pair
) -> tuple[str, Reply]:
    """Grade a shard on this node; returns the node's id, too.

    Args:
        box: Holds the reference of a `Kit`.
        name: A name for the run, which nobody can guess.
        work: What to do with each row.
        shard: Its lines.
        known: The rows of it that were graded before.
    """
    import ray

    node = ray.get_runtime_context().get_node_id()
    folder = shard_folder(name, node, shard.number)
    try:
        with alone(folder):
            reply = _graded(box, folder, work, shard, known)
    except Exception as error:  # noqa: BLE001 - the driver raises it
        reply = Reply(sendable(error), NO_LINES)
    return node, reply


def _graded(box: list[Any], folder: Path, work: Work, shard: Shard, known: Pair) -> Reply:
    part = Part(folder, shard.number)
    if any(known) and not part.size:
        part.fill([known])
    task = Task(shard, _stalled(folder, part.size, shard.number))
    station = _station(box)
    answer = station.runner.run(ShardGrader(station.grader, work, folder).grade(task))
    return Reply(answer, Pair(*part.columns()))


def _stalled(folder: Path, size: int, shard: int) -> int:
    """How many processes died of a shard one after the other without a new row, on this node.

    Raises:
        WorkersDiedError: So many that no further one is tried.
    """
    path = folder / "stalled"
    begun = path.exists()
    before = Stalled(*map(int, path.read_text("ascii").split())) if begun else UNTRIED
    now = before.died(size) if begun else before
    if now.deaths > HOPELESS:
        raise WorkersDiedError(now.deaths + 1, shard)
    beside = path.with_suffix(".new")
    beside.write_text(f"{now.size} {now.deaths}", "ascii")
    beside.replace(path)
    return now.deaths
