"""Python sources that run and go wrong in a row."""

import ast

import pytest
from linting import codes, found, linted, said
from sample_configs import PYTHON

from graders.lint import lint
from graders.lint.returns import check_returns, plain_grade

HEAD = "def grade(sample, item):\n"


def config(source, **changes):
    return {**PYTHON, "source": source, **changes}


def returned(body):
    """Codes and lines of what a grade function's body returns."""
    lines = "".join(f"    {line}\n" for line in body.split("\n"))
    grade = plain_grade(ast.parse(HEAD + lines))
    return [(finding.code, int(finding.path.split()[1])) for finding in check_returns(grade)]


# --- ways out


@pytest.mark.parametrize(
    "body",
    [
        "return 1.0",
        "if item:\n    return 1.0\nelse:\n    return 0.0",
        "if item:\n    return 1.0\nelif sample:\n    return 0.5\nelse:\n    raise ValueError",
        "for x in item:\n    if x:\n        return 1.0\nreturn 0.0",
        "while True:\n    if item:\n        return 1.0",
        "while 1:\n    for x in item:\n        break\n    return 1",
        "for x in item:\n    pass\nelse:\n    return 1.0",
        "try:\n    return f()\nexcept ValueError:\n    return 0.0",
        "try:\n    x = 1\nexcept ValueError:\n    return 0.0\nelse:\n    return x",
        "try:\n    x = f()\nfinally:\n    return 1.0",
        "with f():\n    return 1.0",
        "match item:\n    case {'a': x}:\n        return x\n    case _:\n        return 0.0",
        "def inner():\n    return\nreturn 1.0",
        "raise NotImplementedError",
        "if item:\n    return 1.0\nsys.exit(1)",
        "if item:\n    return 1.0\nexit(1)",
        "return max(1, 2) if item else 0.5",
        "return f(item) or 0.0",
        "return sample['x'] and 1.0",
        "x = {}\nx = 1.0\nreturn x",
        "x = []\nx += f()\nreturn x",
        "x = []\nreturn sum(x)",
        "def inner():\n    nonlocal x\n    x = 1.0\nx = None\ninner()\nreturn x",
        "sample = {}\nreturn sample",
        "x = None\nmatch item:\n    case {'a': x}:\n        pass\nreturn x",
        "x, y = {}, 1.0\nreturn y",
    ],
)
def test_a_number_on_each_way_out_is_fine(body):
    """Loops that do not end, finally, match: whatever Python has."""
    assert returned(body) == []


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ("pass", [("returns-nothing", 2)]),
        ("score = 1.0", [("returns-nothing", 2)]),
        ("print(1.0)", [("returns-nothing", 2)]),
        ("if item:\n    return 1.0", [("returns-nothing", 2)]),
        ("if item:\n    return\nreturn 1.0", [("returns-nothing", 3)]),
        ("return None", [("returns-nothing", 2)]),
        ("for x in item:\n    return 1.0", [("returns-nothing", 2)]),
        ("while True:\n    break", [("returns-nothing", 2)]),
        (
            "while True:\n    for x in item:\n        pass\n    else:\n        break",
            [("returns-nothing", 2)],
        ),
        ("try:\n    return 1.0\nexcept ValueError:\n    pass", [("returns-nothing", 2)]),
        ("match item:\n    case {'a': x}:\n        return x", [("returns-nothing", 2)]),
        ("match item:\n    case _ if x:\n        return x", [("returns-nothing", 2)]),
        ("with f():\n    pass", [("returns-nothing", 2)]),
        ("if item:\n    return 1.0\nprint(0)", [("returns-nothing", 4)]),
        ("return {'score': 1.0}", [("returns-no-number", 2)]),
        ("return [1.0]", [("returns-no-number", 2)]),
        ("return 1.0, 'why'", [("returns-no-number", 2)]),
        ("return f'{1.0}'", [("returns-no-number", 2)]),
        ("return str(1.0)", [("returns-no-number", 2)]),
        ("x = {'score': 1.0}\nreturn x", [("returns-no-number", 3)]),
        (
            "x = {}\nx['score'] = 1.0\nif item:\n    return x\nreturn 1.0",
            [("returns-no-number", 5)],
        ),
        ("x = sample == item\nreturn x", [("returns-bool", 3)]),
        ("return bool(item)", [("returns-bool", 2)]),
        ("return any(x for x in item)", [("returns-bool", 2)]),
        ("return '1.0'", [("returns-no-number", 2)]),
        ("yield 1.0", [("returns-no-number", 1)]),
        ("return sample == item", [("returns-bool", 2)]),
        ("return not item", [("returns-bool", 2)]),
        ("return True", [("returns-bool", 2)]),
        ("return 1 < 2 and 3 > 2", [("returns-bool", 2)]),
        ("return True if item else False", [("returns-bool", 2)]),
    ],
)
def test_a_way_out_without_a_number_is_pointed_at(body, found):
    """By its line."""
    assert returned(body) == found


