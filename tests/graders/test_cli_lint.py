"""`graders lint`, `validate` beside it, `schema`: exit codes, formats, fixes, hostile text."""

import io
import json
import sys
from pathlib import Path

import pytest
from sample_configs import EXACT, JUDGE

from graders.cli import main
from graders.lint.targets import TARGETS

HOSTILE = "h\x1b]0;t\x07\r\x9b2J\u202e\x7f"
WARNED = {**EXACT, "reference": "Paris"}
NOTED = {key: value for key, value in EXACT.items() if key != "name"}


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def call(capsys):
    """Run the command in this process; gives its exit code, standard output and error."""

    def command(*arguments):
        code = main(arguments)
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return command


def write(name, content):
    text = content if isinstance(content, str) else json.dumps(content)
    Path(name).write_text(text, encoding="utf-8", newline="")


@pytest.mark.parametrize(
    ("config", "options", "code"),
    [
        (EXACT, [], 0),
        (EXACT, ["--strict"], 0),
        (NOTED, ["--strict"], 0),
        (WARNED, [], 0),
        (WARNED, ["--strict"], 1),
        (WARNED, ["--strict", "--ignore", "constant-reference"], 0),
        ({**EXACT, "operation": "neq"}, [], 1),
        ({**EXACT, "operation": "neq"}, ["--ignore", "not-one-of"], 0),
        ([], [], 1),
        ("{", [], 2),
        ('{"a": 1, "a": 2}', [], 2),
        ("[" * 100_000, [], 2),
        (EXACT, ["--ignore", "nothing"], 2),
        (EXACT, ["--for", "nowhere"], 2),
        (EXACT, ["--set", "rouge=x"], 2),
        (EXACT, ["missing.jsonl"], 2),
        (EXACT, ["--for", "openai-rft"], 0),
    ],
)
def test_the_exit_code_tells_errors_from_unusable_input(call, config, options, code):
    """0, 1 with errors, 2 where there is nothing to lint."""
    write("c.json", config)
    found, out, err = call("lint", "c.json", *options)

    assert found == code
    assert bool(err) == (code == 2)
    assert (code == 2) or out.splitlines()[-1].startswith("c.json: ")


def test_text_says_where_what_and_what_to_do(call):
    """With the line of the file and a caret."""
    write("c.json", json.dumps({**EXACT, "operation": "neq"}, indent=2))

    assert call("lint", "c.json") == (
        1,
        "c.json:6:16: error[not-one-of]: operation: 'neq' is not one of eq, ne, like, ilike\n"
        '    "operation": "neq"\n'
        "                 ^^^^^\n"
        "    fix: Did you mean 'ne'?\n"
        "c.json: 1 error, 0 warnings, 0 notes\n",
        "",
    )


@pytest.mark.parametrize("form", ["json", "sarif"])
def test_formats_for_tools_are_json(call, form):
    """And nothing else is on standard output."""
    write("c.json", WARNED)
    code, out, err = call("lint", "c.json", "--format", form)

    assert (code, err) == (0, "")
    assert json.loads(out)


@pytest.mark.parametrize(
    ("content", "place"),
    [("{", (1, 2)), ("[" * 100_000, (1, 1)), ('{"a": 1,\n "a": 2}', None)],
    ids=["cut", "deep", "twice"],
)
def test_tools_hear_of_what_cannot_be_read(call, content, place):
    """In their own format, beside the words for people."""
    write("c.json", content)
    code, out, err = call("lint", "c.json", "--format", "json")
    (finding,) = json.loads(out)["findings"]

    assert (code, finding["severity"], bool(err)) == (2, "error", True)
    assert (finding["line"], finding["column"]) == (place or (None, None))
    assert "::error file=c.json,title=" in call("lint", "c.json", "--format", "github")[1]
    assert json.loads(call("lint", "c.json", "--format", "sarif")[1])["runs"][0]["results"]


def test_github_annotations_name_the_file_as_it_was_given(call):
    """So that they stand beside its lines."""
    write("c.json", WARNED)

    assert call("lint", "c.json", "--format", "github")[1].startswith("::warning file=c.json,title")


def test_rows_come_from_a_file_or_standard_input(call, monkeypatch):
    """With the name that was given."""
    write("c.json", EXACT)
    write("r.jsonl", '{"answer": "a"}\n{"answer": "a"}\n')
    _, from_file, _ = call("lint", "c.json", "r.jsonl")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(Path("r.jsonl").read_bytes())))
    _, from_input, _ = call("lint", "c.json", "-")

    assert "r.jsonl:2:1: warning[duplicate-row]" in from_file
    assert from_input == from_file.replace("r.jsonl", "-")


def test_every_target_of_the_table_can_be_named(call):
    """And each is in the help."""
    write("c.json", EXACT)
    shown = call("lint", "--help")[1]

    assert max(map(len, shown.splitlines())) <= 80
    assert [name for name in TARGETS if name not in shown] == []
    assert [call("lint", "c.json", "--for", name)[0] for name in TARGETS] == [0] * len(TARGETS)


