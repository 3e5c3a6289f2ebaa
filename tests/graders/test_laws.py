"""Laws: each with a grader that keeps it and one that does not, and what shows that, made small."""

import json
import subprocess
import sys
from dataclasses import replace

import pytest
from law_cases import ACCENT, CASES, EXACTLY, FOUR, OBJECT, READS, check, fails, grade
from sample_configs import JUDGE

from graders.clients import ModelReply
from graders.errors import FailureKind, GradingError
from graders.testing.laws.bench import UncheckedError
from graders.testing.laws.check import LAWS
from graders.testing.laws.counterexample import Broken, to_text

# The law, its cases, a grader that keeps it, one that does not, and all that is needed to show it.
SCORES = {
    "in_range": (
        True,
        CASES,
        grade("return min(1.0, len(text) / 10)"),
        grade("return len(text) / 10 if len(text) < 30 else 0.5"),
        {"item": FOUR, "sample": " " * 11, "expect": [0.0, 1.0]},
    ),
    "reference_is_best": (
        "item.answer",
        CASES,
        grade("return 1.0 if text == answer else 0.5 * (answer in text)"),
        grade("return 0.1 * text.count(answer)"),
        {"item": FOUR, "samples": {"reference": "four", "other": "fourfour"}}
        | {"expect": "reference >= other"},
    ),
    "empty_is_worst": (
        True,
        CASES,
        grade("return float(text == answer)"),
        grade("return 1 / (1 + len(text))"),
        {"item": FOUR, "samples": {"other": " ", "empty": ""}, "expect": "other >= empty"},
    ),
    "monotone_under_truncation": (
        "item.answer",
        CASES,
        grade("return len(text) / 100"),
        grade("return float(len(text) == 2)"),
        {"item": FOUR, "samples": {"longer": "fou", "shorter": "fo"}}
        | {"expect": "longer >= shorter"},
    ),
    "invariant_to:case": (
        ["case"],
        CASES,
        grade("return float(text.lower() == answer.lower())"),
        EXACTLY,
        {"item": FOUR, "samples": {"as it is": "four", "changed": "Four"}}
        | {"expect": "as it is = changed"},
    ),
    "invariant_to:whitespace": (
        ["whitespace"],
        CASES,
        grade("return float(text.split() == answer.split())"),
        EXACTLY,
        {"item": FOUR, "samples": {"as it is": "four", "changed": "four "}}
        | {"expect": "as it is = changed"},
    ),
    "invariant_to:key_order": (
        ["key_order"],
        OBJECT,
        grade("value = sample['output_json']", "return float(type(value) is dict)"),
        grade("value = sample['output_json']", "return float([*value][-1:] == ['why'])"),
        None,
    ),
    "invariant_to:unicode_form": (
        ["unicode_form"],
        ACCENT,
        grade("from unicodedata import normalize as n", "return float(n('NFC', text) == answer)"),
        EXACTLY,
        {"item": {"answer": "café"}, "samples": {"as it is": "café", "changed": "cafe\u0301"}}
        | {"expect": "as it is = changed"},
    ),
    "robust": (
        True,
        OBJECT,
        grade("value = sample['output_json']", "got = type(value) is dict and value.get('answer')")
        + "\n    return float(got == answer)",
        grade("return float(sample['output_json']['answer'] == answer)"),
        {"item": FOUR, "sample": "", "expect": [0.0, 1.0]},
    ),
}


OTHER_CHANGES = "invariant_to:case", "invariant_to:key_order", "invariant_to:unicode_form"


def declared(name, argument):
    return {name.partition(":")[0]: argument}


@pytest.mark.parametrize(
    "name",  # and of those that change texts, one for all
    [
        pytest.param(name, marks=[pytest.mark.long] * name.startswith(OTHER_CHANGES))
        for name in SCORES
    ],
)
def test_a_law_holds_for_one_grader_and_not_for_another(bench, name):
    """What shows that it does not is a case: it fails with this grader, and not with the other."""
    argument, cases, keeps, breaks, least = SCORES[name]
    laws = declared(name, argument)

    assert check(bench(keeps, cases, laws)) is None
    broken = check(bench(breaks, cases, laws))
    (case,) = broken.cases
    assert least in (case, None)
    assert fails(bench(breaks, [case]))
    assert not fails(bench(keeps, [case]))


SAME = {
    "deterministic": [
        EXACTLY,
        grade("import random", "return random.random()"),
        grade("import time", "return time.time() % 1"),
        grade("return float('xy' == ''.join({'x', 'y'}))"),
        grade("return float(''.join(set(text)).find('u') / 10)"),
    ],
    "row_independent": [
        EXACTLY,
        "seen = []\n" + grade("seen.append(text)", "return 1 / len(seen)"),
        "seen = set()\n" + grade("old = text in seen", "seen.add(text)", "return float(old)"),
        "seen = []\n" + grade("seen.append(text)", "return float(len(seen) > 2)"),
    ],
}


