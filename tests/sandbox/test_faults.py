"""Whatever breaks: every row has exactly one outcome, nothing hangs, nothing is left behind."""

import asyncio
import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading

import pytest
from crashes import CRASHES, ENDS, gone, processes

from sandbox import Call, Limits, Pool, Status, examine, wire
from sandbox.mother import BrokenSandboxError
from sandbox.zygote import Zygote

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
    while not any(run.busy for run in pool._turns.runs):
        pass
    act()
    thread.join(30)
    assert not thread.is_alive()
    return got


def kill_zygotes(pool):
    for run in pool._turns.runs:
        for zygote in list(run.busy):
            zygote.abandon()


def kill_mothers(pool):
    for mother in pool._warm.mothers.values():
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


FEW_DESCRIPTORS = """
import json, os, resource
from sandbox import Call, Pool
calls = [Call("def grade(x):\\n    return x\\n", "grade", [n]) for n in (1, 2)]
pool = Pool(layers={layers!r}, workers=1)
limit = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (len(os.listdir("/proc/self/fd")) + {spare}, limit[1]))
few = pool.run_now(calls)
resource.setrlimit(resource.RLIMIT_NOFILE, limit)
enough = pool.run_now(calls)
pool.close()
print(json.dumps([[o.status, o.value, o.error] for o in [*few, *enough]]))
"""


@pytest.mark.parametrize("spare", [0, 1, 2, 3, 4])
def test_running_out_of_descriptors_breaks_the_row_and_not_the_run(spare):
    """Wherever it is that they run out; and it is over when there are some again."""
    code = FEW_DESCRIPTORS.format(layers=LAYERS, spare=spare)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    *few, one, two = json.loads(done.stdout)

    assert [row[:2] for row in (one, two)] == [["ok", 1], ["ok", 2]]
    assert {row[0] for row in few} == {"broken"}
    assert all("Too many open files" in row[2] for row in few)


FULL_DISK = """
import asyncio, json, os, sys, tempfile
from sandbox import Call, linux, open_sandbox
maps = {"setgroups": "deny", "uid_map": f"0 {os.getuid()} 1", "gid_map": f"0 {os.getgid()} 1"}
linux.syscall("unshare", 0x10020000)  # user and mount namespaces
for name, text in maps.items():
    with open(f"/proc/self/{name}", "w") as file:
        file.write(text)
linux.mount("tmpfs", "/mnt", "tmpfs", 0, "size=64k,nr_inodes=16")
tempfile.tempdir = "/mnt"
box = open_sandbox("unsafe", workers=1)
def run():
    call = Call("def grade(x):\\n    return x\\n", "grade", [7])
    (outcome,) = asyncio.run(box.run([call]))
    return [outcome.status, outcome.value, outcome.error]
first = run()
filled = os.open("/mnt/blocks", os.O_CREAT | os.O_WRONLY)
try:
    while True:
        os.write(filled, bytes(4096))
except OSError:
    blocks = run()
os.truncate("/mnt/blocks", 0)
try:
    for n in range(99):
        os.mkdir(f"/mnt/{n}")
except OSError:
    inodes = run()
for name in os.listdir("/mnt"):
    (os.rmdir if name.isdigit() else os.unlink)(f"/mnt/{name}")
print(json.dumps([first, blocks, inodes, run()]))
"""


def test_a_full_disk_of_the_host_is_no_score_and_no_crash():
    """Only `unsafe` has files outside of a sandbox: what a row prints, and its result."""
    done = subprocess.run([sys.executable, "-c", FULL_DISK], capture_output=True, check=False)
    first, blocks, inodes, last = json.loads(done.stdout)

    assert first[:2] == last[:2] == ["ok", 7]
    assert blocks[:2] == inodes[:2] == ["broken", None]
    assert "No space left on device" in blocks[2]
    assert "No space left on device" in inodes[2]


