"""The client on OpenAI's SDK: what a reply is made of, the developer role, loops, settings."""

import asyncio
import sys

import pytest
from loopback import KEY, SOON, Answer, ask, completion, loopback, request, said, scripted

from graders.clients import Message
from graders.clients.openai_compatible import OpenAICompatible
from graders.clients.wire import Wire
from graders.errors import FailureKind, GradersError, GradingError
from graders.grades import Usage

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
        (completion(choices=[{"message": {}}]), {"text": ""}),
        (completion(choices=[{"finish_reason": "content_filter"}]),
         {"refusal": "the service's content filter stopped the answer"}),
        (completion(usage=None, model=None), {"usage": None, "model": ""}),
        (completion(usage={"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7,
                           "prompt_tokens_details": {"cached_tokens": 2}}),
         {"usage": Usage(prompt_tokens=3, completion_tokens=4, total_tokens=7, cached_tokens=2)}),
        (completion(usage={"prompt_tokens": 3, "completion_tokens": None, "total_tokens": "x",
                           "prompt_tokens_details": None}),
         {"usage": Usage(prompt_tokens=3, total_tokens=3)}),
        (completion(usage={}), {"usage": None}),
        (completion(usage={"prompt_tokens": 1e300, "completion_tokens": 2}), {"usage": None}),
        (completion(usage={"prompt_tokens": 10**12, "completion_tokens": 2}), {"usage": None}),
        (completion(usage={"prompt_tokens": 2.5, "completion_tokens": 2}), {"usage": None}),
        (completion(usage={"prompt_tokens": -1, "completion_tokens": 2}), {"usage": None}),
        (completion(usage={"prompt_tokens": True, "completion_tokens": "2"}), {"usage": None}),
        (completion(usage={"prompt_tokens": 3.0, "completion_tokens": 10**8,
                           "total_tokens": 1e300, "prompt_tokens_details": {"cached_tokens": 1e9}}),
         {"usage": Usage(prompt_tokens=3, completion_tokens=10**8, total_tokens=10**8 + 3)}),
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


# --- event loops


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
    ("address", "wire", "identity"),
    [
        ("http://x/v1/", Wire(), "http://x/v1"),
        ("http://me:pw@x/v1", Wire(), "http://x/v1"),
        ("http://x/v1?api-version=2", Wire(), "http://x/v1?api-version=2"),
        ("http://x", Wire(format="none", max_tokens="max_tokens"),
         "http://x#max_tokens=max_tokens&format=none"),
    ],
)  # fmt: skip
def test_whose_answers_they_are_is_said_without_secrets(address, wire, identity):
    """All that changes an answer beside the request; the usual wire is not worth a word."""
    assert OpenAICompatible(base_url=address, wire=wire).identity == identity


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
