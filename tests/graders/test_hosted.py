"""The hosted run and validate calls: the same requests in, the same JSON out."""

import asyncio
import json
import re
from dataclasses import dataclass

import openai.types.graders as sdk
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.types.fine_tuning.alpha import GraderRunResponse, GraderValidateResponse
from sample_configs import EXACT, PYTHON

from graders import hosted
from graders.clients import ModelReply, ScriptedClient
from graders.compile import Tools
from graders.errors import ConfigError, Failure, FailureKind
from graders.grades import Usage
from graders.profile import OPENAI
from sandbox import Outcome, Status

LOOSE = {**EXACT, "name": "loose", "operation": "ilike"}
JUDGE = {
    "type": "score_model",
    "name": "judge",
    "model": "gpt-4o",
    "input": [{"role": "user", "content": "Rate {{ sample.output_text }}"}],
}
REMOTE = {
    "type": "endpoint",
    "name": "remote",
    "url": "https://me:secret@x.example/g?key=secret",
    "headers": {"Authorization": "sk-secret"},
}
NAMELESS = {key: value for key, value in EXACT.items() if key != "name"}
ERRORS = """
    formula_parse_error sample_parse_error sample_parse_error_details truncated_observation_error
    unresponsive_reward_error invalid_variable_error invalid_variable_error_details other_error
    python_grader_server_error python_grader_server_error_type python_grader_runtime_error
    python_grader_runtime_error_details model_grader_server_error model_grader_refusal_error
    model_grader_refusal_error_details model_grader_parse_error model_grader_parse_error_details
    model_grader_exceeded_max_tokens_error model_grader_server_error_details
    endpoint_grader_internal_error endpoint_grader_internal_error_details
    endpoint_grader_server_error endpoint_grader_server_error_details
    endpoint_grader_safety_check_error
""".split()  # noqa: SIM905 - in the form in which it was recorded
TOOL_CALLS = [{"id": "c", "function": {"name": "f", "arguments": '{"symbols": ["AAPL"]}'}}]


@dataclass
class OneOutcome:
    """A sandbox in which every call ends the same."""

    outcome: Outcome

    layers = frozenset()
    batch = 1

    async def run(self, calls):
        return [self.outcome for _ in calls]

    async def aclose(self):
        """Nothing is open."""


def multi(members, formula):
    return {"type": "multi", "name": "m", "graders": members, "calculate_output": formula}


def run(grader, sample="x", item=None, **options):
    item = {} if item is None else {"item": item}
    return hosted.run({"grader": grader, "model_sample": sample, **item}, **options)


def raised(answer):
    """The error keys that are set, in order."""
    return {key: value for key, value in answer["metadata"]["errors"].items() if value}


# --- the shape


def test_an_answer_has_exactly_the_hosted_keys_in_the_hosted_order():
    """A client that reads the service's JSON reads ours."""
    answer = run(EXACT, "4", {"answer": "4"})

    assert list(answer) == [
        *("reward", "metadata", "sub_rewards", "model_grader_token_usage_per_model")
    ]
    assert list(answer["metadata"]) == [
        *("name", "type", "errors", "execution_time", "scores", "token_usage"),
        "sampled_model_name",
    ]
    assert list(answer["metadata"]["errors"]) == ERRORS
    assert len(ERRORS) == 24
    for key, value in answer["metadata"]["errors"].items():
        assert value is (None if key.endswith(("_details", "_type")) else False)
    assert 0 <= answer["metadata"].pop("execution_time") < 60
    del answer["metadata"]["errors"]
    assert list(answer["metadata"].values()) == ["exact", "string_check", {}, None, None]
    assert [answer[key] for key in answer if key != "metadata"] == [1.0, {}, {}]