@pytest.mark.parametrize(
    "source",
    [
        "grade = lambda s, i: {}",
        "@wrap\ndef grade(s, i): pass",
        "def grade(s, i): pass\ndef grade(s, i): return 1.0",
    ],
)
def test_only_a_plain_def_is_read(tmp_path, source):
    """Of another nothing is known."""
    assert codes(tmp_path, config(source)) == []


# --- what a row has not


@pytest.mark.parametrize(
    ("body", "warned"),
    [
        ("sample['output_json']['a']", True),
        ("sample['output_json'].get('a', 0)", True),
        ("sample.get('output_json')['a']", True),
        ("sample.get('output_json', {})['a']", True),
        ("len(sample['output_json'])", False),
        ("(sample['output_json'] or {}).get('a', 0)", False),
        ("sample['output_json']['a'] if sample['output_json'] else 0", False),
        ("sample['output_json']['a'] if isinstance(sample['output_json'], dict) else 0", False),
        ("sample['output_json']['a'] if sample.get('output_json') else 0", False),
        ("1.0 if sample['output_json']['a'] == item['a'] else 0.0", True),
        ("'a' in sample['output_json']", True),
        ("sum(x for x in sample['output_json'])", True),
        ("sample['output_text']['a']", False),
        ("item['output_json']['a']", False),
    ],
)
def test_json_that_may_be_null_is_asked_about_first(tmp_path, body, warned):
    """Or it is said."""
    found_codes = codes(tmp_path, config(f"{HEAD}    return float({body})"))

    assert found_codes == ["output-json-none"] * warned


@pytest.mark.parametrize(
    ("lines", "warned"),
    [
        ("x = sample['output_json']\nreturn x['a']", True),
        ("x = sample['output_json']\nif x is None:\n    return 0.0\nreturn x['a']", False),
        ("x = sample['output_json']\nif not x:\n    return 0.0\nreturn x['a']", False),
        ("try:\n    return sample['output_json']['a']\nexcept TypeError:\n    return 0.0", False),
        ("x = sample['output_json']\nok = x is not None\nreturn x['a'] if ok else 0.0", False),
        ("x = sample['output_json']\nno = not x\nreturn 0.0 if no else x['a']", False),
        ("x = sample['output_json']\nif x['a'] == 1:\n    return 1.0\nreturn 0.0", True),
        ("x = sample['output_json']\nif x.get('a'):\n    return 1.0\nreturn 0.0", True),
        ("x = sample['output_json']\nif 'a' in x:\n    return 1.0\nreturn 0.0", True),
        ("x = sample['output_json']\nif x and 'a' in x:\n    return 1.0\nreturn 0.0", False),
        ("x = sample['output_json']\nfor y in x:\n    return y\nreturn 0.0", True),
        ("x = sample['output_json'] or {}\nreturn x.get('a', 0)", False),
        ("match sample['output_json']:\n    case {'a': x}:\n        return x\nreturn 0.0", False),
    ],
)
def test_a_variable_of_it_is_followed(tmp_path, lines, warned):
    """One step far."""
    source = HEAD + "".join(f"    {line}\n" for line in lines.split("\n"))

    assert codes(tmp_path, config(source)) == ["output-json-none"] * warned


@pytest.mark.parametrize(
    ("line", "code", "name"),
    [
        ("import requests", "source-network", "requests"),
        ("import socket", "source-network", "socket"),
        ("import urllib.request", "source-network", "urllib.request"),
        ("from urllib import request", "source-network", "urllib.request"),
        ("from http.client import HTTPSConnection", "source-network", "http.client"),
        ("from openai import OpenAI", "source-network", "openai"),
        ("open('data.json').read()", "source-file", "open"),
        ("open('data.json', 'rb')", "source-file", "open"),
        ("open('data.json', mode='r')", "source-file", "open"),
        ("from pathlib import Path; Path('x').read_text()", "source-file", "read_text()"),
        ("import os; os.listdir('.')", "source-file", "os.listdir"),
        ("import pandas as pd; pd.read_csv('x.csv')", "source-file", "pandas.read_csv"),
    ],
)
def test_what_no_sandbox_has_is_named(tmp_path, line, code, name):
    """Networks and files."""
    messages = said(code, tmp_path, config(f"{line}\n{HEAD}    return 1.0"))

    assert [m for m in messages if m.startswith(f"source: line 1: {name} ")] == messages
    assert len(messages) == 1


