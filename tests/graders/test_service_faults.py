"""The client on OpenAI's SDK, against a server that does what it should not."""

import asyncio
import json
import random
from dataclasses import replace
from email.utils import formatdate
from time import time

import anyio
import openai
import pytest
from loopback import KEY, SOON, Answer, ask, completion, loopback, request, said, scripted

from graders.clients import Message
from graders.clients.bounded import MAX_BYTES
from graders.clients.openai_compatible import OpenAICompatible
from graders.compile import Tools, compile_grader
from graders.errors import FailureKind, GradingError
from graders.rows import Row, to_sample

SILENT_SECONDS = 0.5  # in which all else must be answered
SERVER, REFUSAL = FailureKind.MODEL_SERVER, FailureKind.MODEL_REFUSAL
SCORE = {
    "type": "score_model",
    "name": "judge",
    "model": "gpt-4o",
    "input": [{"role": "user", "content": "{{ item.number }}"}],
}


@pytest.fixture(autouse=True, params=["aiohttp", "httpx"])
def _transport(request, monkeypatch):
    """What the SDK sends by; without aiohttp it falls back."""

    def missing(**_):
        raise RuntimeError

    if request.param == "httpx":
        monkeypatch.setattr(openai, "DefaultAioHttpClient", missing)


@pytest.fixture
def pauses(monkeypatch):
    """How long the SDK wanted to wait between tries; it does not get to."""
    wanted = []

    async def sleep(seconds):
        wanted.append(seconds)

    monkeypatch.setattr(anyio, "sleep", sleep)
    return wanted


# --- retries


@pytest.mark.parametrize("status", [408, 409, 429, 500, 502, 503, 504, 529])
def test_what_may_pass_is_tried_again(status):
    """And the reply says how often it was sent."""
    reply, received = ask(Answer({}, status, SOON), Answer({}, status, SOON), Answer(completion()))

    assert (reply.attempts, len(received)) == (3, 3)
    assert received[0].body == received[2].body


@pytest.mark.parametrize(
    "answer",
    [
        Answer(completion(), keep=0),
        Answer(completion(), keep=40),
        Answer({}, 500, keep=1),
        Answer(completion(), seconds=300),
    ],
)
def test_a_connection_that_breaks_or_stays_silent_is_tried_again(answer, pauses):
    """Before the answer, within it, within an error's text; growing pauses between."""
    seconds = SILENT_SECONDS if answer.seconds else 60
    reply, received = ask(answer, answer, Answer(completion()), timeout_seconds=seconds)

    assert (reply.attempts, len(received)) == (3, 3)
    assert len(pauses) == 2
    assert 0 < pauses[0] < pauses[1]


@pytest.mark.parametrize(
    ("headers", "least", "most"),
    [
        ({"retry-after": "7"}, 7, 7),
        ({"retry-after": "0.5"}, 0.5, 0.5),
        ({"retry-after-ms": "1500"}, 1.5, 1.5),
        ({"retry-after-ms": "20", "retry-after": "9"}, 0.02, 0.02),
        ({"retry-after": "in 30 seconds"}, 28, 31),
        ({"retry-after": "soon"}, 0.3, 0.5),
        ({"retry-after": "-3"}, 0.3, 0.5),
        ({}, 0.3, 0.5),
    ],
)
def test_a_pause_is_as_long_as_the_service_asks(headers, least, most, pauses):
    """By seconds, milliseconds or date; by itself where the service says nothing of use."""
    if headers.get("retry-after") == "in 30 seconds":
        headers = {"retry-after": formatdate(time() + 30, usegmt=True)}
    reply, _ = ask(Answer({}, 429, headers), Answer(completion()))

    assert reply.attempts == 2
    assert least <= pauses[0] <= most


@pytest.mark.parametrize(("retries", "tries"), [(0, 1), (2, 3)])
def test_retries_end(retries, tries):
    """Then the row fails, and says after how many tries."""
    failure, received = ask(Answer({}, 503, SOON), retries=retries)

    assert len(received) == tries
    assert ("after 3 tries" in failure.message) == (tries == 3)


def test_by_default_six_retries():
    """Seven tries in all."""
    assert len(ask(Answer({}, 500, SOON))[1]) == 7


# --- failures