@pytest.mark.parametrize(
    "grader",
    [
        EXACT,
        NAMELESS,
        multi({"a": EXACT, "b": LOOSE}, "a + b"),
        multi({"a": EXACT, "bad": {**EXACT, "input": "{{ item.absent }}"}}, "a"),
        multi({"a": EXACT}, "a +"),
        PYTHON,
        {**PYTHON, "source": "x ="},
        JUDGE,
        {**EXACT, "input": "{{ item"},
    ],
)
def test_every_answer_is_json_that_the_sdk_reads(grader):
    """Whatever happened, the body has the service's types."""
    tools = Tools(
        sandbox=OneOutcome(Outcome(status=Status.OK, value=1)),
        client=ScriptedClient(lambda _: ModelReply(text="no JSON", usage=Usage(prompt_tokens=1))),
    )
    answer = run(grader, "x", {"answer": "x"}, tools=tools)

    assert json.loads(json.dumps(answer, allow_nan=False)) == answer
    fields = GraderRunResponse.model_fields
    assert set(answer) == {field.alias or name for name, field in fields.items()}
    # The SDK types this as an integer; recorded answers hold the object.
    assert isinstance(answer["metadata"].pop("token_usage"), dict | None)
    read = GraderRunResponse.model_validate(answer, strict=True)
    assert read.reward == answer["reward"]


@pytest.mark.parametrize("kind", list(FailureKind))
@pytest.mark.parametrize("reason", ["", "broken"])
def test_a_failure_sets_its_flag_and_its_details_and_nothing_else(kind, reason):
    """One flag per kind; the message goes where the service has a place for it."""
    errors = hosted.to_errors(Failure(kind=kind, message="what happened", reason=reason))
    expected = {kind.value: True}
    if f"{kind.value}_details" in ERRORS:
        expected[f"{kind.value}_details"] = "what happened"
    if reason and kind is FailureKind.PYTHON_SERVER:
        expected["python_grader_server_error_type"] = reason

    assert list(errors) == ERRORS
    assert {key: value for key, value in errors.items() if value} == expected


# --- run


def test_a_multi_has_its_members_scores_as_sub_rewards():
    """By key, in the map's order, as they are."""
    answer = run(
        multi({"b": LOOSE, "a": EXACT}, "0.25 * a + 0.5 * b"), "PARIS", {"answer": "Paris"}
    )

    assert answer["reward"] == 0.5
    assert list(answer["sub_rewards"].items()) == [("b", 1.0), ("a", 0.0)]
    assert answer["metadata"]["type"] == "multi"
    assert raised(answer) == {}


def test_a_failed_member_has_a_sub_reward_of_zero():
    """The multi fails with it, and its reward is 0.0 as the service has it."""
    bad = {**EXACT, "input": "{{ item.absent }}"}
    answer = run(multi({"good": EXACT, "bad": bad}, "good + bad"), "x", {"answer": "x"})
    details = "bad: {{ item.absent }}: item has no field 'absent'. It has: answer."

    assert (answer["reward"], answer["sub_rewards"]) == (0.0, {"good": 1.0, "bad": 0.0})
    assert raised(answer) == {
        "invalid_variable_error": True,
        "invalid_variable_error_details": details,
    }


@pytest.mark.parametrize(
    ("grader", "flag", "details"),
    [
        ({**EXACT, "reference": "{{ item.anwser }}"}, "invalid_variable_error",
         "{{ item.anwser }}: item has no field 'anwser'. Did you mean 'item.answer'?"),
        ({**EXACT, "input": "{{ item"}, "invalid_variable_error",
         "grader.input: this slot has no closing '}}'\n    {{ item\n           ^"),
        (multi({"a": EXACT}, "a + b"), "formula_parse_error", None),
        (multi({"a": EXACT}, "a)"), "formula_parse_error", None),
        (multi({"a": EXACT}, "1 / (a - a)"), "formula_parse_error", None),
        # recorded: five rows of 0.0
        ({**PYTHON, "source": "    def grade(sample, item):\n        return 1.0"},
         "python_grader_runtime_error", "The whole source is indented as a block; dedent it."),
        ({**PYTHON, "source": "x = 1"}, "python_grader_runtime_error", "binds no function called"),
        ({**PYTHON, "source": "def grade(sample): return 1"}, "python_grader_runtime_error",
         "grade takes 1 argument, and is called with two"),
        ({**PYTHON, "source": "#" * 300_000}, "python_grader_runtime_error", "300,000 bytes long"),
        (multi({"a": EXACT, "p": {**PYTHON, "source": "x ="}}, "a"), "python_grader_runtime_error",
         "grader.graders.p.source"),
    ],
)  # fmt: skip
def test_what_fails_in_a_run_is_an_error_in_the_answer(grader, flag, details):
    """Also what is wrong without a row: run answers with reward 0.0, as the service does."""
    tools = Tools(sandbox=OneOutcome(Outcome(status=Status.OK, value=1.0)))

    for at_hand in (Tools(), tools):
        answer = run(grader, "x", {"answer": "x"}, tools=at_hand)
        found = raised(answer)
        assert answer["reward"] == 0.0
        assert list(found) == ([flag, f"{flag}_details"] if details else [flag])
        assert found[flag] is True
        assert details is None or details in found[f"{flag}_details"]


