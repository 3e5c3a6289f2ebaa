"""Kills: whatever dies, and whenever, each row is there once at the end, with the same bytes."""

import asyncio
import json
import os
import random
import shlex
import shutil
import signal
import sys
import threading
import time
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from kept_runs import BOTH, EXACT, Command, files, kept, mixed, said, summed, until, write

from graders.cli import main
from graders.compile import compile_grader
from graders.engine import RunOptions
from graders.grades import Boundary
from graders.rows import Row, to_sample
from graders.runs.grading import Grading
from graders.runs.undisturbed import undisturbed

THOROUGH = os.environ.get("GRADERS_THOROUGH") == "1"
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks for workers in /proc")
KILLS = 100 if THOROUGH else 20
ROWS = 40_000 if THOROUGH else 8_000
SLACK_SECONDS = 4.0
"""What a busy machine may add to the second that an interrupt takes."""
COMMAND = ("run", "both.json", "rows.jsonl", "-o", "out.jsonl", "--json")


@pytest.fixture(autouse=True, scope="module")
def _loaded(tmp_path_factory):
    """All modules of a run, so that a fork has them at once."""
    folder = tmp_path_factory.mktemp("loaded")
    (folder / "both.json").write_text(json.dumps(BOTH))
    (folder / "rows.jsonl").write_text(mixed(3))
    assert main(["run", *map(str, (folder / "both.json", folder / "rows.jsonl")),
                 "-o", str(folder / "out.jsonl")]) == 0  # fmt: skip


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write("both.json", BOTH)


