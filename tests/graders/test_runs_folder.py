"""The folder of a run: where it is, what is not a row in it, and when one begins anew."""

import asyncio
import fcntl
import gzip
import io
import json
import os
import sys
from pathlib import Path

import pytest
from kept_runs import (
    BOTH,
    COMMAND,
    EXACT,
    JOINED,
    files,
    mixed,
    room,
    summed,
    undisturbed,
    unfinished,
    write,
)

from graders.config.parse import parse_config
from graders.engine import RunOptions
from graders.errors import Failure, FailureKind, RowError
from graders.grades import Grade, Graded
from graders.report.summary import Summary
from graders.results import to_lines
from graders.row_files import RowFormat
from graders.rows import Row
from graders.runs import opening
from graders.runs.folder import Folder, State
from graders.runs.grading import Work
from graders.runs.manifest import make_manifest
from graders.runs.opening import judges_path, open_folder
from graders.runs.output import Stream
from graders.runs.parts import Part
from graders.runs.run import run_here

ROWS = 260
PART = 4_000
"""Bytes of a file in which no part has room."""


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write("both.json", BOTH)
    write("rows.jsonl", mixed(ROWS))


# --- places


def test_two_runs_do_not_share_a_folder(run, monkeypatch):
    """The second is refused, after a moment for workers of one that was killed."""
    monkeypatch.setattr(opening, "_PATIENCE_SECONDS", 0.1)
    Path("out.run").mkdir()
    with Path("out.run/lock").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        code, _, err = run(*COMMAND)
    assert code == 2
    assert err == "graders: another process is running out.run; wait for it, or stop it\n"
    assert run(*COMMAND)[0] == 1


def test_a_folder_of_that_name_keeps_what_else_it_holds(run):
    """Only a run's own files are deleted for a new one."""
    Path("out.run/parts").mkdir(parents=True)
    write("out.run/mine.txt", "mine")
    write("out.run/parts/00000000.part", "stale")
    undisturbed(run)
    assert run(*COMMAND)[0] == 1
    assert Path("out.run/mine.txt").read_text() == "mine"
    assert files() == files("whole.jsonl")


def test_a_file_of_the_folders_name(run):
    """Is not written over."""
    write("out.run", "mine")
    code, _, err = run(*COMMAND)
    assert (code, err) == (2, "graders: [Errno 17] File exists: 'out.run'\n")


def test_a_folder_that_is_not_there(run):
    """Is not made; its name is said."""
    code, _, err = run(*COMMAND[:2], "-o", "nowhere/out.jsonl")
    assert (code, err) == (2, "graders: [Errno 2] No such file or directory: 'nowhere/out.run'\n")


def test_a_folder_that_takes_nothing(run, tmp_path):
    """Says so before anything is graded."""
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o500)
    folder = "/proc" if os.geteuid() == 0 else str(closed)
    code, out, err = run(*COMMAND[:2], "-o", f"{folder}/out.jsonl")
    assert (code, out) == (2, "")
    assert err.endswith(f"'{folder}/out.run'\n")


@pytest.mark.parametrize("name", ["link.jsonl", "real/../link.jsonl"])
def test_a_link_to_results_stays_one(run, name):
    """The run is kept beside the file it leads to, also when failures are graded again."""
    Path("real").mkdir()
    Path("link.jsonl").symlink_to("real/out.jsonl")
    given = ["both.json", "rows.jsonl", "-o", name]
    with room(JOINED):
        assert run(*given)[0] == 2
    assert run(*given, "--resume")[0] == 1
    undisturbed(run)
    assert files("real/out.jsonl") == files("whole.jsonl")
    assert run(*given, "--retry", "failures")[0] == 1
    assert Path("link.jsonl").is_symlink()
    assert files("real/out.jsonl") == files("whole.jsonl")
    assert sorted(path.name for path in Path("real").iterdir()) == [
        "out.jsonl", "out.run", "out.timing.jsonl",
    ]  # fmt: skip
    assert judges_path(Path("link.jsonl")) == Path("real/out.run/judges.db").resolve()


