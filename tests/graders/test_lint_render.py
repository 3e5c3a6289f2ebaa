"""Findings as text, JSON, GitHub annotations and SARIF: true, and harmless whatever they quote."""

import json
import re
import sys

import pytest
from linting import linted
from sample_configs import EXACT, PYTHON

from graders.errors import Finding
from graders.lint import Placed, Report
from graders.lint.codes import CODES
from graders.lint.locate import Place
from graders.lint.render import FORMATS, summary, to_github, to_json, to_sarif, to_text

HOSTILE = "h\x1b]0;t\x07\r\x9b2J\u202e\x7f\u2028\ud800%0A::error::x"


def report_of(*placed):
    return Report(findings=placed, document=None, text="", rows=3)


def placed(message="is wrong", fix="Do it.", severity="error", code="missing", **where):
    finding = Finding(code=code, severity=severity, path="a.b", message=message, fix=fix)
    return Placed(finding=finding, file="g.json", **where)


# --- text


def test_text_shows_the_line_and_a_caret():
    """Under what is meant, however deep it is indented."""
    shown = placed(place=Place(2, 11), end=Place(2, 16), source='      "b": "neq",')

    assert to_text(report_of(shown), "g.json") == (
        "g.json:2:11: error[missing]: a.b: is wrong\n"
        '    "b": "neq",\n'
        "        ^^^^^\n"
        "    fix: Do it.\n"
        "g.json: 1 error, 0 warnings, 0 notes, 3 rows read\n"
    )


def test_a_long_line_is_cut_around_its_place():
    """So that the caret is on the screen."""
    source = " ".join(f"w{i:03}" for i in range(200))
    column = source.index("w150") + 1
    lines = to_text(report_of(placed(place=Place(1, column), source=source)), "g").splitlines()

    assert len(lines[1]) <= 80
    assert lines[1][lines[2].index("^") :].startswith("w150")


def test_a_line_without_text_is_not_shown():
    """Nor one of a file of which none is known."""
    for where in ({"place": Place(1, 1), "source": "  "}, {"place": Place(1, 1)}, {}):
        lines = to_text(report_of(placed(**where)), "g.json").splitlines()
        assert [line for line in lines if "^" in line] == []


def test_the_caret_of_an_error_gives_way_to_that_of_the_file(tmp_path):
    """One is enough."""
    text = json.dumps({**EXACT, "reference": "{{ item.a"}, indent=2)
    shown = to_text(linted(tmp_path, text), "g.json")

    assert shown.count("^") == 1
    assert '"reference": "{{ item.a"' in shown


@pytest.mark.parametrize(
    ("counts", "line"),
    [
        ((0, 0, 0), "0 errors, 0 warnings, 0 notes"),
        ((1, 1, 1), "1 error, 1 warning, 1 note"),
        ((2, 0, 3), "2 errors, 0 warnings, 3 notes"),
    ],
)
def test_a_summary_counts(counts, line):
    """In words that fit the numbers."""
    severities = [
        severity
        for severity, count in zip(("error", "warning", "note"), counts, strict=True)
        for _ in range(count)
    ]
    report = Report(findings=tuple(placed(severity=s) for s in severities), document=None, text="")

    assert summary(report, "g.json") == f"g.json: {line}"


# --- hostile text


def hostile_reports(folder):
    """What a config and rows can bring into a finding: keys, values, names, sources."""
    source = f"def grade(sample, item):\n    return item['{HOSTILE[:3]}']\n"
    yield linted(folder, json.dumps({**EXACT, HOSTILE: 1, "operation": HOSTILE}))
    yield linted(folder, json.dumps({**EXACT, "reference": "{{ item." + HOSTILE + " }}"}), [{}])
    yield linted(folder, json.dumps({**EXACT, "reference": f"{{{{ {HOSTILE} }}}}"}))
    yield linted(folder, json.dumps({**PYTHON, "source": source}), [{HOSTILE: 1}])
    yield linted(folder, json.dumps(EXACT), [json.dumps({HOSTILE: 1, "a" + HOSTILE: 2})])
    yield linted(folder, json.dumps(EXACT), ['{"a": \x1b[31m'])
    multi = {"type": "multi", "name": "m", "graders": {HOSTILE: EXACT}, "calculate_output": "x"}
    yield linted(folder, json.dumps(multi))
    message = {"role": HOSTILE, "content": HOSTILE}
    yield linted(folder, json.dumps(EXACT), [json.dumps({"messages": [message], "answer": "x"})])
    raw = HOSTILE.replace("\ud800", "").replace("\r", "").replace("\x1b", "").replace("\x07", "")
    yield linted(folder, json.dumps({**EXACT, "x": raw, "operation": 1}, ensure_ascii=False))


@pytest.mark.parametrize("form", FORMATS)
def test_hostile_text_is_shown_escaped(tmp_path, form):
    """In every format, whatever key, value or row it came from."""
    for report in hostile_reports(tmp_path):
        assert report.findings
        shown = FORMATS[form](report, HOSTILE)
        for line in shown.split("\n"):
            assert line.isprintable(), ascii(line)
        shown.encode()


def test_a_github_command_cannot_be_forged(tmp_path):
    """Every line is one of ours, and nothing in it ends a property or begins another command."""
    forged = "x\n::error file=a::b\r\n%0A::warning::c,d:e"
    shown = placed(message=forged, place=Place(3, 4), end=Place(3, 9))
    shown = Placed(
        finding=shown.finding, file="a,b:c\n::x::%.json", place=shown.place, end=shown.end
    )
    (line,) = to_github(report_of(shown), "g").splitlines()

    assert line == (
        "::error file=a%2Cb%3Ac%0A%3A%3Ax%3A%3A%25.json,title=missing,line=3,col=4,endColumn=9::"
        "a.b: x ::error file=a::b%0D %250A::warning::c,d:e%0ADo it."
    )
    for report in hostile_reports(tmp_path):
        lines = to_github(report, "g").splitlines()
        assert len(lines) == len(report.findings)
        assert all(re.match(r"::(error|warning|notice) file=[^,:]+,title=", line) for line in lines)