@pytest.mark.parametrize(
    ("status", "errors"),
    [
        (Status.RAISED, {"python_grader_runtime_error": True,
                         "python_grader_runtime_error_details": "Boom"}),
        (Status.TIMED_OUT, {"python_grader_runtime_error": True,
                            "python_grader_runtime_error_details": "Boom"}),
        (Status.BROKEN, {"python_grader_server_error": True,
                         "python_grader_server_error_type": "broken"}),
    ],
)  # fmt: skip
def test_what_ends_a_python_grader_is_in_its_errors(status, errors):
    """Only a broken sandbox is the server's error."""
    tools = Tools(sandbox=OneOutcome(Outcome(status=status, error="Boom")))

    assert raised(run(PYTHON, tools=tools)) == errors


@pytest.mark.parametrize(
    ("slot", "value"),
    [
        ("sample.output_tools[0].function.name", "f"),
        ("sample.output_tools[0].function.arguments.symbols[0]", "AAPL"),
        ("sample.choices[0].message.tool_calls[0].id", "c"),
        ("sample.choices[0].message.content", "null"),
    ],
)
@pytest.mark.parametrize(
    "text", [{}, {"output_text": ""}, {"output_text": "", "output_json": None}]
)
def test_a_sample_object_of_tool_calls_has_its_output_tools(slot, value, text):
    """The tool calls of the first choice, also where the model said nothing beside."""
    message = {"role": "assistant", "content": None, "tool_calls": TOOL_CALLS}
    sample = {"choices": [{"index": 0, "message": message, "finish_reason": "tool_calls"}], **text}
    answer = run({**EXACT, "input": f"{{{{ {slot} }}}}", "reference": value}, sample)

    assert raised(answer) == {}
    assert answer["reward"] == 1.0


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ({"grader": {**EXACT, "operation": "neq"}, "model_sample": "x"}, "grader.operation: 'neq' "
         "is not one of eq, ne, like, ilike. Did you mean 'ne'?"),
        ({"grader": EXACT}, "model_sample: is missing"),
        (EXACT, "grader: is missing"),
        ({"testing_criteria": [EXACT]}, "grader: is missing"),
        (
            {"grader": EXACT, "model_sample": "x", "testing_criteria": [{**EXACT, "name": "n"}]},
            "is not a run request: {grader, model_sample, item?}",
        ),
        ({"grader": EXACT, "model_sample": "x", "item": []}, "item: [] is not an object"),
        ({"grader": PYTHON, "model_sample": "x"}, "grader: the python grader 'code' runs Python "
         "code and needs a sandbox. In Python, pass tools=Tools(sandbox=sandbox.open_sandbox()); "
         "`graders run` opens one by itself."),
    ],
)  # fmt: skip
def test_a_request_that_is_none_is_refused(request_, message):
    """Schema errors and missing tools raise; they are the caller's."""
    with pytest.raises(ConfigError) as caught:
        hosted.run(request_)

    assert str(caught.value) == message


