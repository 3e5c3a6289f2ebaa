"""Grading over HTTP gives what grading here gives, and says what is wrong where it is wrong."""

import asyncio
import json

import pytest
from asking import EXACT, RUN, SIMILAR, VALIDATE, asking, post

from graders import Row, hosted
from graders.clients.allowed import AllowedHosts
from graders.compile import Tools, compile_grader
from graders.config.parse import parse_config
from graders.engine import grade, reward_of
from graders.grades import Graded
from graders.profile import find_profile
from graders.results import to_lines
from graders.server.settings import Limits

MULTI = {
    "type": "multi",
    "name": "both",
    "graders": {"exact": EXACT, "similar": SIMILAR},
    "calculate_output": "0.3 * exact + 0.7 * similar",
}
JUDGE = {
    "type": "score_model",
    "name": "judge",
    "model": "gpt-4.1-2025-04-14",
    "input": [{"role": "user", "content": "Grade {{ sample.output_text }}"}],
}
PYTHON = {"type": "python", "name": "code", "source": "def grade(sample, item): return 1.0"}
ENDPOINT = {"type": "endpoint", "name": "far", "url": "http://far.example/score"}


class NobodyHome:
    """An endpoint client that fails the test when it is asked."""

    async def post(self, url, *_, **__):
        raise AssertionError(url)


@pytest.mark.parametrize("item", [{"answer": "Paris"}, {"answer": "Pari"}, {"answer": None}, {}])
@pytest.mark.parametrize("grader", [EXACT, SIMILAR, MULTI])
@pytest.mark.parametrize("sample", ["Paris", "", {"output_text": "Paris"}])
def test_a_run_answers_what_the_function_does(grader, item, sample):
    """The first time, and once the grader is known."""
    body = {"grader": grader, "model_sample": sample, "item": item}

    async def twice():
        async with asking() as client:
            return [(await client.post(RUN, json=body)).json() for _ in range(2)]

    wanted, *answers = hosted.run(body), *asyncio.run(twice())
    for answer in (wanted, *answers):
        answer["metadata"].pop("execution_time")

    assert answers == [wanted, wanted]


def test_an_item_may_be_missing():
    """As in the hosted API."""
    body = {"grader": {**EXACT, "reference": "Paris"}, "model_sample": "Paris"}

    assert asyncio.run(post(RUN, body))[1]["reward"] == 1.0


@pytest.mark.parametrize(
    ("body", "param", "code", "message"),
    [
        ({}, "grader", "missing", "grader: is missing"),
        ({"grader": EXACT}, "model_sample", "missing", "model_sample: is missing"),
        (
            {"grader": {**EXACT, "operation": "neq"}, "model_sample": ""},
            "grader.operation",
            "not-one-of",
            "grader.operation: 'neq' is not one of eq, ne, like, ilike. Did you mean 'ne'",
        ),
        (
            {"grader": EXACT, "model_sample": 4},
            "model_sample",
            "wrong-type",
            "4 is not a string or",
        ),
        ({"grader": EXACT, "model_sample": "", "item": 4}, "item", "wrong-type", "not an object"),
        ({"grader": PYTHON, "model_sample": ""}, "grader", "no-tool", "needs a sandbox"),
        ({"grader": JUDGE, "model_sample": ""}, "grader", "no-tool", "needs a model client"),
        (
            {"grader": {**MULTI, "calculate_output": "1+" * 20_000 + "1"}, "model_sample": ""},
            "grader.calculate_output",
            "formula-size",
            "grader.calculate_output: has 40,001 characters, and 20,000 are allowed",
        ),
        (
            {"grader": {**EXACT, "input": "{{ item.x }}" * 9000}, "model_sample": "x" * 9000},
            "grader",
            "rendered-size",
            "bytes with this row, and 64,000,000 are allowed",
        ),
    ],
)
def test_what_is_wrong_with_a_run_request_is_a_400(body, param, code, message):
    """Its param is the path in the body; `message` is part of what it says."""
    status, answer = asyncio.run(post(RUN, body))

    assert (status, answer["error"]["type"]) == (400, "invalid_request_error")
    assert message in answer["error"]["message"]
    assert (answer["error"]["param"], answer["error"]["code"]) == (param, code)


def test_a_known_grader_does_not_let_wrong_requests_through():
    """The second request is checked like the first."""

    async def asked():
        async with asking() as client:
            good = {"grader": EXACT, "model_sample": "x", "item": {"answer": "x"}}
            bodies = [good, {**good, "model_sample": 4}, {**good, "item": []}, good]
            return [(await client.post(RUN, json=body)).status_code for body in bodies]

    assert asyncio.run(asked()) == [200, 400, 400, 200]


def test_what_does_not_compile_is_an_error_in_the_answer():
    """Reward 0.0 and a flag, as on the service."""
    body = {"grader": {**MULTI, "calculate_output": "1 +"}, "model_sample": "x"}
    status, answer = asyncio.run(post(RUN, body))

    assert (status, answer["reward"]) == (200, 0.0)
    assert answer["metadata"]["errors"]["formula_parse_error"] is True


