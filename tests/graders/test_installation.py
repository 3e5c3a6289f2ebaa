"""The package from outside: its public names, and others' modules that shadow ours."""

import os
import subprocess
import sys

import pytest

import graders
from graders.cli import main

PYTHON = [sys.executable, "-P"]  # like a console script: the working directory is not searched
COMMAND = [*PYTHON, "-c", "import sys; from graders.cli import main; sys.exit(main())"]


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def spawn(*arguments, **environment):
    """Run Python; paths of this environment are kept."""
    return subprocess.run(
        arguments,
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
        check=False,
    )


def test_the_public_names():
    """What a release may not drop."""
    assert graders.__all__ == [
        *("ConfigError", "Document", "Failure", "FailureKind", "Finding", "FormulaError"),
        *("Grade", "Grader", "GradersError", "GradingError", "PROFILES", "Profile", "Row"),
        *("RowError", "TemplateError", "Tools", "compile_grader", "grade", "hosted"),
        *("parse_config", "read_config", "read_results", "read_rows", "read_run", "study"),
    ]


@pytest.mark.parametrize("name", graders.__all__)
def test_every_public_name_can_be_imported(name):
    """Lazily, and it is what it says."""
    value = getattr(graders, name)

    assert name in dir(graders)
    assert getattr(value, "__name__", name).rpartition(".")[2] == name


def test_listing_the_names_lists_each_once():
    """Before and after a name was used."""
    assert graders.Row
    assert len(dir(graders)) == len({*dir(graders)})
    assert {*graders.__all__} <= {*dir(graders)}


def test_an_unknown_name():
    """The usual error, as for any module."""
    with pytest.raises(AttributeError, match="module 'graders' has no attribute 'grad'"):
        graders.grad  # noqa: B018 - the access is the test


def test_a_star_import_brings_them_all():
    """`__all__` holds nothing that does not exist."""
    code = "from graders import *; print(grade.__name__, Row.__name__, hosted.__name__)"

    assert spawn(*PYTHON, "-c", code).stdout == "grade Row graders.hosted\n"


def test_importing_is_light():
    """Nothing heavy is loaded, read or started before a name is used."""
    heavy = "{'pydantic', 'numpy', 'rich', 'nltk', 'click', 'asyncio', 'msgspec', 'metrics'}"
    code = f"import sys, graders; print(sorted({heavy} & sys.modules.keys()))"

    assert spawn(*PYTHON, "-c", code).stdout == "[]\n"


@pytest.mark.parametrize("module", ["metrics", "sandbox"])
@pytest.mark.parametrize(
    "arguments",
    [
        ["run", "none.json", "none.jsonl"],
        ["--help"],
        pytest.param(["validate", "none.json"], marks=pytest.mark.long),
        pytest.param(["init", "x"], marks=pytest.mark.long),
    ],
)
def test_a_foreign_module_is_named_by_the_command(tmp_path, module, arguments):
    """One line with its path and what to do, exit code 2, no traceback."""
    (tmp_path / f"{module}.py").write_text("raise SystemExit('never run')")
    done = spawn(*COMMAND, *arguments, PYTHONPATH=str(tmp_path))

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        f"graders: {tmp_path / module}.py stands in the way of the package {module!r} of "
        "local-graders: rename it, or take its folder off PYTHONPATH\n"
    )


def test_a_foreign_package_is_named_by_the_command(tmp_path):
    """A folder with an `__init__.py` shadows as a file does; without one it does not."""
    (tmp_path / "metrics").mkdir()
    harmless = spawn(*COMMAND, "--version", PYTHONPATH=str(tmp_path))
    (tmp_path / "metrics" / "__init__.py").touch()
    shadowing = spawn(*COMMAND, "--version", PYTHONPATH=str(tmp_path))

    assert (harmless.returncode, harmless.stderr) == (0, "")
    assert shadowing.returncode == 2
    assert shadowing.stderr.count("\n") == 1
    assert f"{tmp_path / 'metrics' / '__init__.py'} stands in the way of" in shadowing.stderr


@pytest.mark.parametrize("code", ["graders.grade", "from graders import grade"])
def test_a_foreign_module_is_named_by_the_library(tmp_path, code):
    """An ImportError that says whose module it is, not which name it lacks."""
    (tmp_path / "metrics.py").touch()
    done = spawn(*PYTHON, "-c", f"import graders; {code}", PYTHONPATH=str(tmp_path))

    assert done.stderr.splitlines()[-1] == (
        f"ImportError: {tmp_path / 'metrics.py'} stands in the way of the package 'metrics' of "
        "local-graders: rename it, or take its folder off PYTHONPATH"
    )


def test_isolated_python_finds_ours(tmp_path):
    """`python -I` ignores PYTHONPATH and the working directory, and so all of this."""
    (tmp_path / "metrics.py").touch()
    command = [sys.executable, "-I", *COMMAND[2:], "--version"]

    assert spawn(*command, PYTHONPATH=str(tmp_path)).returncode == 0


def test_the_command_alone_shows_its_help_once(capfd):
    """And that is no success: nothing was asked of it."""
    assert main([]) == 2
    assert capfd.readouterr().err.count("Usage: graders") == 1
