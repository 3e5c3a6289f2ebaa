"""Who may ask a server, how much, how long, and how many at once."""

import asyncio
import json
from dataclasses import replace

import pytest
from asking import EXACT, RUN, asking

from graders.clients import ModelReply
from graders.compile import Tools
from graders.server.app import create_app
from graders.server.settings import Limits, Settings

TOKEN = "a-token-that-nobody-guesses"
JUDGE = {
    "type": "score_model",
    "name": "judge",
    "model": "gpt-4.1-2025-04-14",
    "input": [{"role": "user", "content": "Grade {{ sample.output_text }}"}],
}
BODY = {"grader": EXACT, "model_sample": "x", "item": {"answer": "x"}}


class Judge:
    """A judge that answers when it is told to."""

    def __init__(self):
        self.asked, self.may_answer = asyncio.Event(), asyncio.Event()

    async def complete(self, _):
        self.asked.set()
        await self.may_answer.wait()
        return ModelReply(text='{"steps": [], "result": 1}')


def sent(method="GET", path="/health", *, headers=None, content=None, **settings):
    """Send one request to a server with these settings; gives the answer."""

    async def send():
        async with asking(**settings) as client:
            return await client.request(method, path, headers=headers, content=content)

    return asyncio.run(send())


@pytest.mark.parametrize(
    ("authorization", "status"),
    [
        (f"Bearer {TOKEN}", 200),
        (f"bearer  {TOKEN} ", 200),
        (None, 401),
        ("", 401),
        (TOKEN, 401),
        (f"Basic {TOKEN}", 401),
        (f"Bearer {TOKEN}x", 401),
        (f"Bearer {TOKEN[:-1]}", 401),
        ("Bearer \u00e9", 401),
    ],
)
def test_where_there_is_a_token_it_must_be_borne(authorization, status):
    """By every request, and no answer has it."""
    headers = {} if authorization is None else {"authorization": authorization.encode()}
    answer = sent(headers=headers, token=TOKEN)

    assert answer.status_code == status
    if status == 401:
        assert answer.json()["error"]["type"] == "authentication_error"
        assert "Authorization: Bearer TOKEN" in answer.json()["error"]["message"]
        assert answer.headers["www-authenticate"] == "Bearer"
        assert TOKEN not in answer.text


@pytest.mark.parametrize(("key", "status"), [(TOKEN, 200), (TOKEN + "x", 401), ("", 401)])
def test_the_token_may_be_borne_as_azures_client_does(key, status):
    """`AzureOpenAI` sends its api_key by itself, in a header of its own."""
    assert sent(headers={"api-key": key}, token=TOKEN).status_code == status


HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200),
        ("LOCALHOST:8000", 200),
        ("127.0.0.1:80", 200),
        ("[::1]:80", 200),
        ("evil.example", 403),
        ("localhost.evil.example", 403),
        ("evil.example:8000", 403),
        ("localhost@evil.example", 403),
        ("[::1", 403),
        ("", 403),
    ],
)
def test_a_server_is_called_by_its_own_names(host, status):
    """A page that gives its own DNS name our address calls us by that name."""
    answer = sent(headers={"host": host}, hosts=HOSTS)

    assert answer.status_code == status
    if status == 403:
        assert "answers to 127.0.0.1, ::1, localhost" in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("http://localhost", 200),
        ("http://localhost:3000", 200),
        ("https://evil.example", 403),
        ("null", 403),
        ("http://[", 403),
    ],
)
def test_pages_of_other_sites_may_not_ask(origin, status):
    """Browsers say where a page is from."""
    answer = sent(headers={"origin": origin}, hosts=HOSTS)

    assert answer.status_code == status


@pytest.mark.parametrize("kind", ["text/plain", "", "multipart/form-data", "application/jsonx"])
def test_only_json_is_taken_for_json(kind):
    """A form of another site can send text without being asked whether it may."""
    answer = sent("POST", RUN, headers={"content-type": kind}, content=json.dumps(BODY))

    assert answer.status_code == 415
    assert answer.json()["error"]["message"].endswith("and must be application/json")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the body is not JSON: line 1, column 1: "),
        (b'{"grader": NaN}', "the body is not JSON: line 1, column 12: NaN is not a JSON number"),
        (b"[" * 100_000, "the body is not JSON"),
        (b'{"a":' * 300 + b"1" + b"}" * 300, "nested too deeply, in more than 256 levels"),
        (b"\xff\xfe", "the body is not JSON: line 1, column 1: byte 0xff is not UTF-8"),
        (b"[]", "the body is no JSON object"),
        (b'"\x1b[31m"', "the body is not JSON"),
        (b"null", "the body is no JSON object"),
    ],
)
@pytest.mark.parametrize("path", [RUN, "/grade"])
def test_a_body_that_is_no_json_object_is_a_400(path, content, message):
    """With the place, and never a traceback."""
    answer = sent("POST", path, headers={"content-type": "application/json"}, content=content)

    assert answer.status_code == 400
    assert message in answer.json()["error"]["message"]


SMALL = Limits(body_bytes=100, in_flight_bytes=150)


@pytest.mark.parametrize("said", [True, False])
def test_a_body_may_only_be_so_long(said):
    """Whether it says how long it is, or is only counted."""

    async def pieces():
        yield b"x" * 60
        yield b"x" * 60

    content = b"x" * 101 if said else pieces()
    headers = {"content-type": "application/json"}
    answer = sent("POST", RUN, headers=headers, content=content, limits=SMALL)

    assert answer.status_code == 413
    assert "more than the 100 bytes" in answer.json()["error"]["message"]
    assert answer.headers["connection"] == "close"


