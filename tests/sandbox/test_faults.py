"""Whatever breaks: every row has exactly one outcome, nothing hangs, nothing is left behind."""

import asyncio
import os
import random
import signal
import socket
import threading

import pytest
from crashes import CRASHES, ENDS, gone, processes

from sandbox import Call, Limits, Pool, Status, examine

LAYERS = [proof.layer.name for proof in examine()]
SLOW = "import time\ndef grade(x):\n    time.sleep(x)\n    return x\n"
PLAIN = "def grade(x):\n    return x\n"


@pytest.fixture
def pool():
    pool = Pool(layers=LAYERS, workers=2, limits=Limits(wall_seconds=20))
    yield pool
    left = processes(pool)
    pool.close()
    assert gone(left)


def run_while_busy(pool, calls, act):
    """Run calls on a thread, act once one of them runs, and give the outcomes."""
    got = []
    thread = threading.Thread(target=lambda: got.extend(asyncio.run(pool.run(calls))))
    thread.start()
    while not any(run.busy for run in pool._runs):
        pass
    act()
    thread.join(30)
    assert not thread.is_alive()
    return got


def kill_zygotes(pool):
    for run in pool._runs:
        for zygote in list(run.busy):
            zygote.abandon()


def kill_mothers(pool):
    for mother in pool._mothers.values():
        os.kill(mother.pid, signal.SIGKILL)


@pytest.mark.parametrize("act", [kill_zygotes, kill_mothers])
def test_a_killed_helper_costs_no_row(pool, act):
    """A broken sandbox is ours to mend: the row runs again in a new one."""
    calls = [Call(SLOW, "grade", [0.2])] * 6
    outcomes = run_while_busy(pool, calls, lambda: act(pool))

    assert [outcome.value for outcome in outcomes] == [0.2] * 6


def test_a_zygote_that_always_breaks_is_reported_and_ends():
    """Twice is enough; the row has an outcome that says the sandbox broke."""
    pool = Pool(layers=["no such layer", "user"] if "user" in LAYERS else [], workers=1)
    kills = [Call("import os\ndef grade(x):\n    os.kill(os.getppid(), 9)\n", "grade", [0])] * 2
    try:
        outcomes = pool.run_now(kills)
    finally:
        pool.close()

    assert {outcome.status for outcome in outcomes} <= {Status.BROKEN, Status.RAISED}


def test_closing_in_the_middle_gives_every_row_an_outcome(pool):
    """Those that had not run say why."""
    calls = [Call(SLOW, "grade", [5])] * 6
    outcomes = run_while_busy(pool, calls, pool.close)

    assert {outcome.status for outcome in outcomes} == {Status.BROKEN}
    assert {o.error for o in outcomes} == {"the sandbox was closed during the run"}


def test_a_dead_mother_between_runs_is_replaced(pool):
    """The next run starts a new one."""
    assert pool.run_now([Call(PLAIN, "grade", [1])])[0].value == 1
    kill_mothers(pool)
    other = "def grade(x):\n    return -x\n"

    assert pool.run_now([Call(other, "grade", [2])])[0].value == -2


def test_a_full_disk_is_the_rows_own_failure():
    """1 GB by default, and here 1 MB."""
    if "namespaces" not in LAYERS:
        pytest.skip("without namespaces there is nothing to fill")
    pool = Pool(layers=LAYERS, workers=1, limits=Limits(disk_bytes=1 << 20))
    write = (
        "def grade(x):\n    for n in range(x):\n        open(f'/tmp/{n}', 'wb').write(bytes(2**18))\n"
        "    return 1\n"
    )
    outcomes = pool.run_now([Call(write, "grade", [n]) for n in (2, 9, 2)])
    pool.close()

    assert [o.value for o in outcomes] == [1, None, 1]
    assert "No space left on device" in outcomes[1].error


def test_running_out_of_descriptors_breaks_the_row_and_not_the_run(monkeypatch):
    """And it is over when there are some again."""
    pool = Pool(layers=LAYERS, workers=1)
    pair, left = socket.socketpair, [2]

    def exhausted(*args):
        if left[0]:
            left[0] -= 1
            raise OSError(24, "Too many open files")
        return pair(*args)

    monkeypatch.setattr(socket, "socketpair", exhausted)
    outcomes = pool.run_now([Call(PLAIN, "grade", [n]) for n in (1, 2)])
    pool.close()

    assert (outcomes[0].status, outcomes[1].value) == (Status.BROKEN, 2)
    assert "Too many open files" in outcomes[0].error


@pytest.mark.parametrize("batch", [1, 8])
def test_random_crashes_leave_nothing_behind(batch):
    """1,000 rows here, 20,000 in benchmarks/sandbox/soak.py: each its own outcome."""
    random.seed(batch)
    kinds = random.choices(list(ENDS), k=500)
    threads, descriptors = threading.active_count(), len(os.listdir("/proc/self/fd"))
    pool = Pool(layers=LAYERS, workers=2, batch=batch, limits=Limits(wall_seconds=20))
    outcomes = pool.run_now([Call(CRASHES, "grade", [kind]) for kind in kinds])
    left = processes(pool)
    pool.close()

    assert [o.status for o in outcomes] == [ENDS[kind] for kind in kinds]
    assert gone(left)
    assert threading.active_count() == threads
    assert len(os.listdir("/proc/self/fd")) == descriptors
