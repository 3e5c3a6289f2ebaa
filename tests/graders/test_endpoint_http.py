"""`HttpEndpoint` against a server on loopback that misbehaves in every way it can."""

import asyncio
import json
import subprocess
import sys

import httpx2
import pytest
from endpoint_service import CUT, DROP, HANG, Service, failure, ok, post, started

from graders.clients.endpoint import MAX_BYTES, HttpEndpoint
from graders.clients.masked import masked_text, masked_url
from graders.compile import Tools, compile_grader
from graders.errors import ConfigError, FailureKind, GradingError
from graders.rows import Row, to_sample

INTERNAL, SAFETY = FailureKind.ENDPOINT_INTERNAL, FailureKind.ENDPOINT_SAFETY
SERVER = FailureKind.ENDPOINT_SERVER


def test_a_row_is_posted_as_json_with_the_configs_headers():
    """One connection serves many rows."""
    service = Service(ok('{"score": 1}'), ok('{"score": 0.5, "extra": "é"}'))
    headers = {"Authorization": "Bearer k3y", "Content-Type": "application/json; v=1"}
    answers, clock = post(service, {"item": {"a": "é"}}, {"b": 2}, headers=headers)
    (head, body), (_, second) = service.got

    assert answers == [{"score": 1}, {"score": 0.5, "extra": "é"}]
    assert head.startswith("POST /grade HTTP/1.1\r\n")
    assert "Authorization: Bearer k3y\r\n" in head
    assert "application/json; v=1" in head
    assert head.lower().count("content-type") == 1
    assert (json.loads(body), json.loads(second)) == ({"item": {"a": "é"}}, {"b": 2})
    assert (service.connections, clock.slept) == (1, [])


@pytest.mark.parametrize("fault", [ok("busy", 500), ok("", 503), DROP])
def test_a_service_that_recovers_within_three_more_tries_is_no_failure(fault):
    """The waits double."""
    for faults in (1, 3):
        service = Service(*[fault] * faults, ok())
        (answer,), clock = post(service)

        assert answer == {"score": 0.5}
        assert len(service.got) == faults + 1
        assert len({body for _, body in service.got}) == 1
        assert clock.slept == [0.5, 1.0, 2.0][:faults]


@pytest.mark.parametrize(
    ("fault", "reason", "problem"),
    [
        (ok("all busy", 500), "http_500", "answered 500 'all busy' in 4 tries"),
        (ok("", 503), "http_503", "answered 503 in 4 tries"),
        (ok("x" * 9000, 502), "http_502", f"answered 502 '{'x' * 200}' in 4 tries"),
        (DROP, "connection", "could not be reached: Server disconnected without sending a "
         "response. in 4 tries"),
        (b"garbage\r\n\r\n", "connection", "could not be reached: "),
        (CUT, "connection", "could not be reached: peer closed connection"),
    ],
)  # fmt: skip
def test_a_service_that_does_not_recover_is_a_failure_after_four_tries(fault, reason, problem):
    """The message says how often it was tried, and the reason how it failed last."""
    failed, clock = failure(Service(fault))

    assert (failed.kind, failed.reason) == (SERVER, reason)
    assert failed.message.startswith("the endpoint http://127.0.0.1:")
    assert problem in failed.message
    assert len(clock.slept) == 3


def test_nobody_listening_is_a_connection_that_failed():
    """Tried again as any other."""
    endpoint = HttpEndpoint(retries=0)

    with pytest.raises(GradingError, match="could not be reached: All connection") as caught:
        asyncio.run(endpoint.post("http://127.0.0.1:9/g", {}, {}))
    assert (caught.value.failure.kind, caught.value.failure.reason) == (SERVER, "connection")
    assert " tries" not in caught.value.failure.message


def test_a_service_that_is_too_slow_is_tried_again():
    """The time is that of one try, to the last byte of the answer."""
    failed, clock = failure(Service(HANG), timeout_seconds=0.05, retries=1)

    assert (failed.kind, failed.reason) == (SERVER, "timeout")
    assert failed.message.endswith("did not answer within 0.05 s in 2 tries")
    assert clock.slept == [0.5]


