"""What stands under `laws`: each mistake has its line, and says what to write."""

import json
import re
from pathlib import Path

import pytest
from sample_configs import EXACT

from graders.errors import ConfigError
from graders.testing.cases import read_cases
from graders.testing.laws import declared
from graders.testing.laws.check import LAWS
from graders.testing.laws.declared import CHANGES, Law, parse_laws

PARSED = [
    (None, []),
    ([], []),
    (["deterministic", "in_range"], [("deterministic", None), ("in_range", None)]),
    ({"in_range": [0, 5], "robust": True}, [("in_range", (0.0, 5.0)), ("robust", ())]),
    ({"robust": ["hint", "hint"]}, [("robust", ("hint",))]),
    ({"reference_is_best": "item.answer"}, [("reference_is_best", "{{ item.answer }}")]),
    ({"reference_is_best": "<{{ item.a[0] }}>"}, [("reference_is_best", "<{{ item.a[0] }}>")]),
    ({"monotone_under_truncation": True}, [("monotone_under_truncation", None)]),
    (
        {"monotone_under_truncation": "item.a"},
        [("monotone_under_truncation", "{{ item.a }}")],
    ),
    ({"invariant_to": "case"}, [("invariant_to", "case")]),
    ({"invariant_to": [*CHANGES]}, [("invariant_to", change) for change in CHANGES]),
]


@pytest.mark.parametrize(("value", "laws"), PARSED)
def test_laws_are_named_or_told(value, laws):
    """Each change that a grader is invariant to is a law of its own."""
    assert [(law.name, law.argument) for law in parse_laws(value)] == laws


WHICH = "of case, whitespace, key_order, unicode_form"
REFUSED = [
    ("robust", "laws: 'robust' is neither a list of laws nor an object of them"),
    (["determinstic"], "laws[0]: 'determinstic' is no law. Did you mean 'deterministic'?"),
    (["in-range"], "laws[0]: 'in-range' is no law. Did you mean 'in_range'?"),
    ({"zzz": True}, "laws.zzz: 'zzz' is no law. Laws are deterministic, row_independent, in_range"),
    ([1], "laws[0]: 1 is no law. Laws are "),
    ([["robust"]], "laws[0]: a list is no law. Did you mean 'robust'?"),
    ({"deterministic": False}, "laws.deterministic: deterministic takes true and nothing else"),
    ({"in_range": [1, 0]}, "laws.in_range: in_range takes true or [lowest, highest], got [1, 0]"),
    ({"in_range": [0, True]}, "in_range takes true or [lowest, highest], got [0, True]"),
    ({"in_range": [0, 1e999]}, "the number 1e999 is too large for a double"),
    (
        ["reference_is_best"],
        "laws[0]: reference_is_best must be told where the reference stands: "
        '{"reference_is_best": "item.answer"}',
    ),
    ({"reference_is_best": "item.a["}, "laws.reference_is_best: reference_is_best has no path: "),
    ({"reference_is_best": "answer"}, "reads nothing of the item: 'answer'; a path is item.answer"),
    (
        {"reference_is_best": "sample.output_text"},
        "reads nothing of the item: 'sample.output_text'",
    ),
    (
        {"monotone_under_truncation": 3},
        "monotone_under_truncation takes true, for the samples, or a reference's path, got 3",
    ),
    (["invariant_to"], f'invariant_to must be told which changes, {WHICH}: {{"invariant_to": ["'),
    ({"invariant_to": []}, f"invariant_to must be told which changes, {WHICH}"),
    ({"invariant_to": ["cases"]}, "invariant_to knows no change 'cases'. Did you mean 'case'?"),
    ({"invariant_to": ["x"]}, f"invariant_to knows no change 'x'. It is one {WHICH}."),
    ({"robust": []}, "robust takes true, or the keys that an item may lack, got []"),
    ({"robust": [1]}, "robust takes true, or the keys that an item may lack, got [1]"),
    (["robust", "robust"], "laws[1]: robust stands here twice"),
]


@pytest.mark.parametrize(("laws", "message"), REFUSED)
def test_what_is_wrong_is_said_with_its_line(tmp_path, laws, message):
    """All of it, before anything is graded."""
    path = tmp_path / "t.cases.json"
    case = json.dumps({"item": {"answer": "x"}, "sample": "x", "expect": 1})
    text = json.dumps(laws).replace("Infinity", "1e999")
    path.write_text(f'{{"grader": {json.dumps(EXACT)},\n"cases": [{case}],\n"laws": {text}}}')

    with pytest.raises(ConfigError) as caught:
        read_cases(path)

    said = str(caught.value).removeprefix(f"{tmp_path}/")
    assert said.startswith("t.cases.json:3:")
    assert message in said


def test_every_mistake_is_said_at_once():
    with pytest.raises(ConfigError) as caught:
        parse_laws({"in_rage": True, "robust": 3, "deterministic": True})

    assert [finding.path for finding in caught.value.findings] == ["laws.in_rage", "laws.robust"]


def test_a_law_stands_somewhere():
    """Where its test is shown."""
    assert parse_laws(["deterministic", "robust"])[1].location == ("laws", 1)
    assert parse_laws({"robust": True})[0] == Law(
        name="robust", argument=(), location=("laws", "robust")
    )


def test_every_law_is_documented():
    """As it is written in a case file."""
    readme = Path(declared.__file__).parents[1].joinpath("README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\{.*?\})` \|", readme, re.MULTILINE)
    told = [law for row in rows if not row.startswith('{"order') for law in json.loads(row).items()]

    assert [law.name for law in parse_laws(dict(told))] == [*LAWS][:6] + ["invariant_to"] * 4 + [
        "robust"
    ]


def test_what_can_be_declared_can_be_checked():
    """No law is accepted and then not looked at."""
    told = {"reference_is_best": "item.a", "invariant_to": ["case"]}
    declared = parse_laws({name: told.get(name, True) for name in LAWS})

    assert [law.name for law in declared] == [*LAWS]
    with pytest.raises(ConfigError, match=f"Laws are {', '.join(LAWS)}"):
        parse_laws(["zzz"])
