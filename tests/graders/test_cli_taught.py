"""What `graders run` says of whether its rewards will teach: what a study of its results says."""

import io
import json
import re
from pathlib import Path

import pytest
from taught_rows import MULTI, ROWS, SAME, write

from graders.cli import grade_file
from graders.report import summary


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write("rows.jsonl", *ROWS)
    write("grader.json", MULTI)


def test_a_run_says_whether_it_will_teach(graders):
    """What matters most, and all of it for programs: what a study of its results finds."""
    _, out, _ = graders("run", "grader.json", "rows.jsonl", "-o", "out.jsonl")
    said = out.partition("\n\n  will it teach?\n")[2].splitlines()
    _, as_json, _ = graders("run", "grader.json", "rows.jsonl", "--json")
    options = ("--rows", "rows.jsonl", "--resamples", "200", "--json")
    study = json.loads(graders("study", "out.jsonl", *options)[1])

    assert said[:3] == [
        "    warning 50 % [25 %, 69 %] of items give every sample the same reward: they",
        "            teach nothing. What is left to learn from, the effective batch, is",
        "            50 % of samples.",
    ]
    assert "    warning Member 'dead' gives every sample 0: it tells nothing apart." in said
    assert len(said) < 10
    assert json.loads(as_json)["signal"] == {
        key: study[key] for key in json.loads(as_json)["signal"]
    }


def test_where_members_do_not_add_up_no_share_of_one_is_shown(graders):
    """At the end of the run, in the study and on both pages: how little a linear formula says."""
    outputs = [f"{a} {b}" for a in ("x", "y") for b in ("x", "y")]
    write("rows.jsonl", *[{"item": {"n": n, "a": "x"}, "samples": outputs} for n in range(9)])
    ends = {
        name: {**SAME, "name": name, "operation": "like", "reference": part}
        for name, part in (("first", "x "), ("last", " x"))
    }
    apart = {"graders": ends, "calculate_output": "abs(first - last)"}
    write("grader.json", {**MULTI, **apart})
    _, run, _ = graders("run", "grader.json", "rows.jsonl", "-o", "out.jsonl", "--report", "r.html")
    _, study, _ = graders("study", "out.jsonl", "--report", "s.html")
    _, as_json, _ = graders("study", "out.jsonl", "--json")
    said = (
        "Which member decides cannot be said: a linear formula of members explains 0 % of the "
        "differences within items."
    )
    page = Path("s.html").read_text("utf-8")

    assert said in " ".join(run.split())
    assert said in " ".join(study.split())
    assert said in page
    assert said in Path("r.html").read_text("utf-8")
    assert "of the differences of rewards within items: 0.000." in page
    assert "Share of what it explains" not in page
    assert "    a linear formula explains        0\n" in study
    assert re.search(r"^ {6}first {23}none ", study, re.MULTILINE)
    members = json.loads(as_json)["members"]
    assert members["explained"] == {"value": 0.0}
    assert (members["decides"], members["members"][0]["share"]["value"]) == (None, None)


def test_the_page_of_a_run_says_it_in_the_same_words(graders):
    """Every finding that the terminal has room for, and the others that matter."""
    _, out, _ = graders("run", "grader.json", "rows.jsonl", "--report", "r.json")
    said = " ".join(out.partition("will it teach?\n")[2].split())
    found = json.loads(Path("r.json").read_bytes())
    texts = [one["text"] for one in found["verdicts"]]

    for text in (
        "50 % [25 %, 69 %] of items give every sample the same reward: they teach nothing.",
        "Member 'dead' gives every sample 0: it tells nothing apart.",
    ):
        assert any(one.startswith(text) for one in texts), texts
        assert text in said
    assert found["signal"]["groups"]["zero_variance"]["value"] == 0.5


