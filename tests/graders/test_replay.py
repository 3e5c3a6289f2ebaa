"""Recordings: what a model said, replayed without it, and a loud failure where it is missing."""

import asyncio
import dataclasses
import json
from contextlib import closing

import pytest

from graders.clients import Message, ModelReply, ModelRequest, ScriptedClient
from graders.clients.fingerprint import fingerprint
from graders.clients.replay import Recording, RecordingError, Replay
from graders.errors import FailureKind, GradingError
from graders.grades import Usage

ONE = ModelRequest(
    model="m",
    messages=(Message("user", [{"type": "input_text", "text": "hi"}]),),
    schema={"name": "s"},
    sampling={"seed": 1},
)
TWO = dataclasses.replace(ONE, repeat=1)
REPLY = ModelReply(text='{"result": "é \ud800"}', model="m-1", usage=Usage(prompt_tokens=3))
LINE = {"fingerprint": fingerprint(ONE), "reply": {"text": "4"}}


def ask(client, *requests):
    async def work():
        return [await client.complete(request) for request in requests]

    return asyncio.run(work())


def record(path, answer, *requests):
    with closing(Recording(ScriptedClient(answer), path)) as client:
        return ask(client, *requests)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "judge.jsonl"


def test_what_was_recorded_replays(path):
    """The same replies, marked as answered before; the recording passes them on untouched."""
    recorded = record(path, lambda r: dataclasses.replace(REPLY, text=str(r.repeat)), ONE, TWO)
    replayed = ask(Replay(path), TWO, ONE, ONE)

    assert [reply.text for reply in recorded] == ["0", "1"]
    assert [reply.text for reply in replayed] == ["1", "0", "0"]
    assert replayed[1] == dataclasses.replace(recorded[0], cached=True, attempts=0)


def test_a_recording_can_be_audited(path):
    """A line says who was asked what and what the answer was."""
    record(path, lambda _: REPLY, TWO)
    (line,) = path.read_bytes().splitlines()

    assert json.loads(line) == {
        "fingerprint": fingerprint(TWO),
        "model": "m",
        "repeat": 1,
        "request": {
            "messages": [{"role": "user", "content": [{"type": "input_text", "text": "hi"}]}],
            "schema": {"name": "s"},
            "sampling": {"seed": 1},
        },
        "reply": {
            "text": REPLY.text,
            "refusal": None,
            "truncated": False,
            "model": "m-1",
            "usage": {
                "prompt_tokens": 3,
                "total_tokens": 0,
                "completion_tokens": 0,
                "cached_tokens": 0,
            },
        },
    }


def test_a_recording_is_the_same_bytes_in_any_order(path, tmp_path):
    """Whatever answer came first, and however often it was asked."""
    other = tmp_path / "other.jsonl"
    record(path, lambda _: REPLY, ONE, TWO)
    record(other, lambda _: REPLY, TWO, ONE, TWO)

    assert path.read_bytes() == other.read_bytes()
    assert sorted(tmp_path.iterdir()) == [path, other]


def test_lines_are_there_before_the_end(path):
    """A run that is killed keeps what was answered."""
    with closing(Recording(ScriptedClient(lambda _: REPLY), path)) as client:
        ask(client, ONE)

        assert ask(Replay(path), ONE)[0].text == REPLY.text


def test_recording_again_adds_and_renews(path):
    """The newest answer to a request is the one that replays."""
    record(path, lambda _: ModelReply(text="old"), ONE, TWO)
    record(path, lambda _: ModelReply(text="new"), ONE)

    assert [reply.text for reply in ask(Replay(path), ONE, TWO)] == ["new", "old"]


def test_a_failure_is_not_recorded(path):
    """It comes out as it is."""

    def fail(_request):
        raise GradingError(FailureKind.MODEL_SERVER, "down")

    with pytest.raises(GradingError, match="down"):
        record(path, fail, ONE)
    assert path.read_bytes() == b""


@pytest.mark.parametrize("request_", [TWO, dataclasses.replace(ONE, model="n")])
def test_a_miss_fails_loudly(path, request_):
    """With the file, how to record, the model; the long fingerprint last, as summaries cut."""
    record(path, lambda _: REPLY, ONE)

    with pytest.raises(GradingError) as caught:
        ask(Replay(path), request_)
    failure = caught.value.failure
    repeat = ", repeat 1" if request_.repeat else ""
    assert (failure.kind, failure.reason) == (FailureKind.MODEL_SERVER, "replay_miss")
    assert failure.message == (
        f"{path} holds no answer to this request; --record {path} adds it where "
        f"{request_.model!r} can be asked. The prompt, the model or a parameter has changed since "
        f"it was recorded (fingerprint {fingerprint(request_)}{repeat})"
    )


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("{,\n", ":2:2: not JSON: Expecting property name enclosed in double quotes"),
        ("[]\n", ':2: no {"fingerprint", "reply"}: is this file a recording?'),
        ('{"item": {}}\n', ':2: no {"fingerprint", "reply"}: is this file a recording?'),
        ('{"fingerprint": 1, "reply": {}}\n', ':2: no {"fingerprint", "reply"}: is this file a'),
        ('{"fingerprint": "a", "reply": {}}\n', ":2: not a reply: no object with a text"),
        ('{"fingerprint": "a", "reply": {"text": 1}}\n', ":2: not a reply: Expected `str`, got"),
        (json.dumps(LINE), ":2: the line has no end: a run was killed while writing it; delete it"),
    ],
)
@pytest.mark.parametrize("open_", [Replay, lambda path: Recording(ScriptedClient(None), path)])
def test_a_damaged_line_is_an_error_with_its_place(path, line, problem, open_):
    """When the file is opened, for replay or for more, not when the row is met."""
    path.write_text(json.dumps(LINE) + "\n" + line, encoding="utf-8")

    with pytest.raises(RecordingError) as caught:
        open_(path)
    assert str(caught.value).startswith(f"{path}{problem}")


def test_a_recording_that_is_not_there(path):
    """An error of the system, with the file's name."""
    with pytest.raises(FileNotFoundError, match="judge"):
        Replay(path)