async def raw(app, headers, receive):
    """Send a request by hand; gives the status and the JSON of the answer."""
    messages = []

    async def send(message):
        messages.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": RUN,
        "query_string": b"",
        "root_path": "",
        "headers": [(b"host", b"localhost"), (b"content-type", b"application/json"), *headers],
    }
    async with app.router.lifespan_context(app):
        await app(scope, receive, send)
    return messages[0]["status"], json.loads(messages[1]["body"])


async def never():
    """A client that sends nothing more."""
    await asyncio.Event().wait()


async def gone():
    """A client that hangs up."""
    return {"type": "http.disconnect"}


@pytest.mark.parametrize(
    ("receive", "status", "message"),
    [
        (never, 408, "the body did not come within 0.01 s"),
        (gone, 400, "the body broke off"),
    ],
)
def test_a_body_must_come_whole_and_in_time(receive, status, message):
    """Or the connection is somebody else's."""
    app = create_app(Settings(limits=Limits(body_seconds=0.01)))
    answered, body = asyncio.run(raw(app, [], receive))

    assert (answered, body["error"]["message"]) == (status, message)


def test_there_is_an_end_to_waiting_for_an_answer():
    """And the SDKs are told not to try it again."""
    settings = {"limits": Limits(answer_seconds=0.01)}

    async def send():
        settings["tools"] = Tools(client=Judge())
        async with asking(**settings) as client:
            return await client.post(RUN, json={**BODY, "grader": JUDGE})

    answer = asyncio.run(send())

    assert answer.status_code == 504
    assert answer.json()["error"]["message"] == "there was no answer within 0.01 s"
    assert answer.headers["x-should-retry"] == "false"


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        (Limits(at_once=1), "the server has 1 requests under way"),
        (Limits(in_flight_bytes=300), "bytes of requests under way"),
    ],
)
def test_more_than_a_server_can_bear_is_refused_and_nothing_else_suffers(limits, message):
    """With 503 and when to come again; the one under way is answered, and so is the next."""

    async def ask():
        judge = Judge()
        async with asking(tools=Tools(client=judge), limits=limits) as client:
            first = asyncio.create_task(client.post(RUN, json={**BODY, "grader": JUDGE}))
            await judge.asked.wait()
            refused = await client.post(RUN, json=BODY)
            judge.may_answer.set()
            return await first, refused, await client.post(RUN, json=BODY)

    first, refused, later = asyncio.run(ask())

    assert (first.status_code, refused.status_code, later.status_code) == (200, 503, 200)
    assert refused.headers["retry-after"] == "1"
    assert message in refused.json()["error"]["message"]
    assert refused.json()["error"]["code"] == "overloaded"


@pytest.mark.parametrize(("length", "statuses"), [("10", [200, 200]), (None, [200, 503])])
def test_a_body_that_says_no_length_counts_as_the_longest(length, statuses):
    """Else any number of them could be in memory at once."""
    limits = Limits(body_bytes=1_000, in_flight_bytes=1_100)
    headers = {"content-type": "application/json"}

    async def pieces():
        yield json.dumps(BODY).encode()

    async def ask():
        judge = Judge()
        async with asking(tools=Tools(client=judge), limits=limits) as client:
            first = asyncio.create_task(client.post(RUN, json={**BODY, "grader": JUDGE}))
            await judge.asked.wait()
            content = json.dumps(BODY) if length else pieces()
            second = await client.post(RUN, content=content, headers=headers)
            judge.may_answer.set()
            return [(await first).status_code, second.status_code]

    assert asyncio.run(ask()) == statuses


def test_a_request_larger_than_all_that_may_be_under_way_comes_in_alone():
    """Else nobody could ever send it."""
    limits = replace(Limits(), in_flight_bytes=1)
    headers = {"content-type": "application/json"}
    answer = sent("POST", RUN, headers=headers, content=json.dumps(BODY), limits=limits)

    assert answer.status_code == 200


def test_requests_at_once_do_not_mix():
    """Hundreds of them, each with its own sample, judged in whatever order."""

    class Echo:
        async def complete(self, request):
            number = request.messages[-1].content.rpartition(" ")[2]
            await asyncio.sleep(0)
            return ModelReply(text=json.dumps({"steps": [], "result": int(number) / 1000}))

    async def ask():
        async with asking(tools=Tools(client=Echo()), limits=Limits(at_once=1000)) as client:
            grader = {**JUDGE, "input": [{"role": "user", "content": "{{ sample.output_text }}"}]}
            bodies = [{"grader": grader, "model_sample": f"number {n}"} for n in range(300)]
            return await asyncio.gather(*(client.post(RUN, json=body) for body in bodies))

    rewards = [answer.json()["reward"] for answer in asyncio.run(ask())]

    assert rewards == [n / 1000 for n in range(300)]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/nowhere", 404), ("GET", RUN, 405), ("DELETE", "/grade", 405), ("GET", "/%1b", 404)],
)
def test_what_is_no_route_is_said_in_the_same_shape(method, path, status):
    """With control characters shown, not sent."""
    answer = sent(method, path)

    assert answer.status_code == status
    assert answer.json()["error"]["code"] == "no-route"
    assert "\x1b" not in answer.json()["error"]["message"]


def test_a_bug_is_a_500_that_says_nothing_of_it():
    """The traceback is in the server's own log."""

    class Broken:
        async def complete(self, _):
            raise ZeroDivisionError("a secret of the server")

    async def send():
        async with asking(tools=Tools(client=Broken())) as client:
            return await client.post(RUN, json={**BODY, "grader": JUDGE})

    answer = asyncio.run(send())

    assert answer.status_code == 500
    assert answer.json()["error"]["message"] == "the server failed, and its log says why"
