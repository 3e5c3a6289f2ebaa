"""Full disks and damaged folders: what is wrong is said, and no row is lost or there twice."""

import json
import os
import re
from pathlib import Path

import pytest
from kept_runs import (
    BOTH,
    COMMAND,
    JOINED,
    files,
    line_that_resumes,
    mixed,
    room,
    summed,
    undisturbed,
    unfinished,
    write,
)

ROWS = 260
PART = 4_000
"""Bytes of a file in which no part has room."""


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write("both.json", BOTH)
    write("rows.jsonl", mixed(ROWS))


# --- full disks


@pytest.mark.long
@pytest.mark.parametrize("workers", ["1", "2"])
@pytest.mark.parametrize(
    ("size", "name"),
    [(PART, r"out\.run/parts/0000000[0-3]\.partial"), (JOINED, r"out\.jsonl")],
    ids=["parts", "results"],
)
def test_a_full_disk_costs_no_row(run, workers, size, name):
    """What is wrong is said with the file's name, and --resume with room finishes."""
    expected = undisturbed(run)
    err = unfinished(run, "--workers", workers, size=size)
    assert re.search(rf"^graders: \[Errno 27\] File too large: '{name}'$", err, re.MULTILINE)

    code, out, _ = run(*line_that_resumes(err))
    assert (code, summed(out), files()) == expected
    assert list(Path("out.run").glob("parts/*")) == []


@pytest.mark.long
@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_state_that_cannot_be_written_costs_no_row(run, workers):
    """It stays as it was, and says less than there is."""
    expected = undisturbed(run)
    unfinished(run)
    Path("out.run/state.json.new").symlink_to("/dev/full")
    code, _, err = run(*COMMAND, "--resume", "--workers", workers)
    assert code == 2
    assert "No space left on device: 'out.run/state.json.new'\n" in err
    again = line_that_resumes(err)

    Path("out.run/state.json.new").unlink()
    code, out, _ = run(*again)
    assert (code, summed(out), files()) == expected


def test_a_disk_that_is_full_time_and_again(run):
    """Each session goes on where there is room, and nothing is there twice."""
    expected = undisturbed(run)
    for size in range(5_000, 60_000, 6_000):
        with room(size):
            assert run(*COMMAND, "--resume")[0] == 2
        lines = [json.loads(line) for line in Path("out.jsonl").read_bytes().splitlines()]
        keys = [(line["row"], line["sample_index"]) for line in lines]
        joined = json.loads(Path("out.run/state.json").read_bytes())["joined"]
        assert all(int(path.stem) >= joined for path in Path("out.run/parts").iterdir())
        assert keys == sorted(set(keys))
    code, out, _ = run(*COMMAND, "--resume")
    assert (code, summed(out), files()) == expected


# --- damage


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("state.json", b"", "1:1: not JSON: Expecting value"),
        ("state.json", b'{"joined": "x"}', "Expected `int`, got `str` - at `$.joined`"),
        ("state.json", b'{"joined": 1', "1:13: not JSON: Expecting ',' delimiter"),
        ("manifest.json", b"\0\0", "1:1: not JSON: Expecting value"),
        ("manifest.json", b"{}", "Object missing required field `config`"),
    ],
)
def test_a_damaged_folder_is_refused(run, name, content, problem):
    """With what is wrong in which file, and what to do; --overwrite gets over it."""
    expected = undisturbed(run)
    unfinished(run)
    Path("out.run", name).write_bytes(content)
    code, _, err = run(*COMMAND, "--resume")
    assert code == 2
    assert err == (f"graders: out.run/{name} is damaged ({problem}); begin anew with --overwrite\n")

    code, out, _ = run(*COMMAND, "--overwrite")
    assert (code, summed(out), files()) == expected


def test_a_damaged_state_is_no_finished_run(run):
    """So a new run does not begin over it by itself."""
    unfinished(run)
    Path("out.run/state.json").write_bytes(b"[")
    assert run(*COMMAND)[0] == 2


@pytest.mark.parametrize("name", ["out.jsonl", "out.timing.jsonl"])
@pytest.mark.parametrize("left", [0, 100, None])
def test_results_that_someone_cut_are_refused(run, name, left):
    """Rows that the state counts are gone: it says how many bytes there were."""
    undisturbed(run)
    unfinished(run)
    sure = json.loads(Path("out.run/state.json").read_bytes())["sizes"][name != "out.jsonl"]
    Path(name).unlink() if left is None else os.truncate(name, left)
    code, _, err = run(*COMMAND, "--resume")
    assert code == 2
    assert err == (
        f"graders: {name} has {left or 0} bytes, and the run had written {sure:,}: it was changed "
        "or moved. Put it back, or begin anew with --overwrite\n"
    )


def test_results_of_no_folder_are_not_gone_on_with(run):
    """Nothing says what they are; they stay as they are."""
    write("out.jsonl", "mine")
    code, _, err = run(*COMMAND, "--resume")
    assert (code, Path("out.jsonl").read_text()) == (2, "mine")
    assert err == (
        "graders: out.run is not there, so nothing says what out.jsonl is a run of; move it "
        "away, or leave --resume and --retry out to begin anew over it\n"
    )


def test_a_run_that_is_not_there_begins(run):
    """So one line in a script does for the first time and the others."""
    expected = undisturbed(run)
    code, out, err = run(*COMMAND, "--resume")
    assert "note: there is no run in out.run yet; this one begins\n" in err
    assert (code, summed(out), files()) == expected
