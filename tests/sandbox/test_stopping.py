"""Ends: of a row's time, of a run that is cancelled, of a pool that is closed."""

import asyncio
import os
import resource
import signal
import threading
from time import monotonic

import pytest
from crashes import gone, processes

from sandbox import Call, Limits, Pool, Status, examine, open_sandbox
from sandbox.plan import free_user

LAYERS = [proof.layer.name for proof in examine()]
WAIT = "import time\ndef grade(x):\n    print('begun')\n    time.sleep(x)\n    return x\n"
SPIN = (
    "import sys\ndef grade(x):\n    print('begun', flush=True)\n    sys.stderr.write('e')\n"
    "    kept = b'x' * (40 << 20)\n    while True: pass\n"
)


@pytest.mark.parametrize("level", ["standard", "unsafe"])
def test_a_row_out_of_time_keeps_what_it_printed_and_took(level):
    """It is the row one most wants to look into."""
    box = open_sandbox(level, workers=1, limits=Limits(wall_seconds=1.5))
    outcome, after = asyncio.run(box.run([Call(SPIN, "grade", [0]), Call(WAIT, "grade", [0])]))
    box.close()

    assert (outcome.status, outcome.error) == (Status.TIMED_OUT, "timed out after 1.5 s")
    assert (outcome.stdout, outcome.stderr) == ("begun\n", "e")
    assert outcome.cpu_seconds > 0.1
    assert outcome.peak_bytes > 40 << 20
    assert after.value == 0


def test_a_row_that_prints_without_end_is_stopped_in_time():
    """Reading what it prints must not keep anyone from looking at the clock."""
    flood = "import os\ndef grade(x):\n    while True: os.write(1, b'x' * 65536)\n"
    pool = Pool(layers=LAYERS, workers=1, limits=Limits(wall_seconds=1))
    (outcome,) = pool.run_now([Call(flood, "grade", [0])])
    pool.close()

    assert outcome.status is Status.TIMED_OUT
    assert outcome.wall_seconds < 30
    assert outcome.stdout.endswith("x\n[... the rest was dropped]")


def test_processor_time_is_a_limit_without_isolation_too():
    """Said as what it is, not as a signal."""
    box = open_sandbox("unsafe", workers=1, limits=Limits(cpu_seconds=1, wall_seconds=20))
    (outcome,) = asyncio.run(box.run([Call(SPIN, "grade", [0])]))
    box.close()

    assert (outcome.status, outcome.error) == (Status.TIMED_OUT, "used 1 s of processor time")
    assert outcome.stdout == "begun\n"


def test_prints_are_capped_without_isolation_too():
    """With the same note."""
    box = open_sandbox("unsafe", workers=1)
    (outcome,) = asyncio.run(box.run([Call("def grade(x): print('x' * 10**6)", "grade", [0])]))
    box.close()

    assert len(outcome.stdout) < 70_000
    assert outcome.stdout.endswith("x\n[... the rest was dropped]")


NESTED = "import sandbox\ndef grade(x):\n    return sandbox.run_code('import time; time.sleep(60)', timeout=60)\n"
COMPILING = "def grade(x):\n" + "".join(
    f"{' ' * (4 * n + 4)}try: pass\n{' ' * (4 * n + 4)}finally:\n" for n in range(19)
)
COMPILING += " " * 80 + "x = (x, x)\n"
BUSY = {
    "a row": ("standard", WAIT),
    "nested code": ("standard", NESTED),
    "the compiler": ("standard", COMPILING),
    "a process": ("unsafe", WAIT),
}


@pytest.mark.parametrize("name", BUSY)
@pytest.mark.parametrize("how", ["cancel", "close"])
def test_whatever_is_busy_stops_at_once(name, how):
    """Ctrl-C, a closed notebook cell: nobody waits for a deadline that is minutes away."""
    level, source = BUSY[name]
    box = open_sandbox(level, workers=2, limits=Limits(wall_seconds=60))

    async def stopped():
        task = asyncio.create_task(box.run([Call(source, "grade", [50])] * 4))
        while level == "standard" and not processes(box):  # noqa: ASYNC110
            await asyncio.sleep(0)
        await asyncio.wait({task}, timeout=0.4)
        assert not task.done()
        if level == "standard":
            left.update(processes(box))
            assert left
        started = monotonic()
        if how == "cancel":
            task.cancel()
            await asyncio.wait({task})
        else:
            await box.aclose()
            assert {outcome.status for outcome in await task} == {Status.BROKEN}
        await box.aclose()
        return monotonic() - started

    left = set()
    assert asyncio.run(stopped()) < 30
    assert gone(left)


@pytest.mark.parametrize("level", ["standard", "unsafe"])
def test_a_closed_sandbox_says_so(level):
    """An outcome each, and no exception."""
    box = open_sandbox(level, workers=1)
    box.close()
    outcomes = asyncio.run(box.run([Call(WAIT, "grade", [0])] * 2))

    assert {o.error for o in outcomes} == {"the sandbox was closed during the run"}


@pytest.mark.parametrize(
    ("mapped", "users"),
    [
        ("0 0 4294967295\n", range(1 << 30, 1 << 31)),
        ("0 100000 65536\n", range(60_000, 65_534)),
        ("0 1000 1\n", [60_000]),  # which the kernel refuses, and that is said
    ],
)
def test_a_user_is_one_that_the_host_has_to_give(tmp_path, mapped, users):
    """Containers have few."""
    (tmp_path / "uid_map").write_text(mapped)

    assert free_user(str(tmp_path / "uid_map")) in users


def test_a_run_without_a_loop_is_stopped_by_closing():
    """`run_now` on another thread."""
    pool = Pool(layers=LAYERS, workers=1)
    got = []
    thread = threading.Thread(target=lambda: got.extend(pool.run_now([Call(WAIT, "grade", [50])])))
    thread.start()
    while not any(run.busy for run in pool._turns.runs):
        pass
    pool.close()
    thread.join(60)

    assert [outcome.error for outcome in got] == ["the sandbox was closed during the run"]


@pytest.mark.parametrize("text", ["def grade(x): return x", "def grade(x) return"])
def test_a_mother_that_stops_answering_is_replaced(text):
    """Stopped and not dead: what waits for it is told when it is ended."""
    pool = Pool(layers=LAYERS, workers=1)
    pool.run_now([Call("grade = abs", "grade", [1])])
    (mother,) = pool._warm.mothers.values()
    os.kill(mother.pid, signal.SIGSTOP)
    timer = threading.Timer(0.5, lambda: os.kill(mother.pid, signal.SIGKILL))
    timer.start()
    (outcome,) = pool.run_now([Call(text, "grade", [1])])
    timer.join()
    pool.close()

    assert outcome.status in {Status.OK, Status.RAISED}


@pytest.mark.long
def test_descriptors_are_given_back():
    """After starts, crashes and refusals alike."""
    before = len(os.listdir("/proc/self/fd"))
    for layers in (LAYERS, ["no such layer"]):
        pool = Pool(layers=layers, workers=2, limits=Limits(wall_seconds=1))
        pool.run_now([Call(source, "grade", [9]) for source in (WAIT, COMPILING, "x =", NESTED)])
        pool.close()

    assert len(os.listdir("/proc/self/fd")) == before
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] > 100
