"""The client on OpenAI's SDK, against a server of ours that says and does what it should not."""

import asyncio
import json
import random
import sys
from email.utils import formatdate
from time import time

import anyio
import pytest
from loopback import Answer, completion, loopback

from graders.clients import Message, ModelRequest
from graders.clients.openai_compatible import OpenAICompatible
from graders.clients.wire import Wire
from graders.compile import Tools, compile_grader
from graders.errors import FailureKind, GradersError, GradingError
from graders.grades import Usage
from graders.rows import Row, to_sample

KEY = "sk-a-key-that-nobody-may-see"
SERVER, REFUSAL = FailureKind.MODEL_SERVER, FailureKind.MODEL_REFUSAL
SOON = {"retry-after-ms": "1"}
SCORE = {
    "type": "score_model",
    "name": "judge",
    "model": "gpt-4o",
    "input": [{"role": "user", "content": "{{ item.number }}"}],
}


def request(*messages, schema=None, **sampling):
    messages = messages or (Message("user", "hi"),)
    return ModelRequest(model="gpt-4o", messages=messages, schema=schema, sampling=sampling)


def scripted(*answers):
    """Each answer in turn; the last one for ever."""
    left = list(answers)
    return lambda _: left.pop(0) if len(left) > 1 else left[0]


def ask(*answers, asked=None, **settings):
    """What one request gets: a reply or a failure; and what the server received."""
    with loopback(scripted(*answers)) as server:
        client = OpenAICompatible(**{"base_url": server.url, "api_key": KEY, **settings})
        try:
            return asyncio.run(client.complete(asked or request())), server.received
        except GradingError as error:
            return error.failure, server.received


@pytest.fixture
def pauses(monkeypatch):
    """How long the SDK wanted to wait between tries; it does not get to."""
    wanted = []

    async def sleep(seconds):
        wanted.append(seconds)

    monkeypatch.setattr(anyio, "sleep", sleep)
    return wanted


# --- what a good answer becomes


@pytest.mark.parametrize(
    ("body", "reply"),
    [
        (completion("fine"), {"text": "fine", "model": "judge-2026", "usage": Usage(
            prompt_tokens=10, completion_tokens=5, total_tokens=15)}),
        (completion("fin", finish_reason="length"), {"text": "fin", "truncated": True}),
        (completion(None, refusal="I cannot."), {"text": "", "refusal": "I cannot."}),
        (completion("", refusal=""), {"text": "", "refusal": None}),
        (completion("", finish_reason="content_filter"),
         {"refusal": "the service's content filter stopped the answer"}),
        (completion(None), {"text": "", "refusal": None, "truncated": False}),
        (completion([{"type": "text"}]), {"text": ""}),
        (completion(choices=[]), {"text": ""}),
        (completion(choices=None), {"text": ""}),
        (completion(choices=[{}]), {"text": ""}),
        (completion(choices=[{"message": None}]), {"text": ""}),
        (completion(usage=None, model=None), {"usage": None, "model": ""}),
        (completion(usage={"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7,
                           "prompt_tokens_details": {"cached_tokens": 2}}),
         {"usage": Usage(prompt_tokens=3, completion_tokens=4, total_tokens=7, cached_tokens=2)}),
        (completion(usage={"prompt_tokens": 3, "completion_tokens": None, "total_tokens": "x",
                           "prompt_tokens_details": None}),
         {"usage": Usage(prompt_tokens=3, total_tokens=3)}),
        ({"choices": completion("bare")["choices"]}, {"text": "bare", "usage": None}),
    ],
)  # fmt: skip
def test_an_answer_becomes_a_reply(body, reply):
    """Whatever servers leave out or make null; what an empty text counts as is not said here."""
    got, received = ask(Answer(body))

    assert {name: getattr(got, name) for name in reply} == reply
    assert (got.attempts, got.cached, len(received)) == (1, False, 1)


def test_the_request_goes_out_in_the_servers_words():
    """Body by `to_body`, key as a bearer token (which Azure's /openai/v1 takes as well)."""
    schema = {"name": "s", "strict": True, "schema": {"type": "object"}}
    asked = request(schema=schema, max_completions_tokens=7)
    _, (sent,) = ask(Answer(completion()), asked=asked, wire=Wire(max_tokens="max_tokens"))

    assert sent.path == "/v1/chat/completions"
    assert sent.headers["authorization"] == f"Bearer {KEY}"
    assert sent.body == {
        "model": "gpt-4o",
        "messages": [{"role": "user", "content": "hi"}],
        "response_format": {"type": "json_schema", "json_schema": schema},
        "max_tokens": 7,
    }


