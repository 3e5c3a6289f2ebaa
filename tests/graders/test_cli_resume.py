"""`graders run` in a folder that can be gone on with: interrupts, --resume, --retry."""

import json
import random
import shlex
import signal
import sys
from functools import partial
from pathlib import Path

import click
import pytest
from kept_runs import ASKED, BOTH, EXACT, JUDGE, Command, files, mixed, room, said, until, write

from graders.cli.grade_file import grade_file
from graders.cli.job import Job, Target
from graders.cli.run import _again
from graders.config.parse import parse_config
from graders.engine import RunOptions
from graders.grades import Grade
from graders.row_files import RowFormat
from graders.runs.grading import Work

GOOD = '{"item": {"a": "x"}, "sample": "x"}\n'


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


class Impatient:
    """Grades 300 rows and is interrupted at the next."""

    name, signature, waits = "impatient", "impatient", "never"

    async def grade(self, rows):
        if rows[-1].row > 300:
            raise KeyboardInterrupt
        return [Grade(name="i", score=1.0) for _ in rows]


def test_an_interrupt_keeps_what_was_graded(capsys):
    """The batches before it are on disk, whole, and summed up."""
    Path("rows.jsonl").write_text(GOOD * 600)
    work = Work(
        signature="s", options=RunOptions(), rows="rows.jsonl", shape=RowFormat(), per_shard=100
    )
    job = Job(
        grader=Impatient(), recipe=Impatient, work=work, config=parse_config(EXACT).grader,
        profile="p", title="t", as_json=False,
    )  # fmt: skip

    with pytest.raises(KeyboardInterrupt):
        grade_file(job, Target(results="out.jsonl", way="new", again="graders run"))
    assert Path("out.jsonl").read_bytes().count(b"\n") == 300
    assert "over 300 graded" in capsys.readouterr().out


# --- options


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--resume"], "--resume is for a run whose results are a file: -o RESULTS."),
        (["--retry", "failures", "-o", "-"], "--retry is for a run whose results are a file"),
        (["--overwrite", "-o", "/dev/null"], "--overwrite is for a run whose results are a file"),
        (["-o", "o.jsonl", "--overwrite", "--resume"],
         "--overwrite begins anew; leave it or --resume out."),
        (["-o", "o.jsonl", "--overwrite", "--retry", "failures"],
         "--overwrite begins anew; leave it or --retry out."),
        (["-o", "o.jsonl", "--retry", "all"], "'all' is not 'failures'"),
        (["-o", "o.jsonl", "--workers", "0"], "0 is not in the range x>=1"),
    ],
)  # fmt: skip
def test_ways_that_do_not_go_together(run, options, message):
    """Each is told before anything is read."""
    write("g.json", EXACT)
    write("rows.jsonl", GOOD)
    code, _, err = run("g.json", "rows.jsonl", *options)
    assert code == 2
    assert message in err
    assert not Path("o.run").exists()


def test_one_row_is_not_gone_on_with(run):
    """`--sample` has no folder."""
    write("g.json", EXACT)
    code, _, err = run("g.json", "--sample", "x", "-o", "o.jsonl", "--resume")
    assert (code, "--resume is for a run whose results are a file" in err) == (2, True)


@pytest.mark.parametrize(
    ("options", "again"),
    [
        (["--overwrite"], ["--resume"]),
        (["--resume"], ["--resume"]),
        (["--retry", "failures"], ["--retry", "failures", "--resume"]),
        (["--detail", "all", "--workers", "2"], ["--detail", "all", "--workers", "2", "--resume"]),
    ],
)
def test_the_line_that_goes_on_can_be_pasted(run, options, again):
    """It is the command that was given, quoted for a shell."""
    write("it's a.json", BOTH)
    write("rows $1.jsonl", mixed(260))
    given = ["it's a.json", "rows $1.jsonl", "-o", "out.jsonl"]
    with room(20_000):
        _, _, err = run(*given, *options)
    (line,) = [line for line in err.splitlines() if "go on with" in line]
    words = shlex.split(line.removeprefix("graders: go on with: "))
    assert words == ["graders", "run", *given, *again]
    assert run(*words[2:])[0] == 1