@pytest.mark.parametrize("status", [400, 401, 404, 408, 413, 429, 499])
def test_a_refusal_is_not_tried_again(status):
    """The same request would be refused again."""
    service = Service(ok("no such grader", status))
    failed, clock = failure(service)

    assert (failed.kind, failed.reason) == (SERVER, f"http_{status}")
    assert failed.message.endswith(f"answered {status} 'no such grader'")
    assert (len(service.got), clock.slept) == (1, [])


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed(status):
    """Sample and headers go to whom the config names, and to nobody else."""
    elsewhere = "http://169.254.169.254/latest?token=abcd"
    service = Service(ok("", status, location=elsewhere))
    failed, _ = failure(service)

    assert (failed.kind, failed.reason) == (SAFETY, "redirect")
    assert f"answered {status} and points to http://169.254.169.254/latest?***; redi" in (
        failed.message
    )
    assert len(service.got) == 1


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        (b"", "the endpoint answered nothing, and"),
        (b"0.5 points", "the endpoint answered '0.5 points', and"),
        (b"<html>" * 100, "the endpoint answered '<html><html>"),
        (b'{"score": NaN}', "the endpoint answered '{\"score\": NaN}', and"),
        (b"\xff\xfe", "the endpoint answered '\N{REPLACEMENT CHARACTER}"),
        (b"[" * 5000, "the endpoint answered '[[["),
    ],
)
def test_an_answer_that_is_no_json_is_a_failure(body, shown):
    """Shown in part, and not tried again."""
    failed, clock = failure(Service(ok(body)))

    assert (failed.kind, failed.reason) == (SERVER, "bad_answer")
    assert failed.message.startswith(shown)
    assert failed.message.endswith(', and {"score": number} is wanted')
    assert (len(failed.message) < 300, clock.slept) == (True, [])


def test_an_answer_may_have_one_megabyte():
    """Reading stops there, whatever more would come."""
    fitting = b'{"score": 1, "x": "' + b"y" * (MAX_BYTES - 21) + b'"}'
    (answer,), _ = post(Service(ok(fitting)))
    failed, _ = failure(Service(ok(fitting + b" ")))
    endless, _ = failure(Service(b"HTTP/1.1 200 X\r\ncontent-length: 9999999999\r\n\r\n" + fitting
                                 + b" " * 100_000))  # fmt: skip

    assert (len(fitting), answer["score"]) == (MAX_BYTES, 1)
    for one in (failed, endless):
        assert (one.kind, one.reason) == (SERVER, "answer_too_large")
        assert one.message == (
            "the endpoint's answer has more than the 1,048,576 bytes that it may have"
        )


def test_a_request_may_have_one_megabyte():
    """A larger one is not sent."""
    service = Service(ok())
    fitting = "x" * (MAX_BYTES - len('{"a":""}'))
    (answer, failed), _ = post(service, {"a": fitting}, {"a": fitting + "x"})

    assert (answer, len(service.got)) == ({"score": 0.5}, 1)
    assert (failed.kind, failed.reason) == (INTERNAL, "request_too_large")
    assert failed.message == "the request has 1,048,577 bytes, and may have 1,048,576"


@pytest.mark.parametrize(
    "headers",
    [{"Authorization": "line\nbreak"}, {"Authorization": "schlüssel €"}, {"bad name": "secret"}],
)
def test_a_header_that_cannot_be_sent_is_our_failure_and_not_shown(headers):
    """It may be a credential."""
    service = Service(ok())
    failed, clock = failure(service, headers=headers)

    assert (failed.kind, failed.reason) == (INTERNAL, "not_sendable")
    assert failed.message.startswith("the endpoint's address or headers cannot be sent: http://127")
    assert not any(value in failed.message for value in headers.values())
    assert (service.got, clock.slept) == ([], [])