def test_nothing_is_sent_with_an_image_that_is_none():
    """The row is at fault; the service never hears of it."""
    asked = request(Message("user", [{"type": "input_image", "image_url": "cat.png"}]))
    failure, received = ask(Answer(completion()), asked=asked)

    assert failure.kind is FailureKind.OTHER
    assert received == []


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
        Answer(completion(), seconds=30),
    ],
)
def test_a_connection_that_breaks_or_stays_silent_is_tried_again(answer, pauses):
    """Before the answer, within it, within an error's text; growing pauses between."""
    reply, received = ask(answer, answer, Answer(completion()), timeout_seconds=0.2)

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


def said(message, **other):
    return {"error": {"message": message, **other}}


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
         "after 2 tries: HTTP 429: slow down. Ask less at once (in flight), less often"),
        (Answer(said("broke", code="insufficient_quota"), 429, SOON), "quota_exceeded",
         "HTTP 429: broke. The account has no credit left"),
        (Answer(b"", 500, SOON), "http_500",
         "after 2 tries: HTTP 500. The service is at fault: try later, or retry more often."),
        (Answer(said("filtered", code="content_filter"), 400), "content_filter",
         "filtered: filtered"),
        (Answer(b"<html>"), "bad_answer", "the answer is no chat completion: not JSON ("),
        (Answer(b""), "bad_answer", "the answer is no chat completion: not JSON ("),
        (Answer(completion(), headers={"content-type": "text/plain"}, keep=None), None, ""),
        (Answer(b'{"choices": [{"mess'), "bad_answer", "Does the base URL end in /v1?"),
        (Answer(b"\xff\xfe"), "bad_answer", "not JSON ("),
        (Answer([1]), "bad_answer", "the answer is no chat completion: [1]."),
        (Answer({"error": {"message": "no provider"}}), "bad_answer", "no provider"),
        (Answer(completion(), seconds=30), "timeout", "no answer in time. Allow more seconds"),
        (Answer(completion(), keep=9), "dropped", "the connection broke off (RemoteProtocolError"),
    ],
)  # fmt: skip
def test_a_service_that_fails_is_named_with_its_fault(answer, reason, words, pauses):
    """Address, model, what happened, what to do; each by a reason of its own."""
    del pauses
    outcome, received = ask(answer, retries=1, timeout_seconds=0.2)
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
    tries = 1 if reason in final | {"content_filter", "bad_answer"} else 2
    assert len(received) == tries


def test_a_server_that_is_not_there_is_unreachable(pauses):
    """The port was free a moment ago."""
    with loopback(scripted(Answer({}))) as server:
        url = server.url
    client = OpenAICompatible(base_url=url, retries=2)
    with pytest.raises(GradingError, match=r"after 3 tries: cannot connect \(.*Is the server run"):
        asyncio.run(client.complete(request()))

    assert len(pauses) == 2


# --- the developer role

DEVELOPER = request(Message("developer", "Be fair."), Message("user", "hi"))


def refusing_developer(status, message):
    """A server that knows no developer messages."""

    def answer(received):
        roles = {sent["role"] for sent in received.body["messages"]}
        refused = Answer(said(message), status, SOON)
        return refused if "developer" in roles else Answer(completion(",".join(sorted(roles))))

    return answer


@pytest.mark.parametrize(
    ("status", "message", "tries"),
    [
        (400, "Unknown role: developer", 1),
        (422, "messages.0: Input should be 'system', 'user' or 'assistant' (role)", 1),
        (500, "Jinja Exception: Unexpected message role.", 2),  # llama.cpp's way
    ],
)
def test_where_developer_is_refused_system_goes_instead_and_that_is_remembered(
    status, message, tries
):
    """The second request begins with what the first one learned."""

    async def twice():
        return [await client.complete(DEVELOPER), await client.complete(DEVELOPER)]

    with loopback(refusing_developer(status, message)) as server:
        client = OpenAICompatible(base_url=server.url, retries=1)
        first, second = asyncio.run(twice())

    assert first.text == second.text == "system,user"
    assert (first.attempts, second.attempts) == (tries + 1, 1)
    assert len(server.received) == tries + 2


