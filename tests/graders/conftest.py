"""Lets these tests import the modules beside them (`tests` is no package), and runs commands."""

import importlib
import json
import sys
from pathlib import Path

import pytest

from graders.cli import main
from graders.testing.cases import read_cases
from graders.testing.laws.bench import Bench
from graders.testing.tools import SessionSandbox, compiled

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
def graders(capfd):
    """Run `graders ...`; gives the exit code, standard output and standard error."""

    def command(*arguments):
        capfd.readouterr()  # of what came before
        code = main([*arguments])
        captured = capfd.readouterr()
        return code, captured.out, captured.err

    return command


@pytest.fixture
def imported(tmp_path, monkeypatch, capsys):
    """Write dumps, and run `graders import`; gives the code, what it said, and the files."""
    monkeypatch.chdir(tmp_path)

    def command(*dumps, options=()):
        names = []
        for i, dump in enumerate(dumps):
            names.append(f"dump{i}.json")
            data = dump if isinstance(dump, bytes) else json.dumps(dump).encode()
            (tmp_path / names[-1]).write_bytes(data)
        code = main(["import", *names, "-o", "out", *options])
        said = capsys.readouterr()
        out = tmp_path / "out"
        files = {path.name: path.read_text("utf-8") for path in sorted(out.glob("*"))}
        return code, said.out + said.err, {name: _read(name, text) for name, text in files.items()}

    return command


def _read(name, text):
    return [json.loads(line) for line in text.splitlines()] if "rows" in name else json.loads(text)


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


@pytest.fixture
def project(request, monkeypatch):
    """Write files, and run pytest with our plugin and no other among them.

    For modules with `pytest_plugins = "pytester"`. What is no text is written as JSON.
    """
    # It unloads what is first imported in a run of its own, and imported anew, the compiled half
    # of yaml would go on with the classes of the first time, for the tests that come after.
    importlib.import_module("yaml")
    pytester = request.getfixturevalue("pytester")
    for name in ("CI", "GITHUB_ACTIONS", "GITHUB_WORKSPACE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setenv("COLUMNS", "200")

    def running(files, *arguments, apart=False):
        for name, content in files.items():
            text = content if isinstance(content, str) else json.dumps(content)
            (pytester.path / name).write_bytes(text.encode())
        if apart:
            return pytester.runpytest_subprocess("-p", "graders.pytest_plugin", *arguments)
        quiet = ("-W", "ignore::pytest.PytestAssertRewriteWarning")  # it is imported already
        return pytester.runpytest_inprocess("-p", "graders.pytest_plugin", *quiet, *arguments)

    return running


@pytest.fixture(scope="module")
def boxes():
    """A sandbox for each hash seed and batch."""
    opened = {}
    yield opened
    for box in opened.values():
        box.close()


@pytest.fixture
def bench(tmp_path, boxes):
    """The bench of a grader, a config or a source, and of some cases."""

    def setting(grader, cases, laws=None):
        code = {"type": "python", "name": "code", "source": grader}
        config = code if isinstance(grader, str) else grader
        path = tmp_path / "t.cases.json"
        path.write_text(json.dumps({"grader": config, "cases": cases, "laws": laws}))
        read = read_cases(path)

        def compiling(judge, *, hash_seed=0, batch=1):
            key = hash_seed, batch
            if key not in boxes:
                boxes[key] = SessionSandbox("standard", hash_seed=hash_seed, batch=batch)
            return compiled(read.document, read.profile, judge, boxes[key])

        return Bench(read, compiling)

    return setting
