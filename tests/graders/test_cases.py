"""Case files: one format in JSON and YAML, and each mistake with its line."""

import json
import textwrap

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import PydanticCustomError
from sample_configs import EXACT

from graders.errors import ConfigError
from graders.testing.case_file import parse_order
from graders.testing.cases import read_cases

GRADER = json.dumps(EXACT)
GOOD = {"item": {"a": "x"}, "sample": "x", "expect": 1}


@pytest.fixture
def read(tmp_path):
    """Write a case file (a text, or what it is to hold) and read it."""

    def reading(content, name="t.cases.json"):
        path = tmp_path / name
        text = content if isinstance(content, str) else json.dumps(content)
        path.write_bytes(text.encode("utf-8", "surrogateescape"))
        return read_cases(path)

    return reading


def refusal(read, tmp_path, content, name="t.cases.json"):
    with pytest.raises(ConfigError) as caught:
        read(content, name)
    return str(caught.value).replace(f"{tmp_path}/", "")


def of(*cases, **more):
    """A case file with a case a line, the first in line 2."""
    lines = ",\n".join(map(json.dumps, cases))
    rest = "".join(f", {json.dumps(key)}: {json.dumps(value)}" for key, value in more.items())
    return f'{{"grader": {GRADER}, "cases": [\n{lines}\n]{rest}}}'


KINDS = "Kinds are endpoint_grader_internal_error, "
FORMS = 'a score, [low, high], "pass", "fail", a kind of failure, an order, or an object'
TWO = {"a": "1", "b": "2"}
REFUSED = [
    ({**GOOD, "sampel": "x"}, "cases[0].sampel: is a key that nobody reads. Did you mean 'sample'"),
    ({**GOOD, "zzz": 1}, "cases[0].zzz: is a key that nobody reads. Keys are name, item, sample, "),
    ({"item": {}, "sample": "x"}, "cases[0].expect: is missing"),
    ({**GOOD, "expect": True}, f"cases[0].expect: True is no expectation: {FORMS}"),
    ({**GOOD, "expect": None}, f"cases[0].expect: None is no expectation: {FORMS}"),
    ({**GOOD, "expect": [1]}, f"cases[0].expect: [1] is no expectation: {FORMS}"),
    ({**GOOD, "expect": [0.5, 0]}, "cases[0].expect.range: [0.5, 0.0] holds no score: the lowest"),
    ({**GOOD, "expect": ["0", 1]}, "cases[0].expect.range[0]: '0' is not a number"),
    (
        {**GOOD, "expect": "pas"},
        "'pas' is no kind of failure, nor pass, fail or an order. Did you ",
    ),
    (
        {**GOOD, "expect": "boom"},
        f"'boom' is no kind of failure, nor pass, fail or an order. {KINDS}",
    ),
    ({**GOOD, "expect": {}}, "cases[0].expect: expects nothing, so that nothing can be wrong"),
    ({**GOOD, "expect": {"tolerance": 1}}, "cases[0].expect: expects nothing"),
    ({**GOOD, "expect": {"parts": {}}}, "cases[0].expect: expects nothing"),
    (
        {**GOOD, "expect": {"range": [0, 1], "tolerance": 0.1}},
        "cases[0].expect: has a tolerance, and no score that it could be of",
    ),
    (
        {"samples": TWO, "expect": {"order": "a > b", "score": 1, "parts": {"x": 1}}},
        "cases[0].expect: has parts beside an order, which is all that is looked at",
    ),
    (
        {"samples": TWO, "expect": {"order": "a > b", "passed": True}},
        "cases[0].expect: has passed beside an order",
    ),
    (
        {**GOOD, "expect": {"score": 1, "parts": {"x": "a > b"}}},
        "cases[0].expect.parts: 'x' has an order, and a member has one score",
    ),
    ({**GOOD, "expect": {"score": 1, "tolerance": -1}}, "expect.tolerance: -1 is not at least 0"),
    ({**GOOD, "expect": {"score": "1"}}, "cases[0].expect.score: '1' is not a number"),
    ({**GOOD, "expect": {"scor": 1}}, "expect.scor: is a key that nobody reads. Did you mean 'sco"),
    (
        {**GOOD, "expect": {"parts": {"a": {"x": 1}}}},
        "expect.parts.a.x: is a key that nobody reads",
    ),
    (
        {**GOOD, "expect": {"score": 0, "failure": "other_error"}},
        "cases[0].expect: expects failure and score, and a failure has no score",
    ),
    (
        {**GOOD, "expect": {"passed": True, "reason": "timeout"}},
        "cases[0].expect: expects reason and passed, and a failure has no score",
    ),
    ({"item": {}, "expect": 1}, "cases[0]: needs a sample, or several under samples, and not both"),
    ({**GOOD, "samples": TWO}, "cases[0]: needs a sample, or several under samples, and not both"),
    ({**GOOD, "sample": 4}, "cases[0]: 4 is no sample: a text or an object"),
    ({"samples": {"a": None}, "expect": 1}, "cases[0]: None is no sample: a text or an object"),
    ({"samples": TWO, "expect": 1}, "cases[0]: several samples and an order go together"),
    ({**GOOD, "expect": "a > b"}, "cases[0]: several samples and an order go together"),
    (
        {"samples": TWO, "expect": "a > c"},
        "the order has 'c', which is no sample. Samples are 'a', ",
    ),
    ({"samples": {"good": "", "bad": ""}, "expect": "godo > bad"}, "Did you mean 'good'?"),
    ({"samples": TWO, "expect": "a >"}, "the order has '', which is no sample"),
    ({"samples": {**TWO, "c": ""}, "expect": "a > b"}, "the order compares nothing with 'c'"),
    ({**GOOD, "name": ""}, "cases[0].name: is empty"),
    (
        {**GOOD, "name": "a::b"},
        "cases[0].name: 'a::b' cannot be named to pytest: no :: and no line",
    ),
    ({**GOOD, "name": "law:robust"}, "cases[0].name: 'law:robust' is what the test of a law is"),
    ({**GOOD, "name": "a\nb"}, r"cases[0].name: 'a\nb' cannot be named to pytest"),
    ({**GOOD, "item": []}, "cases[0].item: [] is not an object"),
    ("x", "cases[0]: 'x' is not an object"),
]


