"""What a formula can come to: proven by intervals, shown by scores."""

import re
from math import inf, isfinite

import pytest
from hypothesis import given
from hypothesis import strategies as st
from linting import codes, found, said
from sample_configs import EXACT, JUDGE, LABEL, PYTHON, SIMILAR

from graders.errors import GradingError
from graders.formula import compile_formula
from graders.formula.parse import parse_program
from graders.lint.intervals import Interval, linear, linear_reach, reach

UNIT = Interval(0.0, 1.0)
MEMBERS = {
    "a": EXACT,
    "b": {**SIMILAR, "input": EXACT["input"], "reference": EXACT["reference"]},
    "c": {**JUDGE, "range": [1, 5], "input": [{"role": "user", "content": EXACT["input"]}]},
    "n": {**JUDGE, "range": [-1, 1], "input": [{"role": "user", "content": EXACT["input"]}]},
    "l": {**LABEL, "input": [{"role": "user", "content": f"good bad {EXACT['input']}"}]},
    "p": {**PYTHON, "source": "def grade(sample, item):\n    return 0.5"},
}
FORMULA = {
    *("constant-formula", "zero-coefficient", "dominated", "leaves-range", "divides-by-zero"),
    *("no-real-value", "overflows", "unused-member", "name-for-key"),
}


def multi(formula, keys=""):
    used = {key: MEMBERS[key] for key in MEMBERS if key in {*keys, *re.findall(r"\w+", formula)}}
    return {"type": "multi", "name": "m", "graders": used, "calculate_output": formula}


def formula_codes(folder, formula):
    return [code for code in codes(folder, multi(formula)) if code in FORMULA]


# --- intervals are safe

NAMES = st.sampled_from(["a", "b"])
NUMBERS = st.sampled_from(["0", "0.5", "1", "2", "3", ".25"])
FORMULAS = st.recursive(
    NAMES | NUMBERS,
    lambda inner: (
        st.builds("({} {} {})".format, inner, st.sampled_from("+-*/^"), inner)
        | st.builds("-({})".format, inner)
        | st.builds(
            "{}({})".format,
            st.sampled_from(["abs", "ceil", "exp", "floor", "log", "sqrt"]),
            inner,
        )
        | st.builds("{}({}, {})".format, st.sampled_from(["min", "max"]), inner, inner)
    ),
    max_leaves=8,
)
ENDS = st.tuples(st.integers(-3, 3), st.integers(0, 3)).map(
    lambda ends: Interval(ends[0], ends[0] + ends[1])
)


@given(formula=FORMULAS, a=ENDS, b=ENDS, data=st.data())
def test_no_score_leads_out_of_an_interval(formula, a, b, data):
    """For any formula, ranges and scores in them: what has a value has it in the interval."""
    program = parse_program(formula, ["a", "b"])
    found = reach(program, {"a": a, "b": b}).result
    scores = {name: data.draw(st.floats(*interval)) for name, interval in (("a", a), ("b", b))}
    try:
        value = compile_formula(formula, ["a", "b"])(scores)
    except GradingError:
        return

    slack = 1e-9 * max(1.0, abs(value))
    assert found.low - slack <= value <= found.high + slack


@given(formula=FORMULAS, data=st.data())
def test_a_linear_form_has_the_value_of_its_formula(formula, data):
    """Where there is one; and its bounds hold its values."""
    program = parse_program(formula, ["a", "b"])
    form = linear(program)
    scores = {"a": data.draw(st.floats(0, 1)), "b": data.draw(st.floats(0, 1))}
    try:
        value = compile_formula(formula, ["a", "b"])(scores)
    except GradingError:
        return
    if form is not None and isfinite(value):
        summed = form[""] + sum(form[name] * scores[name] for name in program.names)
        bounds = linear_reach(form, {"a": UNIT, "b": UNIT})

        assert summed == pytest.approx(value, rel=1e-9, abs=1e-9)
        assert bounds.low - 1e-9 <= value <= bounds.high + 1e-9


@pytest.mark.parametrize(
    ("formula", "result"),
    [
        ("a + b", (1, 6)),
        ("a - b", (-5, 0)),
        ("a * b", (0, 5)),
        ("a / b", (0, 1)),
        ("b / a", (-inf, inf)),
        ("b ^ 2", (1, 25)),
        ("(a - 0.5) ^ 2", (0, 0.25)),
        ("(a - 1) ^ 3", (-1, 0)),
        ("2 ^ b", (2, 32)),
        ("min(a, b)", (0, 1)),
        ("max(a, b, 3)", (3, 5)),
        ("abs(a - 1)", (0, 1)),
        ("log(b)", (0, 1.6094379124341003)),
        ("log(a)", (-inf, 0)),
        ("sqrt(b - 5)", (0, 0)),
        ("floor(b / 2)", (0, 2)),
        ("exp(1000 * b)", (inf, inf)),
    ],
)
def test_an_interval_is_as_tight_as_its_steps(formula, result):
    """A from 0 to 1, b from 1 to 5."""
    program = parse_program(formula, ["a", "b"])

    assert reach(program, {"a": UNIT, "b": Interval(1, 5)}).result == pytest.approx(result)