@pytest.mark.long
@pytest.mark.parametrize(
    ("answer", "reason", "words"),
    [
        (Answer(said("Bad key."), 401), "http_401",
         "HTTP 401: Bad key. Check the API key (OPENAI_API_KEY)."),
        (Answer(said("No."), 403), "http_403", "The API key has no right to this"),
        (Answer(said("no model"), 404), "http_404", "HTTP 404: no model. Check the model's name, "
         "and that the base URL ends before /chat/completions (/v1)."),
        (Answer(said("seed?"), 400), "http_400", "HTTP 400: seed?."),
        (Answer(b"<html>\n <b>", 400), "http_400", "HTTP 400: <html> <b>."),
        (Answer({"detail": "x"}, 422), "http_422", 'HTTP 422: {"detail":"x"}.'),
        (Answer({"error": "plain"}, 400), "http_400", "HTTP 400: plain."),
        (Answer(said("x" * 5000), 413), "http_413", "xx.... Render less into the messages."),
        (Answer(said("slow down"), 429, SOON), "rate_limited",
         "after 2 tries: HTTP 429: slow down. Ask less at once (--in-flight), less often (--rpm)"),
        (Answer(said("broke", code="insufficient_quota"), 429, SOON), "quota_exceeded",
         "HTTP 429: broke. The account has no credit left"),
        (Answer(b"", 500, SOON), "http_500",
         "after 2 tries: HTTP 500. The service is at fault: try later, or retry more often (--ret"),
        (Answer(said("filtered", code="content_filter"), 400), "content_filter",
         "filtered: filtered"),
        (Answer(b"<html>"), "bad_answer", "the answer is no chat completion: not JSON ("),
        (Answer(b""), "bad_answer", "the answer is no chat completion: not JSON ("),
        (Answer(completion(), headers={"content-type": "text/plain"}, keep=None), None, ""),
        (Answer(b'{"choices": [{"mess'), "bad_answer", "Does the base URL end in /v1?"),
        (Answer(b"\xff\xfe"), "bad_answer", "not JSON ("),
        (Answer([1]), "bad_answer", "the answer is no chat completion: [1]."),
        (Answer({"error": {"message": "no provider"}}), "bad_answer", "no provider"),
        (Answer({"status": "ok"}), "bad_answer", 'no chat completion: {"status":"ok"}. Does'),
        (Answer({"choices": []}), "bad_answer", 'no chat completion: {"choices":[]}. Does'),
        (Answer({"choices": None, "error": {"message": "overloaded", "code": 503}}), "bad_answer",
         "no chat completion: overloaded. Does"),
        (Answer({"choices": [{"message": None}]}), "bad_answer", "no chat completion: {"),
        (Answer({}, 307, {"location": "http://me:pw@other.example:99/v1?key=1"}), "redirect",
         "HTTP 307 points to other.example:99, and redirects are not followed. If it is right, "),
        (Answer({}, 302, {"location": "/login"}), "redirect", "HTTP 302 points to 127.0.0.1:"),
        (Answer({}, 301, {"location": "http://[x"}), "redirect", "HTTP 301 points to nowhere, "),
        (Answer(said("later"), 429, {"retry-after": "3600"}), "rate_limited", "'gpt-4o': HTTP 429: "
         "later. The service asks not to be asked for 3,600 s, which is longer than we wait."),
        (Answer({}, 503, {"retry-after-ms": "121000"}), "http_503", "not to be asked for 121 s"),
        (Answer({}, 503, {"retry-after": "Fri, 31 Dec 2999 23:59:59 GMT"}), "http_503",
         "The service asks not to be asked for "),
        (Answer(completion(), headers={"content-encoding": "gzip"}), "bad_answer",
         "the answer is compressed ('gzip'), and nobody asked for that"),
        (Answer(completion(), seconds=300), "timeout", "no answer in time. Allow more seconds"),
        (Answer(completion(), keep=9), "dropped", "after 2 tries: the connection broke off ("),
    ],
)  # fmt: skip
def test_a_service_that_fails_is_named_with_its_fault(answer, reason, words, pauses):
    """Address, model, what happened, what to do; each by a reason of its own."""
    del pauses
    seconds = SILENT_SECONDS if answer.seconds else 60
    outcome, received = ask(answer, retries=1, timeout_seconds=seconds)
    if reason is None:
        assert outcome.text
        return

    assert outcome.kind is (REFUSAL if reason == "content_filter" else SERVER)
    assert outcome.reason == reason
    assert outcome.message.startswith("http://127.0.0.1:")
    assert "/v1, model 'gpt-4o'" in outcome.message
    assert words in outcome.message
    assert len(outcome.message) < 600
    final = {"http_401", "http_403", "http_404", "http_400", "http_422", "http_413"}
    once = final | {"content_filter", "bad_answer", "redirect"}
    tries = 1 if reason in once or "not to be asked for" in words else 2
    assert len(received) == tries