def test_sandboxes_that_died_between_rows_cost_no_row():
    """An earlier row may have ended each that waits: none of them says anything of this row."""
    pool = Pool(layers=LAYERS, workers=3, limits=Limits(wall_seconds=20))
    pool.run_now([Call(SLOW, "grade", [0.2])] * 3)
    idle = [*pool._warm.idle.values()]
    for zygote in idle:
        zygote.abandon()
    outcomes = pool.run_now([Call(SLOW, "grade", [0])])
    pool.close()

    assert len(idle) == 3
    assert [outcome.value for outcome in outcomes] == [0]


NESTED = "import sandbox\ndef grade(x):\n    return sandbox.run_code(str(x))['value']\n"


class Scripted:
    """A mother whose zygote has said something before it is asked, and is still there."""

    def __init__(self, said):
        self.ours, self.theirs = socket.socketpair()
        self.theirs.sendall(said)

    def fork(self, _):
        return self.ours


def test_the_end_of_a_child_that_nobody_asked_is_no_calls_end():
    """A system short of memory kills one that waits: its zygote tells that, and goes."""
    end = wire.END.pack(wire.WITHOUT_FRAME, wire.GONE, 1, 0, 9, 0.0, 0, 0, 0, 0)
    mother = Scripted(wire.MESSAGE.pack(wire.ENDED, len(end)) + end)
    zygote = Zygote(mother, {"slot": 0}, PLAIN)

    with (
        mother.theirs,
        pytest.raises(BrokenSandboxError, match=r"the sandbox ended: an unexpected"),
    ):
        next(zygote.run([Call(PLAIN, "grade", [1])], 5))


def test_sandboxes_for_nested_code_that_died_between_rows_cost_no_row():
    """Code of one row may have ended what would run the code of the next."""
    pool = Pool(layers=LAYERS, workers=1, limits=Limits(wall_seconds=20))
    first = pool.run_now([Call(NESTED, "grade", [1])])
    nested = [zygote for zygote in pool._warm.idle.values() if zygote.source != NESTED]
    for zygote in nested:
        zygote.abandon()
    second = pool.run_now([Call(NESTED, "grade", [2])])
    pool.close()

    assert len(nested) == 1
    assert [outcome.value for outcome in (*first, *second)] == [1, 2]


LATE = """
import os, threading, time
def grade(seconds):
    def touch():
        time.sleep(seconds)
        while True:
            open("/tmp/x", "w").close()
    if seconds is not None:
        threading.Thread(target=touch, daemon=True).start()
    return "x" * 10**6
"""


def test_a_row_that_writes_after_its_answer_costs_no_other():
    """Its zygote ends without a word, and the next row finds that out."""
    pool = Pool(layers=LAYERS, workers=2, limits=Limits(wall_seconds=20))
    seconds = [None if n % 3 == 0 else n % 7 / 1000 for n in range(30)]
    outcomes = pool.run_now([Call(LATE, "grade", [s]) for s in seconds])
    pool.close()

    assert {outcome.status for outcome in outcomes} == {Status.OK}


THREADS = """
import threading, time
def grade(path):
    try:
        while True:
            threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
    except RuntimeError:
        time.sleep(60)
"""


def test_a_row_with_all_the_threads_it_can_have_leaves_other_runs_alone():
    """Threads are counted by user: those of another pool's rows are another user's."""
    hostile, other = (Pool(layers=LAYERS, workers=1) for _ in range(2))
    got = []
    run = threading.Thread(target=lambda: got.extend(run_briefly(hostile, THREADS)))
    run.start()
    while sum(threads_of(pid) for pid in processes(hostile)) < 40:
        pass
    outcomes = other.run_now([Call(PLAIN, "grade", [n]) for n in range(20)])
    hostile.close()
    run.join(30)
    other.close()

    assert [outcome.value for outcome in outcomes] == [*range(20)]
    assert [outcome.status for outcome in got] == [Status.BROKEN]


def run_briefly(pool, source):
    """A run that can be stopped."""
    return asyncio.run(pool.run([Call(source, "grade", [0])]))


def threads_of(pid):
    """How many threads a process has; none once it has gone."""
    try:
        return len(os.listdir(f"/proc/{pid}/task"))
    except OSError:
        return 0


@pytest.mark.long
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
