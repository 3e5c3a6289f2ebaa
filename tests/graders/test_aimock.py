"""Judging against aimock, a fault server by others: our own could share our misunderstandings.

It cannot send `message.refusal` on chat completions; a refusal here is its content filter's.
"""

import asyncio
import json
import subprocess
import threading
from pathlib import Path

import anyio
import pytest

from graders.clients.openai_compatible import OpenAICompatible
from graders.compile import Tools, compile_grader
from graders.errors import FailureKind
from graders.rows import Row, to_sample

SERVER = Path(__file__).parent / "node_modules/@copilotkit/aimock/dist/cli.js"
pytestmark = pytest.mark.needs(str(SERVER))

STORM = 0.3
CONFIG = {
    "type": "score_model",
    "name": "judge",
    "model": "gpt-4o",
    "input": [{"role": "user", "content": "{{ item.case }}"}],
}


def fixture(case, content, *, match=None, **other):
    answer = {"content": content} if isinstance(content, str) else content
    return {"match": {"userMessage": case, **(match or {})}, "response": answer, **other}


def verdict(result):
    return json.dumps({"steps": [], "result": result})


FIXTURES = [
    fixture("held to the schema", verdict(0.75), match={"responseFormat": "json_schema"}),
    fixture(
        "busy",
        {"error": {"message": "slow down"}, "status": 429, "retryAfter": 0.01},
        match={"sequenceIndex": 0},
    ),
    fixture("busy", verdict(0.5)),
    fixture("unavailable", {"error": {"message": "overloaded"}, "status": 503}),
    fixture("wrong key", {"error": {"message": "who are you"}, "status": 401}),
    fixture("prose", "I would say it is fine."),
    fixture("cut off", {"content": '{"steps": [', "finishReason": "length"}),
    fixture("filtered", {"content": "I am", "finishReason": "content_filter"}),
    fixture("garbled", "x", chaos={"malformedRate": 1}),
    fixture("gone", "x", chaos={"disconnectRate": 1}),
    fixture("slow", "x", chaos={"latencyMs": 20_000}),
    fixture("storm", verdict(0.25), chaos={"rateLimitRate": STORM}),
]


@pytest.fixture(scope="module")
def base_url(tmp_path_factory):
    """The server on a free port."""
    fixtures = tmp_path_factory.mktemp("aimock") / "fixtures.json"
    fixtures.write_text(json.dumps({"fixtures": FIXTURES}))
    command = ["node", SERVER, "--port", "0", "--fixtures", fixtures, "--strict"]
    command += ["--validate-on-load", "--journal-max", "10000"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as server:
        patience = threading.Timer(60, server.kill)
        patience.start()
        said = []
        for line in server.stdout:
            said.append(line)
            if "listening on " in line:
                break
        patience.cancel()
        assert "listening on " in said[-1], said
        drain = threading.Thread(target=server.stdout.read)  # a full pipe would stop it
        drain.start()
        yield f"{said[-1].split()[-1]}/v1"
        server.kill()
        drain.join()


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch):
    """The SDK's pauses between tries are tested elsewhere; here they would only take time."""

    async def sleep(_):
        pass

    monkeypatch.setattr(anyio, "sleep", sleep)


def grades(base_url, case, *, count=1, retries=2, **settings):
    client = OpenAICompatible(base_url=base_url, api_key="k", retries=retries, **settings)
    grader = compile_grader(CONFIG, tools=Tools(client=client))
    rows = [Row(item={"case": case}, sample=to_sample("x"), row=i) for i in range(count)]
    return asyncio.run(grader.grade(rows))


@pytest.mark.parametrize(("case", "score"), [("held to the schema", 0.75), ("busy", 0.5)])
def test_a_verdict_is_a_score(base_url, case, score):
    """Asked for by json_schema; at once, or after a 429."""
    (grade,) = grades(base_url, case)

    assert (grade.score, grade.failure) == (score, None)
    assert grade.usage["gpt-4o"].total_tokens > 0


@pytest.mark.parametrize(
    ("case", "kind", "reason", "words"),
    [
        (
            "unavailable",
            FailureKind.MODEL_SERVER,
            "http_503",
            "after 3 tries: HTTP 503: overloaded",
        ),
        ("wrong key", FailureKind.MODEL_SERVER, "http_401", "'gpt-4o': HTTP 401: who are you."),
        ("no such fixture", FailureKind.MODEL_SERVER, "http_503", "HTTP 503"),
        ("prose", FailureKind.MODEL_PARSE, "", "the judge's answer is not JSON: 'I would say"),
        ("cut off", FailureKind.MODEL_MAX_TOKENS, "", "the judge's answer was cut off"),
        ("filtered", FailureKind.MODEL_REFUSAL, "", "the service's content filter stopped"),
        ("garbled", FailureKind.MODEL_SERVER, "bad_answer", "the answer is no chat completion"),
        ("gone", FailureKind.MODEL_SERVER, "dropped", "after 3 tries: the connection broke off"),
        ("slow", FailureKind.MODEL_SERVER, "timeout", "after 3 tries: no answer in time"),
    ],
)
def test_each_fault_has_a_name_and_is_no_low_score(base_url, case, kind, reason, words):
    """The kind says whose fault it is."""
    (grade,) = grades(base_url, case, timeout_seconds=0.3 if case == "slow" else 30)

    assert grade.score is None
    assert (grade.failure.kind, grade.failure.reason) == (kind, reason)
    assert words in grade.failure.message


def test_five_hundred_rows_come_through_a_random_storm_of_429s(base_url):
    """Twelve retries: that one row of 500 meets 13 refusals in a row is one run in 12,000."""
    all_ = grades(base_url, "storm", count=500, retries=12)

    assert [grade.score for grade in all_] == [0.25] * 500
