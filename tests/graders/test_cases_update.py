"""`--cases-update`: numbers that someone noted become those of now, and nothing else changes."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sample_configs import EXACT

# The runs below are in this process: what they import stays, and no module is made twice.
import graders.pytest_plugin
from graders.errors import ConfigError
from graders.lint.locate import Span
from graders.testing import annotations, show, tools
from graders.testing.goldens import Golden, rewritten, update, write
from graders.testing.located import located

pytest_plugins = "pytester"
assert all((graders.pytest_plugin, annotations, show, tools))

FORMULA = {
    "type": "multi",
    "name": "m",
    "graders": {
        "exact": {**EXACT, "reference": "{{ item.a }}"},
        "like": {**EXACT, "name": "like", "operation": "like", "reference": "{{ item.b }}"},
    },
    "calculate_output": "0.1 * exact + 0.2 * like",
    "pass_threshold": 0.2,
}
ITEM = '"item": {"a": "xy", "b": "x"}'
# What a case expects of the sample "xy", whose score is 0.1 + 0.2; and what is written instead.
JSON_TEXTS = [
    ("1", "0.3"),
    ('{"score":1e0 ,  "tolerance": 0}', '{"score":0.30000000000000004 ,  "tolerance": 0}'),
    ("[0, 0.2]", "[0, 0.30000000000000004]"),
    ("[ 0.5,1 ]", "[ 0.30000000000000004,1 ]"),
    ('{"range": [0.5, 1]}', '{"range": [0.30000000000000004, 1]}'),
    ('"other_error"', "0.3"),
    ('{"failure": "other_error", "reason": "x"}', "0.3"),
    ('{"parts": {"exact": 0.25, "like": 1}}', '{"parts": {"exact": 1.0, "like": 1}}'),
    (
        '{"score": 0, "parts": {"exact": {"score": 0}}}',
        '{"score": 0.3, "parts": {"exact": {"score": 1.0}}}',
    ),
]


@pytest.fixture
def updated(project):
    """Update a case file whose cases are these; gives the run and the file's new text."""

    def updating(text, name="m.cases.json", **files):
        result = project({"m.json": FORMULA, name: text, **files}, "--cases-update")
        return result, Path(name).read_bytes().decode()

    return updating


@pytest.mark.parametrize(("before", "after"), JSON_TEXTS)
def test_numbers_are_rewritten_where_they_stand(updated, project, before, after):
    """Blanks, line ends and a byte order mark stay; the diff is shown; then the case holds."""
    text = f'\ufeff{{\r\n\t"cases" : [ {{{ITEM}, "sample": "xy", "expect": %s}} ]\r\n}}\r\n\r\n'

    result, now = updated(text % before)

    assert now == text % after
    shown = [line for line in result.outlines if line[:1] in {"-", "+"}]
    assert shown[:2] == ["--- m.cases.json", "+++ m.cases.json (updated)"]
    assert before in shown[2]
    assert after in shown[3]
    assert "m.cases.json: rewritten; read the diff, and run again" in result.outlines
    result.assert_outcomes(failed=1)
    project({}).assert_outcomes(passed=1)


FAILS = [
    ("1", '"invalid_variable_error"'),
    ("[0, 1]", '"invalid_variable_error"'),
    ('{"score": 1, "tolerance": 0.5}', '"invalid_variable_error"'),
    ('"other_error"', '"invalid_variable_error"'),
    ('{"failure": "other_error"}', '{"failure": "invalid_variable_error"}'),
    (
        '{"reason": "timeout", "failure": "other_error"}',
        '{"reason": "", "failure": "invalid_variable_error"}',
    ),
]


@pytest.mark.parametrize(("before", "after"), FAILS)
def test_a_failure_of_the_grader_is_rewritten_too(updated, before, after):
    """In place of a score, or of another failure."""
    text = '{"cases": [{"item": {"a": "xy"}, "sample": "xy", "expect": %s}]}'

    assert updated(text % before)[1] == text % after


STAYS = [
    f'{{{ITEM}, "sample": "xy", "expect": "fail"}}',
    f'{{{ITEM}, "samples": {{"a": "xy", "b": ""}}, "expect": "b > a"}}',
    f'{{{ITEM}, "sample": "xy", "expect": {{"parts": {{"no": 1}}}}}}',
    '{"sample": "xy", "expect": {"message": "words"}}',
    '{"sample": "xy", "expect": {"score": 1, "parts": {"exact": "invalid_variable_error"}}}',
]


@pytest.mark.parametrize("case", STAYS)
def test_what_must_hold_stays(updated, case):
    """A pass, an order, words: no run of a grader decides them; it is said."""
    text = f'{{"cases": [{case}]}}'

    result, now = updated(text)

    assert now == text
    assert (
        "m.cases.json: case-1: stays; only scores, ranges and failures of the grader are rewritten"
    ) in result.outlines