def test_a_page_says_what_its_study_rests_on(graders, monkeypatch):
    """Of a long run, some items are studied."""
    monkeypatch.setattr(summary, "SAMPLES", 40)
    monkeypatch.setattr("graders.runs.run.SAMPLES", 40)
    graders("run", "grader.json", "rows.jsonl", "--report", "r.json")
    texts = [one["text"] for one in json.loads(Path("r.json").read_bytes())["verdicts"]]

    assert any(re.fullmatch(r"What it will teach is said from \d+ items of about \d+\.", text)
               for text in texts), texts  # fmt: skip


@pytest.mark.parametrize("limit", [2, 1_000])
def test_a_run_without_groups_says_nothing_of_them(graders, monkeypatch, limit):
    """One sample an item has no group to differ in, whether all are kept or some."""
    monkeypatch.setattr("graders.runs.run.SAMPLES", limit)
    monkeypatch.setattr(summary, "SAMPLES", limit)
    write("rows.jsonl", *[{"item": {"a": n}, "sample": "x"} for n in range(9)])
    _, out, _ = graders("run", "grader.json", "rows.jsonl")
    _, as_json, _ = graders("run", "grader.json", "rows.jsonl", "--json")

    assert "teach" not in out
    assert json.loads(as_json)["signal"] is None


@pytest.mark.parametrize("way", ["pipe", "many", "other", "no longer"])
def test_a_run_without_its_rows_has_no_form(graders, monkeypatch, way):
    """Rows are read again for their texts; where they cannot be, all else is studied as ever."""
    whole = signal_of(graders)
    rows = Path("rows.jsonl").read_bytes()
    read = "rows.jsonl"
    if way == "pipe":
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(rows)))
        read = "-"
    elif way == "many":
        monkeypatch.setattr("graders.cli.taught._READ_AGAIN", 63)
    else:
        report = grade_file.study_of_run  # what comes between grading and the summary

        def spoilt(*given):
            Path("rows.jsonl").unlink()
            if way == "other":
                write("rows.jsonl", *[{"item": {}, "samples": ["another"] * 4}] * 16)
            return report(*given)

        monkeypatch.setattr(grade_file, "study_of_run", spoilt)
    without = signal_of(graders, rows=read)

    assert whole["form"]["share"]["value"] > 0
    assert without["form"] is without["noise"]["equal_outputs"] is None
    assert without["groups"] == whole["groups"]


def test_a_run_that_is_cut_short_reads_its_rows_no_further(graders):
    """The texts of the first ten, and then no more."""
    signal = signal_of(graders, "--limit", "10")

    assert signal["noise"]["equal_outputs"]["rows"] > 0
    write("rows.jsonl", *ROWS[:3], "no row\n")
    assert signal_of(graders, "--limit", "10") == signal


def signal_of(graders, *options, rows="rows.jsonl"):
    code, out, err = graders("run", "grader.json", rows, "--json", *options)
    assert code == 0, err
    return json.loads(out)["signal"]


@pytest.mark.parametrize("limit", [40, pytest.param(1_000, marks=pytest.mark.long)])
def test_workers_and_sessions_come_to_the_same(graders, monkeypatch, limit):
    """However many grade, and also where the first half was graded in an earlier session."""
    monkeypatch.setattr(summary, "SAMPLES", limit)
    monkeypatch.setattr("graders.runs.run.SAMPLES", limit)
    monkeypatch.setattr("graders.runs.folder.SAMPLES", limit)
    write("rows.jsonl", *ROWS * 4)
    whole = signal_of(graders)
    on_workers = signal_of(graders, "-o", "two.jsonl", "--workers", "2")
    signal_of(graders, "-o", "out.jsonl", "--limit", "90")
    gone_on = signal_of(graders, "-o", "out.jsonl", "--resume")
    looked_at = signal_of(graders, "-o", "out.jsonl", "--resume")

    assert whole == on_workers == gone_on == looked_at
    assert whole["samples"]["seen"] == 256
    assert (whole["samples"]["studied"] < 256) == (limit == 40)