@pytest.mark.parametrize(
    "url",
    [
        "http://far.example/score",
        "http://near.example.far.example/",
        "http://near.example@far.example/",
        "http://far.example/near.example",
        "http://near.example\\@far.example/",
        "http://127.0.0.1:9/",
        "http://near.example:81/",
        "not an address",
        "http://",
        "http://near.example:port/",
    ],
)
def test_endpoints_of_hosts_that_are_not_allowed_are_not_asked(url):
    """`near.example:80` alone is."""
    tools = Tools(endpoint=AllowedHosts(NobodyHome(), frozenset({"near.example:80"})))
    body = {"grader": {**ENDPOINT, "url": url}, "model_sample": "x"}
    status, answer = asyncio.run(post(RUN, body, tools=tools))

    if status == 400:  # no address at all
        assert answer["error"]["param"] == "grader.url"
        return
    assert answer["reward"] == 0.0
    assert answer["metadata"]["errors"]["endpoint_grader_safety_check_error"] is True


def test_endpoints_of_allowed_hosts_are_asked():
    """By name, whatever the port, or by name and port."""

    class Answers:
        async def post(self, *_, **__):
            return {"score": 0.25}

    for allowed in ("far.example", "far.example:80"):
        tools = Tools(endpoint=AllowedHosts(Answers(), frozenset({allowed})))
        body = {"grader": {**ENDPOINT, "url": "http://FAR.example./score"}, "model_sample": "x"}

        assert asyncio.run(post(RUN, body, tools=tools))[1]["reward"] == 0.25


def test_validating_fills_in_the_name():
    """And gives the config back."""
    grader = {key: value for key, value in EXACT.items() if key != "name"}
    status, answer = asyncio.run(post(VALIDATE, {"grader": grader}))

    assert status == 200
    assert answer == hosted.validate({"grader": grader})


def test_validating_masks_headers_and_urls():
    """They are credentials, and an echo goes into logs."""
    grader = {**ENDPOINT, "url": "https://me:secret@far.example/?key=secret"}
    _, answer = asyncio.run(post(VALIDATE, {"grader": {**grader, "headers": {"x": "secret"}}}))

    assert "secret" not in json.dumps(answer)


@pytest.mark.parametrize(
    ("grader", "param", "code"),
    [
        ({**EXACT, "input": "{{ item. }}"}, "grader.input", "template"),
        ({**MULTI, "calculate_output": "exact +"}, "grader.calculate_output", "formula"),
        ({**PYTHON, "source": "def grade(sample): return 1"}, "grader.source.line 1", None),
        ({**PYTHON, "source": "x"}, "grader.source", "no-grade"),
        ({**MULTI, "graders": {"a": {**EXACT, "operation": "is"}}}, None, "not-one-of"),
    ],
)
def test_validating_says_where_a_grader_is_wrong(grader, param, code):
    """None is not looked at."""
    status, answer = asyncio.run(post(VALIDATE, {"grader": grader}))

    assert status == 400
    assert param in {None, answer["error"]["param"]}
    assert code in {None, answer["error"]["code"]}


ROWS = [
    {"item": {"answer": "Paris"}, "samples": ["Paris", "Pari"]},
    {"item": {}, "sample": "Paris"},
    {"answer": "Paris", "completion": "Paris", "more": 1},
    7,
    {"item": {"answer": "Bonn"}, "model_sample": {"output_text": "Bonn"}},
]


@pytest.mark.parametrize("detail", ["none", "failures", "all"])
@pytest.mark.parametrize("failures", ["drop", "zero"])
@pytest.mark.parametrize("config", [EXACT, MULTI])
def test_a_batch_gives_the_lines_of_a_run(config, failures, detail):
    """Of the same rows, byte for byte; a row that is none is named, and costs no other."""
    body = {"grader": config, "rows": ROWS, "failures": failures, "detail": detail}
    status, answer = asyncio.run(post("/grade", body))
    rows = [
        Row(item={"answer": "Paris"}, sample={"output_text": "Paris"}, row=1, group=1),
        Row(item={"answer": "Paris"}, sample={"output_text": "Pari"}, row=1, group=1),
        Row(item={}, sample={"output_text": "Paris"}, row=2, group=2),
        Row(item={"answer": "Paris", "more": 1}, sample={"output_text": "Paris"}, row=3, group=3),
        Row(item={"answer": "Bonn"}, sample={"output_text": "Bonn"}, row=5, group=5),
    ]
    rows[1] = Row(item=rows[1].item, sample=rows[1].sample, row=1, sample_index=1, group=1)
    grades = grade(config, rows)
    signature = f"profile:openai|{compile_grader(config).signature}"
    graded = Graded(rows, grades, [reward_of(one, failures) for one in grades])
    lines = to_lines(graded, signature=signature, detail=detail).results

    assert status == 200
    assert answer["results"] == [json.loads(line) for line in lines]
    assert answer["bad_rows"] == [
        {"row": 4, "message": "a row is a JSON object, and this is a number"}
    ]