def test_a_failure_of_the_machine_is_no_golden(updated):
    """A judge that nobody scripted, say."""
    judge = {
        "type": "score_model",
        "name": "j",
        "model": "m",
        "input": [{"role": "user", "content": "x"}],
    }
    text = json.dumps({"grader": judge, "cases": [{"sample": "x", "expect": 1}]})

    result, now = updated(text)

    assert now == text
    assert "case-1: stays" in "\n".join(result.outlines)


def test_where_all_is_well_nothing_is_said(updated):
    """And nothing is written."""
    result, _ = updated(f'{{"cases": [{{{ITEM}, "sample": "xy", "expect": 0.3}}]}}')

    result.assert_outcomes(passed=1)
    assert "update" not in "\n".join(result.outlines)


YAML = """# numbers
cases:
  - item: &item {a: xy, b: x}   # kept
    sample: xy
    expect: 1   # noted
  - item: *item
    sample: xy
    expect:
      range:
        - 0.4
        - 1
  - {item: *item, sample: xy, expect: {parts: {exact: pass, like: 0.5}}}
  - {item: {a: xy}, sample: xy, expect: 'other_error'}
"""
NOW = (
    YAML.replace("expect: 1 ", "expect: 0.3 ")
    .replace("- 0.4", "- 0.30000000000000004")
    .replace("0.5", "1.0")
    .replace("'other_error'", '"invalid_variable_error"')
)


def test_yaml_keeps_its_comments_and_its_layout(updated):
    """Only the characters of the numbers are others."""
    result, now = updated(YAML, "m.cases.yaml")

    assert now == NOW
    result.assert_outcomes(failed=4)


BY_HAND = [
    "cases: [{sample: '', expect: &one 1}, {sample: '', expect: *one}]",
    "cases: [{sample: '', expect: &one {score: 1}}, {sample: '', expect: *one}]",
    "cases:\n- sample: ''\n  expect:\n    score: 1\n    tolerance: 0.1\n",
    "cases:\n- sample: ''\n  expect: >-\n    other_error\n",
]


@pytest.mark.parametrize("text", BY_HAND)
def test_what_yaml_says_in_another_way_is_left_to_people(updated, text):
    """An alias, whose number others mean too, and a block, whose end is not its own."""
    result, now = updated(text, "m.cases.yaml")

    assert now == text
    assert "write " in "\n".join(result.outlines)
    assert "by hand: it is an alias or a block of YAML" in "\n".join(result.outlines)


def test_a_file_that_changed_meanwhile_is_not_overwritten(project):
    """A grader's author may be writing the next case."""
    conftest = "import pathlib\ndef pytest_sessionfinish():\n"
    conftest += "    path = pathlib.Path('m.cases.json')\n"
    conftest += "    path.write_text(path.read_text() + ' ')\n"
    text = f'{{"cases": [{{{ITEM}, "sample": "xy", "expect": 1}}]}}'

    result = project(
        {"m.json": FORMULA, "m.cases.json": text, "conftest.py": conftest}, "--cases-update"
    )

    assert Path("m.cases.json").read_text("utf-8") == text + " "
    result.stdout.fnmatch_lines(
        ["not written: *m.cases.json: has changed since it was read, and stays as it is"]
    )


def test_what_cannot_be_written_is_said(tmp_path):
    """With the diff shown all the same."""
    path = tmp_path / "m.cases.json"
    text = '{"cases": [1]}'
    file = located(text.encode(), path)

    said = [*update(file, {"case-1": [Golden(("cases", 0), 0.5)]}, "m.cases.json")]

    assert '+{"cases": [0.5]}' in said
    assert said[-1].startswith("not written: [Errno 2] No such file or directory")
    path.write_text("{}", encoding="utf-8")
    with pytest.raises(ConfigError, match="has changed since"):
        write(file, text)


@given(
    scores=st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=4),
    ending=st.sampled_from(["json", "yaml"]),
)
def test_any_finite_number_can_be_written(scores, ending):
    """And reads back as the same, in both formats."""
    text = json.dumps({"cases": [{"expect": 0.5} for _ in scores]}, indent=1)
    file = located(text.encode(), Path(f"x.{ending}"))
    found = [Golden(("cases", i, "expect"), score) for i, score in enumerate(scores)]

    now, left = rewritten(file, found)

    assert left == []
    value = located(now.encode(), file.path).value
    assert [case["expect"] for case in value["cases"]] == scores


@pytest.mark.parametrize("wrong", [Span(0, 1), Span(2, 7), Span(11, 12)])
def test_a_text_that_would_not_mean_that_is_not_kept(wrong):
    """Whatever the reason, here that a value does not stand where it is said to."""
    file = located(b'{"cases": [1]}', Path("m.cases.json"))
    astray = replace(file, spans=replace(file.spans, values={("cases", 0): wrong}))

    text, left = rewritten(astray, [Golden(("cases", 0), 0.5)])

    if wrong == file.spans.values["cases", 0]:
        assert (text, left) == ('{"cases": [0.5]}', [])
    else:
        assert (text, left) == (file.text, ["cases[0]: cannot be rewritten where it stands"])