@pytest.mark.parametrize(
    ("arguments", "url", "again"),
    [
        (["run", "-o", "o.jsonl", "--", "g.json", "r.jsonl"], None,
         "graders run -o o.jsonl --resume -- g.json r.jsonl"),
        (["run", "g.json", "--base-url=https://me:p%40w@h/v1"], "https://me:p%40w@h/v1",
         "graders run g.json '--base-url=https://***@h/v1' --resume"),
        (["run", "me@h.json", "--base-url", "https://h/v1/a@b"], "https://h/v1/a@b",
         "graders run me@h.json --base-url https://h/v1/a@b --resume"),
    ],
)  # fmt: skip
def test_the_line_that_goes_on_has_no_password_and_no_row_more(arguments, url, again):
    """An option stands before `--`; whom it asks as whom is for the user to say again."""
    with click.Context(click.Command("graders"), obj=tuple(arguments)):
        assert _again(url) == again


def test_one_row_leaves_an_unfinished_run_alone(run):
    """Its results would be gone."""
    write("both.json", BOTH)
    write("rows.jsonl", mixed(260))
    with room(40_000):
        run("both.json", "rows.jsonl", "-o", "out.jsonl")
    before = files()
    code, _, err = run("both.json", "--sample", "x", "-o", "out.jsonl")
    assert (code, "out.run holds a run that is not finished" in err) == (2, True)
    assert files() == before


# --- judges


JUDGED = ("judge.json", "rows.jsonl", "-o", "out.jsonl", "--client", "asked:Client")


def judged(*texts):
    """Rows for a judge, and the client it asks."""
    write("judge.json", JUDGE)
    write("asked.py", ASKED)
    write("rows.jsonl", "".join(json.dumps({"item": {}, "sample": text}) + "\n" for text in texts))


def asked():
    """What was asked since this was called last."""
    path = Path("asked.txt")
    texts = path.read_text().split() if path.exists() else []
    path.unlink(missing_ok=True)
    return texts


def has_asked(command, count):
    """Whether a run has asked so often, or is over."""
    path = Path("asked.txt")
    return command.over or (path.exists() and len(path.read_text().split()) >= count)


def scores(name="out.jsonl"):
    lines = map(json.loads, Path(name).read_bytes().splitlines())
    return {line["row"]: line["score"] for line in lines}


def test_only_what_failed_is_asked_again(run):
    """The other rows keep their bytes; what fails again can be tried again."""
    texts = ["x" * n for n in range(1, 101)]
    judged(*texts)
    write("broken", " ".join(texts[3::10]))
    assert run(*JUDGED)[0] == 1
    assert sorted(asked()) == texts
    before = Path("out.jsonl").read_bytes().splitlines()

    write("broken", " ".join(texts[3:30:10]))
    code, out, _ = run(*JUDGED, "--retry", "failures")
    assert (code, "over 97 graded" in out) == (1, True)
    assert sorted(asked()) == texts[3::10]
    after = Path("out.jsonl").read_bytes().splitlines()
    changed = [i for i, lines in enumerate(zip(before, after, strict=True)) if len(set(lines)) > 1]
    assert changed == list(range(33, 100, 10))

    Path("broken").unlink()
    assert run(*JUDGED, "--retry", "failures")[0] == 0
    assert sorted(asked()) == texts[3:30:10]
    assert scores() == {n: 1 / n for n in range(1, 101)}
    assert run(*JUDGED, "--retry", "failures")[0] == 0
    assert asked() == []


