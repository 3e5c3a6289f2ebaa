"""Lets these tests import the modules beside them (`tests` is no package), and runs commands."""

import json
import sys
from pathlib import Path

import pytest

from graders.cli import main

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="session")
def served_url():
    """The address of a `graders serve` that tests share, with a judge: http://127.0.0.1:PORT/v1."""
    from served import serving

    with serving("--client", "served:Judge") as url:
        yield url


@pytest.fixture
def run(capsys):
    """Run `graders run ...`; gives the exit code, standard output and standard error."""

    def command(*arguments):
        code = main(["run", *arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return command


@pytest.fixture
def plan(tmp_path, monkeypatch, capsys):
    """Write a method and rows, and run `graders plan` on them."""
    monkeypatch.chdir(tmp_path)

    def command(method, rows, *arguments, **files):
        written = {"method.json": [method], "rows.jsonl": rows, **files}
        for name, lines in written.items():
            path = tmp_path / name.replace("_jsonl", ".jsonl")
            path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
        code = main(["plan", "method.json", "rows.jsonl", *arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return command


@pytest.fixture
def planned(plan):
    """The same as JSON."""

    def command(*arguments, **files):
        code, out, err = plan(*arguments, "--json", **files)
        assert err == ""
        return code, json.loads(out)

    return command
