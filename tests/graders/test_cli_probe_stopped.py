"""`graders probe`, stopped before its end: by a budget, or by Ctrl-C."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from stand_ins import install

from graders.cli import main

ROWS = [
    {"item": {"question": "Who wrote it?", "answer": "Leo Tolstoy"}, "samples": ["Anton", "no"]},
    {"item": {"question": "Who painted it?", "answer": "Jan Vermeer"}, "samples": ["Ada", "no"]},
    {"item": {"question": "Who sang it?", "answer": "Ella Fitzgerald"}, "samples": ["Bo", "Ann"]},
]
MESSAGE = {"role": "user", "content": "{{ sample.output_text }}"}
JUDGE = {"type": "score_model", "name": "j", "model": "m", "input": [MESSAGE]}
SPENDING = """
from graders.clients import ModelReply
from graders.grades import Usage

class Client:
    async def complete(self, request):
        return ModelReply(text='{"steps": [], "result": 1}', usage=Usage(prompt_tokens=100))
"""
WAITING = """
import asyncio, os, signal
from graders.clients import ModelReply

class Client:
    asked = 0

    async def complete(self, request):
        Client.asked += 1
        if Client.asked == int(os.environ["WANTED"]):
            os.kill(os.getpid(), getattr(signal, os.environ["PRESSED"]))
            await asyncio.Event().wait()
        return ModelReply(text='{"steps": [], "result": 1}')
"""


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    Path("rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    Path("mine.json").write_text(json.dumps(JUDGE))
    Path("waiting.py").write_text(WAITING)
    Path("spending.py").write_text(SPENDING)


def test_a_budget_before_the_first_row_is_finished(monkeypatch, capsys):
    """Exit code 2: nothing can be said."""
    install(monkeypatch)
    arguments = ["--base-url", "http://localhost:1/v1", "--reference", "item.a"]
    code = main(["probe", "judge.json", "rows.jsonl", *arguments, "--budget-tokens", "500"])
    captured = capsys.readouterr()

    assert (code, captured.out) == (2, "")
    assert "graders: stopped at row" in captured.err


def test_a_budget_keeps_what_was_found(capsys):
    """Exit code 1, the rows that are finished, and which budget it was."""
    arguments = ["--client", "spending:Client", "--in-flight", "1", "--budget-tokens", "4000"]
    code = main(["probe", "mine.json", "rows.jsonl", *arguments])
    captured = capsys.readouterr()

    assert code == 1
    assert "1 of 3 rows probed, 2 not reached, seed 0; 2 honest samples" in captured.out
    assert "graders: stopped at row 2" in captured.err
    assert "the budget of 4,000 tokens is used up" in captured.err


@pytest.mark.skipif(sys.platform == "win32", reason="sends a POSIX signal")
@pytest.mark.parametrize(
    ("wanted", "said"), [(2, ""), (40, "2 of 3 rows probed, 1 not reached, seed 0")]
)
@pytest.mark.parametrize("pressed", ["SIGINT", "SIGTERM"])
def test_ctrl_c_keeps_what_was_found(wanted, said, pressed):
    """Exit code 130; rows whose attacks are all graded are reported, for they are paid."""
    code = "import sys; from graders.cli import main; sys.exit(main())"
    arguments = ["probe", "mine.json", "rows.jsonl", "--client", "waiting:Client"]
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env={**os.environ, "WANTED": str(wanted), "PRESSED": pressed},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 130, done.stderr
    assert done.stderr.endswith("graders: interrupted\n")
    assert said in done.stdout
    assert bool(said) == bool(done.stdout)
