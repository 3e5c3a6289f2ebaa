"""`graders explain`: which sample it takes, what it says of code, and what cannot be explained."""

import json
from pathlib import Path

import pytest
from stand_ins import EXACT, JUDGE

from graders.cli import main
from graders.clients import ModelReply, ScriptedClient
from graders.clients.replay import Recording
from graders.compile import Tools, compile_grader
from graders.engine import run_sync
from graders.rows import Row, to_sample

SOURCE = """
import sys

def grade(sample, item):
    print("seen", len(sample["output_text"]))
    print("odd", file=sys.stderr)
    return 1 / item["n"]
"""


@pytest.fixture
def command(tmp_path, monkeypatch, capsys):
    """Run `graders explain ...` beside some files; gives code, output and error."""
    monkeypatch.chdir(tmp_path)
    write("exact.json", EXACT)
    write("judge.json", JUDGE)
    Path("code.py").write_text(SOURCE, encoding="utf-8")
    lines = [
        '{"item": {"a": "x", "n": 2}, "samples": ["x", "y"]}',
        "oops",
        '{"item": {}, "sample": "z"}',
    ]
    Path("rows.jsonl").write_text("\n".join(lines), encoding="utf-8")
    cases = [
        {"name": "first", "item": {"a": "x"}, "sample": "x", "expect": 1, "judge": 0.25},
        {"item": {"a": "x"}, "samples": {"b": "x", "c": "q"}, "expect": "b > c"},
    ]
    write("exact.cases.json", {"cases": cases})
    several = {**cases[1], "name": "several", "judge": {"b": 0.75, "c": 0.5}}
    judged = [cases[0], several]
    write("judge.cases.json", {"cases": judged, "set": {"default_threshold": "0.5"}})

    def run(*arguments):
        code = main(["explain", *arguments])
        return code, *capsys.readouterr()

    return run


def write(name, value):
    Path(name).write_text(json.dumps(value), encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "code", "shown"),
    [
        (["exact.json", "rows.jsonl"], 0, "row         1, sample 0"),
        (["exact.json", "rows.jsonl", "--sample-index", "1"], 0, "output      y"),
        (["exact.json", "rows.jsonl", "--row", "3"], 1, "failed      invalid_variable_error"),
        (["exact.json", "--sample", "x", "--item", '{"a": "x"}'], 0, "score       1, passed"),
        (["exact.cases.json"], 0, "output      x"),
        (["exact.cases.json", "--case", "case-2", "--sample-index", "1"], 0, "output      q"),
        (["judge.cases.json", "--case", "first"], 0, "score       0.25, not passed"),
        (["judge.cases.json", "--case", "several"], 0, "score       0.75, passed"),
        (["judge.cases.json", "--case", "several", "--sample-index", "1"], 0, "score       0.5, p"),
        (["judge.cases.json", "--judge", "o3-2025-04-16"], 0, "asked       o3-2025-04-16"),
        (["code.py", "rows.jsonl", "--pass-threshold", "0.5"], 0, "score       0.5, passed"),
    ],
)  # fmt: skip
def test_a_sample_is_chosen(command, arguments, code, shown):
    """By line and place, from the command line, or by the name of a case."""
    got, out, err = command(*arguments)

    assert (got, err) == (code, "")
    assert shown in out


def test_the_outcome_of_code_is_shown(command):
    """How it ended, what it took and printed, and its traceback."""
    code, out, _ = command("code.py", "--sample", "four", "--item", '{"n": 0}')

    assert code == 1
    assert "failed      python_grader_runtime_error (raised): ZeroDivisionError" in out
    assert "sandbox     raised, " in out
    assert "MiB" in out
    assert "stdout      seen 4\n  stderr      odd\n  error       Traceback" in out
    assert "isolation   " in out


def test_the_outcome_of_code_is_data(command):
    """The same, whole, from the command line."""
    code, out, _ = command("code.py", "rows.jsonl", "--json")

    (ran,) = json.loads(out)["grader"]["ran"]
    assert code == 0
    assert (ran["status"], ran["value"], ran["stdout"]) == ("ok", 0.5, "seen 1\n")


def test_a_case_is_explained_from_its_recording(command):
    """What the file's recording has is what its judge answers; nobody is asked."""
    answer = ModelReply(text='{"steps": [], "result": 0.125}')
    recording = Recording(ScriptedClient(lambda _: answer), Path("answers.jsonl"))
    grader = compile_grader(JUDGE, tools=Tools(client=recording))
    run_sync(lambda: grader.grade([Row(item={}, sample=to_sample("x"))]))
    recording.close()
    case = {"item": {}, "sample": "x", "expect": 0.125}
    write("judge.cases.json", {"cases": [case], "judge": {"replay": "answers.jsonl"}})

    code, out, err = command("judge.cases.json")
    assert (code, err) == (0, "")
    assert "score       0.125\n" in out


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["exact.json"], 2, "Missing argument 'ROWS' (or give --sample)."),
        (["exact.json", "rows.jsonl", "--row", "9"], 2, "rows.jsonl has no row 9; its last is 3"),
        (["exact.json", "rows.jsonl", "--sample-index", "2"], 2, "row 1 has 2 of them, from 0"),
        (["exact.json", "rows.jsonl", "--row", "2"], 1, "rows.jsonl:2:1: not JSON"),
        (["exact.json", "rows.jsonl", "--case", "x"], 2, "--case is for a case file (.cases.json"),
        (["exact.json", "--sample", "x", "--row", "1"], 2, "--sample-index choose from ROWS"),
        (["exact.json", "--item", "{}"], 2, "--item stands beside --sample"),
        (["exact.cases.json", "rows.jsonl"], 2, "A case has its own sample"),
        (["exact.cases.json", "--case", "frist"], 2, "no case 'frist'. Did you mean 'first'?"),
        (["exact.cases.json", "--sample-index", "1"], 2, "the case has 1 samples, from 0"),
        (["judge.json", "rows.jsonl"], 2, "there is no way to ask 'gpt-4o'"),
        (["rows.jsonl", "rows.jsonl"], 2, "not JSON"),
    ],
)  # fmt: skip
def test_what_cannot_be_explained_is_said(command, monkeypatch, arguments, code, message):
    """What is wrong, in one sentence, and the exit codes of every command."""
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    got, out, err = command(*arguments)

    assert (got, out) == (code, "")
    assert message in err
