"""A sample project whose graders are tested by case files, run by pytest from end to end."""

import ctypes
import json
import os
import select
import subprocess
import sys
import tomllib
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

import pytest
from sample_configs import JUDGE
from sample_project import PROJECT, WRONG, names

# The runs below are in this process: what they import stays, and no module is made twice.
import graders.pytest_plugin as plugin
from graders.testing import annotations, goldens, show, tools
from sandbox.doctor import IsolationError

pytest_plugins = "pytester"
assert all((annotations, goldens, show))

ROOT = Path(__file__).parents[2]


def test_a_project_is_tested(project):
    """Scores, ranges, failures, orders and parts; python, multi and a judge; JSON and YAML."""
    result = project(PROJECT, "-v")

    result.assert_outcomes(passed=6)
    assert names(result, "PASSED") == [
        "both.cases.yaml::pass",
        "both.cases.yaml::parts",
        "grade.cases.json::exact",
        "grade.cases.json::within",
        "grade.cases.json::no answer",
        "grade.cases.json::order",
    ]


SELECTED = [
    (["-k", "exact or order"], ["exact", "order"]),
    (["grade.cases.json::no answer"], ["no answer"]),
    (["grade.cases.json"], ["exact", "within", "no answer", "order"]),
    (
        ["--deselect", "grade.cases.json::order", "grade.cases.json"],
        ["exact", "within", "no answer"],
    ),
]


@pytest.mark.parametrize(("arguments", "chosen"), SELECTED)
def test_cases_are_selected_as_tests_are(project, arguments, chosen):
    """By words, by node id, by file."""
    result = project(PROJECT, "-v", *arguments)

    assert names(result, "PASSED") == [f"grade.cases.json::{name}" for name in chosen]


def test_the_last_failed_run_alone(project):
    """As --lf does it."""
    project({**PROJECT, **WRONG}).assert_outcomes(passed=7, failed=2)

    result = project({}, "-v", "--lf")

    assert names(result, "FAILED") == ["wrong.cases.json::score", "wrong.cases.json::raised"]
    result.assert_outcomes(failed=2)


@contextmanager
def no_process_left():
    """What runs meanwhile and is orphaned becomes ours; it must have ended, or be about to."""
    prctl = ctypes.CDLL(None, use_errno=True).prctl

    def children():
        tasks = Path("/proc/self/task").iterdir()
        return {int(pid) for task in tasks for pid in (task / "children").read_text().split()}

    before = children()
    assert prctl(36, 1, 0, 0, 0) == 0  # PR_SET_CHILD_SUBREAPER
    try:
        yield
        for pid in children() - before:
            descriptor = os.pidfd_open(pid)
            ended, _, _ = select.select([descriptor], [], [], 10)
            os.close(descriptor)
            assert ended, Path(f"/proc/{pid}/cmdline").read_text("utf-8")
            os.waitpid(pid, 0)
    finally:
        prctl(36, 0, 0, 0, 0)


@pytest.mark.needs("/proc/self/task")
@pytest.mark.parametrize("level", ["standard", "unsafe"])
def test_the_sandbox_ends_with_the_session(project, level):
    """One for all tests of it, and no process is left; without isolation it is said."""
    with no_process_left():
        result = project(PROJECT, "-o", f"graders_sandbox={level}")

    result.assert_outcomes(passed=6)
    assert ("with your own rights" in "\n".join(result.outlines)) == (level == "unsafe")


@pytest.mark.long
@pytest.mark.needs("/proc/self/task")
def test_workers_of_xdist_have_a_sandbox_each(project, monkeypatch):
    """The same outcomes, messages and annotations as from one process."""
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    with no_process_left():
        result = project({**PROJECT, **WRONG}, "-p", "xdist.plugin", "-n2", apart=True)

    result.assert_outcomes(passed=7, failed=2)
    result.stdout.fnmatch_lines(
        [
            "*wrong.cases.json:4: expected a score of 1.0, and got 0.0",
            "::error file=wrong.cases.json,line=4::score: expected a score of 1.0, and got 0.0",
            "FAILED wrong.cases.json::score - expected a score of 1.0, and got 0.0",
        ]
    )


def test_what_only_a_run_can_tell_is_one_message_too(project, monkeypatch):
    """A machine that cannot isolate, which is no reason to run code without."""

    def refuse(*_, **__):
        raise IsolationError("no isolation here")

    monkeypatch.setattr(tools, "open_sandbox", refuse)
    result = project(PROJECT)

    result.assert_outcomes(passed=2, failed=4)
    assert "Traceback" not in "\n".join(result.outlines)
    result.stdout.fnmatch_lines(
        [
            "no isolation here",
            "To pytest that is graders_sandbox = unsafe, among its settings.",
            "FAILED grade.cases.json::exact - no isolation here*",
        ]
    )


def test_a_bug_of_ours_shows_its_traceback(project, monkeypatch):
    """For it is nothing that the author of a case could mend."""

    def broken(*_, **__):
        raise ZeroDivisionError("ours")

    monkeypatch.setattr(tools, "open_sandbox", broken)
    result = project(PROJECT, "grade.cases.json::exact")

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*raise ZeroDivisionError*", "E *ZeroDivisionError: ours"])


