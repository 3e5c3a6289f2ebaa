"""Forked children of a process that has a sandbox: each has its own, and harms no other."""

import os
import signal
import sys
import threading
import traceback
from pathlib import Path

import pytest
from crashes import gone, processes, state

from sandbox import Call, Limits, Pool, examine, forks, open_sandbox

LAYERS = [proof.layer.name for proof in examine()]
DOUBLE = "def grade(x):\n    return 2 * x\n"
# A process with threads that forks is what this is about; Python 3.12 warns of it.
pytestmark = pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
HOLD = "import time\ndef grade(x):\n    time.sleep(60)\n"


def doubled(box):
    with box._turns.running([Call(DOUBLE, "grade", [n]) for n in range(3)]) as run:
        run.over.result(60)
    return [outcome.value for outcome in run.results()] == [0, 2, 4]


def forked(check):
    """What a forked child says of a check: "" where it holds."""
    ours, theirs = os.pipe()
    pid = os.fork()
    if not pid:
        try:
            said = "" if check() else "it does not hold"
        except BaseException:  # noqa: BLE001 - whatever it is, the parent hears of it
            said = traceback.format_exc()
        os.write(theirs, said.encode()[:60_000])
        os._exit(0)
    os.close(theirs)
    with os.fdopen(ours) as pipe:
        said = pipe.read()
    os.waitpid(pid, 0)
    return said


def sockets():
    return sum("socket:" in os.readlink(f"/proc/self/fd/{fd}") for fd in listed())


def listed():
    return [fd for fd in os.listdir("/proc/self/fd") if os.path.lexists(f"/proc/self/fd/{fd}")]


@pytest.mark.parametrize("level", ["standard", "unsafe"])
def test_a_child_has_a_sandbox_of_its_own(level):
    """Parent, child and grandchild run calls, in turn and after one another has closed."""
    box = open_sandbox(level, workers=2)
    assert doubled(box)

    def closing():
        fine = doubled(box) and forked(lambda: doubled(box)) == ""
        box.close()
        return fine

    for _ in range(2):
        assert forked(closing) == ""
        assert doubled(box)
    box.close()


def test_a_child_keeps_nothing_of_its_parents_open():
    """Else what hangs on a socket would live as long as the longest-lived child."""
    before = sockets()
    box = Pool(layers=LAYERS, workers=2)
    assert doubled(box)
    assert sockets() > before

    assert forked(lambda: sockets() <= before) == ""
    box.close()


def test_a_child_that_closes_leaves_its_parents_processes_alone():
    """They are the parent's, idle ones and busy ones."""
    box = Pool(layers=LAYERS, workers=2, limits=Limits(wall_seconds=60))
    assert doubled(box)
    with box._turns.running([Call(HOLD, "grade", [0])]) as run:
        while not any(zygote.usable for zygote in list(run.busy)):
            os.sched_yield()
        before = processes(box)

        def closes():
            box.close()
            return True

        assert forked(closes) == ""
        assert all(state(pid)[0] != "gone" for pid in before)
        assert not run.over.done()
    assert doubled(box)
    box.close()
    assert gone(before)


def test_a_parents_sandbox_ends_with_it_while_a_child_lives(tmp_path):
    """Killed without a word, busy with a row: the child's copies of its sockets keep nothing up."""
    script = tmp_path / "parent.py"
    script.write_text(
        "import os, sys, threading\n"
        f"sys.path[:0] = [{str(Path(forks.__file__).parents[1])!r}, {str(Path(__file__).parent)!r}]\n"
        "from crashes import processes\n"
        "from sandbox import Call, Limits, open_sandbox\n"
        "box = open_sandbox('standard', workers=2, limits=Limits(wall_seconds=90))\n"
        f"box.run_now([Call({DOUBLE!r}, 'grade', [1])])\n"
        f"busy = box._turns.running([Call({HOLD!r}, 'grade', [1])])\n"
        "run = busy.__enter__()\n"
        "while not any(z.usable for z in list(run.busy)): os.sched_yield()\n"
        "child = os.fork()\n"
        "if not child:\n"
        "    while True: os.read(0, 1) or os._exit(0)\n"
        "print(os.getpid(), child, *processes(box), flush=True)\n"
        "threading.Event().wait()\n"
    )
    ours, theirs = os.pipe()
    said, says = os.pipe()
    pid = os.posix_spawn(
        sys.executable,
        [sys.executable, str(script)],
        os.environ,
        file_actions=[(os.POSIX_SPAWN_DUP2, ours, 0), (os.POSIX_SPAWN_DUP2, says, 1)],
    )
    os.close(says)
    os.close(ours)
    with os.fdopen(said) as lines:
        parent, child, *others = map(int, lines.readline().split())
        assert len(others) >= 2
        os.kill(parent, signal.SIGKILL)
        os.waitpid(pid, 0)

        assert gone(others)
        assert state(child)[0] != "gone"
        os.close(theirs)
        assert gone([child])


@pytest.mark.long
def test_a_fork_in_the_midst_of_work_harms_neither():
    """Threads of the parent start sandboxes, hold locks and read answers while it forks."""
    box = Pool(layers=LAYERS, workers=3, idle=1)
    sources = [f"{DOUBLE}# {n}\n" for n in range(40)]
    outcomes = []

    def work():
        calls = [Call(source, "grade", [n]) for n, source in enumerate(sources)]
        outcomes.extend(box.run_now(calls))

    thread = threading.Thread(target=work)
    thread.start()
    said = [forked(lambda: doubled(box)) for _ in range(8)]
    thread.join()

    assert said == [""] * 8
    assert [outcome.value for outcome in outcomes] == [2 * n for n in range(40)]
    box.close()


def test_a_fork_waits_for_descriptors_that_nobody_could_close():
    """A socket that is being made, and has no owner yet, would stay open in the child."""
    forking = threading.Thread(target=forked, args=[lambda: True])
    with forks.opening:
        forking.start()
        forking.join(0.2)
        assert forking.is_alive()
    forking.join(20)
    assert not forking.is_alive()
