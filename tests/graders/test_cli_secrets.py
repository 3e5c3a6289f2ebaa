"""A key that is echoed back reaches nothing that a run of the command leaves behind."""

import json
import logging
from pathlib import Path

import pytest
from loopback import Answer, completion, loopback

from graders.cli import main
from graders.results import read_results

KEY = "sk-MARKER-that-nobody-may-see"
PASSWORD = "PASSWORD-that-nobody-may-see"
JUDGE = {
    "type": "score_model",
    "name": "judge",
    "model": "gpt-4o",
    "input": [{"role": "user", "content": "Rate {{ sample.output_text }}"}],
}
ANSWERED = json.dumps({"steps": [{"description": f"I saw {KEY}", "conclusion": "c"}], "result": 1})
ECHO = f"""
import os
from graders.clients import ModelReply
from graders.errors import FailureKind, GradingError

class Echo:
    async def complete(self, request):
        key = os.environ["OPENAI_API_KEY"]
        how = request.messages[0].content.removeprefix("Rate ")
        if how == "error":
            raise GradingError(FailureKind.MODEL_SERVER, f"refused {{key}}", f"bad {{key}}")
        refusal = f"not with {{key}}" if how == "refusal" else None
        text = {{"answer": {ANSWERED!r}, "text": f"your key is {{key}}"}}.get(how, "")
        return ModelReply(text=text, refusal=refusal, model=f"m-{{key}}")
"""
WAYS = {
    "answer": Answer(completion(ANSWERED, model=f"m-{KEY}")),
    "text": Answer(completion(f"your key is {KEY}")),
    "refusal": Answer(completion(None, refusal=f"not with {KEY}")),
    "error": Answer({"error": {"message": f"bad key {KEY}", "code": KEY}}, 401),
}


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    Path("judge.json").write_text(json.dumps(JUDGE), encoding="utf-8")
    rows = [json.dumps({"item": {}, "sample": way}) + "\n" for way in WAYS]
    Path("rows.jsonl").write_text("".join(rows), encoding="utf-8")


def left_behind(*options):
    """Run with everything that keeps something; the bytes of all files there are then."""
    files = ["-o", "out.jsonl", "--cache", "kept.db", "--record", "judge.jsonl"]
    code = main(["run", "judge.json", "rows.jsonl", "--detail", "all", *files, *options])
    assert code == 1  # rows failed
    made = [path for path in Path().iterdir() if path.suffix != ".py" and path.is_file()]
    assert {"out.jsonl", "out.timing.jsonl", "kept.db", "judge.jsonl"} <= {p.name for p in made}
    return b"".join(path.read_bytes() for path in made)


def check(held, capsys, caplog):
    """No secret is anywhere, and the rows ended as their answers say."""
    captured = capsys.readouterr()
    results = list(read_results(Path("out.jsonl")))

    for secret in (KEY, PASSWORD):
        assert secret not in captured.out + captured.err + caplog.text
        assert secret.encode() not in held
    assert results[0].score == 1.0
    assert "I saw ***" in results[0].detail["reply"]
    assert [result.failure.kind for result in results[1:]] == [
        "model_grader_parse_error",
        "model_grader_refusal_error",
        "model_grader_server_error",
    ]
    assert all("***" in result.failure.message for result in results[1:])


def test_a_server_that_echoes_the_key(capsys, caplog):
    """In its answer, its refusal, its model's name or its error."""
    caplog.set_level(logging.DEBUG)

    def answer(received):
        assert received.headers["authorization"] == f"Bearer {KEY}"
        return WAYS[received.body["messages"][0]["content"].removeprefix("Rate ")]

    with loopback(answer) as server:
        check(left_behind("--base-url", server.url), capsys, caplog)


def test_a_password_in_the_address(capsys, caplog):
    """It is asked with, and said to nobody: not even where the run says whom it asks."""
    caplog.set_level(logging.DEBUG)

    def answer(received):
        assert received.headers["authorization"].startswith("Basic ")
        return WAYS[received.body["messages"][0]["content"].removeprefix("Rate ")]

    with loopback(answer) as server:
        address = server.url.replace("://", f"://me:{PASSWORD}@")
        check(left_behind("--base-url", address), capsys, caplog)


def test_a_client_of_the_users_that_echoes_the_key(capsys, caplog, monkeypatch):
    """The command scrubs what it is given, whoever it asks."""
    caplog.set_level(logging.DEBUG)
    monkeypatch.syspath_prepend(Path.cwd())
    Path("echo_the_key.py").write_text(ECHO, encoding="utf-8")

    check(left_behind("--client", "echo_the_key:Echo"), capsys, caplog)


@pytest.mark.parametrize("key", ["none", "EMPTY", "sk-1"])
def test_a_key_that_is_none_masks_no_words(key, monkeypatch):
    """Servers without keys are given such; a judge may say the word."""
    monkeypatch.setenv("OPENAI_API_KEY", key)
    text = json.dumps({"steps": [{"description": key, "conclusion": key}], "result": 1})

    with loopback(lambda _: Answer(completion(text))) as server:
        options = ["-o", "out.jsonl", "--detail", "all", "--base-url", server.url]
        assert main(["run", "judge.json", "rows.jsonl", *options]) == 0
    (first, *_) = read_results(Path("out.jsonl"))
    assert first.detail["reply"] == text