@pytest.mark.parametrize(
    ("wire", "asked", "message"),
    [
        (Wire(developer="developer"), DEVELOPER, "Unknown role: developer"),
        (Wire(), request(), "Unknown role: developer"),
        (Wire(), DEVELOPER, "temperature is not supported"),
    ],
)
def test_nothing_else_is_sent_again_under_another_role(wire, asked, message):
    """Neither against a setting, nor without such a message, nor for another fault."""
    failure, received = ask(Answer(said(message), 400), asked=asked, wire=wire)

    assert failure.reason == "http_400"
    assert len(received) == 1


def test_a_refusal_that_was_about_something_else_teaches_nothing():
    """Developer messages stay developer messages until system has been seen to work."""
    refused = Answer(said("roles must alternate"), 400)

    async def twice():
        with pytest.raises(GradingError, match="roles must alternate"):
            await client.complete(DEVELOPER)
        await client.complete(DEVELOPER)

    with loopback(scripted(refused, refused, Answer(completion()))) as server:
        client = OpenAICompatible(base_url=server.url)
        asyncio.run(twice())

    roles = [received.body["messages"][0]["role"] for received in server.received]
    assert roles == ["developer", "system", "developer"]


# --- storms, loops


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


def test_no_more_than_the_bound_are_under_way():
    """The server sees at most so many unanswered requests, and does see so many."""
    at_once, most = 0, 0

    async def run():
        await asyncio.gather(*(client.complete(request()) for _ in range(40)))

    def answer(_):
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        loop = asyncio.get_running_loop()
        loop.call_later(0.01, leave)
        return Answer(completion(), seconds=0.011)

    def leave():
        nonlocal at_once
        at_once -= 1

    with loopback(answer) as server:
        client = OpenAICompatible(base_url=server.url, in_flight=8)
        asyncio.run(run())

    assert most == 8


def test_one_client_serves_one_event_loop_after_another():
    """Connections close with their loop: a warning about one left open would fail this."""

    async def both():
        await asyncio.gather(client.complete(request()), client.complete(request()))

    with loopback(scripted(Answer(completion()))) as server:
        client = OpenAICompatible(base_url=server.url, in_flight=1)
        for _ in range(3):
            asyncio.run(both())

    assert len(server.received) == 6


def test_a_closed_client_opens_again():
    """And closing what was never open is nothing."""

    async def run():
        await client.aclose()
        await client.complete(request())
        await client.aclose()
        await client.aclose()
        return await client.complete(request())

    with loopback(scripted(Answer(completion("again")))) as server:
        client = OpenAICompatible(base_url=server.url)
        assert asyncio.run(run()).text == "again"


# --- settings


def test_address_and_key_come_from_the_environment_unless_given(monkeypatch):
    """As the SDK's own variables say."""
    monkeypatch.setenv("OPENAI_BASE_URL", "https://a.example/v1/")
    assert OpenAICompatible().base_url == "https://a.example/v1"
    assert OpenAICompatible(base_url="http://b.example").base_url == "http://b.example"

    with loopback(scripted(Answer(completion()))) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        monkeypatch.setenv("OPENAI_API_KEY", "from-the-environment")
        asyncio.run(OpenAICompatible().complete(request()))
        asyncio.run(OpenAICompatible(api_key="given").complete(request()))
        monkeypatch.delenv("OPENAI_API_KEY")
        asyncio.run(OpenAICompatible().complete(request()))

    sent = [received.headers["authorization"] for received in server.received]
    assert sent == ["Bearer from-the-environment", "Bearer given", "Bearer none"]


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({}, GradersError, "https://api.openai.com/v1 wants an API key; set OPENAI_API_KEY"),
        ({"retries": -1}, ValueError, "retries is -1; give 0 or more"),
        ({"base_url": "http://x", "in_flight": 0}, ValueError, "in_flight is 0, and lets nothing"),
        (
            {"base_url": "http://x", "requests_per_minute": 0},
            ValueError,
            "requests_per_minute is 0",
        ),
        ({"base_url": "http://x", "tokens_per_minute": -1}, ValueError, "tokens_per_minute is -1"),
    ],
)
def test_settings_that_cannot_work_are_refused_at_once(settings, error, message):
    """Not at the first row."""
    with pytest.raises(error, match=message):
        OpenAICompatible(**settings)


def test_without_the_sdk_the_extra_is_named(monkeypatch):
    """Who has not installed it learns what to install."""
    monkeypatch.setitem(sys.modules, "openai", None)
    with pytest.raises(GradersError, match=r"pip install 'local-graders\[models\]'"):
        OpenAICompatible(api_key="x")
