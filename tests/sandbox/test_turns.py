"""Runs that share workers: whose turn it is, and what one run's end means to the others."""

import asyncio
import threading
from contextlib import ExitStack
from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox import Call, Limits, Outcome, Pool, Status, examine, open_sandbox
from sandbox.turns import Turns

LAYERS = [proof.layer.name for proof in examine()]
SLEEP = "import time\ndef grade(x):\n    time.sleep(x)\n    return x\n"
ADD = "def grade(x):\n    return x + 1\n"


class Gated:
    """Workers that keep the order of their work, and go on once the gate is open."""

    def __init__(self, *, workers=1, batch=1):
        self.begun, self.gate = threading.Event(), threading.Event()
        self.order, self.lock = [], threading.Lock()
        self.turns = Turns(self.work, workers=workers, batch=batch)

    def work(self, run, taken):
        self.begun.set()
        self.gate.wait(30)
        with self.lock:
            self.order.append([run.calls[i].args[0] for i in taken])
        for i in taken:
            run.outcomes[i] = Outcome(status=Status.OK, value=run.calls[i].args[0])

    def run_all(self, sizes):
        """Runs of so many calls, begun one after another; what each gave."""
        with ExitStack() as stack:
            runs = [
                stack.enter_context(self.turns.running(calls(name, size)))
                for name, size in enumerate(sizes)
            ]
            self.gate.set()
            for run in runs:
                run.over.result(30)
        self.turns.join()
        return [[outcome.value for outcome in run.results()] for run in runs]


def calls(name, size):
    """Calls that carry the name of their run, and their place in it."""
    return [Call("", "grade", [(name, n)]) for n in range(size)]


def in_turn(sizes, batch):
    """The order that is fair: a batch of each run that has calls left, again and again."""
    left = [[(name, n) for n in range(size)] for name, size in enumerate(sizes)]
    order = []
    while any(left):
        for run in left:
            if run:
                order.append(run[:batch])
                del run[:batch]
    return order


@given(sizes=st.lists(st.integers(0, 9), max_size=6), batch=st.integers(1, 4))
def test_one_worker_takes_a_batch_of_each_run_in_turn(sizes, batch):
    """The first is at work before there is another, and has its turn again when all had theirs."""
    gated = Gated(batch=batch)
    gave = gated.run_all([1, *sizes])

    assert gave == [[(name, n) for n in range(size)] for name, size in enumerate([1, *sizes])]
    assert gated.order == in_turn([1, *sizes], batch)


@given(
    sizes=st.lists(st.integers(0, 20), max_size=6),
    batch=st.integers(1, 4),
    workers=st.integers(1, 4),
)
def test_no_call_is_lost_or_run_twice(sizes, batch, workers):
    """However many workers there are; and outcomes are in the order of the calls."""
    gated = Gated(workers=workers, batch=batch)
    gave = gated.run_all(sizes)
    wanted = [[(name, n) for n in range(size)] for name, size in enumerate(sizes)]

    assert gave == wanted
    assert sorted(call for batch in gated.order for call in batch) == [*chain(*wanted)]


def test_calls_share_a_batch_only_with_those_of_their_source_beside_them():
    """Two of one source, one of another, and the first again."""
    gated = Gated(batch=3)
    with gated.turns.running([Call(text, "grade", [text]) for text in "aaba"]) as run:
        gated.gate.set()
        run.over.result(30)
    gated.turns.join()

    assert gated.order == [["a", "a"], ["b"], ["a"]]


def test_a_run_that_is_left_waits_no_more_and_the_next_has_its_turn():
    """All but what was at work already."""
    gated = Gated()
    with gated.turns.running(calls("left", 1_000)) as left:
        gated.begun.wait(30)
    with gated.turns.running(calls("next", 2)) as other:
        gated.gate.set()
        other.over.result(30)
    gated.turns.join()

    assert left.over.done()
    assert gated.order == [[("left", 0)], [("next", 0)], [("next", 1)]]
    assert gated.turns.runs == []


def test_whatever_a_worker_raises_is_raised_to_whoever_waits_for_that_run_alone():
    """A worker outlives it, and stops the rest of that run."""

    def work(run, taken):
        if run.calls[taken[0]].args == [("wrong", 1)]:
            raise LookupError("no such thing")
        run.outcomes[taken[0]] = Outcome(status=Status.OK, value=1)

    turns = Turns(work, workers=1)
    with turns.running(calls("wrong", 9)) as wrong, turns.running(calls("right", 9)) as right:
        right.over.result(30)
        with pytest.raises(LookupError, match="no such thing"):
            wrong.over.result(30)
    turns.join()

    assert {outcome.value for outcome in right.results()} == {1}
    assert [outcome.value for outcome in wrong.results()] == [1] + [None] * 8