def test_a_missing_name_is_filled_in():
    """The same name as validate gives it."""
    name = run(NAMELESS)["metadata"]["name"]

    assert re.fullmatch("grader-[0-9a-f]{12}", name)
    assert hosted.validate({"grader": NAMELESS})["grader"]["name"] == name


def test_the_profile_decides_what_nobody_can_prove():
    """As in every other way to grade."""
    grader = {**EXACT, "input": "{{ item.flag }}", "reference": "True"}
    python = OPENAI.override({"render": "python"})

    assert run(grader, item={"flag": True})["reward"] == 0.0
    assert run(grader, item={"flag": True}, profile=python)["reward"] == 1.0


def test_both_calls_work_inside_a_running_event_loop():
    """A notebook has one."""

    async def notebook():
        return run(EXACT, "4", {"answer": "4"})["reward"], hosted.validate({"grader": EXACT})

    assert asyncio.run(notebook()) == (1.0, {"grader": EXACT})


@given(st.text(), st.dictionaries(st.text(max_size=5), st.integers() | st.text() | st.none()))
def test_no_sample_and_no_item_end_in_an_exception(sample, item):
    """A row is graded, or its failure is in the answer."""
    answer = run({**EXACT, "reference": "{{ item }}"}, sample, item)

    assert answer["reward"] in (0.0, 1.0)
    assert raised(answer) == {}


# --- validate


@pytest.mark.parametrize(
    "grader",
    [
        EXACT,
        multi({"a": EXACT, "b": PYTHON}, "a * b"),
        {**JUDGE, "range": [1.0, 5.0], "sampling_params": {"seed": 7}},
        {**EXACT, "etest_samples": 3},  # the service tolerates and returns it
        {**EXACT, "input": "\ud800"},
        {**EXACT, "input": "https://me:pw@x.example/a?b=c is {{ sample.output_text }}"},
        {**JUDGE, "input": [{"role": "user", "content": {"type": "input_image",
         "image_url": "https://x.example/a.png?size=1"}}]},
        {**JUDGE, "input": [{"role": "user", "content": "http://x/?q=1 {{ item.headers }}"}]},
    ],
)  # fmt: skip
def test_validate_returns_the_grader(grader):
    """What was sent, no default added and nothing lost."""
    answer = hosted.validate({"grader": grader})

    assert answer == {"grader": grader}
    assert set(answer) == set(GraderValidateResponse.model_fields)
    assert json.loads(json.dumps(answer)) == answer


def test_validate_fills_in_the_name_and_reads_the_sdks_objects():
    """With the config's own fields beside it."""
    made = sdk.StringCheckGrader.model_construct(**NAMELESS)
    name = hosted.validate({"grader": NAMELESS})["grader"]["name"]

    assert hosted.validate({"grader": made}) == {"grader": {**NAMELESS, "name": name}}


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ({}, "grader: is missing"),
        ({"grader": None}, "grader: None is not an object with a type"),
        ({"grader": {**EXACT, "operation": "neq"}}, "grader.operation: 'neq' is not one of eq, "),
        ({"grader": {**EXACT, "input": "{{ item"}}, "grader.input: this slot has no closing '}}'"),
        ({"grader": multi({"a": EXACT}, "0.5 * a)")}, "grader.calculate_output: the formula is "
         "complete, but ')' follows"),
        ({"grader": {**PYTHON, "source": "x = 1"}}, "grader.source: binds no function called "),
        ({"grader": multi({"p": {**PYTHON, "source": "x ="}}, "p")}, "grader.graders.p.source"),
    ],
)  # fmt: skip
def test_validate_raises_for_whatever_is_wrong_without_a_row(request_, message):
    """With the parameter's path, which the server answers as `param`."""
    with pytest.raises(ConfigError) as caught:
        hosted.validate(request_)

    assert str(caught.value).startswith(message)


def test_validate_needs_no_tools():
    """Nothing is run and nobody is asked."""
    remote = {**REMOTE, "url": "https://x.example/g", "headers": {}}
    members = {"p": PYTHON, "j": JUDGE, "r": remote}

    assert hosted.validate({"grader": multi(members, "p + j + r")})["grader"]["graders"] == members
