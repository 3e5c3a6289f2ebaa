"""What a run with case files says: failures at length, JUnit XML, annotations for GitHub."""

import re
from pathlib import Path
from xml.etree import ElementTree as ET

from sample_configs import EXACT
from sample_project import FOUR, MULTI, PROJECT, WRONG

# The runs below are in this process: what they import stays, and no module is made twice.
import graders.pytest_plugin
from graders.testing import annotations, goldens, show, tools

pytest_plugins = "pytester"
assert all((graders.pytest_plugin, annotations, goldens, show, tools))


def test_a_failing_case_shows_all_there_is_to_know(project):
    """Expected and got at the case's line, item, sample, what was printed, and the traceback."""
    result = project(WRONG)

    result.assert_outcomes(passed=1, failed=2)
    shown = "\n".join(result.outlines)
    assert "\x1b" not in shown
    assert (
        """\
____ score _____
wrong.cases.json:4: expected a score of 1.0, and got 0.0

  item    {"answer":"4"}
  sample  5\\x1b[2J
  score   0.0
    stdout  looking at 5\\x1b[2J
____ raised ____
wrong.cases.json:5: expected a score of 1.0, and got python_grader_runtime_error: KeyError: 'answer'

  item    {}
  sample  4
  score   python_grader_runtime_error: KeyError: 'answer'
    stdout  looking at 4
    Traceback (most recent call last):
      File "grade.py", line 5, in grade
        return 1.0 if text == item["answer"] else 0.1 * (item["answer"] in text)
                              ~~~~^^^^^^^^^^
    KeyError: 'answer'
"""
    ) in re.sub(r"_{30,} (\w+) _{30,}", lambda m: f"____ {m[1]} ".ljust(16, "_"), shown)
    result.stdout.fnmatch_lines(
        [
            "FAILED wrong.cases.json::score - expected a score of 1.0, and got 0.0",
            "FAILED wrong.cases.json::raised - expected a score of 1.0, and got python_grader_*",
        ]
    )


def test_a_failing_multi_shows_its_members_and_what_they_compared(project):
    """And of several samples each."""
    order = {"samples": {"a": "x", "b": "4"}, "item": FOUR, "judge": 0, "expect": "a > b"}

    result = project({"both.json": MULTI, "both.cases.json": {"cases": [order]}})

    shown = "\n".join(result.outlines)
    assert (
        """\
both.cases.json:1: expected a > b, and got 0.0 and 0.5

  item  {"answer":"4"}

  a      x
  score  0.0, did not pass
    exact  0.0, did not pass
      input      x
      reference  4
    rated  0.0
      reply  {"steps": [], "result": 0}

  b      4
  score  0.5, did not pass
    exact  1.0, passed
"""
    ) in shown


DEEP = "def f0(): return 1 / 0\n" + "".join(
    f"def f{n}(): return f{n - 1}()\n" for n in range(1, 12)
)
DEEP += "def grade(sample, item): return f11()\n"
CODE = {"type": "python", "name": "code", "source": DEEP}
ADDED = {"type": "multi", "name": "m", "graders": {"code": CODE}, "calculate_output": "code"}


def test_a_long_traceback_shows_its_end_and_once(project):
    """Below the member that it is of, and not below the whole again."""
    case = {"sample": "x", "expect": {"parts": {"code": 1}}}

    result = project({"m.json": ADDED, "m.cases.json": {"cases": [case]}})

    shown = [line.strip() for line in result.outlines]
    assert (
        "m.cases.json:1: expected a score, and got python_grader_runtime_error: "
        "code: ZeroDivisionError: division by zero"
    ) in shown
    assert shown.count("ZeroDivisionError: division by zero") == 1
    first = shown.index("code  python_grader_runtime_error: ZeroDivisionError: division by zero")
    lines = shown[first + 1 : shown.index("ZeroDivisionError: division by zero") + 1]
    assert re.fullmatch(r"\.\.\. \d+ lines", lines[0])
    assert len(lines) == 25


def test_scores_and_failures_are_properties_in_junit_xml(project):
    """Of several samples each."""
    result = project({**PROJECT, **WRONG}, "--junitxml=out.xml")

    root = ET.parse("out.xml").getroot()
    found = {
        case.get("name"): {p.get("name"): p.get("value") for p in case.iter("property")}
        for case in root.iter("testcase")
    }
    assert result.ret == 1
    assert found["exact"] == {"score": "1.0"}
    assert found["raised"] == found["no answer"] == {"failure": "python_grader_runtime_error"}
    assert found["order"] == {
        "score.right": "1.0",
        "score.near": "0.1",
        "score.wrong": "0.0",
        "score.none": "0.0",
    }
    (failure,) = (c.find("failure") for c in root.iter("testcase") if c.get("name") == "score")
    assert failure.get("message") == "expected a score of 1.0, and got 0.0"