@pytest.mark.parametrize("when", ["before", "amid"])
def test_closing_ends_every_run_with_an_outcome_for_each_call(when):
    """Those that wait for their turn, and those that come later."""
    gated = Gated()
    if when == "before":
        gated.turns.close()
    with gated.turns.running(calls(0, 9)) as one, gated.turns.running(calls(1, 9)) as two:
        if when == "amid":
            gated.begun.wait(30)
            gated.turns.close()
        gated.gate.set()
        one.over.result(30)
        two.over.result(30)
    gated.turns.join()
    outcomes = [*one.results(), *two.results()]

    assert len(gated.order) == (when == "amid")
    assert len(outcomes) == 18
    assert {o.error for o in outcomes if not o.value} == {"the sandbox was closed during the run"}


@pytest.fixture
def pool():
    pool = Pool(layers=LAYERS, workers=2, limits=Limits(wall_seconds=60))
    yield pool
    pool.close()


def test_a_single_call_does_not_wait_for_a_long_run(pool):
    """Nor for one that is as long and began before it."""

    async def beside():
        long = [asyncio.create_task(pool.run([Call(ADD, "grade", [n])] * 5_000)) for n in (1, 2)]
        while sum(any(run.outcomes) for run in pool._turns.runs) < 2:  # noqa: ASYNC110
            await asyncio.sleep(0)
        (single,) = await pool.run([Call(ADD, "grade", [7])])
        left = [len(run.waiting) for run in pool._turns.runs]
        for task in long:
            task.cancel()
        await asyncio.wait(long)
        return single, left

    single, left = asyncio.run(beside())

    assert single.value == 8
    assert len(left) == 2
    assert min(left) > 4_000


def test_many_runs_at_once_each_have_their_own_outcomes(pool):
    """Of three lengths and three sources."""

    async def together():
        runs = [
            [Call(f"{ADD}# {n % 3}\n", "grade", [100 * n + k]) for k in range(1 + n % 3 * 4)]
            for n in range(24)
        ]
        return runs, await asyncio.gather(*map(pool.run, runs))

    runs, outcomes = asyncio.run(together())

    wanted = [[call.args[0] + 1 for call in run] for run in runs]
    assert [[outcome.value for outcome in run] for run in outcomes] == wanted


def test_cancelled_runs_give_up_their_workers(pool):
    """Each slept on all of them, with more to come."""

    async def cancelled():
        sleepers = [asyncio.create_task(pool.run([Call(SLEEP, "grade", [50])] * 9)) for _ in "abc"]
        while sum(len(run.busy) for run in pool._turns.runs) < pool.workers:  # noqa: ASYNC110
            await asyncio.sleep(0)
        for task in sleepers:
            task.cancel()
        await asyncio.wait(sleepers)
        return await asyncio.wait_for(pool.run([Call(ADD, "grade", [n]) for n in range(9)]), 40)

    outcomes = asyncio.run(cancelled())

    assert [outcome.value for outcome in outcomes] == [*range(1, 10)]


def test_arguments_that_are_no_json_are_an_error_of_their_own_run(pool):
    """What the caller did wrong, and not the code; the run beside it goes on."""

    async def both():
        right = pool.run([Call(ADD, "grade", [n]) for n in range(20)])
        wrong = pool.run([Call(ADD, "grade", [{1}])] * 20)
        return await asyncio.gather(right, wrong, return_exceptions=True)

    right, wrong = asyncio.run(both())

    assert [outcome.value for outcome in right] == [*range(1, 21)]
    assert isinstance(wrong, TypeError)
    assert "set is not JSON serializable" in str(wrong)


WAIT = (
    "import os, time\ndef grade(x):\n    while not os.path.exists(x):\n        time.sleep(0.01)\n"
)


def test_without_isolation_too_a_cancelled_run_ends_no_other(tmp_path):
    """Each run has processes of its own; those of the one that goes on end when they are done."""
    box = open_sandbox("unsafe", workers=2, limits=Limits(wall_seconds=60))
    file = tmp_path / "go on"

    async def beside():
        right = asyncio.create_task(box.run([Call(WAIT, "grade", [str(file)])]))
        wrong = asyncio.create_task(box.run([Call(SLEEP, "grade", [50])] * 5_000))
        while sum(len(run.busy) for run in box._turns.runs) < 2:  # noqa: ASYNC110
            await asyncio.sleep(0)
        wrong.cancel()
        await asyncio.wait({wrong})
        file.touch()
        return await right, await box.run([Call(ADD, "grade", [n]) for n in range(3)])

    (waited,), added = asyncio.run(beside())
    box.close()

    assert (waited.status, waited.error) == (Status.OK, "")
    assert [outcome.value for outcome in added] == [1, 2, 3]


def test_without_isolation_too_a_single_call_does_not_wait_for_a_long_run():
    """Processes are started for each run in turn."""
    box = open_sandbox("unsafe", workers=1, limits=Limits(wall_seconds=60))

    async def beside():
        long = asyncio.create_task(box.run([Call(ADD, "grade", [n]) for n in range(5_000)]))
        while not box._turns.runs:  # noqa: ASYNC110
            await asyncio.sleep(0)
        (single,) = await box.run([Call(ADD, "grade", [7])])
        left = len(box._turns.runs[0].waiting)
        long.cancel()
        await asyncio.wait({long})
        return single, left

    single, left = asyncio.run(beside())
    box.close()

    assert single.value == 8
    assert left > 4_900
