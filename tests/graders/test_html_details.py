"""What the rows of a report rest on: it is there whatever results keep, or the page says so."""

import base64
import io
import json
import signal
import sys
from pathlib import Path

import click
import pytest
from html_gallery import HOSTILE
from taught_rows import MULTI, ROWS, write

import graders
from graders.cli import main, run_details
from graders.cli.job import Job, RunReport
from graders.cli.run import command
from graders.cli.run_report import Ended, write_run_report
from graders.config.parse import read_config
from graders.engine import RunOptions
from graders.errors import Failure, FailureKind
from graders.grades import Grade
from graders.report.summary import Summary
from graders.results import to_result
from graders.row_files import RowFormat, read_rows
from graders.runs.grading import Work
from graders.runs.manifest import make_manifest
from graders.runs.run import Outcome
from graders.strict_json import encode

CLIENT = """
from graders.errors import FailureKind, GradingError
from graders.clients import ModelReply

class Judge:
    async def complete(self, request):
        asked = request.messages[-1].content
        if "gone" in str(asked):
            raise GradingError(FailureKind.MODEL_SERVER, "no answer")
        Judge.asked = getattr(Judge, "asked", 0) + 1
        text = '{"steps": [], "result": 0.5, "why": "BECAUSE %s"}' % len(asked)
        return ModelReply(text=text if "bad" not in str(asked) else "no JSON")
"""
JUDGE = {
    "type": "score_model",
    "name": "judge",
    "model": "m",
    "input": [
        {"role": "system", "content": "Be fair."},
        {"role": "user", "content": "Rate {{ sample.output_text }}"},
    ],
}
PYTHON = {
    "type": "python",
    "name": "code",
    "source": "def grade(sample, item):\n    print('SEEN', sample['output_text'])\n    return 1\n",
}
ASKED = ("--client", "detailing_judge:Judge")


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delitem(sys.modules, "detailing_judge", raising=False)
    write("detailing_judge.py", CLIENT)
    for name, config in (("judge", JUDGE), ("python", PYTHON), ("multi", MULTI)):
        write(f"{name}.json", config)
    write("rows.jsonl", *ROWS, {"item": {"a": "bad"}, "samples": ["bad"]})


def reported(run, *arguments):
    run(*arguments, "--report", "r.json")
    return json.loads(Path("r.json").read_bytes())["rows"]


def below(row):
    return {label for label, _ in row["more"]}


def test_a_judges_prompt_and_reasons_are_there_and_asked_for_once(run):
    """Results keep them of failures alone, and are the same bytes with a report."""
    run("judge.json", "rows.jsonl", *ASKED, "-o", "plain.jsonl")
    asked = sys.modules["detailing_judge"].Judge.asked
    rows = reported(run, "judge.json", "rows.jsonl", *ASKED, "-o", "out.jsonl")
    first, last = rows["rows"][0], rows["rows"][-1]

    assert Path("out.jsonl").read_bytes() == Path("plain.jsonl").read_bytes()
    assert b"BECAUSE" not in Path("out.jsonl").read_bytes()
    assert sys.modules["detailing_judge"].Judge.asked == 2 * asked == 2 * 65
    assert [label for label, _ in first["more"]] == [
        *("item", "output", "system message", "user message", "reply"),
    ]  # fmt: skip
    texts = dict(first["more"])
    assert (texts["system message"], texts["user message"]) == ("Be fair.", "Rate abcd")
    assert "BECAUSE 9" in texts["reply"]
    assert {"failure", "user message", "reply"} <= below(last)
    assert rows["note"] == ""


@pytest.mark.parametrize(
    ("grader", "expected", "options"),
    [
        ("multi.json", "same: reference", []),
        ("multi.json", "same: reference", ["-o", "out.jsonl", "--workers", "2"]),
        ("multi.json", "same: reference", ["-o", "-", "--detail", "none"]),
        ("python.json", "stdout", ["-o", "out.jsonl"]),
        ("python.json", "stdout", ["--detail", "none"]),
    ],
)
def test_rendered_inputs_and_what_was_printed_are_there(run, grader, expected, options):
    rows = reported(run, grader, "rows.jsonl", *options)

    assert all(any(expected in label for label in below(row)) for row in rows["rows"])
    assert rows["note"] == ""


