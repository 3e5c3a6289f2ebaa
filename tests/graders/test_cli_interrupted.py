"""Commands that wait for a model, interrupted: what was paid is kept, and nothing blocks."""

import json
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

from graders.cli.interrupts import stopped_by_signals
from graders.engine import run_sync

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="sends a POSIX signal")

JUDGE = {
    "type": "score_model",
    "name": "judge",
    "model": "m",
    "input": [{"role": "user", "content": "{{ sample.output_text }}"}],
}
# The first row's answer never comes; the client says when it was asked as often as is wanted.
CLIENT = """
import asyncio, os, sys
from graders.clients import ModelReply

class Client:
    asked = 0

    async def complete(self, request):
        Client.asked += 1
        if request.messages[0].content == "slow":
            await asyncio.Event().wait()
        if Client.asked == int(os.environ["WANTED"]):
            print("all are asked", file=sys.stderr, flush=True)
        return ModelReply(text='{"steps": [], "result": 1}')
"""


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """A config, a client, and a folder of their own."""
    monkeypatch.chdir(tmp_path)
    Path("judge.json").write_text(json.dumps(JUDGE))
    Path("waiting.py").write_text(CLIENT)


@contextmanager
def running(monkeypatch, wanted, *arguments):
    """A command, as soon as its client was asked so often; it is killed at the end."""
    monkeypatch.setenv("WANTED", str(wanted))
    command = [sys.executable, "-c", "import sys; from graders.cli import main; sys.exit(main())"]
    command += [*arguments, "--client", "waiting:Client"]
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    with subprocess.Popen(command, **pipes) as process:
        try:
            yield process
        finally:
            process.kill()


def row(text):
    return {"item": {}, "sample": text}


def prompt(text):
    return {"messages": [{"role": "user", "content": text}]}


def until_all_are_asked(process):
    for line in process.stderr:
        if line == b"all are asked\n":
            return
    raise AssertionError("the command ended before")


@pytest.mark.parametrize(
    ("arguments", "make", "summary"),
    [
        (["run", "judge.json", "{}"], row, "over 299 graded"),
        (["sample", "{}", "--model", "m"], prompt, "299 samples of 299 rows by m"),
    ],
)
@pytest.mark.parametrize("paused", [False, True])
def test_ctrl_c_keeps_what_was_paid(monkeypatch, arguments, make, summary, paused):
    """Behind a slow first row, and whether or not the rows come from a pipe that waits."""
    lines = [json.dumps(make("slow"))] + [json.dumps(make("quick"))] * 299
    text = "".join(line + "\n" for line in lines)
    Path("rows.jsonl").write_text(text)
    command = [part.format("-" if paused else "rows.jsonl") for part in arguments]

    with running(monkeypatch, 300, *command, "-o", "out.jsonl") as process:
        if paused:
            process.stdin.write(text.encode())
            process.stdin.flush()
        until_all_are_asked(process)
        process.send_signal(signal.SIGINT)
        process.wait(timeout=60)
        out, err = process.stdout.read().decode(), process.stderr.read().decode()

    assert process.returncode == 130, err
    again = "go on with: graders run judge.json rows.jsonl -o out.jsonl --client waiting:Client"
    kept = arguments[0] == "run" and not paused  # a pipe cannot be read again
    assert err == (f"graders: {again} --resume\n" if kept else "") + "\ngraders: interrupted\n"
    assert summary in out
    assert Path("out.jsonl").read_bytes().count(b"\n") == 299


@pytest.mark.parametrize(
    ("command", "make"),
    [(["run", "judge.json", "-"], row), (["sample", "-", "--model", "m"], prompt)],
)
def test_a_paused_pipe_holds_no_result_back(monkeypatch, command, make):
    """The first results are there while the writer of the rows takes its time."""
    with running(monkeypatch, 2, *command, "-o", "-") as process:
        process.stdin.write((json.dumps(make("quick")) + "\n").encode() * 2)
        process.stdin.flush()
        lines = [json.loads(process.stdout.readline()) for _ in range(2)]
        process.stdin.close()
        assert process.wait(timeout=60) == 0

    assert all("score" in line or "samples" in line for line in lines)


@pytest.mark.parametrize("pressed", [signal.SIGINT, signal.SIGTERM])
def test_work_that_never_waits_is_ended_where_it_is(pressed):
    """Asyncio by itself would only cancel it at its next wait; handlers are put back."""
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    reached = []

    async def work():
        reached.append("the signal")
        signal.raise_signal(pressed)
        reached.append("more")

    with pytest.raises(KeyboardInterrupt), stopped_by_signals(at_once=True):
        run_sync(work)

    assert reached == ["the signal"]
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before