def test_packed_results_go_on(run):
    """A gzip member for each append; unpacked they are the plain ones."""
    undisturbed(run)
    given = ["both.json", "rows.jsonl", "-o", "out.jsonl.gz"]
    with room(2_000):
        assert run(*given)[0] == 2
    with room(5_000):
        assert run(*given, "--resume")[0] == 2
    assert run(*given, "--resume")[0] == 1
    assert gzip.decompress(Path("out.jsonl.gz").read_bytes()) == files("whole.jsonl")[0]


def test_rows_of_a_pipe_cannot_be_gone_on_with(run, monkeypatch):
    """No line says that they can, and who tries is told why."""

    def piped():
        stream = io.TextIOWrapper(io.BytesIO(Path("rows.jsonl").read_bytes()))
        monkeypatch.setattr(sys, "stdin", stream)

    undisturbed(run)
    piped()
    assert run("both.json", "-", "-o", "out.jsonl")[0] == 1
    assert files() == files("whole.jsonl")
    piped()
    with room(JOINED):
        code, _, err = run("both.json", "-", "-o", "out.jsonl")
    assert code == 2
    assert "go on with" not in err
    code, _, err = run("both.json", "-", "-o", "out.jsonl", "--resume")
    assert (code, err) == (
        2, "graders: rows from standard input cannot be read again; save them to a file\n",
    )  # fmt: skip


# --- beginning anew


def test_an_unfinished_run_is_not_overwritten(run):
    """Unless it is asked for; the samples that are sure are counted."""
    expected = undisturbed(run)
    unfinished(run)
    code, _, err = run(*COMMAND)
    samples = json.loads(Path("out.run/state.json").read_bytes())
    count = samples["summary"]["rewards_with_failures_as_zero"]["count"]
    assert code == 2
    assert err == (
        f"graders: out.run holds a run that is not finished ({count} samples of out.jsonl are "
        "sure). --resume goes on with it; --overwrite drops it and begins anew\n"
    )
    code, out, _ = run(*COMMAND, "--overwrite")
    assert (code, summed(out), files()) == expected
    assert run(*COMMAND)[0] == code  # a finished one is overwritten


def test_a_run_of_parts_alone_is_not_overwritten(run):
    """Rows that are graded and not joined count too."""
    unfinished(run, size=PART)
    assert json.loads(Path("out.run/state.json").read_bytes())["joined"] == 0
    assert run(*COMMAND)[0] == 2


@pytest.mark.parametrize("workers", ["1", "2"])
@pytest.mark.parametrize(
    "options", [["--limit", "20"], ["--strict"], ["--failures", "stop"]], ids=" ".join
)
def test_a_run_that_ended_as_asked_is_finished(run, options, workers):
    """It may be gone on with, or begun anew; no line advises either."""
    for _ in range(2):
        code, _, err = run(*COMMAND, *options, "--workers", workers)
        assert code == 1
        assert "go on with" not in err


def test_a_limit_counts_what_is_graded_already(run):
    """Gone on with, a run of N samples has N samples; without the limit, all."""
    expected = undisturbed(run)
    lines, graded = expected[2][0].splitlines(keepends=True), 0
    for limit in ("70", "70", "150", "150", "40"):
        run(*COMMAND, "--limit", limit, "--resume")
        graded = max(int(limit), graded)  # a lower one takes nothing away
        assert Path("out.jsonl").read_bytes() == b"".join(lines[:graded])
    code, out, _ = run(*COMMAND, "--resume")
    assert (code, summed(out), files()) == expected


def test_a_finished_run_can_be_gone_on_with(run):
    """There is nothing to grade, and the same is said of it."""
    run(*COMMAND)
    before = files()
    code, out, err = run(*COMMAND, "--resume")
    samples = json.loads(out)["samples"]
    assert err == f"note: going on behind {samples} samples that are graded\n"
    assert (code, files()) == (1, before)


def opened(way, *, layers, notes):
    manifest = make_manifest(parse_config(EXACT).grader, [], {"lines_per_shard": 32}, layers)
    with open_folder(Path("lib.jsonl"), manifest, way, notes.append) as folder:
        folder.complete()


