"""What a pool keeps warm between calls, and how much of it at most."""

import asyncio
import os
from time import monotonic

import pytest
from crashes import gone, processes

from sandbox import Call, Limits, Pool, Status, examine, open_sandbox
from sandbox.warm import Warm

LAYERS = [proof.layer.name for proof in examine()]
IDLE = 3


def call(name):
    """A call of a source of its own."""
    return Call(f"def grade(x):\n    return {name!r}\n", "grade", [0])


def kept(pool):
    """The names of the sources with a warm sandbox; the least recently used first."""
    return [zygote.source.split()[-1].strip("'") for zygote in pool._warm.idle.values()]


def run(pool, names):
    """One call after another; each gives the name of its source."""
    assert [pool.run_now([call(name)])[0].value for name in names] == list(names)


def settles(pool, zygotes):
    """Whether there come to be the mother, so many zygotes, and for each the next row's process."""
    until = monotonic() + 60
    while len(processes(pool)) != 1 + 2 * zygotes:
        if monotonic() > until:
            return False
    return True


@pytest.fixture
def pool():
    pool = Pool(layers=LAYERS, workers=1, idle=IDLE, limits=Limits(wall_seconds=20))
    yield pool
    pool.close()


def test_more_sources_leave_no_more_processes_than_the_warm_ones(pool):
    """Three times as many sources come by; each process that went is gone."""
    run(pool, "abc")
    (mother,) = pool._warm.mothers.values()
    first = processes(pool) - {mother.pid}
    run(pool, "defghi")

    assert kept(pool) == ["g", "h", "i"]
    assert gone(first)
    assert settles(pool, IDLE)


@pytest.mark.parametrize(
    ("used", "left"),
    [("abc", "abc"), ("abcd", "bcd"), ("abcad", "cad"), ("abcabd", "abd"), ("abcdcbe", "cbe")],
)
def test_the_least_recently_used_go(pool, used, left):
    """Whenever they were made."""
    run(pool, used)

    assert kept(pool) == list(left)


def test_none_need_be_kept():
    """A sandbox for each call, and no process left but the one that makes them."""
    pool = Pool(layers=LAYERS, workers=1, idle=0)
    run(pool, "aab")
    left = kept(pool)
    alone = settles(pool, 0)
    pool.close()

    assert (left, alone) == ([], True)


def test_how_many_to_keep_is_said_on_the_way_in():
    """The busy ones are beside them: five sources at once, one sandbox left."""
    box = open_sandbox(workers=2, idle=1)
    outcomes = asyncio.run(box.run([call(name) for name in "abcde"]))
    left = kept(box)
    box.close()

    assert [outcome.value for outcome in outcomes] == list("abcde")
    assert len(left) == 1
    with pytest.raises(ValueError, match=r"idle counts warm sandboxes and must be .* 0, got -1"):
        open_sandbox(idle=-1)


def test_any_worker_takes_the_sandbox_that_is_warm():
    """Calls that come one at a time need one, however many workers there are."""
    pool = Pool(layers=LAYERS, workers=4)
    run(pool, "abababab" * 2)
    left = kept(pool)
    pool.close()

    assert sorted(left) == ["a", "b"]


class Idle:
    """A sandbox of this source and slot that is good as new."""

    usable = True

    def __init__(self, source, slot):
        self.source, self.slot = source, slot


@pytest.mark.parametrize(
    ("loads", "slot"),
    [((0, 0, 0), 1), ((0, 1, 0), 0), ((1, 2, 0), 0), ((2, 1, 0), 1), ((1, 1, 0), 1)],
)
def test_of_several_sandboxes_it_is_the_one_with_the_least_beside_it(loads, slot):
    """Of equals the most recently used; and never another source's."""
    warm = Warm(None, (), mothers=1, idle=9)
    for idle in (Idle("a", 0), Idle("a", 1), Idle("b", 2)):
        warm.give_back(idle)

    assert warm.take("a", dict(enumerate(loads))).slot == slot
    assert warm.take("c", dict(enumerate(loads))) is None


def test_new_sandboxes_are_spread_over_the_slots():
    """Of which each has processors of its own, where there are enough."""
    pool = Pool(layers=LAYERS, workers=3)
    run(pool, "abcdef")
    slots = [zygote.slot for zygote in pool._warm.idle.values()]
    loads = set(pool._loads.values())
    pool.close()

    assert sorted(slots) == [0, 0, 1, 1, 2, 2]
    assert loads == {0}


def test_verdicts_are_few_and_hold_no_source():
    """A source may be large, and any number of them do not compile."""
    warm = Warm(None, (), mothers=1, idle=1)
    sources = [f"def {n}" for n in range(300)]
    for source in sources:
        warm.remember(source, source)
        warm.verdict(sources[0])  # used all the while
    known = [source for source in sources if warm.verdict(source)]

    assert known == [sources[0], *sources[-255:]]
    assert all(warm.verdict(source) == source for source in known)
    assert {len(key) for key in warm._verdicts} == {32}


def test_a_verdict_needs_no_sandbox(pool):
    """The second call of a source that does not compile is answered by the first."""
    wrong = Call("def grade(x) \ud800", "grade", [0])
    first, second = (pool.run_now([wrong])[0] for _ in "ab")

    assert first is second
    assert first.status is Status.RAISED
    assert kept(pool) == []


@pytest.mark.long
def test_many_sources_leave_nothing_open(pool):
    """Neither a descriptor here nor a process."""
    run(pool, "abc")
    descriptors = len(os.listdir("/proc/self/fd"))
    run(pool, [f"s{n}" for n in range(60)])

    assert len(os.listdir("/proc/self/fd")) == descriptors
    assert settles(pool, IDLE)
    assert len(pool._warm.mothers) == 1
