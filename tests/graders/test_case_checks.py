"""Cases held against grades: each verdict a sentence, and the judge says what the case says."""

import asyncio
import json

import pytest
from sample_configs import EXACT, JUDGE, LABEL

from graders.clients import ModelReply
from graders.compile import Tools, compile_grader
from graders.testing.case_file import CaseFile
from graders.testing.check import check_case
from graders.testing.judging import judge_of

TWO = {"a": "1", "b": "2"}
FORMULA = {
    "type": "multi",
    "name": "m",
    "graders": {
        "exact": {**EXACT, "reference": "{{ item.a }}"},
        "like": {**EXACT, "name": "like", "operation": "like", "reference": "{{ item.b }}"},
    },
    "calculate_output": "0.5 * exact + 0.25 * like",
    "pass_threshold": 0.5,
}
ITEM = {"a": "xy", "b": "x"}


def problems(config, case):
    file = CaseFile.model_validate({"cases": [case]})
    judge = judge_of(file.cases[0])
    grader = compile_grader(config, tools=Tools(client=judge, endpoint=judge))
    return list(asyncio.run(check_case(grader, file.cases[0])).problems)


CHECKED = [
    ("xy", 0.75, []),
    ("xy", {"score": 0.7, "tolerance": 0.06}, []),
    ("xy", 0.7, ["expected a score of 0.7, and got 0.75"]),
    ("xy", [0.75, 1], []),
    ("x", [0.75, 1], ["expected a score from 0.75 to 1.0, and got 0.25"]),
    ("xy", "pass", []),
    ("x", "pass", ["expected a pass, and it did not pass"]),
    ("x", "fail", []),
    ("xy", "fail", ["expected no pass, and it passed"]),
    ("xy", "other_error", ["expected other_error, and got a score of 0.75"]),
    ("xy", {"reason": "timeout"}, ["expected a failure, and got a score of 0.75"]),
    ("xy", {"parts": {"exact": 1, "like": "pass"}}, []),
    (
        "x",
        {"score": 0.25, "parts": {"exact": 1, "lik": 1}},
        [
            "exact: expected a score of 1.0, and got 0.0",
            "expected a member 'lik', and there is none",
        ],
    ),
]


@pytest.mark.parametrize(("sample", "expect", "wrong"), CHECKED)
def test_what_is_not_as_expected_is_said(sample, expect, wrong):
    """In a sentence each, with what was expected and what came."""
    assert problems(FORMULA, {"item": ITEM, "sample": sample, "expect": expect}) == wrong


FAILED = [
    ("invalid_variable_error", []),
    ({"failure": "invalid_variable_error", "message": "item.b"}, []),
    ({"failure": "invalid_variable_error", "passed": False}, []),
    ("other_error", ["expected other_error, and got invalid_variable_error: like: "]),
    ({"reason": "timeout"}, ["expected the reason 'timeout', and got ''"]),
    (
        {"message": "nope"},
        ["expected a message with 'nope', and got invalid_variable_error: like: "],
    ),
    (1, ["expected a score of 1.0, and got invalid_variable_error: like: "]),
    ([0, 1], ["expected a score from 0.0 to 1.0, and got invalid_variable_error: like: "]),
    ("fail", ["expected no pass, and got invalid_variable_error: like: "]),
    ("pass", ["expected a pass, and got invalid_variable_error: like: "]),
    ({"parts": {"exact": 1}}, ["expected a score, and got invalid_variable_error: like: "]),
]


@pytest.mark.parametrize(("expect", "wrong"), FAILED)
def test_a_failure_is_no_score_and_no_fail(expect, wrong):
    """A grader that broke has not found the answer wrong."""
    said = problems(FORMULA, {"item": {"a": "xy"}, "sample": "xy", "expect": expect})

    assert len(said) == len(wrong)
    assert all(one.startswith(start) for one, start in zip(said, wrong, strict=True))


def test_without_a_threshold_nothing_passes_or_fails():
    """It is said, for the case would hold whatever the grader did."""
    config = {key: value for key, value in FORMULA.items() if key != "pass_threshold"}

    assert problems(config, {"item": ITEM, "sample": "xy", "expect": "pass"}) == [
        "expected a pass, and it says nothing of passing; no threshold"
    ]


