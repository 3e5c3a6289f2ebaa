"""Answers of a run's judges: kept by row, so that a killed run pays for none twice."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import graders
from graders.clients import Message, ModelReply, ModelRequest, asked_for
from graders.clients.paid import PaidOnce
from graders.clients.scripted import ScriptedClient
from graders.compile import Tools
from graders.rows import Row, to_sample

ONE = ModelRequest(model="m", messages=(Message("user", "one"),), schema=None, sampling={})
JUDGE = {
    "type": "score_model",
    "name": "judge",
    "model": "m",
    "input": [{"role": "user", "content": "{{ sample.output_text }}"}],
}
# The first row's answer comes only once the file `let` is there. What is asked is written down.
CLIENT = """
import asyncio, os, sys
from graders.clients import ModelReply

class Client:
    asked = 0

    async def complete(self, request):
        Client.asked += 1
        with open("asked.txt", "a") as file:
            file.write(request.messages[0].content + "\\n")
        if request.messages[0].content == "slow" and not os.path.exists("let"):
            await asyncio.Event().wait()
        if Client.asked == 300:
            print("all are asked", file=sys.stderr, flush=True)
        return ModelReply(text='{"steps": [], "result": 1}')
"""
COMMAND = [sys.executable, "-c", "import sys; from graders.cli import main; sys.exit(main())"]
RUN = [*COMMAND, "run", "judge.json", "rows.jsonl", "--client", "waiting:Client"]


def ask(client, *rows):
    """One request, asked for each of the rows."""

    async def work():
        replies = []
        for row in rows:
            asked_for.set(row)
            replies.append(await client.complete(ONE))
        return [reply.text for reply in replies]

    try:
        return asyncio.run(work())
    finally:
        client.close()


def numbered():
    """A judge that never says the same twice."""
    count = iter(range(99))
    return ScriptedClient(lambda _: ModelReply(text=f"answer {next(count)}"))


def test_each_row_has_answers_of_its_own(tmp_path):
    """Equal requests of two rows are two draws; of one row, in a later session, they are one."""
    path = tmp_path / "judges.db"
    first = ask(PaidOnce(numbered(), path, identity=""), "1:0", "1:1", "1:0")
    later = ask(PaidOnce(ScriptedClient(None), path, identity=""), "1:1", "1:0")

    assert first == ["answer 0", "answer 1", "answer 0"]
    assert later == ["answer 1", "answer 0"]


def test_no_file_is_made_before_something_is_asked(tmp_path):
    """The folder that it stands in is emptied first, when a run begins."""
    client = PaidOnce(ScriptedClient(None), tmp_path / "later" / "judges.db", identity="")
    client.close()

    assert list(tmp_path.iterdir()) == []


def test_two_equal_judges_of_a_multi_are_two_draws(tmp_path):
    """And each of them has its own again when the run goes on."""
    path = tmp_path / "judges.db"
    multi = {
        "type": "multi",
        "name": "twice",
        "graders": {"one": {**JUDGE, "range": [0, 9]}, "other": {**JUDGE, "range": [0, 9]}},
        "calculate_output": "one - other",
    }
    count = iter([3, 7])
    scripted = ScriptedClient(lambda _: ModelReply(text=json.dumps({"result": next(count)})))
    rows = [Row(item={}, sample=to_sample("x"), row=1)]

    for client in (scripted, ScriptedClient(None)):
        paid = PaidOnce(client, path, identity="")
        (grade,) = graders.grade(multi, rows, tools=Tools(client=paid))
        paid.close()
        assert {key: part.score for key, part in grade.parts.items()} == {"one": 3, "other": 7}


@pytest.mark.skipif(sys.platform == "win32", reason="sends a POSIX signal")
def test_a_killed_run_pays_for_no_answer_twice(tmp_path, monkeypatch):
    """Not for those whose rows had no result yet, because they stood behind a slow one."""
    monkeypatch.chdir(tmp_path)
    Path("judge.json").write_text(json.dumps(JUDGE))
    Path("waiting.py").write_text(CLIENT)
    rows = [{"item": {}, "sample": text} for text in ["slow", *["quick"] * 299]]
    Path("rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    with subprocess.Popen([*RUN, "-o", "out.jsonl"], stderr=subprocess.PIPE) as process:
        assert b"all are asked\n" in iter(process.stderr.readline, b"")
        os.kill(process.pid, signal.SIGKILL)
    Path("let").touch()

    done = subprocess.run([*RUN, "-o", "out.jsonl", "--resume"], capture_output=True, check=True)

    assert b"over 300 graded" in done.stdout
    results = [json.loads(line) for line in Path("out.jsonl").read_bytes().splitlines()]
    assert [line["row"] for line in results] == list(range(1, 301))
    asked = Path("asked.txt").read_text().splitlines()
    assert asked.count("slow") == 2
    assert asked.count("quick") in {299, 300}  # the last answer may have been under way
