"""Laws in a sample project, run by pytest from end to end: each is a test of its own."""

import json
import re

import pytest

from graders.starter import FILES

pytest_plugins = "pytester"

SOURCE = """
def grade(sample, item):
    text = sample["output_text"].strip()
    return 1.0 if text == item["answer"] else 0.0
"""
CASES = """{
  "cases": [
    {"item": {"answer": "four"}, "sample": "four", "expect": 1}
  ],
  "laws": {
    "deterministic": true,
    "row_independent": true,
    "in_range": true,
    "reference_is_best": "item.answer",
    "empty_is_worst": true,
    "monotone_under_truncation": "item.answer",
    "robust": true,
    "invariant_to": ["whitespace", "case"]
  }
}
"""


def outcomes(result):
    """How each test of a verbose run came out, by its name."""
    lines = (re.match(r"(\S*::.*?) (PASSED|FAILED) +\[", line) for line in result.outlines)
    return {line[1].partition("::")[2]: line[2] for line in lines if line}


@pytest.mark.long
def test_each_law_is_a_test(project):
    """It stands beside the cases, and what breaks it is shown at its line, ready to paste."""
    result = project({"grade.py": SOURCE, "grade.cases.json": CASES}, "-v")

    assert outcomes(result) == {
        "case-1": "PASSED",
        "law:deterministic": "PASSED",
        "law:row_independent": "PASSED",
        "law:in_range": "PASSED",
        "law:reference_is_best": "PASSED",
        "law:empty_is_worst": "PASSED",
        "law:monotone_under_truncation": "PASSED",
        "law:robust": "PASSED",
        "law:invariant_to:whitespace": "PASSED",
        "law:invariant_to:case": "FAILED",
    }
    shown = "\n".join(result.outlines)
    assert (
        """\
grade.cases.json:13: upper or lower case makes no difference; this one gets 1.0, and 0.0 changed

  {"item": {"answer": "four"}, "samples": {"as it is": "four", "changed": "Four"}, \
"expect": "as it is = changed"}
"""
    ) in shown
    result.stdout.fnmatch_lines(
        ["FAILED grade.cases.json::law:invariant_to:case - upper or lower case makes no *"]
    )


@pytest.mark.long
def test_the_starters_grader_keeps_its_laws_and_would_not_if_short_were_good(project):
    """As the README says."""
    laws = ["deterministic", "row_independent", "in_range", "empty_is_worst", "robust"]
    cases = {**json.loads(FILES["grade.cases.json"]), "laws": laws}
    source = FILES["grade.py"]

    result = project({"grade.py": source, "grade.cases.json": cases}, "-v", "-k", "law:")
    assert outcomes(result) == {f"law:{name}": "PASSED" for name in laws}

    assert source.count("return 0.0\n") == 1
    short = source.replace("return 0.0\n", "return 0.5 * (len(text) <= len(item['sentence']))\n")
    result = project({"grade.py": short}, "-v", "-k", "law:")
    assert [name for name, word in outcomes(result).items() if word == "FAILED"] == [
        "law:empty_is_worst"
    ]
    result.stdout.fnmatch_lines(["*: no sample scores below an empty one; * and empty gets 0.5"])


@pytest.mark.long
def test_a_law_is_selected_like_any_test(project):
    files = {"grade.py": SOURCE, "grade.cases.json": CASES}

    project(files, "-k", "law and whitespace").assert_outcomes(passed=1, deselected=9)
    project(files, "grade.cases.json::law:in_range").assert_outcomes(passed=1)


@pytest.mark.long
def test_state_that_leaks_and_the_order_of_sets_are_found(project):
    """The sandbox keeps both away from ordinary cases, and lets them in for these laws."""
    source = (
        "seen = set()\ndef grade(sample, item):\n    text = sample['output_text']\n"
        "    if text in seen: return 0.5\n    seen.add(text)\n    return float('xy' == ''.join(%s))"
    )
    laws = ["deterministic", "row_independent"]
    cases = [{"sample": "a", "expect": [0, 1]}]

    leaks = project(
        {"grade.py": source % "'xy'", "grade.cases.json": {"cases": cases, "laws": laws}}
    )
    leaks.assert_outcomes(passed=2, failed=1)
    assert "row_independent - a sample gets the same in any batch" in "\n".join(leaks.outlines)
    hashes = project({"grade.py": source % "{'x', 'y'}"}, "-k", "deterministic")
    hashes.assert_outcomes(failed=1, deselected=2)
    assert "PYTHONHASHSEED" in "\n".join(hashes.outlines)


def test_a_law_that_cannot_be_checked_fails_with_the_reason(project):
    cases = {"cases": [{"sample": "4", "expect": 0}], "laws": {"invariant_to": ["case"]}}

    result = project({"grade.py": "def grade(sample, item): return 0", "grade.cases.json": cases})

    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(
        ["FAILED grade.cases.json::law:invariant_to:case - invariant_to:case cannot be checked *"]
    )


def test_github_shows_it_at_the_laws_line(project, monkeypatch):
    monkeypatch.setenv("GITHUB_ACTIONS", "true")

    result = project({"grade.py": SOURCE, "grade.cases.json": CASES}, "-k", "invariant_to:case")

    said = "upper or lower case makes no difference; this one gets 1.0, and 0.0 changed"
    assert [line for line in result.outlines if line.startswith("::")] == [
        f"::error file=grade.cases.json,line=13::law:invariant_to:case: {said}"
    ]


@pytest.mark.long
def test_a_law_covers_nothing(project):
    """It runs every line by accident; coverage is of what somebody wrote down."""
    cases = {"cases": [{"sample": "x", "expect": 1}], "laws": ["in_range", "deterministic"]}
    source = (
        "def grade(sample, item):\n    if len(sample['output_text']) == 1:\n"
        "        return 1.0\n    return 0.5\n"
    )

    result = project({"grade.py": source, "grade.cases.json": cases}, "--grader-coverage")

    result.assert_outcomes(passed=3)
    result.stdout.fnmatch_lines(["grade: 67% covered, *", "  line 4 never ran"])


def test_a_misspelt_law_stops_the_file(project):
    cases = CASES.replace("in_range", "in_rnge")

    result = project({"grade.py": SOURCE, "grade.cases.json": cases})

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        ["grade.cases.json:8: laws.in_rnge: 'in_rnge' is no law. Did you mean 'in_range'?"]
    )


def test_what_the_unsafe_sandbox_cannot_show_is_skipped(project):
    """Each of its calls has a process, so that a law of batches would hold for anything."""
    source = "seen = []\ndef grade(sample, item):\n    seen.append(0)\n    return 1 / len(seen)"
    cases = {"cases": [{"sample": "4", "expect": 1}], "laws": ["row_independent"]}
    files = {"grade.py": source, "grade.cases.json": cases}

    result = project({**files, "pytest.ini": "[pytest]\ngraders_sandbox = unsafe\n"}, "-rs")

    result.assert_outcomes(passed=1, skipped=1)
    result.stdout.fnmatch_lines(["SKIPPED * graders_sandbox = unsafe: each call has a process, *"])