ORDERS = [
    ("both > one > none", []),
    ("both >= one >= none", []),
    ("none = one", ["expected none = one, and got 0.0 and 0.25"]),
    ("one > both", ["expected one > both, and got 0.25 and 0.75"]),
    ("none >= one", ["expected none >= one, and got 0.0 and 0.25"]),
    ("both > both", ["expected both > both, and got 0.75 and 0.75"]),
]


@pytest.mark.parametrize(("order", "wrong"), ORDERS)
def test_samples_are_compared(order, wrong):
    """Each with its neighbour in the order."""
    texts = {"both": "xy", "one": "x", "none": "?"}
    samples = {name: text for name, text in texts.items() if name in order}

    assert problems(FORMULA, {"item": ITEM, "samples": samples, "expect": order}) == wrong


def test_samples_that_cannot_be_graded_are_not_in_order():
    """Each is named."""
    said = problems(FORMULA, {"item": {"a": ""}, "samples": TWO, "expect": "a > b"})

    assert [one[:40] for one in said] == [
        "a: expected a score, and got invalid_var",
        "b: expected a score, and got invalid_var",
    ]


JUDGES = {
    "type": "multi",
    "name": "m",
    "graders": {"one": JUDGE, "two": {**LABEL, "name": "two"}},
    "calculate_output": "0.5 * one + 0.5 * two",
}
ENDPOINT = {"type": "endpoint", "name": "service", "url": "https://example.com/grade"}
LOW, HIGH = 0, 1  # a score_model's range, where it names none
ANSWERED = [
    (JUDGE, HIGH, HIGH, []),
    (JUDGE, json.dumps({"steps": [], "result": LOW}), LOW, []),
    (JUDGE, None, HIGH, ["nothing says what the judge answers"]),
    (JUDGE, "words", HIGH, ["model_grader_parse_error"]),
    ({**JUDGE, "repeats": 2}, [LOW, HIGH], (LOW + HIGH) / 2, []),
    ({**JUDGE, "repeats": 2}, [LOW], LOW, ["nothing says what the judge answers"]),
    (LABEL, LABEL["passing_labels"][0], 1, []),
    (LABEL, "no label", 1, ["model_grader_parse_error"]),
    (JUDGES, {"one": HIGH, "two": LABEL["passing_labels"][0]}, (HIGH + 1) / 2, []),
    (ENDPOINT, 0.5, 0.5, []),
    (ENDPOINT, None, 0.5, ["endpoint_grader_server_error: nothing says what the judge"]),
    (JUDGES, {"one": HIGH}, 1, ["nothing says what the judge answers"]),
]
ASKED = {"question": "q", "answer": "a", "a": "x", "b": "y", "q": "q"}


@pytest.mark.parametrize(("config", "answer", "score", "wrong"), ANSWERED)
def test_a_case_says_what_its_judge_answers(config, answer, score, wrong):
    """As a number, a label, a whole text, for each repeat or by member."""
    case = {"item": ASKED, "sample": "s", "expect": score, "judge": answer}

    said = problems(config, case)

    assert len(said) == len(wrong)
    assert all(part in one for one, part in zip(said, wrong, strict=True))


def test_a_judge_may_answer_by_sample():
    """Or samples could not be compared by it."""
    case = {"item": ASKED, "samples": TWO, "expect": "b > a"}

    assert problems(JUDGE, {**case, "judge": {"a": LOW, "b": HIGH}}) == []
    assert problems(JUDGE, {**case, "judge": {"a": HIGH, "b": LOW}}) == [
        f"expected b > a, and got {float(LOW)!r} and {float(HIGH)!r}"
    ]
    by_member = {"a": {"one": LOW, "two": "no"}, "b": {"one": HIGH, "two": "no"}}
    by_member["b"]["two"] = by_member["a"]["two"] = LABEL["passing_labels"][0]
    assert problems(JUDGES, {**case, "judge": by_member}) == []


def test_a_judge_may_be_a_function():
    """Of the request, for whoever writes a test in Python."""
    judge = judge_of(CaseFile.model_validate({"cases": [{"sample": "x", "expect": 1}]}).cases[0])
    judge.answers(lambda request: ModelReply(refusal=f"no, {request.model}"))
    grader = compile_grader(JUDGE, tools=Tools(client=judge))
    case = {"item": ASKED, "sample": "s", "expect": "model_grader_refusal_error"}
    file = CaseFile.model_validate({"cases": [case]})

    assert asyncio.run(check_case(grader, file.cases[0])).problems == ()
    assert len(judge.asked) == 1