def test_what_decides_no_number_may_change():
    """Layers of a sandbox, for one: it is said, and the run goes on."""
    notes = []
    opened("new", layers={"layers": ["seccomp"]}, notes=notes)
    opened("resume", layers={"layers": None}, notes=notes)
    assert notes == ["the run went on under other layers: ['seccomp'] then, None now"]


def test_lone_surrogates_do_not_damage_a_folder(run):
    r"""`\ud800` in a group's name or a row is read as it was written."""
    write("g.json", EXACT)
    row = {"item": {"a": "x", "g": "\ud800"}, "sample": "\ud800"}
    write("rows.jsonl", "".join(json.dumps({**row, "n": n}) + "\n" for n in range(200)))
    given = ["g.json", "rows.jsonl", "-o", "out.jsonl", "--group-by", "g"]
    with room(20_000):
        assert run(*given)[0] == 2
    assert run(*given, "--resume")[0] == 0
    assert Path("out.jsonl").read_bytes().count(b"\n") == 200
    assert run(*given, "--retry", "failures")[0] == 0
    assert Path("out.jsonl").read_bytes().count(b"\n") == 200


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_failure_that_stops_a_run_stops_it_again(run, workers):
    """Gone on with, it ends at the same row with the same bytes, also if it was killed there."""
    options = ["--failures", "stop", "--workers", workers]
    first = run(*COMMAND, *options)[0], files()
    code, _, err = run(*COMMAND, *options, "--resume")
    assert (code, files()) == first
    assert "graders: stopped at row " in err


def test_a_retry_of_nothing_joined_goes_on(run):
    """Though somebody deleted the empty results: those that are made then are not of before."""
    expected = undisturbed(run)
    unfinished(run, size=PART)
    for name in ("out.jsonl", "out.timing.jsonl"):
        Path(name).unlink()
    unfinished(run, "--retry", "failures")
    code, out, _ = run(*COMMAND, "--resume")
    assert (code, summed(out), files()) == expected


@pytest.mark.parametrize("workers", ["1", "2"])
def test_shards_without_a_row(run, workers):
    """Of bad lines, or of blank ones: they count, and nothing is between their neighbours."""
    good = mixed(90)
    write("rows.jsonl", good + "oops\n" * 100 + "\n" * 100 + good + "oops\n" * 70)
    expected = undisturbed(run)
    assert expected[1]["bad_lines"] >= 170
    for size in (14_000, 25_000, 35_000):
        with room(size):
            assert run(*COMMAND, "--workers", workers, "--resume")[0] == 2
    code, out, _ = run(*COMMAND, "--workers", workers, "--resume")
    assert (code, summed(out), files()) == expected
    code, out, _ = run(*COMMAND, "--workers", workers, "--retry", "failures")
    assert (code, summed(out), files()) == expected


def test_a_file_without_rows_says_so_each_time(run):
    """There is nothing to go on with."""
    write("rows.jsonl", "\n\n")
    for option in ("--overwrite", "--resume"):
        code, _, err = run(*COMMAND, option)
        assert (code, err.splitlines()[-1]) == (2, "graders: rows.jsonl holds no rows.")


@pytest.mark.parametrize("workers", ["1", "2"])
def test_resume_goes_on_grading_failures_again(run, workers):
    """Those of shards that the retry had not reached, too."""
    expected = undisturbed(run)
    wrong = {**EXACT, "input": "{{ item.b }}"}
    write("both.json", {**BOTH, "graders": {**BOTH["graders"], "exact": wrong}})
    assert run(*COMMAND)[0] == 1
    write("both.json", BOTH)
    unfinished(run, "--retry", "failures", "--workers", workers)
    code, out, _ = run(*COMMAND, "--resume", "--workers", workers)
    assert (code, summed(out), files()) == expected