@pytest.mark.long
@pytest.mark.parametrize("name", SAME)
def test_a_grader_gives_the_same_whatever_was_before(bench, name):
    """The law over the cases that show that it does not is broken; mended, it holds."""
    keeps, *breaking = SAME[name]
    laws = [name]
    assert check(bench(keeps, CASES, laws), examples=100) is None

    for breaks in breaking:
        broken = check(bench(breaks, CASES, laws), examples=100)
        assert len(broken.cases) <= 3
        assert "only the law tries more" in to_text(broken)
        assert check(bench(breaks, [*broken.cases], laws), examples=0) is not None
        assert check(bench(keeps, [*broken.cases], laws), examples=0) is None


def test_the_hash_seed_is_said(bench):
    broken = check(bench(SAME["deterministic"][3], CASES, ["deterministic"]))

    assert " with PYTHONHASHSEED=" in broken.said


@pytest.mark.long
@pytest.mark.parametrize("name", ["in_range", "reference_is_best", "invariant_to:case"])
def test_the_same_seed_finds_the_same(bench, name):
    argument, cases, _, breaks, _ = SCORES[name]
    found = [check(bench(breaks, cases, declared(name, argument)), seed=7) for _ in range(2)]

    assert found[0] == found[1]


def test_every_law_has_its_graders():
    assert {name.partition(":")[0] for name in (*SCORES, *SAME)} == {*LAWS}


# --- what a law is told


@pytest.mark.long
def test_a_range_is_the_laws_or_the_graders_or_the_usual(bench):
    """A judge's 3 is fine where its config or the law says so."""
    case = {"item": FOUR, "sample": "x", "judge": 3, "expect": 3}
    judge = {**JUDGE, "range": [1, 5]}

    assert check(bench(judge, [case], ["in_range"])) is None
    assert check(bench(judge, [case], {"in_range": [0, 2]})).cases[0]["expect"] == [0.0, 2.0]
    three = grade("return 3")
    assert check(bench(three, [CASES[0]], {"in_range": [0, 3]})) is None
    assert check(bench(three, [CASES[0]], ["in_range"])).said == (
        "scores are from 0.0 to 1.0; this one is 3.0"
    )


@pytest.mark.long
def test_a_reference_can_be_a_template(bench):
    """Many graders want the answer in a form."""
    boxed = grade("return float(text == '<' + answer + '>')")

    assert check(bench(boxed, CASES, {"reference_is_best": "<{{ item.answer }}>"})) is None
    broken = check(
        bench(boxed, [{**CASES[0], "sample": "<four>"}], {"reference_is_best": "item.answer"})
    )
    assert broken.said == (
        "no sample scores above the reference; reference gets 0.0 and other gets 1.0"
    )


def test_other_cases_samples_do_not_beat_the_reference(bench):
    """No variant has the word, but another case does."""
    likes = grade("return 0.9 if text == 'seventeen' else 0.5 * (text == answer)")
    other = {"item": {"answer": "seventeen"}, "sample": "seventeen", "expect": 0.9}

    broken = check(
        bench(likes, [CASES[0], other], {"reference_is_best": "item.answer"}), examples=0
    )

    assert broken.cases[0]["samples"] == {"reference": "four", "other": "seventeen"}


def test_a_reference_that_cannot_be_graded_is_not_best(bench):
    """A failure is no score, and no excuse."""
    broken = check(bench(READS, OBJECT, {"reference_is_best": "item.answer"}))

    assert "reference gets python_grader_runtime_error: json.decoder.JSONDecodeError" in broken.said


def test_the_samples_themselves_can_be_truncated(bench):
    exact = {"item": {"answer": "4"}, "sample": "42", "expect": 0}
    laws = {"monotone_under_truncation": True}

    assert check(bench(EXACTLY, [exact], laws)).cases == (
        {"item": {"answer": "4"}, "samples": {"longer": "42", "shorter": "4"}}
        | {"expect": "longer >= shorter"},
    )


# --- judges


def test_a_judge_answers_what_the_case_says(bench):
    """By sample too; the case that is shown has the one answer."""
    case = {"item": FOUR, "samples": {"a": "x", "b": "y"}, "judge": {"a": 1, "b": 7}}
    judge = {**JUDGE, "range": [0, 10]}

    broken = check(bench(judge, [{**case, "expect": "b > a"}], {"in_range": [0, 5]}))

    (shown,) = broken.cases
    assert (shown["judge"], shown["expect"]) == (7, [0.0, 5.0])
    assert fails(bench(judge, [shown]))


def test_a_judge_that_nobody_speaks_for_ends_the_check(bench):
    case = {"item": FOUR, "sample": "x", "expect": 1}
    message = (
        "case-1: cannot be graded: model_grader_server_error: nothing says what the judge answers"
    )
    with pytest.raises(UncheckedError, match=message):
        check(bench(JUDGE, [case], ["in_range"]))


