"""`graders diff` of two results files, which are compared as they are."""

import json
from pathlib import Path

import pytest
from diffing import ROWS, write, write_all

from graders.cli import main


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_all()


@pytest.fixture
def diff(capsys):
    """Run `graders diff ...`; gives the exit code and standard output."""

    def command(*arguments):
        code = main(["diff", *arguments])
        captured = capsys.readouterr()
        assert captured.err == ""
        return code, captured.out

    return command


def results_of(config, name, run, *arguments):
    run(config, "rows.jsonl", "-o", name, *arguments)
    return name


def test_results_are_compared_as_they_are(diff, run):
    """The same numbers as grading again gives."""
    old = results_of("like.json", "old.jsonl", run, "--detail", "all")
    new = results_of("eq.json", "new.jsonl.gz", run)
    code, graded = diff("like.json", "eq.json", "rows.jsonl", "--json")
    names = {"old": "results old.jsonl", "new": "results new.jsonl.gz"}
    again, joined = diff(old, new, "--json")

    assert (code, again) == (1, 1)
    assert json.loads(joined) == {**json.loads(graded), **names}


def test_what_only_one_of_the_results_has_is_said(diff, run):
    """It has no counterpart: exit code 1."""
    results_of("eq.json", "old.jsonl", run)
    lines = Path("old.jsonl").read_text().splitlines(keepends=True)
    Path("new.jsonl").write_text("".join(lines[:-2]))
    code, out = diff("old.jsonl", "new.jsonl")

    assert code == 1
    assert "  2 samples only in the old results, left out; the first is row 3, sample 1\n" in out


def test_results_of_other_rows_are_no_pairs(diff, run):
    """Nor is a line that stands twice."""
    results_of("eq.json", "old.jsonl", run)
    write("rows.jsonl", {**ROWS[0], "samples": ["L", *ROWS[0]["samples"][1:]]}, *ROWS[1:])
    results_of("eq.json", "new.jsonl", run)
    lines = Path("new.jsonl").read_text().splitlines(keepends=True)
    Path("new.jsonl").write_text("".join([*lines, lines[-1]]))
    code, out = diff("old.jsonl", "new.jsonl")
    said = " ".join(out.split())

    assert code == 1
    assert "row 3, sample 2: stands twice in NEW; the first is taken" in said
    assert (
        "row 1, sample 0: is of different outputs, 11 characters in OLD and 1 character in NEW: "
        "the files are results of different rows"
    ) in said
    assert (
        "1 of 9 outputs have another length (the first: row 1, sample 0, 11 characters in OLD and "
        "1 character in NEW)."
    ) in said
    assert "Only 8 of 9 samples can be compared: the others are not the same in both." in said


def test_where_no_sample_is_the_same_nothing_is_said_to_be_good(diff, run):
    """Though every place is in both files."""
    results_of("eq.json", "old.jsonl", run)
    other = [{**row, "samples": [f"{one}!" for one in row["samples"]]} for row in ROWS]
    write("rows.jsonl", *other)
    results_of("eq.json", "new.jsonl", run)
    code, out = diff("old.jsonl", "new.jsonl", "--json")
    said = json.loads(out)["verdicts"]

    assert code == 1
    assert "; 9 of 9 outputs have another length (the first: row 1, sample 0" in said[0]["text"]
    assert [one["code"] for one in said] == ["other-rows", "no-pairs"]
    assert said[1]["text"].endswith("no sample is the same in both files.")


def test_what_else_speaks_for_other_rows_is_said_first(diff, run):
    """Other bytes, references of another length, other numbers of samples; and then compared."""
    results_of("eq.json", "old.jsonl", run)
    other = {"item": {"answer": "Vermeer"}, "samples": ROWS[1]["samples"][:2]}
    write("rows.jsonl", ROWS[0], other, ROWS[2])
    results_of("eq.json", "new.jsonl", run)
    code, out = diff("old.jsonl", "new.jsonl", "--json")
    first, second = json.loads(out)["verdicts"][:2]

    assert code == 1
    assert (first["code"], first["tone"], first["text"]) == (
        "other-rows",
        "warning",
        "The files may be results of different rows: their runs read files that differ (SHA-256); "
        "2 of 8 references have another length (the first: row 2, sample 0, 11 characters in OLD "
        "and 7 characters in NEW), unless OLD and NEW take different references; 1 line has "
        "another number of samples (the first: row 2, 3 in OLD and 2 in NEW).",
    )
    assert (
        second["text"] == "Only 8 of 9 samples can be compared: the others are in one file alone."
    )


def test_results_of_rows_of_the_same_lengths_are_known_by_what_their_runs_read(diff, run):
    """As of answers that are one letter each; without a manifest nothing can tell."""
    write("rows.jsonl", {"item": {"answer": "a"}, "samples": ["a", "b"]})
    results_of("eq.json", "old.jsonl", run)
    write("rows.jsonl", {"item": {"answer": "c"}, "samples": ["c", "d"]})
    results_of("eq.json", "new.jsonl", run)
    code, out = diff("old.jsonl", "new.jsonl")

    assert code == 0
    assert "may be results of different rows: their runs read files that" in " ".join(out.split())

    for damaged in ("{", "[" * 100_000):
        Path("new.run", "manifest.json").write_text(damaged)
        assert "different rows" not in diff("old.jsonl", "new.jsonl")[1]


def test_results_of_other_groups_are_no_pairs(diff, run):
    """Groups are what is resampled."""
    results_of("eq.json", "old.jsonl", run)
    results_of("eq.json", "new.jsonl", run, "--group-by", "item.answer")
    code, out = diff("old.jsonl", "new.jsonl")

    assert code == 1
    said = "is of different groups, 1 in OLD and 'Leo Tolstoy' in NEW: run both with the same"
    assert said in " ".join(out.split())
    assert (
        "9 of 9 samples are of another group (the first: row 1, sample 0, 1 in OLD and 'Leo "
        "Tolstoy' in NEW), unless OLD and NEW have different --group-by."
    ) in " ".join(out.split())