@pytest.mark.parametrize("options", [["--limit", "9"], ["--strict"]], ids=" ".join)
def test_a_retry_that_ends_early_is_not_finished(run, options):
    """The results behind its end are in the folder: a new run asks before it drops them."""
    expected = undisturbed(run)
    run(*COMMAND)
    _, _, err = run(*COMMAND, "--retry", "failures", *options)
    assert "graders: go on with: " in err
    code, _, err = run(*COMMAND)
    assert (code, "holds a run that is not finished" in err) == (2, True)
    code, out, _ = run(*COMMAND, "--resume")
    assert (code, summed(out), files()) == expected


def test_a_summary_of_some_rows_is_not_taken_for_that_of_all(tmp_path):
    """A part that was whole before it could be joined had rows of an earlier session."""
    folder = Folder(tmp_path, Stream(None), State())
    rows = [Row(item={}, sample={}, row=number) for number in (1, 2, 3)]
    graded = Graded(rows, [Grade(name="g", score=1.0)] * 3, [1.0] * 3)
    part = Part(folder.parts, 0)
    part.begin(retry=False)
    part.write(to_lines(graded, signature="s", detail="none"))
    part.finish()
    known = Summary.of_part()
    known.add(Graded(rows[2:], [Grade(name="g", score=1.0)], [1.0]))
    known.bad_line(RowError("rows.jsonl:4:1", "is none"))
    summary = folder.leave({0: known})
    assert (summary.samples, summary.bad_lines) == (3, 1)


class FirstFailsLast:
    """Fails the first row when a last one is graded; never grades the third, nor those behind."""

    name, signature, waits = "first", "first", "rows"

    def __init__(self, last):
        self.last, self.graded = last, asyncio.Event()

    async def grade(self, rows):
        (row,) = rows
        if row.row == 1:
            await self.graded.wait()
            failure = Failure(kind=FailureKind.OTHER, message="it broke")
            return [Grade(name="f", failure=failure)]
        if row.row == 3 or row.row > self.last:
            await asyncio.Event().wait()
        if row.row == self.last:
            self.graded.set()
        return [Grade(name="f", score=row.row / 10)]


def test_rows_behind_a_slow_one_are_summed_up_once(tmp_path):
    """Also where as many were graded now, in several shards, as the first one has by now."""
    write("rows.jsonl", '{"item": {}, "sample": "x"}\n' * 9)
    options = RunOptions(failures="stop")
    work = Work(signature="s", options=options, rows="rows.jsonl", shape=RowFormat(), per_shard=3)
    for last in (2, 4):
        folder = Folder(tmp_path, Stream(None), State())
        outcome = run_here(FirstFailsLast(last), work, folder, None, lambda *_: None)
    assert (outcome.summary.samples, outcome.summary.failed) == (3, 1)
    assert outcome.summary.graded.value == pytest.approx((0.2 + 0.4) / 2)


class Broken:
    """Fails every row."""

    name, signature, waits = "broken", "broken", "never"

    async def grade(self, rows):
        failure = Failure(kind=FailureKind.OTHER, message="it broke")
        return [Grade(name="b", failure=failure) for _ in rows]


@pytest.mark.parametrize("options", [{"failures": "stop"}, {"strict": True}], ids=str)
def test_what_workers_graded_behind_the_end_is_no_result(tmp_path, options):
    """A run that they began stops in one process where it stops on them."""
    good = '{"item": {}, "sample": "x"}\n'
    write("rows.jsonl", good + "oops\n" * options.get("strict", False) + good * 8)
    folder = Folder(tmp_path, Stream(out := io.BytesIO()), State())
    part = Part(folder.parts, 1)
    part.begin(retry=False)
    ahead = Graded([Row(item={}, sample={}, row=4)], [Grade(name="g", score=1.0)], [1.0])
    part.write(to_lines(ahead, signature="s", detail="none"))
    part.close()
    work = Work(
        signature="s", options=RunOptions(**options), rows="rows.jsonl", shape=RowFormat(),
        per_shard=3,
    )  # fmt: skip
    outcome = run_here(Broken(), work, folder, None, lambda *_: None)
    assert (outcome.as_asked, outcome.summary.samples, outcome.summary.failed) == (True, 1, 1)
    assert [json.loads(line)["row"] for line in out.getvalue().splitlines()] == [1]
