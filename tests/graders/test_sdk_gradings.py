"""Run and validate through the official SDKs: what `graders.hosted` answers, to the last digit."""

import pytest
from sdk_asked import ASKED
from sdks import EACH, walked
from served import tools_of_the_server

from graders import hosted
from graders.errors import ConfigError


@pytest.fixture(scope="module", params=EACH)
def seen(request, served_url):
    """What one SDK was told."""
    return walked(request.param, "graders", served_url)


@pytest.fixture(scope="module")
def tools():
    """What the server has as well."""
    with tools_of_the_server() as tools:
        yield tools


def refusal(call, body):
    """How the same request is refused without a server."""
    with pytest.raises(ConfigError) as caught:
        call(body)
    first = caught.value.findings[0]
    return {"param": first.path, "code": first.code, "message": str(caught.value)}


@pytest.mark.parametrize("name", ASKED["runs"])
def test_a_run_answers_what_it_answers_without_a_server(seen, tools, name):
    """Rewards, errors, sub-rewards and usage, to the last digit; but for the time it took."""
    answer = seen["runs"][name]
    alone = hosted.run(ASKED["runs"][name], tools=tools)

    assert 0 <= answer["metadata"].pop("execution_time") < 60
    del alone["metadata"]["execution_time"]
    assert answer == alone


def test_rewards_are_the_known_ones(seen):
    """So that an error that both share does not go unseen."""
    runs = seen["runs"]
    rewards = {name: answer["reward"] for name, answer in runs.items()}

    assert rewards == {
        "exact hit": 1,
        "exact miss": 0,
        "similar": 0.8,
        "python": 0.25,
        "judge": 0.25,
        "multi": 0.8,
        "multi of all": 0.325,
        "nameless": 0,
        "absent variable": 0,
        "raising": 0,
        "failed member": 0,
        "no formula": 0,
        "endpoint": 0,
        "sample as an object": 1,
    }


@pytest.mark.parametrize(
    ("name", "flag"),
    [
        ("absent variable", "invalid_variable_error"),
        ("raising", "python_grader_runtime_error"),
        ("failed member", "python_grader_runtime_error"),
        ("no formula", "formula_parse_error"),
        ("endpoint", "endpoint_grader_safety_check_error"),
    ],
)
def test_a_failure_is_told_by_its_flag(seen, name, flag):
    """A reward of 0.0 that is none says so."""
    errors = seen["runs"][name]["metadata"]["errors"]

    assert {key for key, value in errors.items() if value is True} == {flag}


@pytest.mark.parametrize("name", ASKED["validated"])
def test_a_valid_grader_comes_back_with_a_name(seen, name):
    """As from the service."""
    body = ASKED["validated"][name]

    assert seen["validated"][name] == hosted.validate({"grader": body})
    assert seen["validated"][name]["grader"]["name"]


@pytest.mark.parametrize("name", ASKED["refused"])
def test_a_wrong_grader_is_the_sdks_own_exception(seen, name):
    """With the place in the body in `.param`, and the same words as elsewhere."""
    body = {"grader": ASKED["refused"][name]}

    assert seen["refused"][name] == {
        "exception": "BadRequestError",
        "status": 400,
        "type": "invalid_request_error",
        **refusal(hosted.validate, body),
    }
    assert seen["refused"][name]["param"].startswith("grader")


@pytest.mark.parametrize(
    ("name", "param"), [("operation", "grader.operation"), ("sample", "model_sample")]
)
def test_a_request_without_the_form_of_one_is_the_sdks_own_exception(seen, name, param):
    """It is no grading that failed."""
    told = seen["refused_runs"][name]

    assert (told["exception"], told["status"], told["param"]) == ("BadRequestError", 400, param)
