"""The `graders` command: help, single gradings, validate, init, interrupts, hostile input."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from graders.cli import main
from graders.starter import FILES

EXACT = {
    "type": "string_check",
    "name": "exact",
    "operation": "eq",
    "input": "{{ sample.output_text }}",
    "reference": "{{ item.a }}",
}
HALF = {
    "type": "multi",
    "name": "half",
    "graders": {"one": EXACT},
    "calculate_output": "0.5 * one + 0.25",
    "pass_threshold": 0.5,
}
GOOD = '{"item": {"a": "x"}, "sample": "x"}\n'
HOSTILE = "h\x1b]0;t\x07\r\x9b2J\u202e\x7f"
COMMAND = [sys.executable, "-c", "import sys; from graders.cli import main; sys.exit(main())"]


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write("g.json", EXACT)
    write("half.json", HALF)
    write("rows.jsonl", GOOD * 3)


def write(name, content):
    text = content if isinstance(content, str) else json.dumps(content)
    Path(name).write_text(text, encoding="utf-8", newline="")


@pytest.fixture
def call(capsys):
    """Run the command in this process; gives its exit code, standard output and error."""

    def command(*arguments):
        code = main(arguments)
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return command


def spawn(*arguments, python=COMMAND, **environment):
    """Run the command as a process of its own."""
    env = {**os.environ, **environment}
    return subprocess.run(
        [*python, *arguments], capture_output=True, text=True, env=env, check=False
    )


def assert_safe(text):
    for line in text.split("\n"):
        assert line.isprintable(), ascii(line)


# --- help


@pytest.mark.parametrize(
    ("arguments", "code", "shown"),
    [
        (["--help"], 0, ["init", "run", "validate", "Usage: graders", "-h, --help"]),
        (["--help"], 0, ["\nGrade:\n  sample ", "\nThis machine:\n  doctor    Show how"]),
        (["-h"], 0, ["graders run starter/grader.json starter/rows.jsonl -o results.jsonl"]),
        ([], 2, ["Usage: graders"]),
        (["--version"], 0, ["graders, version "]),
        (
            ["run", "--help"],
            0,
            ["--failures [drop|zero|stop]", "--pass-threshold X", "--set KEY=VA"],
        ),
        (["validate", "--help"], 0, ["graders validate grader.json"]),
        (["init", "--help"], 0, ["graders init starter"]),
        (["import", "--help"], 0, ["graders import debug.log -o imported", "(OPENAI_LOG=debug)"]),
        (["rn"], 2, ["No such command 'rn'."]),
        (["run", "--jsn"], 2, ["--jsn", "--json"]),
    ],
)
def test_help(call, arguments, code, shown):
    """Every command explains itself within 80 columns; usage errors exit with 2."""
    found, out, err = call(*arguments)

    assert found == code
    assert [text for text in shown if text not in out + err] == []
    assert max(map(len, out.splitlines() or [""])) <= 80


def test_help_is_light():
    """What grading needs is loaded when something is graded."""
    code = (
        "import sys; from graders.cli import main; main(['--help']);"
        "print([m for m in sys.modules if m in {'pydantic', 'numpy', 'rich', 'nltk', 'asyncio'}])"
    )

    done = spawn(python=[sys.executable, "-c", code])
    assert done.stdout.splitlines()[-1] == "[]"


# --- one grading


@pytest.mark.parametrize(
    ("config", "sample", "item", "code", "shown"),
    [
        (
            EXACT,
            "x",
            '{"a": "x"}',
            0,
            "a string_check grader named 'exact', from c.json\n  reward               1  passed\n",
        ),
        (
            HALF,
            "",
            '{"a": "x"}',
            0,
            "a multi grader named 'half', from c.json\n"
            "  reward               0.25  not passed\n"
            "    one                  0  not passed\n",
        ),
        (
            EXACT,
            "x",
            "{}",
            1,
            "a string_check grader named 'exact', from c.json\n"
            "  reward               invalid_variable_error\n"
            "      {{ item.a }}: item has no field 'a'. It is empty.\n",
        ),
    ],
)
def test_one_sample_without_files(call, config, sample, item, code, shown):
    """--sample and --item grade once and show every part."""
    write("c.json", config)

    assert call("run", "c.json", "--sample", sample, "--item", item) == (code, shown, "")


def test_one_sample_as_json(call):
    """--json gives the result line, in characters that any terminal takes."""
    item = json.dumps({"a": HOSTILE})
    code, out, _ = call(
        "run", "g.json", "--sample", HOSTILE, "--item", item, "--json", "--detail", "all"
    )

    assert code == 0
    assert json.loads(out)["detail"] == {"input": HOSTILE, "reference": HOSTILE}
    assert_safe(out)


@pytest.mark.parametrize("failures", ["drop", "zero"])
def test_one_failed_sample_has_a_reward_by_policy(call, failures):
    """As in a file of rows."""
    code, out, _ = call("run", "g.json", "--sample", "x", "--json", "--failures", failures)

    assert (code, json.loads(out)["reward"]) == (1, {"drop": None, "zero": 0.0}[failures])


def test_one_grading_can_be_kept(call):
    """-o is not ignored: it writes the one result."""
    code, _, _ = call("run", "g.json", "--sample", "x", "--item", '{"a": "x"}', "-o", "out.jsonl")

    assert code == 0
    assert json.loads(Path("out.jsonl").read_bytes())["score"] == 1.0


@pytest.mark.parametrize(("options", "passed"), [([], None), (["--pass-threshold", "0.8"], False)])
def test_a_run_request_needs_no_rows(call, options, passed):
    """It brings its own sample and item, whatever options stand beside it."""
    grader = {key: value for key, value in HALF.items() if key != "pass_threshold"}
    write("request.json", {"grader": grader, "model_sample": "x", "item": {"a": "x"}})
    code, out, err = call("run", "request.json", "--json", *options)

    assert (code, err) == (0, "")
    assert (json.loads(out)["score"], json.loads(out)["passed"]) == (0.75, passed)


def test_a_run_request_may_grade_a_file(call):
    """With ROWS, its grader grades them."""
    write("request.json", {"grader": EXACT, "model_sample": "y", "item": {"a": "x"}})

    assert json.loads(call("run", "request.json", "rows.jsonl", "--json")[1])["mean_reward"] == 1.0


# --- files that must not be lost


@pytest.mark.parametrize(
    "target", ["rows.jsonl", "./rows.jsonl", "link.jsonl", "g.json", "o.jsonl"]
)
def test_an_input_is_not_overwritten(call, target):
    """-o on the rows, the config or the outputs, by any name, is refused and changes nothing."""
    Path("link.jsonl").symlink_to("rows.jsonl")
    write("o.jsonl", '"x"\n' * 3)
    before = Path(target).read_bytes()
    code, out, err = call("run", "g.json", "rows.jsonl", "--outputs", "o.jsonl", "-o", target)

    assert (code, out) == (2, "")
    assert f"-o {target} would overwrite the input" in err
    assert Path(target).read_bytes() == before


def test_the_times_do_not_overwrite_an_input(call):
    """Nor does the second file that -o writes."""
    write("out.timing.jsonl", GOOD)

    assert call("run", "g.json", "out.timing.jsonl", "-o", "out.jsonl")[0] == 2
    assert Path("out.timing.jsonl").read_text() == GOOD


# --- validate


@pytest.mark.parametrize(
    ("config", "described"),
    [
        (EXACT, "a string_check grader named 'exact'"),
        (HALF, "a multi grader named 'half'"),
        (
            {"type": "reinforcement", "reinforcement": {"grader": HALF}},
            "a reinforcement method with a multi grader named 'half'",
        ),
        ({"grader": EXACT}, "a reinforcement method with a string_check grader named 'exact'"),
        (
            {"grader": EXACT, "model_sample": "x"},
            "a run request with a string_check grader named 'exact'",
        ),
        ({"type": "endpoint", "name": "far", "url": "http://far.example/score"},
         "an endpoint grader named 'far'"),
        ({"testing_criteria": [EXACT]}, "an Evals body with 1 criterion"),
        ({"testing_criteria": [EXACT, EXACT]}, "an Evals body with 2 criteria"),
        ({"type": "supervised", "supervised": {}}, "a supervised method"),
        ({"type": "dpo", "dpo": {}}, "a dpo method"),
    ],
)  # fmt: skip
def test_validate_knows_every_document(call, config, described):
    """A grader, a method, a request or an Evals body that would run is called fine."""
    write("c.json", config)
    code, out, err = call("validate", "c.json")

    assert (code, err) == (0, "")
    assert out == f"c.json: fine, {described}; 0 warnings\n"


@pytest.mark.parametrize(
    ("config", "errors"),
    [
        ("{", ["c.json:1:2: not JSON: Expecting property name enclosed in double quotes"]),
        ("[]", ["a config is a JSON object, and this is a list"]),
        (
            {**EXACT, "operation": "neq", "reference": 5},
            [
                "operation: 'neq' is not one of eq, ne, like, ilike. Did you mean 'ne'?",
                "reference: 5 is not a string",
            ],
        ),
        (
            {**EXACT, "input": "{{ item.a", "reference": "{{ sample[x] }}"},
            ["input: this slot has no closing '}}'", "reference: only a number may stand in"],
        ),
        (
            {"grader": {**HALF, "calculate_output": "0.5 * one)"}},
            ["grader.calculate_output: "],
        ),
        (
            {"testing_criteria": [{**EXACT, "input": "{{ item. }}"}]},
            ["testing_criteria[0].input: a key is missing after '.'"],
        ),
        ({"grader": {"type": "python", "name": "p", "source": "x"}}, ["grader.source: "]),
    ],
)
def test_validate_names_every_problem(call, config, errors):
    """Each error on standard error with its path, exit code 2, nothing on standard output."""
    write("c.json", config)
    code, out, err = call("validate", "c.json")
    found = [line for line in err.splitlines() if not line.startswith(" ")]

    assert (code, out) == (2, "")
    assert len(found) == len(errors)
    assert all(f.startswith(f"error: {e}") for f, e in zip(found, errors, strict=True))


def test_validate_counts_warnings(call):
    """They are said and do not fail; a setting can make a body complete."""
    similar = {"type": "text_similarity", "name": "s", "evaluation_metric": "gleu", "q": 1}
    read = {key: EXACT[key] for key in ("input", "reference")}
    write("c.json", {"testing_criteria": [{**similar, **read}]})
    without = call("validate", "c.json")
    with_ = call("validate", "c.json", "--set", "default_threshold=0.5")

    assert without[0] == 2
    assert "error: testing_criteria[0].pass_threshold: is missing" in without[2]
    assert with_[:2] == (0, "c.json: fine, an Evals body with 1 criterion; 1 warning\n")
    assert with_[2].startswith("warning: testing_criteria[0].q: 'q' is not a field that a ")


# --- init


def test_init_writes_a_starter_that_runs(call):
    """All files, what to do next, and that works."""
    code, out, err = call("init", "new/starter")

    assert (code, err) == (0, "")
    assert out.splitlines() == [
        *(f"wrote new/starter/{name}" for name in FILES),
        "next: graders run new/starter/grader.json new/starter/rows.jsonl",
    ]
    assert call(*out.splitlines()[-1].split()[2:])[0] == 0


@pytest.mark.parametrize("name", FILES)
def test_init_keeps_what_is_there(call, name):
    """One file that exists is enough to write none."""
    Path("starter").mkdir()
    write(f"starter/{name}", "mine")
    code, out, err = call("init", "starter")

    assert (code, out) == (2, "")
    assert f"starter/{name} exists already; choose another directory" in err
    assert [path.read_text() for path in Path("starter").iterdir()] == ["mine"]


# --- interrupts and pipes


@pytest.mark.skipif(sys.platform == "win32", reason="sends a POSIX signal")
def test_ctrl_c_ends_a_run_that_waits_for_rows():
    """One is enough, exit code 130, and every printed line is whole."""
    command = [*COMMAND, "run", "g.json", "-", "-o", "-"]
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    with subprocess.Popen(command, **pipes) as process:
        try:
            process.stdin.write(GOOD.encode() * 600)
            process.stdin.flush()
            first = process.stdout.readline()  # it has begun, and waits for more rows
            process.send_signal(signal.SIGINT)
            process.wait(timeout=60)
        finally:
            process.kill()
        rest, err = process.stdout.read(), process.stderr.read().decode()

    assert process.returncode == 130, err
    assert err.endswith("graders: interrupted\n")
    assert {json.loads(line)["score"] for line in (first + rest).splitlines()} == {1.0}


@pytest.mark.skipif(sys.platform == "win32", reason="`head` closes its end")
def test_a_reader_that_leaves_is_no_error():
    """`graders run ... -o - | head -1` ends quietly."""
    write("rows.jsonl", GOOD * 5_000)
    command = [*COMMAND, "run", "g.json", "rows.jsonl", "-o", "-"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.readline()
        process.stdout.close()
        err = process.stderr.read()

    assert b"Traceback" not in err
    assert b"Broken" not in err
    assert b"Exception ignored" not in err