@pytest.mark.parametrize(
    "url", ["http://[::1/g", "http://", "http://127.0.0.1:99999/g", "http://x\x00y/g", "https:///g"]
)
def test_an_address_that_is_none_is_our_failure(url):
    """No exception of the library's gets out, for a run must not end over a row."""
    with pytest.raises(GradingError, match="address or headers cannot be sent") as caught:
        asyncio.run(HttpEndpoint(retries=0).post(url, {}, {}))

    assert (caught.value.failure.kind, caught.value.failure.reason) == (INTERNAL, "not_sendable")


@pytest.mark.parametrize("answer", [(500,), (403,), (200,), (307,), "good"])
def test_no_message_has_a_credential_that_the_service_echoes(answer):
    """Neither whole nor its telling part, from the headers or from the address."""
    secrets = ("k3y-of-mine", "c0de!", "Bearer k3y-of-mine", "x-77777")
    echo = " ".join(secrets)
    wire = ok(json.dumps({"score": echo})) if answer == "good" else ok(echo, *answer, location=echo)
    service = Service(wire)
    config = {"type": "endpoint", "name": "e",
              "headers": {"Authorization": "Bearer k3y-of-mine", "X-Key": "x-77777"}}  # fmt: skip

    async def run():
        async with started(service) as url:
            tools = Tools(endpoint=HttpEndpoint(retries=0))
            grader = compile_grader({**config, "url": f"{url}?code=c0de!"}, tools=tools)
            return await grader.grade([Row(item={}, sample=to_sample("x"))])

    (grade,) = asyncio.run(run())

    assert "k3y-of-mine" in service.got[0][0]
    assert "***" in grade.failure.message
    assert not any(secret in grade.failure.message for secret in secrets)


def test_what_is_too_short_to_be_a_secret_does_not_blank_a_message():
    """A flag such as `v=1` would be masked in every number."""
    assert masked_text("answered 401: no", "http://x/?v=1", {"X-Try": "4"}) == "answered 401: no"
    assert masked_url("http://[::1/g?key=1") == "***"


def test_connections_are_bounded_and_serve_several_event_loops():
    """A run after a run: each loop has its own, closed with it."""
    endpoint = HttpEndpoint()
    service = Service(ok())

    async def run():
        async with started(service) as url:
            return await asyncio.gather(*[endpoint.post(url, {}, {}) for _ in range(200)])

    for _ in range(2):
        service.connections = 0
        assert asyncio.run(run()) == [{"score": 0.5}] * 200
        assert 1 <= service.connections <= 64
        assert endpoint._sessions == {}  # noqa: SLF001 - nothing else shows that they were closed


def test_an_endpoint_grader_is_graded_over_http():
    """End to end: the documented body, a score, and a failure that costs one row."""
    service = Service(ok('{"score": 0.75}'), ok('{"score": "high"}'))
    config = {"type": "endpoint", "name": "e", "rate_limit": 1000, "pass_threshold": 0.5}

    async def run():
        async with started(service) as url:
            grader = compile_grader({**config, "url": url}, tools=Tools(endpoint=HttpEndpoint()))
            row = Row(item={"a": 1}, sample=to_sample("x"))
            return [(await grader.grade([row]))[0] for _ in range(2)]

    first, second = asyncio.run(run())
    body = json.loads(service.got[0][1])

    assert (first.score, first.passed) == (0.75, True)
    assert second.failure.reason == "bad_answer"
    assert list(body) == ["sample", "item", "trace_id"]
    assert (body["sample"]["output_text"], body["item"]) == ("x", {"a": 1})


def test_retries_are_a_number_of_tries():
    """None is fine, less is not."""
    with pytest.raises(ValueError, match="retries is at least 0, got -1"):
        HttpEndpoint(retries=-1)


def test_without_the_extra_it_says_what_to_install(monkeypatch):
    """When it is made, not at the first row."""
    monkeypatch.setitem(sys.modules, "httpx2", None)

    with pytest.raises(ConfigError, match=r"pip install 'local-graders\[models\]'"):
        HttpEndpoint()


def test_the_http_library_is_loaded_for_those_who_ask():
    """Importing has no effect, and costs nothing."""
    code = "import sys, graders.clients.endpoint; print('httpx2' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "False\n"
    assert httpx2.__version__
