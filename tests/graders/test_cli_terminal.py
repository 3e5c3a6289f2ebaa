"""What reaches a terminal: no raw control characters, any encoding, a bar only where one is."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from graders.cli import main

EXACT = {
    "type": "string_check",
    "name": "exact",
    "operation": "eq",
    "input": "{{ sample.output_text }}",
    "reference": "{{ item.a }}",
}
GOOD = '{"item": {"a": "x"}, "sample": "x"}\n'
# A title, a carriage return, a C1 "clear screen", right-to-left override. No plain colour codes:
# click strips those by itself where there is no terminal, and would hide a leak.
HOSTILE = "h\x1b]0;t\x07\r\x9b2J\u202e\x7f"
COMMAND = [sys.executable, "-c", "import sys; from graders.cli import main; sys.exit(main())"]


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write("g.json", EXACT)
    write("rows.jsonl", GOOD * 3)


def write(name, content):
    text = content if isinstance(content, str) else json.dumps(content)
    Path(name).write_text(text, encoding="utf-8", newline="")


def call(capsys, *arguments):
    code = main(arguments)
    captured = capsys.readouterr()
    return code, captured.out + captured.err


def assert_safe(text):
    assert text
    for line in text.split("\n"):
        assert line.isprintable(), ascii(line)


# --- hostile text


@pytest.mark.parametrize(
    "config",
    [
        {**EXACT, "name": HOSTILE},
        {**EXACT, HOSTILE: 1},
        {**EXACT, "operation": HOSTILE},
        {**EXACT, "input": "{{ item." + HOSTILE},
        {**EXACT, "input": "{{ item[" + HOSTILE + "] }}"},
        {**EXACT, "reference": "{{ item." + HOSTILE + " }}"},
        {"type": HOSTILE},
        {"type": "multi", "name": "m", "graders": {HOSTILE: EXACT}, "calculate_output": "0.5"},
        {"type": "multi", "name": "m", "graders": {HOSTILE: EXACT}, "calculate_output": "b"},
        {"type": "multi", "name": "m", "graders": {"a": EXACT}, "calculate_output": HOSTILE},
        {"testing_criteria": [{**EXACT, "name": HOSTILE}]},
        {
            "type": "supervised",
            "supervised": {"hyperparameters": {HOSTILE: 1, "n_epochs": HOSTILE}},
        },
        "{" + HOSTILE,
        '{"' + HOSTILE.replace("\r", "") + '": 1, "a": 1, "a": 2}',
    ],
)
@pytest.mark.parametrize("command", ["validate", "run", "one"])
def test_configs_cannot_reach_the_terminal(capsys, config, command):
    """Names, keys and values of a config are shown escaped, by every command."""
    write("c.json", config)
    arguments = {
        "validate": ["validate", "c.json"],
        "run": ["run", "c.json", "rows.jsonl"],
        "one": ["run", "c.json", "--sample", "x"],
    }[command]

    assert_safe(call(capsys, *arguments)[1])


@pytest.mark.parametrize(
    "row",
    [
        json.dumps({"item": {HOSTILE: 1}, "sample": HOSTILE}),
        json.dumps({"item": {"a" + HOSTILE: 1}, "sample": "x"}),
        json.dumps({HOSTILE: 1}),
        json.dumps({"item": HOSTILE, "sample": "x"}),
        json.dumps({"item": {}, "sample" + HOSTILE: "x"}),
        HOSTILE,
        '{"a": ' + HOSTILE,
    ],
)
@pytest.mark.parametrize("options", [[], ["--json"], ["--strict"], ["--failures", "stop"]])
def test_rows_cannot_reach_the_terminal(capsys, row, options):
    """Failures and bad lines quote a row escaped."""
    write("rows.jsonl", row + "\n" + GOOD)
    code, shown = call(capsys, "run", "g.json", "rows.jsonl", *options)

    assert code == 1
    assert_safe(shown)


@pytest.mark.parametrize(
    "arguments",
    [
        ["run", "g.json", HOSTILE],
        ["run", "g.json", HOSTILE, "-o", HOSTILE],
        ["run", "g.json", HOSTILE, "-o", "out" + HOSTILE],
        ["run", "g.json", "rows.jsonl", "-o", "out" + HOSTILE],
        ["run", "g.json", "rows.jsonl", "-o", f"no/{HOSTILE}"],
        ["run", HOSTILE, "rows.jsonl"],
        ["run", "g.json", "rows.jsonl", HOSTILE],
        ["run", "g.json", "rows.jsonl", "--outputs", HOSTILE],
        ["run", "g.json", "rows.jsonl", "--outputs", HOSTILE, "--key", HOSTILE],
        ["run", "g.json", "rows.jsonl", "--output", HOSTILE],
        ["run", "g.json", "rows.jsonl", "--group-by", HOSTILE],
        ["run", "g.json", "rows.jsonl", "--group-by", HOSTILE + "["],
        ["run", "g.json", "rows.jsonl", "--profile", HOSTILE],
        ["run", "g.json", "rows.jsonl", "--set", HOSTILE],
        ["run", "g.json", "rows.jsonl", "--set", f"render={HOSTILE}"],
        ["run", "g.json", "rows.jsonl", "--set", f"default_threshold={HOSTILE}"],
        ["run", "g.json", "rows.jsonl", "--failures", HOSTILE],
        ["run", "g.json", "rows.jsonl", f"--{HOSTILE}"],
        ["run", "g.json", "--sample", HOSTILE, "--item", HOSTILE],
        ["run", "g.json", "--sample", HOSTILE, "--item", json.dumps({HOSTILE: 1})],
        ["validate", HOSTILE],
        ["validate", "fine" + HOSTILE],
        ["validate", "none" + HOSTILE],
        ["init", "new" + HOSTILE],
        ["init", "old" + HOSTILE],
        ["init", HOSTILE],
        [HOSTILE],
    ],
)
def test_arguments_cannot_reach_the_terminal(capsys, arguments):
    """File names and options are shown escaped: they come from scripts and archives too."""
    write(HOSTILE, "")
    write("fine" + HOSTILE, EXACT)
    Path("old" + HOSTILE).mkdir()
    write(f"old{HOSTILE}/grader.json", "")

    assert_safe(call(capsys, *arguments)[1])


@pytest.mark.skipif(sys.platform != "linux", reason="file names are bytes there")
def test_a_file_name_that_is_not_text(capsys):
    """Bytes that are no UTF-8 are shown escaped and written under their own name."""
    name = os.fsdecode(b"out\xff.jsonl")
    code, shown = call(capsys, "run", "g.json", "rows.jsonl", "-o", name)

    assert code == 0
    assert "  results  out\\udcff.jsonl\n" in shown
    assert Path(name).exists()


def test_any_depth_of_nesting_is_graded_or_reported(capsys):
    """A row near the interpreter's limit costs itself, wherever on the way it is too deep."""
    lines = [
        '{"item": {"a": ' + "[" * depth + "]" * depth + '}, "sample": "x"}\n'
        for depth in range(400, 1_050)
    ]
    write("rows.jsonl", "".join(lines))
    write("g.json", {**EXACT, "reference": "{{ item }}{{ item.a }}"})
    code, shown = call(
        capsys, "run", "g.json", "rows.jsonl", "-o", "out.jsonl", "--detail", "all", "--json"
    )

    assert code in (0, 1)  # how deep is too deep is the interpreter's to say
    assert json.loads(shown)["samples"] + json.loads(shown)["bad_lines"] == len(lines)


