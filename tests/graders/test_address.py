"""Addresses and keys: taken apart, and never shown."""

import asyncio
import base64
import json
import logging

import pytest
from loopback import KEY, Answer, ask, completion, loopback, request, said

from graders.clients.address import parse_address
from graders.clients.openai_compatible import OpenAICompatible
from graders.compile import Tools, compile_grader
from graders.errors import GradersError
from graders.rows import Row, to_sample

PASSWORD = "pass%20word-that-nobody-may-see"
BASIC = base64.b64encode(b"me:pass word-that-nobody-may-see").decode()
SECRETS = [KEY, PASSWORD, "pass word-that-nobody-may-see", BASIC]


@pytest.mark.parametrize(
    ("url", "base_url", "query"),
    [
        ("https://a.example/v1", "https://a.example/v1", {}),
        (" https://a.example/v1// ", "https://a.example/v1", {}),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080", {}),
        ("http://[::1]:8080/v1", "http://[::1]:8080/v1", {}),
        (f"https://me:{PASSWORD}@a.example:1/v1", "https://a.example:1/v1", {}),
        ("https://r.example/openai/v1/?api-version=preview", "https://r.example/openai/v1",
         {"api-version": "preview"}),
    ],
)  # fmt: skip
def test_an_address_is_shown_without_what_opens_it(url, base_url, query):
    """Its parameters go along with each request."""
    address = parse_address(url, KEY)

    assert (address.base_url, address.query, address.api_key) == (base_url, query, KEY)
    assert not any(secret in repr(address) for secret in SECRETS)


@pytest.mark.parametrize(
    ("url", "key", "message"),
    [
        ("", None, "the base URL is not an http"),
        ("a.example/v1", None, "the base URL is not an http"),
        ("ftp://a.example", None, "the base URL is not an http"),
        ("https://", None, "the base URL is not an http"),
        (f"//me:{PASSWORD}@a.example", None, "the base URL is not an http"),
        (f"https://me:{PASSWORD}@a.example:x/", None, "the base URL is not an http"),
        ("https://[", None, "the base URL is not an http"),
        (f"https://a.example/v1?code={KEY}", None, "has the parameter 'code', and addresses are "
         "shown; only api-version may stand there"),
        ("https://api.openai.com/v1", None, "wants an API key; set OPENAI_API_KEY"),
        ("https://api.openai.com/v1", " ", "wants an API key; set OPENAI_API_KEY"),
        ("https://a.example", f"{KEY}\nx", "the API key's character 29 of 30 cannot stand in a "
         "header; was it copied whole, and alone?"),
        ("https://a.example", f"{KEY}é", "the API key's character 29 of 29 cannot stand"),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_is_refused_without_showing_a_secret(url, key, message):
    """Half an address may hold a whole password."""
    with pytest.raises(GradersError) as caught:
        parse_address(url, key)

    assert message in str(caught.value)
    assert not any(secret in str(caught.value) for secret in SECRETS)


def test_a_key_may_end_in_a_line_break():
    """`$(cat key)` leaves it out, `export` from a file does not."""
    assert parse_address("http://x", f"{KEY}\n").api_key == KEY


@pytest.mark.parametrize(("key", "scrubbed"), [("none", "none at all"), (KEY, "none at all")])
def test_a_short_key_that_is_none_stays_in_what_a_model_says(key, scrubbed):
    """Local servers take any word for a key; an error's text loses it all the same."""
    address = parse_address("http://x", key)

    assert address.scrub_reply("none at all") == scrubbed
    assert address.scrub(f"<{key}>") == "<***>"
    assert parse_address("http://x", "k").scrub("broken") == "broken"


def echoing(status, keep=None):
    """A server that says back what it was sent, wherever it can."""

    def answer(received):
        seen = f"{received.headers['authorization']} {SECRETS}"
        body = said(seen)
        if status == 200:
            body = completion(f'{{"steps": [], "result": "{seen}"}}', refusal=None, model=seen)
        return Answer(body, status, {"retry-after-ms": "1"}, keep=keep)

    return answer


def credentials(server):
    """Both ways to have a secret."""
    behind_a_password = server.url.replace("//", f"//me:{PASSWORD}@")
    return [
        {"base_url": server.url, "api_key": KEY},
        {"base_url": behind_a_password, "api_key": KEY},
    ]


@pytest.mark.parametrize("status", [200, 400, 401, 429, 500])
def test_no_secret_gets_into_results_errors_or_logs(status, caplog):
    """Though the service says them all back; at the loudest level of every log."""
    config = {
        "type": "score_model",
        "name": "judge",
        "model": "m",
        "input": [{"role": "user", "content": "rate"}],
    }
    caplog.set_level(logging.DEBUG)
    with loopback(echoing(status)) as server:
        for settings in credentials(server):
            client = OpenAICompatible(retries=1, **settings)
            grader = compile_grader(config, tools=Tools(client=client))
            grades = asyncio.run(grader.grade([Row(item={}, sample=to_sample("x"))]))
            shown = f"{grades} {client!r} {client.base_url} {grader.signature} {caplog.text}"

            # Each secret is known to the client that has it, and to no other.
            ours = [KEY] if settings["base_url"] == server.url else SECRETS
            assert "***" in str(grades)
            assert [secret for secret in ours if secret in shown] == []


@pytest.mark.long
@pytest.mark.parametrize("status", [200, 400])
def test_no_half_of_a_key_is_left_where_a_message_is_cut(status):
    """Wherever the cut falls; the error is not JSON, and JSON."""
    for length in range(80, 320, 14):
        text = "x" * length + KEY
        for body in (text.encode(), said(text)):
            failure, _ = ask(Answer(body, status))
            assert KEY[:6] not in failure.message


def test_a_key_in_an_escaped_form_is_found():
    """JSON may write any character by its number."""
    escaped = "".join(f"\\u{ord(c):04x}" for c in KEY)
    body = json.dumps(completion("HERE")).replace("HERE", f"it is {escaped}").encode()

    assert ask(Answer(body))[0].text == "it is ***"


@pytest.mark.parametrize("field", ["text", "refusal", "model"])
def test_no_secret_gets_into_a_reply(field):
    """Replies are cached and recorded."""
    body = {
        "text": completion(f"it is {KEY}"),
        "refusal": completion(None, refusal=f"it is {KEY}"),
        "model": completion(model=f"it is {KEY}"),
    }[field]
    with loopback(lambda _: Answer(body)) as server:
        client = OpenAICompatible(base_url=server.url, api_key=KEY)
        reply = asyncio.run(client.complete(request()))

    assert getattr(reply, field) == "it is ***"
    assert KEY not in repr(reply)


def test_user_and_password_go_as_http_basic():
    """In place of the key: there is one Authorization header."""
    with loopback(lambda _: Answer(completion())) as server:
        asyncio.run(OpenAICompatible(**credentials(server)[1]).complete(request()))

    assert server.received[0].headers["authorization"] == f"Basic {BASIC}"