# --- what is said


@pytest.mark.parametrize(
    ("formula", "text"),
    [
        ("a + b", "can be 2 (with a = 1, b = 1), and the members' scores lie from 0 to 1."),
        ("0.5 * a - 0.5 * b", "can be -0.5 (with a = 0, b = 1), and the members' scores lie from "
         "0 to 1."),
        ("2 * c", "can be 10 (with c = 5), and the members' scores lie from 1 to 5."),
        ("1 - n", "can be 2 (with n = -1), and the members' scores lie from -1 to 1."),
        ("p + p", "can be 2 (with p = 1), and the members' scores lie from 0 to 1."),
    ],
)  # fmt: skip
def test_a_formula_that_leaves_the_range_of_its_members_says_with_which_scores(
    tmp_path, formula, text
):
    """Each end that it leaves by."""
    found = said("leaves-range", tmp_path, multi(formula))

    assert [
        f"calculate_output: {text} Let weights add to 1, or clamp it: min(1, max(0, ...))."
    ] == found


@pytest.mark.parametrize(
    ("formula", "code", "text"),
    [
        ("1 / a", "divides-by-zero", "can divide by zero (with a = 0)"),
        ("1 / (b - 0.25)", "divides-by-zero", "can divide by zero (with b = 0.25)"),
        ("1 / (a - l)", "divides-by-zero", "can divide by zero (with a = 0, l = 0)"),
        (
            "1 / (b ^ 2 - 0.1)",
            "divides-by-zero",
            "can divide by zero: its denominator is above 0 for some scores and below 0 for others",
        ),
        ("0 ^ (0 - a)", "no-real-value", "can have no real value (with a = 1)"),
        ("log(b)", "no-real-value", "can have no real value (with b = 0)"),
        ("sqrt(n)", "no-real-value", "can have no real value (with n = -1)"),
        ("n ^ 0.5", "no-real-value", "can have no real value (with n = -1)"),
        ("exp(c ^ 5)", "overflows", "can be too large for a float (with c = 5)"),
        ("a - a", "constant-formula", "is 0 for every row, whatever the members' scores"),
        ("min(a, 0 - 1) + 1", "constant-formula", "is 0 for every row, whatever"),
        ("0.5", "constant-formula", "is 0.5 for every row, whatever the members' scores"),
        ("a + 0 * b", "zero-coefficient", "'b' counts with a coefficient of 0"),
        ("a + b - b", "zero-coefficient", "'b' counts with a coefficient of 0"),
        ("max(a, 0 * b)", "zero-coefficient", "0 * b is always 0"),
        ("max(a, c)", "dominated", "max(a, c) is always c, for a is from 0 to 1 and c from 1 to 5"),
        ("min(a, b, 1)", "dominated", "min(min(a, b), 1) is always min(a, b)"),
        ("max(0, a)", "dominated", "max(0, a) is always a, for 0 is at 0 and a from 0 to 1"),
        ("max(b, b)", "dominated", "max(b, b) is always b"),
        (
            "max(0.5 * a, 1 + b)",
            "dominated",
            "max((0.5 * a), (1 + b)) is always (1 + b), for (0.5 * a) is from 0 "
            "to 0.5 and (1 + b) from 1 to 2. Write (1 + b) alone.",
        ),
    ],
)
def test_what_a_formula_can_do_wrong_is_said_with_the_scores_that_do_it(
    tmp_path, formula, code, text
):
    """Or, where it is so for all scores, with the ranges that make it so."""
    found = said(code, tmp_path, multi(formula, "a" if formula == "0.5" else ""))

    assert [message for message in found if message.startswith(f"calculate_output: {text}")]


