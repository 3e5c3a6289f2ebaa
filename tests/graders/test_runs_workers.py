"""Workers: the same bytes for any count of them, and rows, shards and processes that break."""

import contextlib
import gzip
import json
import multiprocessing
import os
import random
import re
import shutil
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
from kept_runs import ASKED, BOTH, EXACT, JUDGE, files, mixed, summed, write

import graders.runs.workers
from graders.cli import main
from graders.compile import compile_grader
from graders.engine import RunOptions, RunStoppedError
from graders.errors import RowError
from graders.grades import Grade
from graders.results import read_results
from graders.row_files import Reader, RowFormat
from graders.runs.crew import InOrder
from graders.runs.folder import Folder, State
from graders.runs.grading import Work
from graders.runs.output import NOTHING, Files
from graders.runs.run import run_here, run_on_workers
from graders.runs.shards import shards as cut
from graders.runs.worker import WorkersDiedError
from graders.runs.workers import Workers

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="kills processes")
ROWS = 500


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write("both.json", BOTH)
    write("rows.jsonl", mixed(ROWS))


# --- the same bytes


@pytest.mark.parametrize(
    "options",
    [
        [],
        ["--failures", "zero", "--detail", "none"],
        pytest.param(["--detail", "all", "--pass-threshold", "0.3"], marks=pytest.mark.long),
        ["--failures", "stop"],
        pytest.param(["--strict"], marks=pytest.mark.long),
        ["--limit", "100"],
        pytest.param(["--group-by", "item.n"], marks=pytest.mark.long),
        pytest.param(["--outputs", "outputs.jsonl"], marks=pytest.mark.long),
        ["--outputs", "outputs.jsonl", "--key", "n", "--failures", "zero"],
    ],
    ids=" ".join,
)
def test_any_count_of_workers_gives_the_same(run, options):
    """Results, summary, exit code and what ends a run early."""
    outputs = [json.dumps({"n": n, "samples": [f"w{n} ", "x"]}) for n in range(0, ROWS // 3, 2)]
    write("outputs.jsonl", "\n".join(outputs))
    found = []
    for count in ("1", "2", "3"):
        given = ["both.json", "rows.jsonl", "--workers", count, *options]
        code, out, err = run(*given, "-o", f"out{count}.jsonl", "--json")
        noted = "\n".join(line for line in err.splitlines() if "--workers" not in line)
        found.append((code, summed(out), noted, files(f"out{count}.jsonl")))

    assert found[1] == found[0]
    assert found[2] == found[0]


@pytest.mark.long
@pytest.mark.parametrize("options", [[], ["--failures", "stop"], ["--strict"]], ids=" ".join)
def test_streams_and_files_hold_the_same(capfdbinary, options):
    """Plain, packed, and on standard output, whoever grades."""
    found = []
    for count in ("1", "2"):
        given = ["run", "both.json", "rows.jsonl", "--workers", count, *options]
        code = main([*given, "-o", "out.jsonl"])
        plain = Path("out.jsonl").read_bytes()
        main([*given, "-o", "packed.jsonl.gz"])
        capfdbinary.readouterr()
        main([*given, "-o", "-"])
        streamed = capfdbinary.readouterr().out
        assert gzip.decompress(Path("packed.jsonl.gz").read_bytes()) == plain == streamed
        found.append((code, plain))
    assert found[0] == found[1]


@pytest.fixture(autouse=True)
def _no_other_threads(monkeypatch):
    """As in a run, whatever idle threads the tests before these have left: workers are forked."""
    monkeypatch.setattr(graders.runs.workers.threading, "active_count", lambda: 1)


def work_of(per_shard, **options):
    return Work(
        signature="s",
        options=RunOptions(**options),
        rows="rows.jsonl",
        shape=RowFormat(),
        per_shard=per_shard,
    )


def graded(count, per_shard, recipe, **options):
    """Grade the rows in a folder; the outcome, and the lines of the results."""
    for path in Path().glob("out*"):
        path.unlink()
    folder_path = Path(f"run{len(list(Path().glob('run*')))}")
    folder_path.mkdir()
    files = Files(Path("out.jsonl"), NOTHING)
    with contextlib.closing(files):
        folder = Folder(folder_path, files, State())
        work = work_of(per_shard, **options)
        if count == 0:
            outcome = run_here(recipe(), work, folder, None, lambda *_: None)
        else:
            outcome = run_on_workers(recipe, count, work, folder, lambda *_: None)
    return outcome, Path("out.jsonl").read_bytes()


both = partial(compile_grader, BOTH)


@pytest.mark.long
@pytest.mark.parametrize("per_shard", [5, 64, 10_000])
def test_any_shard_size_gives_the_same(per_shard):
    """Cutting is for sharing out: it changes no byte and no sum."""
    expected, lines = graded(0, 1024, both)
    for count in (0, 1, 2):
        outcome, found = graded(count, per_shard, both)
        assert found == lines
        assert summed(json.dumps(outcome.summary.to_json())) == summed(
            json.dumps(expected.summary.to_json())
        )


# --- what breaks


class Killed:
    """Grades rows, and kills its own process at some."""

    name, signature, waits = "killed", "killed", "never"

    def __init__(self, rows, times=sys.maxsize):
        self.rows, self.times = rows, times

    async def grade(self, rows):
        if self.rows.intersection(row.row for row in rows):
            self._try()
        return [Grade(name="killed", score=1 / row.row) for row in rows]

    def _try(self):
        with Path("tried").open("a") as file:
            file.write("x")
        if Path("tried").stat().st_size <= self.times:
            os.kill(os.getpid(), signal.SIGKILL)


def by_row(lines):
    return {json.loads(line)["row"]: json.loads(line) for line in lines.splitlines()}


@pytest.mark.long
@pytest.mark.parametrize("rows", [{1}, {37}, {64, 65}, {100}])
@pytest.mark.parametrize("failures", ["drop", "zero"])
def test_a_row_that_kills_its_worker_is_a_failure(rows, failures):
    """After a few tries; every other row is graded."""
    write("rows.jsonl", '{"item": {}, "sample": "x"}\n' * 100)
    outcome, lines = graded(2, 32, lambda: Killed(rows), failures=failures)

    found = by_row(lines)
    assert list(found) == list(range(1, 101))
    assert len(lines.splitlines()) == 100
    for number, line in found.items():
        if number in rows:
            assert line["failure"] == {
                "kind": "other_error",
                "reason": "worker_died",
                "message": "the process that graded it was killed several times: "
                "it may take too much memory",
            }
            assert line["reward"] == (0.0 if failures == "zero" else None)
        else:
            assert line["score"] == 1 / number
    assert outcome.error is None
    assert outcome.summary.failed == len(rows)


def test_a_worker_that_dies_a_few_times_costs_no_row():
    """Killed three times over the same row, by others: that is not the row's fault."""
    write("rows.jsonl", '{"item": {}, "sample": "x"}\n' * 100)
    outcome, lines = graded(2, 32, lambda: Killed({50}, times=3))
    assert outcome.summary.failed == 0
    assert list(by_row(lines)) == list(range(1, 101))


def test_a_row_that_kills_its_worker_can_stop_the_run():
    """As any failure does, where the options say so; what stands before it is kept."""
    write("rows.jsonl", '{"item": {}, "sample": "x"}\n' * 100)
    outcome, lines = graded(2, 32, lambda: Killed({40}), failures="stop")
    assert isinstance(outcome.error, RunStoppedError)
    assert str(outcome.error).startswith("stopped at row 40, sample 0: other_error: the process")
    assert list(by_row(lines)) == list(range(1, 41))
    assert outcome.as_asked


def test_workers_that_never_begin_end_the_run():
    """They are not started for ever; the run can be gone on with."""

    def recipe():
        os.kill(os.getpid(), signal.SIGKILL)

    outcome, lines = graded(2, 32, recipe)
    assert isinstance(outcome.error, WorkersDiedError)
    assert re.fullmatch(
        "8 workers died one after the other before they graded a row of shard [01]; "
        "with --engine local --workers 1 the run says why",
        str(outcome.error),
    )
    assert (lines, outcome.as_asked) == (b"", False)


@pytest.mark.parametrize("error", [OSError("no device"), RowError("here", "is wrong")])
def test_a_grader_that_cannot_be_made_says_why(error):
    """In a worker as in the run itself."""

    def recipe():
        raise error

    outcome, _ = graded(2, 32, recipe)
    assert (type(outcome.error), str(outcome.error)) == (type(error), str(error))


class Buggy:
    """Raises what no grader may."""

    name, signature, waits = "buggy", "buggy", "never"

    def __init__(self, error):
        self.error = error

    async def grade(self, rows):
        if rows[-1].row > 50:
            raise self.error
        return [Grade(name="b", score=1.0) for _ in rows]


class TwoWordsError(Exception):
    """An error that a pickle does not bring back."""

    def __init__(self, one, two):
        super().__init__(f"{one} and {two}")


@pytest.mark.parametrize(
    ("error", "kind", "message"),
    [
        (ZeroDivisionError("here"), ZeroDivisionError, "here"),
        (TwoWordsError("this", "that"), RuntimeError, r"TwoWordsError\('this and that'\)"),
    ],
)
def test_a_bug_in_a_worker_is_raised_with_its_traceback(error, kind, message):
    """It is no failure of a row; where it happened is said."""
    with pytest.raises(kind, match=message) as raised:
        graded(2, 32, lambda: Buggy(error))
    told = str(raised.value) + "\n".join(["", *getattr(raised.value, "__notes__", [])])
    assert "in grade\n" in told
    assert re.search(r"^in a worker, at shard [12]:\nTrace", told, re.MULTILINE)
    assert multiprocessing.active_children() == []


@pytest.mark.parametrize("error", [OSError(5, "Input/output error"), RowError("r:1:1", "no")])
def test_what_ends_a_run_early_in_a_worker_keeps_what_is_graded(error):
    """The rows before it are results, and no process is left."""
    outcome, lines = graded(2, 32, lambda: Buggy(error))
    assert (type(outcome.error), str(outcome.error)) == (type(error), str(error))
    assert max(by_row(lines)) <= 50
    assert min(by_row(lines)) == 1
    assert multiprocessing.active_children() == []


def test_workers_killed_while_idle_cost_nothing():
    """Before they get their task, while they get it, and after they gave it back."""
    write("rows.jsonl", '{"item": {"a": "x"}, "sample": "x"}\n' * 640)
    seed = random.Random(6)
    work = work_of(32)
    Path("parts").mkdir()
    workers = Workers(2, work, lambda: compile_grader(EXACT), Path("parts"))

    def shards():
        for shard in cut("rows.jsonl", work.shape, 32, Reader("", work.shape)):
            for child in multiprocessing.active_children():
                if seed.random() < 0.5:
                    os.kill(child.pid, signal.SIGKILL)
            yield shard

    done = list(InOrder(workers).grade(shards()))
    assert [(one.shard, one.summary.samples) for one in done] == [(i, 32) for i in range(20)]
    workers.stop()
    assert multiprocessing.active_children() == []


def test_workers_are_gone_at_the_end(run):
    """Also where they are many and idle: ending them takes no patience."""
    run("both.json", "rows.jsonl", "-o", "out.jsonl", "--workers", "4")
    assert multiprocessing.active_children() == []


def test_a_spawned_worker_gives_the_same(monkeypatch):
    """Where other threads run, workers are not forked."""
    expected, lines = graded(0, 256, both)
    monkeypatch.setattr(graders.runs.workers.threading, "active_count", lambda: 2)
    outcome, found = graded(2, 256, both)
    assert found == lines
    assert outcome.summary.samples == expected.summary.samples


@pytest.mark.parametrize(
    ("config", "options", "why"),
    [
        (BOTH, ["--limit", "4"], "counts rows"),
        (JUDGE, ["--client", "asked:Client"], "waits for others"),
    ],
)
def test_a_run_that_takes_one_process_says_so(run, config, options, why):
    """Who asked for more is told."""
    write("g.json", config)
    write("asked.py", ASKED)
    err = run("g.json", "rows.jsonl", "--workers", "3", *options)[2]
    assert f"note: --workers 3: a run that {why} takes one process\n" in err


def test_results_of_workers_are_read_as_any(run):
    """A results file of many appends is one file."""
    run("both.json", "rows.jsonl", "-o", "out.jsonl.gz", "--workers", "2")
    keys = [(line.row, line.sample_index) for line in read_results(Path("out.jsonl.gz"))]
    assert keys == sorted(set(keys))


# --- memory

_CHILD = """
import resource, sys
from graders.cli import main
assert main(["run", "g.json", sys.argv[1], "-o", "out.jsonl", "--workers", sys.argv[2]]) == 0
who = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
print(sum(resource.getrusage(one).ru_maxrss for one in who))
"""


@pytest.mark.long
@pytest.mark.parametrize("workers", ["1", "2"])
def test_memory_does_not_grow_with_the_file(workers):
    """Eight times the rows, of a kilobyte each, take the same: parts and all."""
    write("g.json", EXACT)

    def peak_bytes(count):
        row = json.dumps({"item": {"a": "x", "pad": "x" * 1000}, "sample": "x"}) + "\n"
        write("rows.jsonl", row * count)
        command = [sys.executable, "-c", _CHILD, "rows.jsonl", workers]
        out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        Path("out.jsonl").unlink()
        shutil.rmtree("out.run")
        return int(out.splitlines()[-1]) * (1 if sys.platform == "darwin" else 1024)

    assert peak_bytes(40_000) - peak_bytes(5_000) < 15 * 1024**2