REPLAYED = """{"grader": "judge.json", "judge": {"replay": "judge.jsonl"}, "cases": [
{"name": "recorded", "item": {"q": "one"}, "sample": "a", "expect": 0.25},
{"name": "said", "item": {"q": "one"}, "sample": "a", "judge": 0.75, "expect": 0.75},
{"name": "unknown", "item": {"q": "two"}, "sample": "a", "expect":
    {"failure": "model_grader_server_error", "reason": "replay_miss"}}
]}"""
CLIENT = """
from graders.clients import ModelReply

class Quarter:
    async def complete(self, request):
        return ModelReply(text='{"steps": [], "result": 0.25}')
"""


def test_a_recording_is_replayed(project, tmp_path, monkeypatch, run):
    """What a run with --record wrote; what a case says of its judge comes first."""
    config = {**JUDGE, "input": [{"role": "user", "content": "{{ item.q }}"}]}
    (Path.cwd() / "judge.json").write_text(json.dumps(config), encoding="utf-8")
    (tmp_path / "recorded_client.py").write_text(CLIENT, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    one = ("--sample", "a", "--item", '{"q": "one"}')
    asked = ("--client", "recorded_client:Quarter", "--record", "judge.jsonl")
    assert run("judge.json", *one, *asked)[0] == 0

    project({"j.cases.json": REPLAYED}).assert_outcomes(passed=3)

    result = project({"judge.jsonl": "{}\n"})
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["judge.jsonl:1: no {*is this file a recording?"])
    Path("judge.jsonl").unlink()
    project({}).stdout.fnmatch_lines(["judge.jsonl: No such file or directory"])


NO_USE = [
    (["-o", "graders_sandbox=none"], "ERROR: graders_sandbox: 'none' is not one of standard, *"),
    (["-p", "xdist.plugin", "-n2", "--cases-update"], "ERROR: --cases-update needs one process: *"),
    (["-p", "xdist.plugin", "-n2", "--grader-coverage"], "ERROR: --grader-coverage needs one pr*"),
]


@pytest.mark.long
@pytest.mark.parametrize(("arguments", "problem"), NO_USE)
def test_what_makes_no_sense_ends_the_run(project, arguments, problem):
    """Before anything is collected."""
    result = project(PROJECT, *arguments, apart=True)

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([problem])


BRANCHING = """def grade(sample, item):
    if sample["output_text"] == item["answer"]:
        return 1.0
    return 0.0
"""
FORTH = {"item": {"answer": "4"}, "sample": "4", "expect": 1.0}


def test_what_no_case_runs_is_shown(project):
    """By grader, with the lines and the branches."""
    files = {"grade.py": BRANCHING, "grade.cases.json": {"cases": [FORTH]}}
    result = project(files, "--grader-coverage")

    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(
        [
            "*= grader coverage =*",
            "grade: 67% covered, 3 of 4 lines and 1 of 2 branches",
            "  line 4 never ran",
            "  line 2 was never false (2->4)",
        ]
    )


def test_in_continuous_integration_nothing_is_rewritten(project, monkeypatch):
    """Whoever wants it takes CI out of the environment."""
    monkeypatch.setenv("CI", "true")

    result = project(PROJECT, "--cases-update")

    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: --cases-update is for where someone reads the diff*"])


HEAVY = ("graders.", "pydantic", "numpy", "msgspec", "sandbox", "metrics", "yaml")
UNUSED = {
    "conftest.py": f"""
import sys

def pytest_unconfigure():
    print(sorted(name for name in sys.modules if name.startswith({HEAVY})))
""",
    "test_own.py": "def test_one(): pass\n",
    "data.json": {"cases": []},
    "other.yaml": "a: [",
}


@pytest.mark.long
def test_a_project_that_does_not_use_it_does_not_feel_it(project):
    """Nothing is imported, collected, or said; other JSON and YAML is not looked at."""
    result = project(UNUSED, apart=True)

    result.assert_outcomes(passed=1)
    assert "['graders.pytest_plugin']" in result.outlines
    assert not [line for line in result.outlines if "grader" in line and "['" not in line]


def test_importing_the_plugin_imports_nothing_else():
    """It is imported in every run of pytest in its environment."""
    code = "import pytest, sys; before = set(sys.modules); import graders.pytest_plugin; "
    code += "print(sorted(set(sys.modules) - before))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        check=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )

    assert done.stdout == "['graders', 'graders.pytest_plugin']\n"


@pytest.mark.long
def test_installing_is_enough(project, tmp_path, monkeypatch):
    """Pytest finds the plugin where the distribution says it is."""
    project_table = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    (name, module), *none = project_table["entry-points"]["pytest11"].items()
    assert import_module(module) is plugin
    assert none == []
    info = tmp_path / "seen_by_pytest-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: seen-by-pytest\nVersion: 1\n")
    (info / "entry_points.txt").write_text(f"[pytest11]\n{name} = {module}\n")
    project(PROJECT, "--collect-only")
    monkeypatch.delenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "grade.cases.json"],
        capture_output=True,
        check=False,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])},
    )

    assert "4 passed" in done.stdout