def test_a_server_that_is_not_there_is_unreachable(pauses):
    """The port was free a moment ago."""
    with loopback(scripted(Answer({}))) as server:
        url = server.url
    client = OpenAICompatible(base_url=url, retries=2)
    with pytest.raises(GradingError, match=r"after 3 tries: cannot connect \(.*Is the server run"):
        asyncio.run(client.complete(request()))

    assert len(pauses) == 2


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_takes_prompts_and_keys_to_nobody(status):
    """Not even where method and body would be kept."""
    with loopback(scripted(Answer(completion()))) as other:
        location = {"location": f"{other.url}/chat/completions"}
        failure, received = ask(Answer({}, status, location), retries=1)

    assert failure.reason == "redirect"
    assert other.url.removeprefix("http://").removesuffix("/v1") in failure.message
    assert (len(received), len(other.received)) == (1, 0)


@pytest.mark.long
@pytest.mark.parametrize("status", [200, 500])
def test_an_answer_without_end_is_cut_off(status):
    """Whether it is one or an error; once, because a second would be as long."""
    body = b'{"choices": "' + b"x" * MAX_BYTES
    failure, received = ask(Answer(body, status), retries=1)

    assert (failure.kind, failure.reason) == (SERVER, "answer_too_large")
    assert "the answer has more than 16 MiB, and was cut off there" in failure.message
    assert len(received) == 1


def test_an_answer_as_long_as_the_bound_is_read():
    """The bound is the last size that is let in."""
    body = json.dumps(completion("fine")).encode()
    reply, _ = ask(Answer(body + b" " * (MAX_BYTES - len(body))))

    assert reply.text == "fine"


def test_a_lone_surrogate_is_sent_as_a_replacement_and_costs_no_row():
    """Neither its own nor the others'; the model's name and blocks may hold one too."""
    asked = request(
        Message("user", "\udfff x"), Message("user", [{"type": "input_text", "text": "\ud83d"}])
    )
    reply, (sent,) = ask(Answer(completion("fine")), asked=replace(asked, model="m\ud800"))

    assert reply.text == "fine"
    assert [message["content"] for message in sent.body["messages"]] == [
        "\ufffd x",
        [{"type": "text", "text": "\ufffd"}],
    ]
    assert sent.body["model"] == "m\ufffd"


@pytest.mark.parametrize(
    "answer", [Answer(said(f"bad key {KEY}"), 401), Answer(completion(), keep=9)]
)
def test_a_failure_carries_no_error_of_the_sdk(answer, pauses):
    """Its text, request and response have the key, and tracebacks show contexts."""
    del pauses
    with loopback(scripted(answer)) as server:
        client = OpenAICompatible(base_url=server.url, api_key=KEY, retries=0)
        with pytest.raises(GradingError) as caught:
            asyncio.run(client.complete(request()))

    assert (caught.value.__context__, caught.value.__cause__) == (None, None)


def test_a_server_that_is_silent_from_the_start_is_said_to_be_asked_again(pauses):
    """Once, after two tries; one that has answered anything is not silent."""
    del pauses
    told = []
    gone, busy = Answer({}, keep=0), Answer({}, 503, SOON)
    ask(gone, retries=4, notify=told.append)
    ask(busy, retries=4, notify=told.append)
    ask(gone, Answer(completion()), retries=4, notify=told.append)

    (message,) = told
    assert message.startswith("http://127.0.0.1:")
    assert message.endswith("/v1 has not answered after 2 tries; trying 3 more")


# --- a storm


@pytest.mark.long
def test_five_hundred_rows_come_through_a_storm_of_429s():
    """Three answers in ten are 429; each row is graded, and by its own answer."""
    asked, refused = {}, 0

    def answer(received):
        nonlocal refused
        number = received.body["messages"][0]["content"]
        asked[number] = tries = asked.get(number, 0) + 1
        if random.Random(f"{number}/{tries}").random() < 0.3:
            refused += 1
            return Answer(said("slow down"), 429, SOON)
        result = {"steps": [], "result": int(number) / 1000}
        return Answer(completion(json.dumps(result)))

    rows = [Row(item={"number": i}, sample=to_sample("x"), row=i) for i in range(500)]
    with loopback(answer) as server:
        client = OpenAICompatible(base_url=server.url)
        grader = compile_grader(SCORE, tools=Tools(client=client))
        grades = asyncio.run(grader.grade(rows))

    assert [grade.score for grade in grades] == [i / 1000 for i in range(500)]
    assert 0.25 < refused / len(server.received) < 0.35
    assert len(server.received) == 500 + refused