def test_a_variant_that_no_judge_answers_to_ends_the_check(bench):
    """A recording has the cases' own samples, and no others."""
    case = {"item": FOUR, "sample": "x", "expect": 1}
    config = {**JUDGE, "input": [{"role": "user", "content": "{{ sample.output_text }}"}]}
    asked = []

    class Recorded:
        async def complete(self, request):
            asked.append(request.messages[0].content)
            if asked[-1] == "x":
                return ModelReply(text='{"steps": [], "result": 1}')
            raise GradingError(FailureKind.MODEL_SERVER, "not recorded", "replay_miss")

    read = bench(config, [case], ["in_range"])
    recorded = replace(read, cases=replace(read.cases, recorded=Recorded()))
    with pytest.raises(UncheckedError, match=r"not recorded\. A law grades other samples too"):
        check(recorded)
    assert len(asked) < 10


# --- nothing to check


NOTHING = [
    ({"reference_is_best": "item.reply"}, CASES, "none has a value at the reference's path"),
    ({"monotone_under_truncation": "item.reply"}, CASES, "none has a text to shorten"),
    ({"invariant_to": ["key_order"]}, CASES, "none has a sample that the change does anything to"),
    ({"invariant_to": ["unicode_form"]}, CASES, "none has a sample that the change does anything"),
    (
        ["robust"],
        [{"item": {}, "sample": "x", "expect": "python_grader_runtime_error"}],
        "each expects a failure",
    ),
]


@pytest.mark.parametrize(("laws", "cases", "why"), NOTHING)
def test_a_law_that_says_nothing_of_the_cases_does_not_hold(bench, laws, cases, why):
    """It could not fail, whatever the grader did."""
    with pytest.raises(UncheckedError, match=f"cannot be checked on these cases: {why}"):
        check(bench(EXACTLY, cases, laws))


OF_SCORES = [{name: True} for name in ("in_range", "monotone_under_truncation")]


@pytest.mark.parametrize("laws", [*OF_SCORES, {"invariant_to": ["case"]}])
def test_no_law_of_scores_holds_where_there_is_none(bench, laws):
    """A grader that breaks on everything has no score out of range."""
    why = "none gets a score; the first gets python_grader_runtime_error: ValueError: no"
    with pytest.raises(UncheckedError, match=f"cannot be checked on these cases: {why}"):
        check(bench(grade("raise ValueError('no')"), CASES, laws))


@pytest.mark.long
def test_a_case_that_expects_a_failure_is_no_sample_of_a_good_one(bench):
    """It is there to say how the grader fails; only that it does so every time is a law."""
    cases = [CASES[0], {"item": {}, "sample": "four", "expect": "python_grader_runtime_error"}]

    for laws in (["robust"], ["empty_is_worst"], ["deterministic"], ["row_independent"]):
        assert check(bench(EXACTLY, cases, laws), examples=60) is None


# --- what is shown


def test_what_cannot_be_pasted_is_cut():
    broken = Broken("too much", ({"sample": "a" * 10_000, "expect": 1},))

    lines = to_text(broken).splitlines()

    assert lines[0] == "too much"
    assert lines[2].startswith('  {"sample": "aaa')
    assert len(lines[2]) < 210
    assert lines[3] == "  (10,027 characters, too long to paste)"


def test_what_is_shown_is_plain():
    """Whatever a model wrote, a terminal does nothing of it."""
    broken = Broken("got \x1b[2J", ({"sample": "\x1b[2J\u202e\u0430", "expect": 1},))

    assert to_text(broken) == (
        'got \\x1b[2J\n\n  {"sample": "\\u001b[2J\\u202e\\u0430", "expect": 1}'
    )


WITHOUT = """
import sys
sys.modules["hypothesis"] = None
from graders.testing.laws.search import Trial, smallest
smallest(Trial(always=[1], drawn=lambda: None, broken=lambda rows: None), examples=8, seed=0)
"""


def test_without_hypothesis_it_is_said_what_to_install():
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT], capture_output=True, text=True, check=False
    )

    assert done.stderr.rstrip().endswith(
        "variants are made by hypothesis, which is missing. pip install local-graders[test]"
    )


LARGE = {"robust": True}, {"reference_is_best": "item.n"}, {"monotone_under_truncation": True}


@pytest.mark.parametrize("laws", LARGE)
def test_what_is_tried_grows_no_faster_than_the_file(bench, laws):
    """Each document on each item would be a day's work for a thousand cases."""

    def tried(cases):
        texts = (json.dumps({"n": i, "why": "because"}) for i in range(cases))
        case = [{"item": {"n": str(i)}, "sample": t, "expect": 0} for i, t in enumerate(texts)]
        read = bench(EXACTLY, case, laws)
        (law,) = read.cases.laws
        return len(LAWS[law.name](read, law).always)

    assert tried(400) <= 2 * tried(200) < 16_000