def ended(*arguments):
    """A run to its end: exit code, files and summary."""
    return Command(*arguments).wait(), files(), summed(said("stdout"))


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """What a run of many rows comes to that nobody disturbs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("whole"))
        write("both.json", BOTH)
        write("rows.jsonl", mixed(ROWS, long=40))
        return ended(*COMMAND, "--workers", "2")


@contextmanager
def begun(*arguments):
    """A command that is gone at the end, with its workers."""
    command = Command(*arguments)
    try:
        yield command
    finally:
        command.kill()
        command.wait()


def moved(command, before, more=1):
    """Wait until a run has written something since, or is over."""

    def true():
        now = kept()
        return (
            command.over
            or sum(now.get(name) != size for name, size in before.items())
            + len(now.keys() - before.keys())
            >= more
        )

    until(true)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(3 if THOROUGH else 1))
@pytest.mark.parametrize("workers", ["2", "1"])
def test_kills_of_workers_and_driver_cost_no_row(whole, workers, seed):
    """Twenty of them at random moments; then to the end."""
    write("rows.jsonl", mixed(ROWS, long=40))
    chance = random.Random(f"{seed} {workers}")
    drivers = kills = 0
    while kills < KILLS:
        with begun(*COMMAND, "--workers", workers, "--resume") as driver:
            before = kept()
            while not driver.over:
                moved(driver, before, chance.randint(0, 3))
                before = kept()
                victims = driver.workers()
                if victims and chance.random() < 0.6:
                    with suppress(ProcessLookupError):
                        os.kill(chance.choice(victims), signal.SIGKILL)
                        kills += 1
                elif not driver.over:
                    driver.kill()
                    driver.wait()
                    kills, drivers = kills + 1, drivers + 1
                if kills >= KILLS:
                    break
        assert driver.wait() in {-signal.SIGKILL, 0, 1}, said()
        if driver.wait() >= 0:
            break
    assert kills >= KILLS
    assert drivers > 0

    assert ended(*COMMAND, "--workers", workers, "--resume") == whole


@pytest.mark.long
@pytest.mark.parametrize(
    ("number", "group"), [(signal.SIGINT, True), (signal.SIGINT, False), (signal.SIGTERM, False)]
)
@pytest.mark.parametrize("workers", ["1", "5"])
def test_an_interrupt_ends_a_run_at_once(whole, number, group, workers):
    """It keeps what is graded, and prints the line that goes on, which does."""
    write("rows.jsonl", mixed(ROWS, long=40))
    code = None
    while code in {None, whole[0]}:  # one that ended before it could be interrupted is begun anew
        Path("out.jsonl").unlink(missing_ok=True)  # and nothing is kept of the one before
        shutil.rmtree("out.run", ignore_errors=True)
        with begun(*COMMAND, "--workers", workers) as driver:
            until(lambda: driver.over or any(kept().values()))  # a row is kept
            sure = {name: size for name, size in kept().items() if name.endswith(".part")}
            sent = time.monotonic()
            driver.kill(number, group=group)
            code = driver.wait()
            took = time.monotonic() - sent

    err = said().splitlines()
    assert (code, err[1:]) == (130, ["", "graders: interrupted"])
    assert took < 1 + SLACK_SECONDS
    assert driver.workers() == []
    found = [json.loads(line) for line in Path("out.jsonl").read_bytes().splitlines()]
    keys = [(line["row"], line["sample_index"]) for line in found]
    assert keys == sorted(set(keys))
    assert len(keys) == json.loads(said("stdout"))["samples"] > 0
    assert sure.keys() <= kept().keys() | {f"{(line['row'] - 1) // 250:08}.part" for line in found}

    (line,) = [line for line in err if "go on with" in line]
    again = line.removeprefix("graders: go on with: graders ")
    assert ended(*shlex.split(again)) == whole


@pytest.mark.long
def test_kills_while_failures_are_graded_again():
    """The rows that are kept are those of before, and the others those of the mended grader."""
    rows = mixed(ROWS // 4, long=40)
    write("rows.jsonl", rows)
    expected = ended(*COMMAND)
    wrong = {**EXACT, "reference": "{{ item.n }}{{ item.a }}", "name": "exact"}
    broken = {**BOTH, "graders": {**BOTH["graders"], "exact": {**wrong, "input": "{{ item.b }}"}}}
    write("both.json", broken)
    assert Command(*COMMAND).wait() == 1
    write("both.json", BOTH)

    chance = random.Random(7)
    kills = 0
    for round_number in range(12):
        way = ("--retry", "failures") if round_number % 3 == 0 else ("--resume",)
        workers = str(1 + round_number % 2)
        with begun(*COMMAND, "--workers", workers, *way) as driver:
            moved(driver, kept(), chance.randint(0, 3))
            for victim in driver.workers()[: chance.randint(0, 1)]:
                with suppress(ProcessLookupError):
                    os.kill(victim, signal.SIGKILL)
                moved(driver, kept())
            kills += not driver.over
        if driver.wait() >= 0:
            break
    assert ended(*COMMAND, "--resume") == expected
    assert kills >= 3
    assert not Path("out.run/before").exists()


def test_a_killed_retry_is_not_begun_over():
    """The results of before are in its folder: a new run asks first."""
    write("rows.jsonl", mixed(2_000, long=40))
    assert Command(*COMMAND).wait() == 1
    before = files()
    with begun(*COMMAND, "--retry", "failures", "--workers", "1") as driver:
        until(lambda: Path("out.run/before/out.timing.jsonl").exists() or driver.over)
    assert driver.wait() == -signal.SIGKILL
    assert Command(*COMMAND).wait() == 2
    assert "holds a run that is not finished" in said()
    assert Command(*COMMAND, "--resume").wait() == 1
    assert files() == before


def test_workers_do_not_outlive_their_driver():
    """Killed, it cannot end them: they see to it themselves."""
    write("rows.jsonl", mixed(ROWS, long=40))
    with begun(*COMMAND, "--workers", "3") as driver:
        until(lambda: len(driver.workers()) == 3 or driver.over)
        workers = driver.workers()
    assert len(workers) == 3
    until(lambda: not any(Path(f"/proc/{worker}/exe").exists() for worker in workers))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_what_is_half_done_is_done_before_an_interrupt(number):
    """Also where another thread would take the signal; what it does is done once, behind."""
    done = []
    before = signal.signal(number, lambda *_: done.append("interrupted"))
    thread = threading.Thread(target=(over := threading.Event()).wait)
    thread.start()
    try:
        with undisturbed():
            os.kill(os.getpid(), number)
            with undisturbed():
                os.kill(os.getpid(), number)
            done.append("done")
        done.append("behind")
    finally:
        over.set()
        thread.join()
        handler = signal.signal(number, before)
    assert done == ["done", "interrupted", "behind"]
    assert handler.__name__ == "<lambda>"


def test_another_thread_puts_nothing_off():
    """Only the main one is interrupted."""

    def work():
        with undisturbed():
            handlers.append(signal.getsignal(signal.SIGINT))

    handlers = [signal.getsignal(signal.SIGINT)]
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert handlers[0] is handlers[1]


class Interrupted:
    """Keeps nothing, and is interrupted while a shard becomes whole."""

    def write(self, graded):
        pass

    def finish(self, shard, summary):
        os.kill(os.getpid(), signal.SIGINT)
        assert shard == 0
        return summary


def test_a_shard_is_in_one_summary_when_an_interrupt_comes():
    """It is taken whole before the interrupt does what it does, and not counted again."""

    def interrupt(_number, _frame):
        raise KeyboardInterrupt

    async def consume():
        row = Row(item={"a": "x"}, sample=to_sample("x"), row=1)
        shards = grading.shards([row, Boundary(0)], Interrupted(), lambda *_: None)
        async for one in shards:
            taken[one.shard] = one.summary.samples

    grading, taken = Grading(compile_grader(EXACT), RunOptions()), {}
    before = signal.signal(signal.SIGINT, interrupt)
    try:
        with pytest.raises(KeyboardInterrupt):
            asyncio.run(consume())
    finally:
        signal.signal(signal.SIGINT, before)
    assert (taken, grading.unfinished.samples) == ({0: 1}, 0)