@pytest.mark.parametrize(
    "line",
    [
        "from urllib.parse import urlparse",
        "import http",
        "open('/tmp/x.txt', 'w').write('a')",
        "open('/tmp/x.txt', mode='a')",
        "open('/tmp/x.txt', 'w').write('a'); open('/tmp/x.txt').read()",
        "from pathlib import Path; Path('x').write_text('a'); Path('x').read_text()",
        "import csv, io; io.open('x', 'x'); io.open('x')",
        "import tempfile; tempfile.mkdtemp(); open('x')",
        "from io import StringIO; import pandas as pd; pd.read_csv(StringIO('a'))",
        "opened = str.read",
        "import json, re, math, difflib",
    ],
)
def test_what_a_sandbox_has_is_not(tmp_path, line):
    """A grader may write, and read what it wrote."""
    found_codes = codes(tmp_path, config(f"{line}\n{HEAD}    return 1.0"))

    assert [code for code in found_codes if code != "import-not-here"] == []


@pytest.mark.parametrize(
    ("source", "warned"),
    [
        ("return float(item['hint'])", True),
        ("return float(item['hint']) if 'hint' in item else 0.0", False),
        ("if 'hint' not in item:\n        return 0.0\n    return float(item['hint'])", False),
        ("return float(item['hint']) if item.get('hint') else 0.0", False),
        (
            "try:\n        return float(item['hint'])\n    except KeyError:\n        return 0.0",
            True,
        ),
    ],
)
def test_a_key_that_a_source_asks_for_first_may_be_missing(tmp_path, source, warned):
    """Within a try it may be, too; or it is misspelt, and every row scores 0."""
    config = {**PYTHON, "source": f"def grade(sample, item):\n    {source}\n"}

    assert codes(tmp_path, config, [{"answer": "Paris"}]) == ["missing-variable"] * warned


@pytest.mark.parametrize(
    ("target", "tag", "expected"),
    [
        ("local", None, ["import-not-here"]),
        ("local", "2025-05-08", ["image-import"]),
        ("openai-rft", None, ["target-ends", "image-import"]),
        ("azure-rft", None, ["image-import"]),
    ],
)
def test_an_import_is_looked_up_where_the_source_will_run(tmp_path, target, tag, expected):
    """Here, in the image that is named, or in the one that is documented."""
    source = f"import no_such_package\n{HEAD}    return 1.0"
    changes = {} if tag is None else {"image_tag": tag}
    found_codes = codes(tmp_path, config(source, **changes), target=target)

    assert sorted(found_codes) == sorted(expected)


def test_what_this_machine_lacks_matters_to_runs_on_it(tmp_path):
    """And to no job elsewhere."""
    graded = config(f"import numpy, rdkit, skbio\n{HEAD}    return 1.0", image_tag="2025-05-08")
    of_this_machine = {"image-missing-here", "image-version"}

    assert set(codes(tmp_path, graded)) <= of_this_machine
    assert codes(tmp_path, graded, target="azure-rft") == []


def test_a_finding_points_at_its_line_in_the_json_and_names_the_line_in_the_source(tmp_path):
    """Both, for an editor knows only one and the writer thinks of the other."""
    source = 'import math\n\n\ndef grade(sample, item):\n    """Doc: \\t "é"."""\n    return None\n'
    (finding,) = found(tmp_path, config(source))
    assert finding.path == "source: line 6"

    text = (tmp_path / "grader.json").read_text("utf-8")
    (placed,) = linted(tmp_path, text).findings
    assert text[placed.place.column - 1 :].startswith("return None")


def test_a_py_file_is_its_own_source(tmp_path):
    """Line and column are the file's."""
    path = tmp_path / "mine.py"
    path.write_text("# -*- coding: latin-1 -*-\n\ndef grade(sample, item):\n  return None\n")
    (placed,) = lint(path).findings

    assert (placed.place, placed.source) == ((4, 3), "  return None")
