"""The README is true: its commands run, its code runs, its JSON is a config."""

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

import graders
from graders.cli import main

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", README, re.DOTALL)


def blocks(language):
    return [text for kind, text in BLOCKS if kind == language]


COMMANDS = [
    line for block in blocks("sh") for line in block.splitlines() if line.startswith("graders ")
]


@pytest.fixture
def starter(tmp_path, monkeypatch):
    """A folder with the starter in it, to run the README's commands in."""
    monkeypatch.chdir(tmp_path)
    assert main(["init", "starter"]) == 0
    return tmp_path


def test_the_two_setup_lines_are_there():
    """Each is one line that makes its own environment: .ci/run runs both as they stand."""
    lines = [line for block in blocks("sh") for line in block.splitlines() if "venv" in line]

    assert len(lines) == 2
    assert all(line.startswith("python3 -m venv .venv && .venv/bin/pip install") for line in lines)
    assert lines[0].endswith("graders run starter/grader.json starter/rows.jsonl")


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.usefixtures("starter")
def test_command(command, capfd):
    """Every command of the README ends well."""
    assert main(shlex.split(command)[1:]) == 0
    assert capfd.readouterr().out


@pytest.mark.usefixtures("starter")
def test_the_output_shown_is_the_output(capfd):
    """The README shows how what the command prints begins."""
    (shown,) = blocks("console")
    command, *lines = shown.splitlines()
    capfd.readouterr()

    assert main(shlex.split(command.removeprefix("$ "))[1:]) == 0
    printed = capfd.readouterr().out.splitlines()
    assert lines.pop() == "..."
    assert printed[: len(lines)] == lines


@pytest.mark.parametrize("code", blocks("python"))
def test_python(code):
    """The README's Python runs, in an interpreter of its own."""
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)


def test_json():
    """The config validates, and every row shape is one."""
    config, rows = blocks("json")

    assert graders.read_config(json.loads(config)).findings == ()
    assert all(isinstance(json.loads(line), dict) for line in rows.splitlines())


def test_row_shapes(tmp_path):
    """The four row shapes are read as five samples, without a bad line."""
    path = tmp_path / "rows.jsonl"
    path.write_text(blocks("json")[1], encoding="utf-8")

    assert [type(row).__name__ for row in graders.read_rows(path)] == ["Row"] * 5


def test_no_path_of_a_machine_is_in_the_project():
    """What is written down works anywhere."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.split("\0")
    texts = {
        name: (ROOT / name).read_bytes() for name in listed if name and (ROOT / name).is_file()
    }
    wrong = {name for name, text in texts.items() if re.search(rb"/(home|root|work)/\w", text)}

    assert wrong - {"tests/test_docs.py"} == set()