# --- JSON and SARIF


def test_json_has_every_finding(tmp_path):
    """With place, path and what to do; ASCII, under a schema's number."""
    body = json.loads(to_json(linted(tmp_path, {**EXACT, "operation": "neq"}), "g.json"))

    assert {key: body[key] for key in body if key != "findings"} == {
        "schema": 1, "config": "g.json", "rows": 0, "errors": 1, "warnings": 0, "notes": 0,
    }  # fmt: skip
    (finding,) = body["findings"]
    assert finding.pop("file") == str(tmp_path / "grader.json")
    assert finding == {
        "code": "not-one-of",
        "severity": "error",
        "line": 1,
        "column": json.dumps({**EXACT, "operation": "neq"}).index('"neq"') + 1,
        "path": "operation",
        "message": "'neq' is not one of eq, ne, like, ilike",
        "fix": "Did you mean 'ne'?",
    }


# What SARIF 2.1.0 (OASIS, sarif-schema-2.1.0.json) says of the objects that are written here: the
# properties each may have, `*` those it must, and the values or patterns of some.
SARIF = {
    "log": {"$schema": str, "version*": "2.1.0", "runs*": ["run"]},
    "run": {"tool*": "tool", "results": ["result"], "columnKind": "unicodeCodePoints"},
    "tool": {"driver*": "driver"},
    "driver": {"name*": str, "version": str, "rules": ["rule"]},
    "rule": {"id*": str, "shortDescription": "text", "defaultConfiguration": "configuration"},
    "text": {"text*": str},
    "configuration": {"level": re.compile("none|note|warning|error")},
    "result": {
        "ruleId": str,
        "ruleIndex": int,
        "level": re.compile("none|note|warning|error"),
        "message*": "text",
        "locations": ["location"],
    },
    "location": {"physicalLocation": "physical", "logicalLocations": ["logical"]},
    "logical": {"fullyQualifiedName": str},
    "physical": {"artifactLocation": "artifact", "region": "region"},
    "artifact": {"uri": re.compile(r"[\w./~%-]+|file:///[\w./~%-]+")},
    "region": {"startLine": int, "startColumn": int, "endLine": int, "endColumn": int},
}


def assert_sarif(value, rule):
    """Hold a value to the table above."""
    if isinstance(rule, list):
        assert isinstance(value, list)
        for entry in value:
            assert_sarif(entry, rule[0])
    elif isinstance(rule, str) and rule in SARIF:
        shape = SARIF[rule]
        allowed = {name.rstrip("*"): inner for name, inner in shape.items()}
        assert value.keys() <= allowed.keys()
        assert {name.rstrip("*") for name in shape if name.endswith("*")} <= value.keys()
        for name, entry in value.items():
            assert_sarif(entry, allowed[name])
    elif isinstance(rule, str):
        assert value == rule
    elif isinstance(rule, re.Pattern):
        assert rule.fullmatch(value), value
    else:
        assert type(value) is rule
        assert rule is not int or value >= 0


def test_what_a_config_holds_is_no_link_in_sarif():
    """Where messages may have Markdown's."""
    (run,) = json.loads(to_sarif(report_of(placed("'[me](https://x.example)'")), "g"))["runs"]

    assert "](" not in run["results"][0]["message"]["text"]


def test_sarif_has_the_form_of_its_standard(tmp_path):
    """Each object its required properties and no others, lines and columns from 1."""
    for report in hostile_reports(tmp_path):
        log = json.loads(to_sarif(report, "g.json"))
        assert_sarif(log, "log")
        (run,) = log["runs"]
        rules = run["tool"]["driver"]["rules"]
        for result in run["results"]:
            assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
            assert "](" not in result["message"]["text"]
            region = result["locations"][0]["physicalLocation"].get("region")
            assert region is None or min(region["startLine"], region["startColumn"]) >= 1
        assert len({rule["id"] for rule in rules}) == len(rules)


@pytest.mark.needs("pydantic_sarif")
def test_sarif_is_valid_against_the_models_of_its_schema(tmp_path):
    """Those that others generated from the published schema."""
    from pydantic_sarif import model

    for report in hostile_reports(tmp_path):
        model.StaticAnalysisResultsFormatSarifVersion210JsonSchema.model_validate_json(
            to_sarif(report, "g.json")
        )


def test_sarif_names_files_as_addresses():
    """Blanks, letters of any script, bytes that are no text."""
    shown = placed(place=Place(1, 1))
    names = {
        "a b.json": "a%20b.json",
        "sub/é.json": "sub/%C3%A9.json",
        "/tmp/x.json": "file:///tmp/x.json",
        "out\udcff.json": "out%FF.json",
        "a:b.json": "a%3Ab.json",
    }
    for name, uri in names.items():
        if sys.platform == "win32" and name.startswith("/"):
            continue
        moved = Placed(finding=shown.finding, file=name, place=shown.place)
        (result,) = json.loads(to_sarif(report_of(moved), "g"))["runs"][0]["results"]
        assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == uri


def test_every_code_of_the_table_can_be_a_rule():
    """With its title and severity."""
    shown = [placed(code=name) for name in CODES]
    (run,) = json.loads(to_sarif(report_of(*shown), "g"))["runs"]

    assert {rule["id"]: rule["shortDescription"]["text"] for rule in run["tool"]["driver"]["rules"]}
    assert len(run["tool"]["driver"]["rules"]) == len(CODES)
