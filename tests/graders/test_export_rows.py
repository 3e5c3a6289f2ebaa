"""`graders export --rows`: promptfoo gets tests of rows, and Inspect the path of a file.

What is written was run with promptfoo 0.121.20 and 0.123.1 on rows like these, by an Evals body
with an assertion of its own and one of ours: all 36 scores were those of `graders run`.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from loopback import KEY, Answer, completion, loopback
from sample_configs import EXACT
from serving import jsonl

ROOT = str(Path(__file__).parents[2])
LIKE = {**EXACT, "operation": "like"}


def row(answer, output, **more):
    return {"item": {"answer": answer, "all": ["a", "b"], **more}, "sample": output}


@pytest.fixture
def exported(tmp_path, monkeypatch, graders):
    """Write a config and rows, and run `graders export`; gives the code, what it said, and files.

    It runs where the rows are; what it writes is in a folder below.
    """
    monkeypatch.chdir(tmp_path)

    def command(tool, rows, *options, config=LIKE, name="rows.jsonl"):
        Path("grader.json").write_text(json.dumps(config), encoding="utf-8")
        Path(name).write_bytes(jsonl(*rows))
        made = "made/out.py" if tool == "inspect" else "made/out.yaml"
        given = ["export", "grader.json", "--to", tool, "-o", made, *options]
        code, out, err = graders(*given)
        return (
            code,
            out + err,
            {path.name: path.read_text("utf-8") for path in Path().glob("made/*")},
        )

    return command


def test_promptfoo_gets_a_test_for_each_output(exported):
    """An item is whole, and a line break at its end comes through promptfoo, which drops one."""
    several = {**row("4", None), "samples": ["", "{{ 7 * 7 }}"]}
    del several["sample"]
    numbers = [0.5, 2**53 - 1, 1 - 2**53, True, "4.0"]
    rows = [row("4", "file:///etc/passwd"), row("a\n", "4 é\n", n=None, m=numbers), several]
    code, said, files = exported("promptfoo", rows, "--rows", "rows.jsonl")

    assert (code, sorted(files)) == (0, ["out.yaml", "out_tests.jsonl"])
    assert said.endswith("\nnext: promptfoo eval -c made/out.yaml\n")
    made = yaml.safe_load(files["out.yaml"])
    assert made["providers"] == ["echo"]
    assert [one["raw"] for one in made["prompts"]] == ["{{ '' }}"]  # of an empty output, empty
    assert made["tests"] == "file://out_tests.jsonl"
    assert made["defaultTest"]["options"] == {"disableVarExpansion": True}  # one test of a list
    tests = [json.loads(line) for line in files["out_tests.jsonl"].splitlines()]
    listed = {"all": ["a", "b"]}
    assert [(one["description"], one["vars"], one["providerOutput"]) for one in tests] == [
        ("row 1", {"answer": "4", **listed}, "file:///etc/passwd"),
        ("row 2", {"answer": "a\n\n", **listed, "n": None, "m": numbers}, "4 é\n"),
        ("row 3", {"answer": "4", **listed}, ""),
        ("row 3, sample 1", {"answer": "4", **listed}, "{{ 7 * 7 }}"),
    ]


@pytest.mark.parametrize(
    ("left", "why"),
    [
        (row("{{ env.KEY }}", "4"), "'answer' of its item has '{{', on which promptfoo would act"),
        (row("4", "4", q="a {% b"), "'q' of its item has '{%', on which promptfoo would act"),
        (row("4", "4", q="{# b"), "'q' of its item has '{#', on which promptfoo would act"),
        (
            row("file://a.js", "4"),
            "'answer' of its item has 'file://', on which promptfoo would act",
        ),
        (
            row("package:a", "4"),
            "'answer' of its item has 'package:', on which promptfoo would act",
        ),
        (row("4", {"output_json": 4}), "its sample has no output_text"),
        (row(4.0, "4"), "'answer' of its item has 4.0, which JavaScript would change"),
        (row("4", "4", n=-0.0), "'n' of its item has -0.0, which JavaScript would change"),
        (
            row("4", "4", n=[{"a": [0.5, 2**53]}]),
            "'n' of its item has 9007199254740992, which JavaScript would change",
        ),
        (
            row("4", "4", n={"a": -(2**53)}),
            "'n' of its item has -9007199254740992, which JavaScript would change",
        ),
    ],
)
def test_what_promptfoo_would_act_on_is_left_out(exported, left, why):
    code, said, files = exported("promptfoo", [row("4", "4"), left, left], "--rows", "rows.jsonl")

    assert code == 0
    assert f"left out: 2 rows, the first is row 2: {why}" in said.replace("\n  ", " ")
    assert len(files["out_tests.jsonl"].splitlines()) == 1


def test_without_rows_it_is_said_what_is_missing(exported):
    code, said, files = exported("promptfoo", [])

    assert (code, list(files)) == (0, ["out.yaml"])
    assert said.endswith(
        "\nnext: add providers, prompts and tests, as the file says, or use --rows FILE\n"
        "then: promptfoo eval -c made/out.yaml\n"
    )
    assert (
        "\n# It cannot run yet. Add whom to ask, what, and about which items" in files["out.yaml"]
    )
    assert "\n# - Numbers of vars are JavaScript's: 4.0 is 4" in files["out.yaml"]
    assert set(yaml.safe_load(files["out.yaml"])) == {"defaultTest"}
    uncommented = files["out.yaml"].replace("\n# ", "\n").partition("It cannot run yet.")[2]
    shown = yaml.safe_load(uncommented.partition("\n")[2].partition("\nOr let ")[0])
    assert set(shown) == {"providers", "prompts", "tests"}


@pytest.mark.parametrize(
    ("tool", "rows", "name", "message"),
    [
        (
            "promptfoo",
            [row("{{", "4")],
            "rows.jsonl",
            "rows.jsonl: none of it can be a test of promptfoo (row 1: 'answer' of its item has ",
        ),
        ("promptfoo", [], "rows.jsonl", "rows.jsonl: none of it can be a test of promptfoo (no ro"),
        ("promptfoo", [row("4", "4"), 3], "rows.jsonl", "rows.jsonl:2:1: a row is a JSON object"),
        ("inspect", [], "rows.csv", "--rows rows.csv: Inspect reads JSON Lines. Let it end in .js"),
        ("inspect", [], "rows.json", "rows.json: Inspect reads JSON Lines. Let it end in .jsonl."),
    ],
)
def test_rows_that_do_not_go_over_are_refused(exported, tool, rows, name, message):
    code, said, files = exported(tool, rows, "--rows", name, name=name)

    assert (code, files) == (1 if 3 in rows else 2, {})
    assert message in said


def test_rows_are_never_written_over(exported, tmp_path):
    (tmp_path / "made").mkdir()
    options = ("--rows", "made/out_tests.jsonl", "--overwrite")
    code, said, files = exported(
        "promptfoo", [row("4", "4")], *options, name="made/out_tests.jsonl"
    )

    assert (code, list(files)) == (2, ["out_tests.jsonl"])
    assert "would overwrite the input made/out_tests.jsonl" in said


@pytest.mark.parametrize("options", [(), ("--rows", "rows.jsonl")])
def test_inspect_is_given_the_rows_where_they_are(exported, tmp_path, options):
    """It runs a task in the task's folder, where no relative path of ours leads to them."""
    code, said, files = exported("inspect", [row("4", "4")], *options)

    command = f"inspect eval made/out.py --model MODEL -T rows={tmp_path.resolve()}/rows.jsonl"
    assert (code, said.splitlines()[-1]) == (0, f"next: {command}")
    assert "rows= takes an absolute path, or one from there" in said.replace("\n  ", " ")
    assert "A relative path of rows starts where this file is." in files["out.py"]


