"""Tokens per model: in a grade made of others, in its result line and in the hosted shape."""

import asyncio

import pytest
from sample_configs import EXACT, JUDGE

from graders import hosted
from graders.clients import ModelReply, ScriptedClient
from graders.compile import Tools, compile_grader
from graders.errors import FailureKind, GradingError
from graders.grades import Usage
from graders.results import to_result
from graders.rows import Row, to_sample

ONCE = Usage(prompt_tokens=10, completion_tokens=5, total_tokens=15, cached_tokens=2)
TWICE = Usage(prompt_tokens=20, completion_tokens=10, total_tokens=30, cached_tokens=4)
ROW = Row(item={"answer": "x"}, sample=to_sample("x"), row=1)


def judge(model):
    """A judge that grades, one that is `absent`, or one that answers what is `unusable`."""
    return {**JUDGE, "name": model, "model": model}


def reply(request):
    if request.model == "absent":
        raise GradingError(FailureKind.MODEL_SERVER, "503", "unavailable")
    text = "no JSON" if request.model == "unusable" else '{"result": 0.5}'
    return ModelReply(text=text, usage=None if request.model == "silent" else ONCE)


def multi(formula, **members):
    return {"type": "multi", "name": "m", "graders": members, "calculate_output": formula}


def criteria(*members):
    return {"testing_criteria": [{"pass_threshold": 0.5, **member} for member in members]}


def graded(config):
    grader = compile_grader(config, tools=Tools(client=ScriptedClient(reply)))
    return asyncio.run(grader.grade([ROW]))[0]


def hosted_run(config):
    request = {"grader": config, "model_sample": "x", "item": {"answer": "x"}}
    return hosted.run(request, tools=Tools(client=ScriptedClient(reply)))


@pytest.mark.parametrize(
    ("config", "usage"),
    [
        (judge("gpt-4o"), {"gpt-4o": ONCE}),
        (judge("unusable"), {"unusable": ONCE}),  # what was read was paid for
        (judge("absent"), None),
        (judge("silent"), None),
        (multi("a", a=EXACT), None),
        (multi("a", a=EXACT, b=judge("o3"), c=judge("gpt-4o")), {"o3": ONCE, "gpt-4o": ONCE}),
        (multi("a + b", a=judge("o3"), b=judge("o3")), {"o3": TWICE}),
        (multi("a", a=judge("absent"), b=judge("unusable"), c=judge("gpt-4o"), d=judge("silent")),
         {"unusable": ONCE, "gpt-4o": ONCE}),
        (multi("1 / (a - a)", a=judge("o3")), {"o3": ONCE}),
        (criteria(EXACT), None),
        (criteria(judge("o3"), EXACT, judge("gpt-4o"), judge("o3")),
         {"o3": TWICE, "gpt-4o": ONCE}),
        (criteria(judge("absent"), judge("o3")), {"o3": ONCE}),
    ],
)  # fmt: skip
def test_a_grade_has_the_tokens_of_every_model_that_was_asked_for_it(config, usage):
    """Whether or not there is a score, in the members' order; and so does its result line."""
    grade = graded(config)
    line = to_result(ROW, grade, signature="", reward=grade.score).usage

    assert grade.usage == line == usage
    assert list(grade.usage or ()) == list(usage or ())


def test_the_hosted_shape_counts_the_tokens_of_every_judge_per_model():
    """Members that ask the same model add up; the first model stands in the metadata."""
    members = {"a": judge("gpt-4o"), "b": judge("gpt-4o"), "c": judge("o3"), "d": EXACT}
    answer = hosted_run(multi("a + b + c", **members))
    once = {"prompt_tokens": 10, "total_tokens": 15, "completion_tokens": 5, "cached_tokens": 2}
    twice = {key: 2 * tokens for key, tokens in once.items()}

    assert answer["reward"] == 1.5
    assert answer["model_grader_token_usage_per_model"] == {"gpt-4o": twice, "o3": once}
    assert list(answer["model_grader_token_usage_per_model"]["o3"]) == list(once)
    assert answer["metadata"]["token_usage"] == twice
    assert answer["metadata"]["sampled_model_name"] == "gpt-4o"


def test_the_hosted_shape_counts_a_failing_judge_and_not_an_absent_one():
    """The first model that answered stands in the metadata."""
    members = {"a": judge("absent"), "b": judge("unusable"), "c": judge("gpt-4o")}
    answer = hosted_run(multi("a + b + c", **members))
    per_model = answer["model_grader_token_usage_per_model"]

    assert (answer["reward"], answer["sub_rewards"]) == (0.0, {"a": 0.0, "b": 0.0, "c": 0.5})
    assert list(per_model) == ["unusable", "gpt-4o"]
    assert answer["metadata"]["token_usage"] == per_model["unusable"]
    assert answer["metadata"]["token_usage"]["total_tokens"] == 15
    assert answer["metadata"]["sampled_model_name"] == "unusable"
    assert answer["metadata"]["errors"]["model_grader_server_error"] is True


@pytest.mark.parametrize("config", [EXACT, judge("absent"), multi("a", a=EXACT)])
def test_where_nobody_answered_there_are_no_tokens_in_the_hosted_shape(config):
    """Null, as for a python grader."""
    answer = hosted_run(config)

    assert answer["model_grader_token_usage_per_model"] == {}
    assert answer["metadata"]["token_usage"] is None
    assert answer["metadata"]["sampled_model_name"] is None
