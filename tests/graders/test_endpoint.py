"""`endpoint`: what an HTTP grader is sent, and what its answer counts as."""

import asyncio
from dataclasses import dataclass, field
from uuid import UUID

import pytest

from graders.compile import Tools, compile_grader
from graders.errors import FailureKind, GradingError
from graders.hosted import validate
from graders.rows import Row, to_sample

REMOTE = {"type": "endpoint", "name": "remote", "url": "https://x.example/g"}
SERVER = FailureKind.ENDPOINT_SERVER


@dataclass
class ScriptedEndpoint:
    """Answers from a function of the body, and keeps what was posted."""

    answer: object
    posted: list[tuple] = field(default_factory=list)

    async def post(self, url, headers, body, *, per_second=None):
        self.posted.append((url, headers, body, per_second))
        return self.answer(body) if callable(self.answer) else self.answer


def row(output, **item):
    return Row(item=item, sample=to_sample(output))


def grades(config, *rows, endpoint):
    grader = compile_grader(config, tools=Tools(endpoint=endpoint))
    return asyncio.run(grader.grade(rows))


def test_an_endpoint_gets_sample_item_and_a_trace_id():
    """The same row has the same trace id, whichever run it is in."""
    endpoint = ScriptedEndpoint(lambda body: {"score": len(body["sample"]["output_text"])})
    config = {**REMOTE, "headers": {"Authorization": "k"}, "rate_limit": 5, "pass_threshold": 2}
    rows = [row("ab", a=1), row("c"), row("ab", a=1)]
    batch = grades(config, *rows, endpoint=endpoint)

    assert [(grade.score, grade.passed) for grade in batch] == [(2, True), (1, False), (2, True)]
    url, headers, body, per_second = endpoint.posted[0]
    assert (url, headers, per_second) == ("https://x.example/g", {"Authorization": "k"}, 5)
    assert list(body) == ["sample", "item", "trace_id"]
    assert (body["sample"], body["item"]) == (dict(rows[0].sample), {"a": 1})
    traces = [posted["trace_id"] for _, _, posted, _ in endpoint.posted]
    assert traces[0] == traces[2] != traces[1]
    assert all(trace == f"trace_{UUID(trace.removeprefix('trace_'))}" for trace in traces)


@pytest.mark.parametrize(
    "answer",
    [None, [], {}, 1, {"score": "1"}, {"score": True}, {"score": None}, {"score": float("nan")},
     {"score": float("inf")}, {"score": 10**400}, {"reward": 1}],
)  # fmt: skip
def test_an_unusable_answer_of_an_endpoint_is_a_failure(answer):
    """Whatever a service answers, it costs one row at most."""
    (grade,) = grades(REMOTE, row("x"), endpoint=ScriptedEndpoint(answer))

    assert (grade.failure.kind, grade.failure.reason) == (SERVER, "bad_answer")
    assert grade.failure.message.startswith("the endpoint answered ")
    assert grade.failure.message.endswith(', and {"score": number} is wanted')


def test_what_the_client_could_not_do_is_the_rows_failure():
    """The client's own words and kind are kept."""

    def refuse(body):
        raise GradingError(FailureKind.ENDPOINT_SAFETY, f"blocked: {body['item']['a']}", "safety")

    (grade,) = grades(REMOTE, row("x", a=1), endpoint=ScriptedEndpoint(refuse))

    assert (grade.failure.kind, grade.failure.reason) == (FailureKind.ENDPOINT_SAFETY, "safety")
    assert grade.failure.message == "blocked: 1"


@pytest.mark.parametrize(
    "item", [{"a": "\ud800"}, {"a": 2**70}, {"a": float("nan"), "b": "\ud800"}]
)
def test_whatever_a_row_holds_it_is_posted_or_fails_alone(item):
    """A row made in Python may hold what JSON cannot; a run never ends over one."""
    first, second = grades(
        REMOTE, row("x", **item), row("y"), endpoint=ScriptedEndpoint({"score": 1})
    )

    assert first.score == 1.0 or first.failure is not None
    assert second.score == 1.0


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://f.example/api/g?code=KEY", "https://f.example/api/g?***"),
        ("https://me:pw@f.example:8080/g", "https://***@f.example:8080/g"),
        ("http://127.0.0.1/g", "http://127.0.0.1/g"),
    ],
)
def test_an_address_shows_no_credentials(url, shown):
    """Neither the signature, which is in every result line, nor the echo of validate does."""
    config = {**REMOTE, "url": url, "Headers": {"Authorization": "KEY"}}
    grader = compile_grader(config, tools=Tools(endpoint=ScriptedEndpoint(None)))

    assert grader.signature == f"endpoint|url:{shown}"
    echo = validate({"grader": config})["grader"]
    assert (echo["url"], echo["Headers"]) == (shown, {"Authorization": "***"})