def test_all_of_the_results_say_the_same(run):
    """Kept by the run, graded again or noted: one page."""
    for grader in ("multi.json", "python.json"):
        kept = reported(run, grader, "rows.jsonl", "--detail", "all")["rows"]
        assert reported(run, grader, "rows.jsonl")["rows"] == kept


def test_what_was_not_kept_is_stated(run, monkeypatch):
    note = "Rendered inputs and replies of {} were not kept: graders run keeps them"
    run("judge.json", "rows.jsonl", *ASKED, "-o", "out.jsonl", "--limit", "2")
    rows = reported(run, "judge.json", "rows.jsonl", *ASKED, "-o", "out.jsonl", "--resume")
    main(["study", "out.jsonl", "--resamples", "0", "--report", "s.json"])
    studied = json.loads(Path("s.json").read_bytes())["rows"]
    stream = io.TextIOWrapper(io.BytesIO(Path("rows.jsonl").read_bytes()))
    monkeypatch.setattr(sys, "stdin", stream)
    piped = reported(run, "multi.json", "-")

    assert rows["note"].startswith(note.format("2 of them"))
    assert studied["note"].startswith(note.format("64 of them"))
    assert piped["note"].startswith(note.format("all of them"))
    said = graders.read_run("out.jsonl")._repr_html_()
    assert "graders run keeps them with --detail all, and" in said


@pytest.mark.parametrize("repeats", [1, 3])
def test_results_that_keep_all_have_what_a_judge_was_asked_once(run, repeats):
    """Of pictures and of failed rows its beginning."""
    picture = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(6_000)).decode()
    parts = [
        {"type": "input_text", "text": "{{ sample.output_text }}"},
        {"type": "input_image", "image_url": f"data:image/png;base64,{picture}"},
    ]
    asks = [{"role": "user", "content": parts}]
    write("judge.json", {**JUDGE, "input": asks, "repeats": repeats})
    write("rows.jsonl", {"item": {}, "samples": [HOSTILE[10], "x" * 9_000, "bad" * 3_000]})
    run("judge.json", "rows.jsonl", *ASKED, "-o", "out.jsonl", "--detail", "all")
    results = [*graders.read_run("out.jsonl")]
    texts = [one.detail["messages"][0]["content"][0]["text"] for one in results]
    pictures = [one.detail["messages"][0]["content"][1]["image_url"] for one in results]

    assert texts[:2] == [HOSTILE[10], "x" * 9_000]
    assert len(texts[2]) == len(pictures[0]) == 4_026
    assert not [part for one in results for part in one.parts.values() if "messages" in part.detail]


class Dying(BaseException):
    """What a test survives of a grader that kills its process."""


class Grading:
    """Gives 1; dies of a row; says what it graded."""

    name, signature, waits = "g", "s", "never"

    def __init__(self, deadly=0, then=lambda: None):
        self.deadly, self.then, self.graded = deadly, then, []

    async def grade(self, rows):
        for row in rows:
            if row.row == self.deadly:
                raise Dying
            self.graded.append(row.row)
            self.then()
        return [Grade(name=self.name, score=1.0, detail={"seen": True}) for row in rows]


def graded_again(grader, failed=(), many=3, ended=None):
    """What is known at the end of a run of many rows, of which some failed."""
    write("rows.jsonl", *({"item": {}, "sample": "x"} for _ in range(many)))
    dead = Failure(kind=FailureKind.OTHER, message="killed")
    lines = []
    for row in read_rows("rows.jsonl", RowFormat()):
        grade = Grade(name="g", failure=dead) if row.row in failed else Grade(name="g", score=1.0)
        result = to_result(row, grade, signature="s", reward=grade.score, detail="none")
        lines.append(encode(result) + b"\n")
    work = Work(
        signature="s",
        options=RunOptions(detail="none"),
        rows="rows.jsonl",
        shape=RowFormat(),
        per_shard=32,
    )
    config = read_config(JUDGE).grader
    job = Job(
        grader=grader,
        recipe=lambda: grader,
        work=work,
        config=config,
        profile="p",
        title="t",
        as_json=False,
    )
    summary = Summary()
    outcome = Outcome(summary=summary, as_asked=ended is None, error=ended)
    results = Path("out.jsonl")
    results.write_bytes(b"".join(lines))
    manifest = make_manifest(config, ["rows.jsonl"], {}, {})
    end = Ended(outcome=outcome, manifest=manifest, results=results, seconds=1.0)
    page = RunReport(path="r.json", config=Path("judge.json"), base_url=None, apart=True)
    with click.Context(command):
        write_run_report(page, job, end)
    return json.loads(Path("r.json").read_bytes())["rows"]


