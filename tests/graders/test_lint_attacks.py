"""Configs and rows that were made to break lint: it neither raises nor hangs."""

import contextlib
import json
from time import process_time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from linting import linted
from sample_configs import EXACT, JUDGE, LABEL, PYTHON, SIMILAR

from graders.errors import ConfigError
from graders.lint import fix_config
from graders.lint.render import FORMATS
from graders.lint.targets import TARGETS

MULTI = {
    "type": "multi",
    "name": "m",
    "graders": {"a": EXACT, "b": SIMILAR, "c": JUDGE, "d": LABEL, "e": PYTHON},
    "calculate_output": "a + b * c - d / e",
}
CONFIGS = [EXACT, SIMILAR, PYTHON, JUDGE, LABEL, MULTI, {"grader": MULTI},
           {"testing_criteria": [EXACT, JUDGE]},
           {"grader": EXACT, "model_sample": "x", "item": {}}]  # fmt: skip
JUNK = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20)
    | st.sampled_from(
        ["{{ item.a", "{{ sample.output_json.x }}", "{{ items }}", "}}}", "a / b", "log(a) ^ e",
         "multi", "python", "def grade(s, i):\n  return", " def f(): pass", "eq", "input", "\ud800"]
    ),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from(["type", "name", "a", "input", "graders"]) | st.text(),
                      inner, max_size=3),
    max_leaves=6,
)  # fmt: skip


def places(value, location=()):
    yield location
    pairs = {dict: dict.items, list: enumerate}.get(type(value), lambda _: ())
    for step, entry in pairs(value):
        yield from places(entry, (*location, step))


def spoilt(value, location, junk):
    """A copy of a config with something else in one place."""
    if not location:
        return junk
    step, *rest = location
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[step] = spoilt(value[step], rest, junk)
    return copy


@settings(max_examples=100)
@given(data=st.data())
def test_any_config_and_any_rows_can_be_linted(tmp_path_factory, data):
    """Whatever stands wherever: findings, or a ConfigError with a place; and a fix of what is."""
    folder = tmp_path_factory.mktemp("any", numbered=True)
    config = data.draw(st.sampled_from(CONFIGS))
    for _ in range(data.draw(st.integers(0, 2))):
        location = data.draw(st.sampled_from(list(places(config))))
        config = spoilt(config, location, data.draw(JUNK))
    rows = [json.dumps(row) for row in data.draw(st.lists(JUNK, max_size=3))]
    target = data.draw(st.sampled_from(sorted(TARGETS)))
    with contextlib.suppress(ConfigError):
        report = linted(folder, json.dumps(config), rows, target=target)
        for placed in report.findings:
            assert placed.place is None or min(placed.place) >= 1
            assert placed.finding.message
        for form in FORMATS.values():
            form(report, "g.json").encode()
        _, text, _ = fix_config(folder / "grader.json")
        json.loads(text)


def source(text):
    return {**PYTHON, "source": text}


def prompt(text):
    return {**JUDGE, "input": [{"role": "user", "content": text}]}


MANY = {f"m{i}": {**EXACT, "reference": f"{{{{ item.k{i} }}}}"} for i in range(1_000)}


@pytest.mark.long
@pytest.mark.parametrize(
    "config",
    [
        {**MULTI, "calculate_output": " + ".join(["0.5 * a", "b"] * 2_000)},
        {**MULTI, "calculate_output": "min(" * 99 + "a" + ", b)" * 99},
        {**MULTI, "graders": MANY, "calculate_output": " + ".join(MANY)},
        {**MULTI, "graders": MANY, "calculate_output": "m0"},
        {**EXACT, "reference": "{{" * 50_000},
        {**EXACT, "reference": "{{" + " " * 100_000},
        {**EXACT, "reference": "{{ items.x }}" * 1_000},
        {**EXACT, **{f"k{i}": i for i in range(2_000)}},
        prompt("from " * 20_000 + "from" + "1" * 50_000),
        source("def grade(s, i):\n" + "    if i: return None\n" * 2_500),
        source("import requests\n" * 2_500 + "def grade(s, i): return 1.0"),
        source("def grade(sample, item):\n"
               + "    x = sample['output_json']\n    y = x['a']\n" * 1_000 + "    return 1.0"),
        {**LABEL, "labels": [f"l{i}" for i in range(10_000)], "passing_labels": ["l1"]},
        source("def grade(s, i): return 1.0\n" + "x = 1\n" * 300_000),
        source("def grade(sample, item):\n    d = sample['output_json']\n"
               f"    return 1.0 if d{'.a' * 2_000} else 0.0"),
    ],
    ids=range(15),
)  # fmt: skip
def test_an_absurd_config_takes_no_absurd_time(tmp_path, config):
    """Each takes a second at most; what is quadratic would take many."""
    started = process_time()
    report = linted(tmp_path, config)
    for form in FORMATS.values():
        form(report, "g.json")
    fix_config(tmp_path / "grader.json")

    assert process_time() - started < 10