@pytest.mark.needs("inspect_ai")
@pytest.mark.long
def test_the_next_command_runs_in_inspect(exported):
    """By its own scorer; the model says what it is asked."""
    rows = [{"item": {"question": "a 4", "answer": answer}} for answer in ("a 4", "4", "x")]
    _, out, _ = exported("inspect", rows, "--rows", "rows.jsonl")
    command = out.splitlines()[-1].removeprefix("next: inspect ").replace("MODEL", "openai-api/a/m")
    with loopback(
        lambda asked: Answer(completion(asked.body["messages"][-1]["content"]))
    ) as server:
        done = subprocess.run(
            [sys.executable, "-m", "inspect_ai", *command.split(), "--log-dir", "logs"],
            env={
                **os.environ,
                "PYTHONPATH": ROOT,
                "A_BASE_URL": server.url,
                "A_API_KEY": KEY,
                "INSPECT_DISPLAY": "plain",
                "INSPECT_LOG_FORMAT": "json",
            },
            capture_output=True,
            text=True,
            check=False,
            timeout=200,
        )
    (log,) = (json.loads(path.read_text("utf-8")) for path in Path("logs").glob("*.json"))
    assert (done.returncode, log["status"]) == (0, "success"), done.stdout + done.stderr
    scores = [next(iter(one["scores"].values()))["value"] for one in log["samples"]]
    assert scores == ["C", "C", "I"]


def test_files_are_named_so_that_promptfoo_finds_them(exported):
    """It reads `#` and `:` in the path of a file as something else."""
    options = ("--rows", "rows.jsonl", "-o", "made/a #1:b.yaml")
    _, _, files = exported("promptfoo", [row("4", "4")], *options)

    assert sorted(files) == ["a #1:b.yaml", "a__1_b_tests.jsonl"]
    assert yaml.safe_load(files["a #1:b.yaml"])["tests"] == "file://a__1_b_tests.jsonl"