def test_a_served_grader_is_asked_by_its_name():
    """Without sending its config along."""
    served = {"exact": parse_config(EXACT)}
    body = {"grader": "exact", "rows": ROWS[:1]}
    _, answer = asyncio.run(post("/grade", body, graders=served))

    assert [one["score"] for one in answer["results"]] == [1.0, 0.0]


@pytest.mark.parametrize(
    ("body", "param", "message"),
    [
        ({}, "grader", "is neither a grader's config nor the name of one that is served"),
        ({"grader": "exakt", "rows": []}, "grader", "there is no grader 'exakt' here. Did you mea"),
        ({"grader": EXACT}, "rows", "rows is missing, or no list"),
        ({"grader": EXACT, "rows": {}}, "rows", "rows is missing, or no list"),
        (
            {"grader": EXACT, "rows": [], "failures": "stop"},
            "failures",
            "failures is 'stop', and must be one of drop, zero",
        ),
        ({"grader": EXACT, "rows": [], "detail": []}, "detail", "must be one of none, failures"),
        ({"grader": {**EXACT, "operation": 1}, "rows": []}, "grader.operation", "is not one of"),
    ],
)
def test_what_is_wrong_with_a_batch_is_a_400(body, param, message):
    """`message` is part of what it says."""
    served = {"exact": parse_config(EXACT)}
    status, answer = asyncio.run(post("/grade", body, graders=served))

    assert (status, answer["error"]["param"]) == (400, param)
    assert message in answer["error"]["message"]


@pytest.mark.parametrize(
    ("limits", "rows", "code", "message"),
    [
        (
            Limits(batch_gradings=14),
            ROWS,
            "rows",
            "there are more than the 4 samples that this grader may be sent at once",
        ),
        (
            Limits(batch_gradings=14),
            [{"item": {"answer": ""}, "samples": [""] * 5}],
            "rows",
            "there are more than the 4 samples that this grader may be sent at once",
        ),
        (
            Limits(results_bytes=500),
            ROWS,
            "results-size",
            "the results come to more than 500 bytes; send fewer rows, or ask for less detail",
        ),
    ],
)
def test_a_batch_has_its_bounds(limits, rows, code, message):
    """A small body can ask for a lot."""
    status, answer = asyncio.run(post("/grade", {"grader": MULTI, "rows": rows}, limits=limits))

    assert (status, answer["error"]["param"]) == (400, "rows")
    assert (answer["error"]["code"], answer["error"]["message"]) == (code, message)


def test_an_endpoint_gives_a_score_or_an_error():
    """As an endpoint grader asks; a failure must not look like a score over there."""

    async def asked():
        served = {"exact": parse_config(EXACT)}
        async with asking(graders=served) as client:
            for name, item in (("exact", {"answer": "x"}), ("exact", {}), ("other", {})):
                body = {"sample": {"output_text": "x"}, "item": item, "trace_id": "t"}
                answer = await client.post(f"/endpoint/{name}", json=body)
                yield answer.status_code, answer.json()

    async def collected():
        return [one async for one in asked()]

    (good, missing, unknown) = asyncio.run(collected())
    assert good == (200, {"score": 1.0})
    assert (missing[0], missing[1]["error"]["code"]) == (422, "invalid_variable_error")
    assert unknown[0] == 404
    assert "there is no grader 'other'" in unknown[1]["error"]["message"]


def test_an_endpoint_wants_a_sample_and_an_item():
    """And says so."""
    served = {"exact": parse_config(EXACT)}
    status, answer = asyncio.run(post("/endpoint/exact", {"item": {}}, graders=served))

    assert (status, answer["error"]["code"]) == (400, "row")
    assert "is not a Row" in answer["error"]["message"]


def test_a_grader_that_cannot_be_served_is_refused_at_the_start():
    """Before anybody asks it."""

    async def started():
        async with asking(graders={"judge": parse_config(JUDGE)}):
            raise AssertionError

    with pytest.raises(Exception, match="needs a model client"):
        asyncio.run(started())


def test_the_servers_profile_decides_the_numbers():
    """Not the request."""
    grader = {**SIMILAR, "evaluation_metric": "rouge_l"}
    body = {"grader": grader, "model_sample": "a b", "item": {"answer": "a c"}, "profile": "x"}
    rewards = [
        asyncio.run(post(RUN, body, profile=profile))[1]["reward"]
        for profile in (find_profile("openai"), find_profile("azure-docs"))
    ]

    assert rewards == [
        hosted.run(body)["reward"],
        hosted.run(body, profile=find_profile("azure-docs"))["reward"],
    ]