def test_the_rows_limits_follow_the_split(call):
    """1,000 to test."""
    write("c.json", EXACT)
    row = {"messages": [{"role": "user", "content": "?"}]}
    write("r.jsonl", "".join(json.dumps({**row, "answer": f"no {i}"}) + "\n" for i in range(1_001)))
    arguments = ["lint", "c.json", "r.jsonl", "--for", "openai-rft"]

    assert (call(*arguments)[0], call(*arguments, "--split", "test")[0]) == (0, 1)


# --- fixes


def test_fix_writes_and_shows_the_difference(call):
    """On standard error; what remains is linted."""
    write("c.json", json.dumps({**EXACT, "operation": "neq", "x": 1}, indent=2))
    code, out, err = call("lint", "c.json", "--fix")

    assert code == 0
    assert json.loads(Path("c.json").read_text()) == {**EXACT, "operation": "ne", "x": 1}
    assert '-  "operation": "neq",\n+  "operation": "ne",\n' in err
    assert err.endswith("fixed 1: operation (not-one-of)\n")
    assert out.endswith("c.json: 0 errors, 1 warning, 0 notes\n")
    assert call("lint", "c.json", "--fix")[2] == "nothing to fix with certainty\n"


@pytest.mark.parametrize(
    "options", [["--diff"], ["--fix", "--diff"], ["--fix", "--dry-run"], ["--dry-run"]]
)
def test_a_dry_run_writes_nothing(call, options):
    """And shows the same."""
    write("c.json", {**EXACT, "operation": "neq"})
    before = Path("c.json").read_bytes()
    code, _, err = call("lint", "c.json", *options)

    assert (code, Path("c.json").read_bytes()) == (1, before)
    assert err.endswith("would fix 1: operation (not-one-of)\n")


@pytest.mark.parametrize("text", ["{", "[]", "5"])
def test_what_is_no_config_is_not_fixed(call, text):
    """Nor touched."""
    write("c.json", text)

    assert call("lint", "c.json", "--fix")[0] in (1, 2)
    assert Path("c.json").read_text() == text


def test_a_py_file_is_linted_and_not_fixed(call):
    """Its lines are its own."""
    write("g.py", "def grade(item, sample):\n    return 1.0\n")
    code, out, err = call("lint", "g.py", "--fix")

    assert (code, err) == (0, "a .py file is not fixed: only JSON is\n")
    assert out.startswith("g.py:1:1: warning[grade-order]: source.line 1: grade(item, sample)")


# --- validate and schema


@pytest.mark.parametrize(
    "config", [WARNED, NOTED, {**EXACT, "operation": "neq"}, {**JUDGE, "x": 1}]
)
def test_validate_says_what_lint_says_of_a_config_alone(call, config):
    """In other words around it."""
    write("c.json", config)
    found = json.loads(call("lint", "c.json", "--format", "json")[1])["findings"]
    _, _, err = call("validate", "c.json")

    lines = [f"{f['severity']}: {f['path']}: {f['message']}" for f in found]
    assert lines
    assert all(said.startswith(line) for said, line in zip(err.splitlines(), lines, strict=True))


def test_the_schema_is_written_or_printed(call):
    """The same one."""
    code, out, err = call("schema")

    assert (code, err) == (0, "")
    assert call("schema", "-o", "s.json") == (0, "wrote s.json\n", "")
    assert json.loads(out) == json.loads(Path("s.json").read_text())


def test_a_config_may_say_where_its_schema_is(call):
    """That key is the editor's, and no finding."""
    write("c.json", {"$schema": "./s.json", **EXACT})

    assert call("lint", "c.json")[1] == "c.json: 0 errors, 0 warnings, 0 notes\n"
    assert call("validate", "c.json")[2] == ""


# --- hostile text


@pytest.mark.parametrize("form", ["text", "json", "github", "sarif"])
@pytest.mark.parametrize("options", [[], ["--fix"], ["--diff"]])
@pytest.mark.skipif(sys.platform == "win32", reason="file names may hold less there")
def test_nothing_hostile_reaches_the_terminal(call, form, options):
    """Names of files, keys, values, rows, and the difference that a fix makes."""
    name = f"c{HOSTILE}.json".replace("/", "")
    write(name, json.dumps({**EXACT, HOSTILE: HOSTILE, "operation": "neq", "b": 1}, indent=1))
    write("r.jsonl", json.dumps({HOSTILE: 1, "messages": [{"role": HOSTILE}]}) + "\n{" + HOSTILE)
    _, out, err = call("lint", name, "r.jsonl", "--format", form, *options)

    assert out
    for line in (out + err).split("\n"):
        assert line.isprintable(), ascii(line)