def test_rows_that_failed_are_not_graded_again():
    """One that killed a worker would kill the run itself, before its report."""
    grader = Grading(deadly=2)
    table = graded_again(grader, failed={2})

    assert grader.graded == [1, 3]
    assert ["seen" in below(row) for row in table["rows"]] == [True, False, True]
    assert table["note"].startswith("Rendered inputs and replies of 1 of them were not kept")


def test_rows_are_graded_again_for_two_seconds(monkeypatch):
    """One at a time, however many were read at once."""
    now = [0.0]
    monkeypatch.setattr(run_details, "monotonic", lambda: now[0])
    grader = Grading(then=lambda: now.append(now.pop() + 0.5))
    table = graded_again(grader, many=600)

    assert grader.graded == [1, 2, 3, 4]
    assert (table["shown"], table["note"][:43]) == (
        600,
        "Rendered inputs and replies of 596 of them ",
    )


def test_ctrl_c_while_rows_are_graded_again_leaves_that_out():
    grader = Grading(then=lambda: signal.raise_signal(signal.SIGINT))
    table = graded_again(grader)

    assert grader.graded == [1]
    assert table["note"].startswith("Rendered inputs and replies of all of them were not kept")
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_after_ctrl_c_nothing_is_graded_again():
    grader = Grading()
    table = graded_again(grader, ended=KeyboardInterrupt())

    assert grader.graded == []
    assert table["shown"] == 3
    assert graded_again(grader, ended=OSError("gone"))["note"] == ""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="has no device that is always full")
def test_a_disk_that_is_full_of_notes_ends_no_run(run, monkeypatch):
    full = Path("/dev/full").open("w+b")  # noqa: SIM115 - the run closes it
    monkeypatch.setattr(run_details.tempfile, "TemporaryFile", lambda **_: full)
    rows = reported(run, "python.json", "rows.jsonl")

    assert full.closed
    assert (rows["total"], rows["shown"]) == (65, 65)
    assert rows["note"].startswith("Rendered inputs and replies of all of them were not kept")


@pytest.mark.parametrize("repeats", [1, 3])
def test_failed_rows_of_a_judge_that_never_answered_stay_small(run, repeats):
    """In an outage there is one for every row, and what it was asked explains nothing."""
    write("judge.json", {**JUDGE, "repeats": repeats})
    texts = [text + "x" * 4_000 for text in ("gone ", "bad ")]
    write("rows.jsonl", *({"item": {}, "sample": text} for text in texts))
    run("judge.json", "rows.jsonl", *ASKED, "-o", "out.jsonl")
    gone, bad = Path("out.jsonl").read_text().splitlines()

    assert len(gone) < 2_000
    assert json.loads(gone)["failure"]["kind"] == "model_grader_server_error"
    assert json.loads(gone)["detail"] == {}
    assert {*json.loads(bad)["detail"]} >= {"messages"}


def test_notes_end_where_they_are_too_many(run, monkeypatch):
    """And a short line behind a long one is not noted either: the first ones are there."""
    monkeypatch.setattr(run_details, "MOST_BYTES", 2_000)
    write("rows.jsonl", *({"item": {}, "sample": text} for text in ("a", "b", "c" * 3_000, "d")))
    rows = reported(run, "judge.json", "rows.jsonl", *ASKED)

    assert ["reply" in below(row) for row in rows["rows"]] == [True, True, False, False]
    assert rows["note"].startswith("Rendered inputs and replies of 2 of them were not kept")


class Filling(io.BytesIO):
    """A disk that is full in the middle of the third line."""

    def write(self, data):
        lines = self.getvalue().count(b"\n")
        super().write(data if lines < 2 else data[:40])
        if lines >= 2:
            raise OSError(28, "No space left on device")


def test_of_a_disk_that_fills_up_the_lines_before_are_there(run, monkeypatch):
    disk = Filling()
    monkeypatch.setattr(run_details.tempfile, "TemporaryFile", lambda **_: disk)
    rows = reported(run, "python.json", "rows.jsonl")

    assert disk.closed
    assert ["stdout" in below(row) for row in rows["rows"]] == [True, True] + [False] * 63
    assert rows["note"].startswith("Rendered inputs and replies of 63 of them were not kept")