@pytest.mark.parametrize(("case", "problem"), REFUSED)
def test_what_is_wrong_with_a_case_is_said_with_its_line(read, tmp_path, case, problem):
    """In JSON and in YAML, which JSON is too."""
    for name in ("t.cases.json", "t.cases.yaml"):
        said = refusal(read, tmp_path, of(GOOD, case), name)

        assert said.startswith(f"{name}:3: cases[1]")
        assert problem.replace("cases[0]", "cases[1]") in said
        assert "\n" not in said


WHOLE = [
    ('{"cases": []}', "t.cases.json:1: cases: has 0 entries, and must have at least 1"),
    ("{}", "t.cases.json:1: cases: is missing"),
    ("[]", "t.cases.json:1: [] is not an object"),
    ('{"cases": [', "t.cases.json:1:12: not JSON: Expecting value"),
    ('{"cases": [], "cases": []}', "the key 'cases' stands twice in one object"),
    (of(GOOD, law=[]), "t.cases.json:3: law: is a key that nobody reads. Did you mean 'laws'?"),
    (of(GOOD, judge={"record": "x"}), "judge.record: is a key that nobody reads. Keys are replay."),
    (of(GOOD, judge="x"), "t.cases.json:3: judge: 'x' is not an object"),
    (of(GOOD, profile="azur"), "t.cases.json:3: profile: there is no profile 'azur'. Did you mean"),
    (of(GOOD, set={"rogue": "x"}), "t.cases.json:3: set.rogue: there is no such setting. Did you"),
    (of(GOOD, set={"render": "x"}), "set.render: 'x' is not one of json, python"),
    (
        of({**GOOD, "name": "n"}, {**GOOD, "name": "n"}),
        "json:3: cases[1].name: case 1 is called 'n'",
    ),
    (of({**GOOD, "name": "case-2"}, GOOD), "json:3: cases[1].name: case 1 is called 'case-2' too"),
    ({"cases": [GOOD]}, "t.cases.json: names no grader, and neither t.py nor t.json stands beside"),
    ({"cases": [GOOD], "grader": 3}, "t.cases.json:1: grader: 3 is neither a path nor a config"),
    (
        {"cases": [GOOD], "grader": "no.json"},
        "t.cases.json:1: grader: no.json cannot be read: No such file or directory",
    ),
    (
        {"cases": [GOOD], "grader": {**EXACT, "operation": "neq"}},
        "t.cases.json:1: grader.operation: 'neq' is not one of eq, ne, like, ilike. Did you mean",
    ),
    (
        {"cases": [GOOD], "grader": {**EXACT, "input": "{{ item. }}"}},
        "t.cases.json:1: grader.input: ",
    ),
    (
        {"cases": [GOOD], "grader": {"type": "dpo", "dpo": {}}},
        "t.cases.json:1: grader.type: a dpo method has no grader",
    ),
]


@pytest.mark.parametrize(("content", "problem"), WHOLE)
def test_what_is_wrong_with_a_file_is_said(read, tmp_path, content, problem):
    """Also what is wrong with the grader in it, which no case could be graded with."""
    assert problem in refusal(read, tmp_path, content)


BESIDE = [
    ("g.json", "{", "g.json:1:2: not JSON: "),
    ("g.json", json.dumps({**EXACT, "operation": "x"}), "g.json: operation: 'x' is not one of"),
    ("g.py", "def grade(sample):\n    return 1\n", "g.py: source.line 1: "),
    ("g.py", "# coding: nope\n", "g.py: not a Python source: "),
]


