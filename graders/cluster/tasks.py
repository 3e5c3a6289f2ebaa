"""A crew of Ray's tasks: each shard is one, given again to whoever is there when a node dies."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from time import monotonic
from typing import Any, Final

from graders.cluster.connection import connected
from graders.cluster.folders import sweep
from graders.cluster.node import NO_LINES, ClusterError, Kit, Reply, check, grade_shard
from graders.errors import GradersError
from graders.grades import Grader
from graders.runs.crew import AHEAD, Hire
from graders.runs.grading import Done, Work
from graders.runs.manifest import versions
from graders.runs.parts import Pair, Part
from graders.runs.shards import Block, Shard
from graders.runs.worker import Ended
from sandbox import IsolationError

_MOST_BYTES: Final = 1 << 30
"""Of shards that are sent and not answered, about."""
_COUNTED_EVERY_SECONDS: Final = 5.0
"""How long the count of a cluster's processors holds: nodes come and go."""
_UNANSWERED_SECONDS: Final = 5.0
"""How long nothing is answered before it is looked whether anybody is there to answer."""
_SWEPT_SECONDS: Final = 5.0
_NOBODY: Final = "the cluster has no processor now; waiting for one (Ctrl-C keeps what is graded)"
"""Nothing tells a cluster that grows as it is asked from one that never will: Ctrl-C ends it."""
Note = Callable[[str], object]
"""Says something to whoever has started the run."""


@contextmanager
def hired(
    recipe: Callable[[], Grader], *, address: str | None, cores: int, most: int | None, note: Note
) -> Iterator[Hire]:
    """A cluster whose nodes have all been found fit, to grade shards.

    Args:
        recipe: Makes the grader, on the nodes.
        address: Where the cluster is; None starts one here.
        cores: How many processes grade in one that is started.
        most: Shards at once; None for one for each processor there is.
        note: Called with what has become of the cluster, should that matter.

    Raises:
        ClusterError: It cannot be reached, or a node is not fit: it cannot isolate as asked, or
            has other versions. Names the node.
    """
    with connected(address, cores):
        import ray

        with _failing():
            box = [ray.put(Kit(recipe=recipe, versions=versions()))]
            check_nodes(box, note)
        yield lambda work, parts: Tasks(box, work, parts, most, note)


@contextmanager
def _failing() -> Iterator[None]:
    """What Ray says of a cluster that fails is an error of ours; of a bug in a task, it stays."""
    import ray.exceptions

    try:
        yield
    except ray.exceptions.RayTaskError:
        raise  # a bug, with its traceback
    except ray.exceptions.RayError as error:
        raise ClusterError(f"the cluster failed: {_said(error)}") from None


def check_nodes(box: list[Any], note: Note) -> None:
    """Look at every node that can grade, all at once; if there is none, when the first has come.

    That may be never, in a cluster of fixed size without a processor. It is said once.

    Raises:
        ClusterError: One is not fit; names it.
    """
    looked_at: list[str] = []
    noted = cache(note)  # nodes may come and go, and the wait is the same
    while not looked_at:  # it may be that all there were have died meanwhile
        while not (nodes := _with_processors()):
            _wait_for_one(box, noted)
        looked_at = list(_look_at(nodes, box))
    if wrong := [problem for problem in looked_at if problem]:
        raise ClusterError("not every node can grade this:\n" + "\n".join(wrong))


def _look_at(nodes: Sequence[dict[str, Any]], box: list[Any]) -> Iterator[str]:
    """What is wrong with each node that lives, "" where nothing is."""
    import ray

    asked = [_on(node, check).remote(box) for node in nodes]
    for node, one in zip(nodes, asked, strict=True):
        try:
            problem = ray.get(one)
        except ray.exceptions.RayError as error:
            if node["NodeID"] not in {node["NodeID"] for node in _alive()}:
                continue  # it had died already, or dies now: the others grade
            problem = _said(error)
        yield f"{_name(node)}: {problem}" if problem else ""


def _alive() -> list[dict[str, Any]]:
    """The nodes of the cluster, as far as it knows."""
    import ray

    return [node for node in ray.nodes() if node["Alive"]]


def _with_processors() -> list[dict[str, Any]]:
    """Those of them that grade."""
    return [node for node in _alive() if node["Resources"].get("CPU")]


def _wait_for_one(box: list[Any], note: Note) -> None:
    """Ask for a processor, for which a cluster that grows as it is asked starts a node."""
    import ray

    asked = ray.remote(check).options(num_cpus=1, max_retries=-1).remote(box)
    if not _answered([asked]):
        note(_NOBODY)
    while not _answered([asked]):
        pass


