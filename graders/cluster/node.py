"""What runs on the nodes of a cluster: a look whether one is fit, and the grading of shards there.

Ray starts a task again, here or on another node, when what it ran on died. So a shard is graded
into a folder of its own that outlives the process: who comes after it on the same node goes on
behind the last row, and a row that kills one process after the other is found, as on one machine.
A node that died took its folder along, and its shards are graded from their beginning. A driver
that was killed leaves its folders; whoever comes to the node removes them when they are a day old.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import stat
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

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
_FOLDER: Final = re.compile(r"graders-[0-9a-f]{32}-[0-9a-f]{12}-\d+")
"""The name of a shard's folder: of its run, its node and its number."""
_ABANDONED_SECONDS: Final = 24 * 60 * 60.0
"""How long nobody has been at a folder that no run needs: a task that died may wait to be begun
again for as long as others are busy."""


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
    folder = Path(tempfile.gettempdir()) / f"graders-{name}-{node[:12]}-{shard.number}"
    try:
        with _alone(folder):
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


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """A folder while it is needed, without whoever has the same shard, should Ray think us dead."""
    import fcntl

    folder.mkdir(mode=0o700, exist_ok=True)
    with (folder / "lock").open("wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        folder.mkdir(mode=0o700, exist_ok=True)  # whoever was here before has removed it
        try:
            yield
        finally:
            shutil.rmtree(folder, ignore_errors=True)


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


def sweep(name: str) -> None:
    """Remove what the tasks of a run that was ended have left on this node."""
    for folder in Path(tempfile.gettempdir()).glob(f"graders-{name}-*"):
        if folder.stat().st_uid == os.getuid():
            shutil.rmtree(folder, ignore_errors=True)


def sweep_abandoned() -> None:
    """Remove what killed drivers have left on this node: folders of ours that nobody is at."""
    for folder in Path(tempfile.gettempdir()).glob("graders-*"):
        with suppress(OSError):  # others may sweep at the same time
            found = folder.lstat()  # and not what somebody has linked there
            ours = stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid()
            old = time.time() - found.st_mtime > _ABANDONED_SECONDS
            if ours and old and _FOLDER.fullmatch(folder.name):
                _remove_unless_locked(folder)


def _remove_unless_locked(folder: Path) -> None:
    """Remove a folder, as its owner does at the end.

    Raises:
        BlockingIOError: Somebody grades in it.
    """
    import fcntl

    with (folder / "lock").open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(folder, ignore_errors=True)
