"""Robustness: what a model in training writes sooner or later, and graders that break on it."""

import json

import pytest
from law_cases import CASES, FOUR, OBJECT, check, grade
from sample_configs import EXACT

from graders.testing.laws.bench import UncheckedError
from graders.testing.laws.counterexample import to_text


def test_an_item_lacks_keys_only_where_that_is_said(bench):
    item = {"answer": "four", "hint": "2 + 2"}
    cases = [{"item": item, "sample": "four", "expect": 1}]
    hinted = grade("return float(text == answer and item['hint'] is not None)")

    assert check(bench(hinted, cases, ["robust"])) is None
    broken = check(bench(hinted, cases, {"robust": ["hint"]}))
    assert broken.cases == ({"item": FOUR, "sample": "four", "expect": [0.0, 1.0]},)
    with pytest.raises(UncheckedError, match=r"no item has the key 'hnit'.*Did you mean 'hint'\?"):
        check(bench(hinted, cases, {"robust": ["hnit"]}))


SIZES = [
    (grade("return float(1 / (len(text) < 1000))"), "a" * 1000),
    (
        grade(
            "def depth(v): return 1 + max(map(depth, v), default=0) if type(v) is list else 0",
            "return 1 / (depth(sample['output_json']) < 40)",
        ),
        "[" * 40 + "]" * 40,
    ),
]


@pytest.mark.parametrize(("source", "sample"), SIZES)
def test_a_size_is_found_that_is_just_too_much(bench, source, sample):
    assert check(bench(source, CASES, ["robust"]), examples=0).cases[0]["sample"] == sample


HOSTILE = [
    ("text.encode()", "\ud800"),
    ("int(text) if text.isdigit() and len(text) > 1000 else 0", "1" * 4301),
    ("text.isdigit() and int(text)", "\u0664\u00b2"),
    ("sample['choices'][0]['message']['content'].strip()", {"output_text": ""}),
    ("'NaN' in text and 1 / 0", "NaN"),
    ("eval(text) if text == '1/0' else 0", "1/0"),
]


@pytest.mark.parametrize(("line", "sample"), HOSTILE)
def test_what_is_hostile_breaks_a_naive_grader(bench, line, sample):
    """Each by one of the samples that are always tried."""
    broken = check(bench(grade(line, "return 0.5"), CASES, ["robust"]), examples=0)

    (case,) = broken.cases
    got = case["sample"]
    assert got == sample if isinstance(sample, str) else sample.items() <= got.items()


def test_the_case_that_is_shown_can_be_pasted(bench):
    """A terminal shows nothing of what a surrogate would do to it, and JSON has it all."""
    broken = check(bench(grade("text.encode()", "return 0.5"), CASES, ["robust"]), examples=0)

    shown = to_text(broken).splitlines()[2]
    assert shown == '  {"item": {"answer": "four"}, "sample": "\\ud800", "expect": [0.0, 1.0]}'
    assert json.loads(shown) == broken.cases[0]


@pytest.mark.long
@pytest.mark.parametrize("metric", ["fuzzy_match", "bleu", "gleu", "meteor", "rouge_1", "rouge_l"])
def test_the_built_in_graders_are_robust_deterministic_and_in_range(bench, metric):
    config = {"type": "text_similarity", "name": "s", "evaluation_metric": metric}
    config |= {"input": "{{ sample.output_text }}", "reference": "{{ item.answer }}"}

    for law in ("robust", "deterministic", "row_independent", "in_range"):
        assert check(bench(config, CASES, [law]), examples=100) is None


def test_a_missing_variable_is_no_score(bench):
    """A template that reads into the output has none on every other sample."""
    config = {**EXACT, "input": "{{ sample.output_json.answer }}"}

    assert "gets invalid_variable_error: " in check(bench(config, OBJECT, ["robust"])).said