def annotated(result):
    return [line for line in result.outlines if line.startswith("::")]


def test_annotations_point_at_the_line_of_the_case(project, monkeypatch):
    """In the repository's terms, and escaped; and only on GitHub."""
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_WORKSPACE", str(Path.cwd().parent))
    folder = Path.cwd().name
    config = {**EXACT, "reference": "{{ item.a }}"}
    case = {"name": "50%", "sample": "\n::error::", "expect": 1, "item": {}}
    broken = '{"cases": [],\n"grader": {},\n"x": 1}'

    result = project({"a,b.cases.json": {"grader": config, "cases": [case]}})
    assert annotated(result) == [
        f"::error file={folder}/a%2Cb.cases.json,line=1::50%25: expected a score of 1.0, and got "
        "invalid_variable_error: {{ item.a }}: item has no field 'a'. It is empty."
    ]
    result = project({"a,b.cases.json": broken, "c.cases.json": "{\n"})
    assert annotated(result) == [
        f"::error file={folder}/a%2Cb.cases.json,line=1::cases: has 0 entries, and must have at "
        "least 1",
        f"::error file={folder}/a%2Cb.cases.json,line=3::x: is a key that nobody reads. Keys are "
        "grader, cases, laws, judge, profile, set.",
        f"::error file={folder}/c.cases.json,line=2::not JSON: Expecting property name enclosed in "
        "double quotes",
    ]
    monkeypatch.setenv("GITHUB_ACTIONS", "0")
    assert annotated(project({})) == []


def test_a_broken_case_file_is_one_message(project):
    """With its line, without a traceback; the other files' messages stand beside it."""
    result = project({"a.cases.json": '{"cases":\n[{"sampel": ""}]}', "b.cases.yaml": "[", **WRONG})

    result.assert_outcomes(errors=2)
    shown = "\n".join(result.outlines)
    assert "Traceback" not in shown
    assert "plugin.py" not in shown
    result.stdout.fnmatch_lines(
        [
            "a.cases.json:2: cases?0?.sampel: is a key that nobody reads. Did you mean 'sample'?",
            "b.cases.yaml:1:2: not YAML: *",
        ]
    )


def test_github_obeys_nothing_that_a_grader_or_a_sample_says(project, monkeypatch):
    """Such a line would forge an annotation, or end all of ours."""
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    said = "::stop-commands::x\n  ##[error]forged"
    source = "def grade(sample, item):\n    print(sample['output_text'])\n    raise ValueError(%r)"
    case = {"name": "c", "sample": said, "expect": 1}
    tests = (
        'import pytest\n@pytest.mark.grader("grade.py")\n'
        f"def test_it(grade): assert grade({said!r}, {{}}).score == 1\n"
    )
    monkeypatch.delenv("GITHUB_WORKSPACE", raising=False)

    result = project(
        {
            "grade.py": source % f"no\n{said}",
            "grade.cases.json": {"cases": [case], "laws": ["robust"]},
            "test_it.py": tests,
        }
    )

    result.assert_outcomes(failed=3)
    shown = [line.strip() for line in result.outlines]
    assert r"\u003a:stop-commands::x" in shown
    assert [line for line in shown if line.startswith("::")] == annotated(result)
    assert all(line.startswith("::error file=grade.cases.json,") for line in annotated(result))
    ours = [line for line in shown if not line.startswith(("E ", ">"))]  # pytest shows the test
    assert not [line for line in ours if "##[" in line and "ValueError(" not in line]


def test_a_case_file_outside_of_the_root_is_annotated_too(project, pytester, monkeypatch):
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.delenv("GITHUB_WORKSPACE", raising=False)
    config = {**EXACT, "reference": "4"}
    case = {"name": "c", "sample": "5", "expect": 1}
    pytester.mkdir("root")

    result = project(
        {"t.cases.json": {"grader": config, "cases": [case]}}, "--rootdir=root", "t.cases.json"
    )

    assert annotated(result) == [
        "::error file=t.cases.json,line=1::c: expected a score of 1.0, and got 0.0"
    ]