# --- encodings


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "utf-8"])
def test_any_terminal_encoding_will_do(encoding):
    """What it cannot show is replaced; a finished run does not end in an encoding error."""
    write("g.json", {**EXACT, "name": "größe-漢"})
    done = subprocess.run(
        [*COMMAND, "run", "g.json", "rows.jsonl"],
        capture_output=True,
        env={**os.environ, "PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"},
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, b"")
    assert b"over 3 graded" in done.stdout


# --- progress


def test_a_pipe_gets_no_progress_bar():
    """Standard error stays empty, so that logs hold only what is wrong."""
    done = subprocess.run(
        [*COMMAND, "run", "g.json", "rows.jsonl"], capture_output=True, check=False
    )

    assert (done.returncode, done.stderr) == (0, b"")
    assert b"\x1b" not in done.stdout


def test_a_terminal_gets_a_progress_bar():
    """On standard error, with samples, rate and failures so far."""
    pty = pytest.importorskip("pty")
    write("rows.jsonl", (GOOD + '{"item": {}, "sample": "x"}\n') * 2_000)
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [*COMMAND, "run", "g.json", "rows.jsonl"],
        stdout=subprocess.PIPE,
        stderr=theirs,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "80"},
    ) as process:
        os.close(theirs)
        shown = b""
        try:
            while block := os.read(ours, 4_096):
                shown += block
        except OSError:  # Linux says so when the other end is closed
            pass
        finally:
            os.close(ours)
        out = process.stdout.read()

    assert b"\x1b" not in out
    assert b"4,000 samples" in out
    assert b" samples " in shown
    assert b" failed" in shown
    assert b"/s" in shown