def test_a_retry_that_was_killed_at_its_end_leaves_nothing_stale(run):
    """The results of before that it had not deleted yet are not those of before the next one."""
    texts = ["x" * n for n in range(1, 41)]
    judged(*texts)
    write("broken", texts[7])
    run(*JUDGED)
    asked()
    Path("broken").unlink()
    Path("out.run/before").mkdir()
    for name in ("out.jsonl", "out.timing.jsonl"):
        write(f"out.run/before/{name}", "")
    assert run(*JUDGED, "--retry", "failures")[0] == 0
    assert asked() == [texts[7]]
    assert scores() == {n: 1 / n for n in range(1, 41)}
    assert not Path("out.run/before").exists()


@pytest.mark.parametrize("way", [["--resume"], ["--retry", "failures"]], ids=" ".join)
@pytest.mark.skipif(sys.platform == "win32", reason="forks")
def test_an_interrupted_retry_goes_on(way):
    """Killed, or interrupted: no answer that was paid is asked for again, by either option."""
    texts = [f"{'slow' if n % 40 == 23 else 'quick'}{n}" for n in range(200)]
    failed = texts[3::10]
    judged(*texts)
    write("broken", " ".join(failed))
    write("let", "")
    assert Command("run", *JUDGED).wait() == 1
    Path("broken").unlink()
    Path("let").unlink()
    asked()

    begun = Command("run", *JUDGED, "--retry", "failures")
    until(partial(has_asked, begun, 20))
    begun.kill(signal.SIGKILL)
    begun.wait()
    begun = Command("run", *JUDGED, *way)
    until(partial(has_asked, begun, 25))
    begun.kill(signal.SIGINT)
    assert begun.wait() == 130
    write("let", "")
    assert Command("run", *JUDGED, *way).wait() == 0, said()

    found = asked()
    assert set(found) == set(failed)
    again = {text for text in failed if found.count(text) > 1}
    assert {text for text in failed if text.startswith("slow")} <= again
    assert len([text for text in again if text.startswith("quick")]) <= 1  # was under way
    assert list(scores().values()) == [1 / len(text) for text in texts]


@pytest.mark.skipif(sys.platform == "win32", reason="forks")
def test_a_judge_that_is_killed_midway_is_not_asked_twice():
    """Five kills at random; the bytes are those of a run that nobody disturbed."""
    texts = [f"quick{n}" for n in range(400)]
    judged(*texts)
    assert Command("run", *JUDGED[:2], "-o", "whole.jsonl", *JUDGED[4:]).wait() == 0
    asked()
    chance = random.Random(3)
    seen = 0
    for kill in range(5):
        begun = Command("run", *JUDGED, *(["--resume"] if kill else []))
        seen += chance.randint(10, 60)
        until(partial(has_asked, begun, seen))
        begun.kill(signal.SIGKILL)
        begun.wait()
        seen = len(Path("asked.txt").read_text().split())
    assert Command("run", *JUDGED, "--resume").wait() == 0
    found = asked()
    assert set(found) == set(texts)
    assert len(found) <= len(texts) + 5  # and those under way, one at a time
    assert files() == files("whole.jsonl")


# --- python graders


def test_a_mended_python_grader_gives_the_scores_that_were_missing(run):
    """Rows that had one are not run again."""
    source = "def grade(sample, item):\n    return item['n'] / 100 if {} else 1 / 0\n"
    write("grade.py", source.format("item['n'] % 5"))
    rows = [{"item": {"n": n}, "sample": "x"} for n in range(60)]
    write("rows.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    given = ["grade.py", "rows.jsonl", "-o", "out.jsonl"]
    assert run(*given)[0] == 1
    before = Path("out.jsonl").read_bytes().splitlines()

    write("grade.py", source.format("True"))
    code, _, err = run(*given, "--resume")
    assert code == 2
    assert "  config.source, line 2: " in err
    code, _, err = run(*given, "--retry", "failures")
    assert code == 0
    assert "note: graded again with another config.source, line 2: " in err
    after = Path("out.jsonl").read_bytes().splitlines()
    assert scores() == {n + 1: n / 100 for n in range(60)}
    kept = [n for n in range(60) if n % 5]
    assert [after[n] for n in kept] == [before[n] for n in kept]