@pytest.mark.parametrize(
    "formula",
    [
        "0.6 * a + 0.4 * b",
        "0.1 * a + 0.2 * b + 0.7 * l",
        "(a + b + l) / 3",
        "a * b",
        "max(a, b)",
        "min(a, b) ^ 2",
        "a / (1 + b)",
        "min(1, 0.2 / abs(a - 0.5))",
        "min(1, max(0, 1 / (floor(b) - 0.5)))",
        "1 - a",
        "c",
        "min(a, p)",
        "max(p, 0)",
        "min(max(p, 0), 1)",
        "max(0, 0.5 * a - 0.5 * n) + 0 - 0",
        "log(c) / 2",
        "sqrt(b)",
        "1 / c",
        "(c - 1) / 4",
        "abs(n)",
        "floor(a + b * 0.5)",
    ],
)
def test_a_sound_formula_is_met_with_silence(tmp_path, formula):
    """What could only be wrong if a python grader's score were not from 0 to 1 included."""
    assert formula_codes(tmp_path, formula) == []


@pytest.mark.parametrize(
    ("formula", "keys", "found"),
    [
        ("a", "ab", ["graders.b: 'b' is not in the formula, and it is computed for each row all "
                     "the same. Use it, or leave it out."]),
        ("a", "ac", ["graders.c: 'c' is not in the formula, and its model is asked for each row "
                     "all the same. Use it, or leave it out."]),
    ],
)  # fmt: skip
def test_a_member_that_is_not_used_costs_all_the_same(tmp_path, formula, keys, found):
    """A judge more than others."""
    assert said("unused-member", tmp_path, multi(formula, keys)) == found


def test_a_key_with_other_characters_is_found_too(tmp_path):
    """It can be used by no formula, and its finding stands at the formula."""
    config = {**multi("a"), "graders": {"a": EXACT, "my key": MEMBERS["b"]}}
    (message,) = said("unused-member", tmp_path, config)

    assert message.startswith("calculate_output: 'my key' is not in the formula")


def test_members_named_like_keys_are_no_mistake(tmp_path):
    """A name counts only where it is no key."""
    graders = {"x": {**EXACT, "name": "y"}, "y": {**EXACT, "name": "x", "operation": "ne"}}
    config = {**multi("0.5 * x + 0.5 * y"), "graders": graders}

    assert codes(tmp_path, config) == []


def test_many_members_are_tried_within_bounds(tmp_path):
    """Twenty members would have a million corners; the extremes are among those tried."""
    graders = {f"m{i}": {**EXACT, "name": f"n{i}", "reference": f"{{{{ item.k{i} }}}}"}
               for i in range(20)}  # fmt: skip
    config = {**multi("a"), "graders": graders, "calculate_output": " + ".join(graders)}
    (message,) = said("leaves-range", tmp_path, config)

    assert "can be 20 (with m0 = 1, m1 = 1, " in message


@pytest.mark.parametrize(
    ("config", "text"),
    [
        ({**JUDGE, "pass_threshold": 50}, "50 is above every score (scores lie from 0 to 1), so "
         "nothing passes. Lower it."),
        ({**JUDGE, "range": [1, 5], "pass_threshold": 1}, "1 is reached by every score (scores lie "
         "from 1 to 5), so everything passes. Raise it."),
        ({**SIMILAR, "pass_threshold": 80}, "80 is above every score (scores lie from 0 to 1), so "
         "nothing passes. Lower it."),
        ({**multi("0.5 * a"), "pass_threshold": 0.8}, "0.8 is above every score (scores lie from 0 "
         "to 0.5), so nothing passes. Lower it."),
    ],
)  # fmt: skip
def test_a_threshold_beyond_all_scores_is_said(tmp_path, config, text):
    """By a grader's own range, or what a formula makes of its members'."""
    assert said("threshold-out-of-range", tmp_path, config) == [f"pass_threshold: {text}"]


@pytest.mark.parametrize("threshold", [0.01, 0.8, 1])
def test_a_threshold_that_some_scores_reach_is_none(tmp_path, threshold):
    """Nor is any of a python grader, whose scores can be anything."""
    for config in (JUDGE, SIMILAR, multi("0.5 * a + 0.5 * b"), {**PYTHON, "pass_threshold": 7}):
        config = {"pass_threshold": threshold, **config}  # noqa: PLW2901
        assert said("threshold-out-of-range", tmp_path, config) == []


@pytest.mark.parametrize(
    ("formula", "severity"),
    [
        ("min(1, max(0, a - b))", "note"),
        ("max(a, 0)", "note"),
        ("max(a, c) / 5", "warning"),
        ("max(a, 1)", "warning"),
    ],
)
def test_a_clamp_that_never_clamps_does_no_harm(tmp_path, formula, severity):
    """Unlike a member that never counts."""
    severities = [f.severity for f in found(tmp_path, multi(formula)) if f.code == "dominated"]

    assert severities == [severity]