def _answered(asked: list[Any]) -> list[Any]:
    """What is answered of it within a while."""
    import ray

    ready: list[Any] = ray.wait(asked, timeout=_UNANSWERED_SECONDS)[0]
    return ready


def _on(node: dict[str, Any], work: Callable[..., Any]) -> Any:
    """A task that runs on one node and no other, beside whatever is at work there."""
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    there = NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)
    return ray.remote(work).options(num_cpus=0, scheduling_strategy=there)


def _name(node: dict[str, Any]) -> str:
    return f"node {node['NodeManagerAddress']} ({node['NodeID'][:12]})"


def _said(error: BaseException) -> str:
    """What an error of Ray comes to: its last line that is no traceback's."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__


class Tasks:
    """Shards as tasks of a cluster: a `Crew`."""

    def __init__(
        self, box: list[Any], work: Work, parts: Path, most: int | None, note: Note
    ) -> None:
        """Prepare them.

        Args:
            box: Holds the reference of a `Kit`.
            work: What to do with each row.
            parts: The folder of the parts, here.
            most: Shards at once; None for one for each processor there is.
            note: Called when no processor is left, once.
        """
        import ray

        self._box, self._work, self._parts, self._most = box, work, parts, most
        self._note: Note | None = note
        # What dies is done again without end: on each node that is left a shard gets on by a row,
        # or comes nearer to where it is given up.
        self._task = ray.remote(grade_shard).options(num_cpus=1, max_retries=-1)
        self._name = secrets.token_hex(16)
        self._sent: dict[Any, tuple[int, int]] = {}  # numbers and bytes, by reference
        self._bytes = 0
        self._counted, self._cores = -_COUNTED_EVERY_SECONDS, 0

    def has_room(self, under_way: int) -> bool:
        return under_way < AHEAD * self._count() and (not self._sent or self._bytes < _MOST_BYTES)

    def _count(self) -> int:
        """How many shards can be graded at once, now."""
        if self._most is not None:
            return self._most
        if monotonic() - self._counted > _COUNTED_EVERY_SECONDS:
            import ray

            self._counted = monotonic()
            with _failing():
                self._cores = max(1, int(ray.cluster_resources().get("CPU", 0)))
        return self._cores

    def send(self, shard: Shard) -> None:
        part = Part(self._parts, shard.number)
        known = Pair(*part.columns()) if part.size else NO_LINES
        size = len(known.result) + len(known.times) + _length(shard)
        with _failing():
            sent = self._task.remote(self._box, self._name, self._work, shard, known)
        self._sent[sent] = shard.number, size
        self._bytes += size

    def answers(self) -> Iterator[Done | Ended]:
        """Put into their parts what has come back.

        Raises:
            ClusterError: The cluster failed, or a node that has come later is not fit.
            Exception: A bug in a task, with its traceback.
        """
        import ray

        with _failing():
            ready = _answered(list(self._sent))
            if not ready and not ray.cluster_resources().get("CPU"):
                self._alone()
        for one in ready:
            number, size = self._sent.pop(one)
            self._bytes -= size
            with _failing():
                node, reply = ray.get(one)
            yield self._kept(number, node, reply)

    def _alone(self) -> None:
        """Say that nobody grades."""
        if self._note is not None:
            self._note(_NOBODY)
            self._note = None

    def _kept(self, number: int, node: str, reply: Reply) -> Done | Ended:
        answer = reply.answer
        if isinstance(answer, (IsolationError, GradersError, OSError)):
            raise ClusterError(f"node {node[:12]}: {answer}")
        if isinstance(answer, BaseException):
            raise answer
        part = Part(self._parts, number)
        part.fill([reply.lines])
        if isinstance(answer, Done):
            part.finish()
        return answer

    def stop(self) -> None:
        """Remove what is under way from the nodes.

        Ray ends it when this process leaves the cluster. It is not asked to before: it aborts a
        process that cancels a task which ends just then.
        """
        if not self._sent:
            return
        import ray

        with suppress(Exception):  # whatever is wrong with the cluster, the run is kept here
            swept = [_on(node, sweep).remote(self._name) for node in _alive()]
            ray.wait(swept, num_returns=len(swept), timeout=_SWEPT_SECONDS)
        self._sent.clear()


def _length(shard: Shard) -> int:
    """Bytes of a shard, about."""
    if isinstance(shard.lines, Block):
        return len(shard.lines.data)
    return sum(len(getattr(line, "line", b"")) for line in shard.lines)