@pytest.mark.parametrize(("name", "text", "problem"), BESIDE)
def test_what_is_wrong_with_the_grader_beside_it_names_that_file(
    read, tmp_path, name, text, problem
):
    """And not the case file, which is all right."""
    (tmp_path / name).write_text(text, encoding="utf-8")

    assert refusal(read, tmp_path, {"grader": name, "cases": [GOOD]}).startswith(problem)


NOT_YAML = [
    ("cases: [", "t.cases.yaml:1:9: not YAML: "),
    ("a: 1\na: 2\n", "t.cases.yaml:2: the key 'a' stands twice in one object, and only one can"),
    ("cases: 2020-01-01\n", "t.cases.yaml: not what JSON could hold: Object of type date"),
    ("cases: .nan\n", "t.cases.yaml: not what JSON could hold: Out of range float"),
    ("cases: \udcff\n", "t.cases.yaml: not what JSON could hold: 'utf-8' codec"),
    ("cases: \x00\n", "t.cases.yaml: not what JSON could hold: unacceptable character"),
    ("cases: !!python/object:os.system {}\n", "t.cases.yaml:1:8: not YAML: could not determine"),
    ("&a [*a]\n", "t.cases.yaml: not what JSON could hold: "),
    ("a: 1\n---\nb: 2\n", "not YAML: but found another document"),
    ("? [a]\n: b\n", "t.cases.yaml:1:3: not YAML: found unhashable key"),
    ("", "t.cases.yaml:1: None is not an object"),
    (
        "a: &a [x,x,x,x,x,x,x,x,x,x]\n"
        + "".join(
            f"{new}: &{new} [{','.join([f'*{old}'] * 10)}]\n"
            for old, new in zip("abcdef", "bcdefg", strict=True)
        ),
        "stands for more than 1,000,000 values",
    ),
]


@pytest.mark.parametrize(("text", "problem"), NOT_YAML)
def test_of_yaml_only_what_json_has_is_taken(read, tmp_path, text, problem):
    """Two keys of one name, which YAML's reader would let pass, and a bomb of aliases too."""
    assert problem in refusal(read, tmp_path, text, "t.cases.yaml")


def test_yaml_and_json_mean_the_same(read):
    """What YAML writes of a JSON file is read as that file, comments and blocks or not."""
    content = json.loads(of(GOOD, {"samples": TWO, "expect": "a > b", "judge": {"a": 1, "b": 0}}))

    ours = read(content)
    for flow in (True, False):
        text = "# a comment\n" + yaml.safe_dump(content, default_flow_style=flow)
        theirs = read(text, "t.cases.yaml")
        assert theirs.file == ours.file
        assert theirs.document == ours.document


def test_each_case_has_the_line_where_it_begins(read):
    """From 1, whatever the newlines are."""
    text = textwrap.dedent(
        f"""\
        grader: {GRADER}
        cases:
          - sample: x
            expect: 1

          # the second
          - {{sample: x, name: two, expect: 0}}
        """
    )

    for newline in ("\n", "\r\n"):
        cases = read(text.replace("\n", newline), "t.cases.yaml")
        assert cases.lines == (3, 7)
        assert [cases.name(0), cases.name(1)] == ["case-1", "two"]
    assert read(of(GOOD, GOOD).replace("\n", "\r\n")).lines == (2, 3)


def test_the_grader_is_the_file_of_the_same_name(read, tmp_path):
    """A .py before a .json; or the one that is named, from the case file's folder."""
    (tmp_path / "t.json").write_text(GRADER, encoding="utf-8")
    assert read({"cases": [GOOD]}).document.grader.type == "string_check"

    (tmp_path / "t.py").write_text("def grade(sample, item):\n    return 1\n", encoding="utf-8")
    assert read({"cases": [GOOD]}).document.grader.type == "python"
    assert read({"cases": [GOOD], "grader": "t.json"}).document.grader.type == "string_check"


def test_editors_may_be_told_of_a_schema_and_laws_are_not_read_here(read):
    """Whoever checks laws reads them."""
    cases = read({"$schema": "x", "grader": EXACT, "cases": [GOOD], "laws": ["in_range"]})

    assert cases.file.laws == ["in_range"]


@given(relations=st.lists(st.sampled_from([">", ">=", "="]), min_size=1, max_size=5))
def test_an_order_compares_neighbours(relations):
    """As many comparisons as signs, with or without blanks around them."""
    names = [f"s {i}" for i in range(len(relations) + 1)]
    signs = [*relations, ""]
    for blank in ("", " "):
        order = "".join(f"{n}{blank}{sign}{blank}" for n, sign in zip(names, signs, strict=True))
        found = parse_order(order, dict.fromkeys(names))
        assert found == [*zip(names, relations, names[1:], strict=False)]


def test_an_order_of_one_compares_nothing():
    """For who calls it with a name alone."""
    with pytest.raises(PydanticCustomError, match="compares nothing with 'a'"):
        parse_order("a", {"a": 1})
