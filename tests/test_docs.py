"""The README is true: its commands run, its code runs, its JSON is a config."""

import json
import os
import re
import shlex
import subprocess
import sys
import threading
from contextlib import nullcontext
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

import graders
from graders.cli import main
from graders.starter import FILES
from graders.testing.cases import Expect, read_cases

sys.path.insert(0, str(Path(__file__).parent / "graders"))
from served import serving

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", README, re.DOTALL)


def blocks(language):
    return [text for kind, text in BLOCKS if kind == language]


LINES = [line for block in blocks("sh") for line in block.splitlines()]
SERVERS = [line for line in LINES if line.startswith("graders serve")]
NEEDS = {"--fit": "sklearn", ".parquet": "pyarrow"}
COMMANDS = [
    pytest.param(
        line, marks=[pytest.mark.needs(need) for word, need in NEEDS.items() if word in line]
    )
    for line in LINES
    if line.startswith("graders ") and line not in SERVERS
]
PYTEST = [line for line in LINES if line.startswith("pytest ")]


def first_short(commands):
    """The first; and the others marked, as each starts a process that takes seconds."""
    return [commands[0], *(pytest.param(one, marks=pytest.mark.long) for one in commands[1:])]


CASES = Path(graders.__file__).with_name("testing") / "README.md"


def run_pytest(*arguments):
    """Run pytest as whoever installed us would, apart from the run that this is part of."""
    ours = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONPATH": str(ROOT), "COLUMNS": "80"}
    environment = {k: v for k, v in os.environ.items() if k not in {"CI", "PYTEST_ADDOPTS"}} | ours
    command = [sys.executable, "-m", "pytest", "-p", "graders.pytest_plugin", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)


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


def judged(asked):
    # A judge is held to a schema; who only draws samples is not.
    assert asked.get("response_format", {"type": "json_schema"})["type"] == "json_schema"
    message = {"role": "assistant", "content": '{"steps": [], "result": 0.75}'}
    return {"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}


def embedded(asked):
    texts = asked["input"]
    return {"data": [{"index": i, "embedding": [len(text), 1]} for i, text in enumerate(texts)]}


@pytest.fixture(scope="module")
def judge_url():
    """A server on loopback that answers chat completions as a judge would, and embeds."""

    class Judge(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
            answer = {"/v1/chat/completions": judged, "/v1/embeddings": embedded}[self.path](asked)
            usage = {"prompt_tokens": 90, "completion_tokens": 10, "total_tokens": 100}
            body = json.dumps({"model": asked["model"], **answer, "usage": usage})
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Judge) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/v1"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.usefixtures("starter")
def test_command(command, judge_url, capfd):
    """Every command of the README ends well; what a server is to answer, one on loopback does."""
    arguments = shlex.split(command.replace("http://localhost:8080/v1", judge_url))[1:]
    if "--replay" in arguments:  # of the recording that the command before it made
        assert main([*arguments[:-2], "--base-url", judge_url, "--record", arguments[-1]]) == 0
    _results_for(arguments)
    _table_for(arguments)
    capfd.readouterr()

    assert main(arguments) == 0
    assert capfd.readouterr().out


def _results_for(arguments):
    """What a study is of: the results that the first command wrote, and earlier ones."""
    files = [arguments[i + 1] for i, word in enumerate(arguments) if word in {"study", "--against"}]
    for file in files if arguments[0] == "study" else ():
        assert main(["run", "starter/grader.json", "starter/rows.jsonl", "-o", file]) == 0


def _table_for(arguments):
    """A table of other people's columns, where a command reads one."""
    if "train.parquet" in arguments:
        import pyarrow.parquet

        columns = {"gold": ["Quito"], "sentence": ["It is Quito."], "completion": ["Quito"]}
        pyarrow.parquet.write_table(pyarrow.table(columns), "train.parquet")


@pytest.mark.parametrize("command", first_short(PYTEST))
@pytest.mark.usefixtures("starter")
def test_a_command_of_pytest(command):
    """In a starter as it is, all tests pass."""
    done = run_pytest(*shlex.split(command)[1:])

    assert (done.returncode, " passed" in done.stdout) == (0, True), done.stdout


@pytest.mark.usefixtures("starter")
def test_the_failure_shown_is_the_failure():
    """What the README does to the grader fails one case, as it says."""
    (shown,) = (block for block in blocks("console") if block.startswith("$ pytest "))
    command, *lines = shown.splitlines()
    path = Path("starter/grade.py")
    source = path.read_text("utf-8")
    assert source.count(".lower()") == 2
    path.write_text(source.replace(".lower()", ""), encoding="utf-8")

    done = run_pytest(*shlex.split(command.removeprefix("$ "))[1:])

    assert done.returncode == 1
    assert lines.pop() == "..."
    assert done.stdout.splitlines()[: len(lines)] == lines


def test_the_case_file_shown_is_the_starters():
    """Whoever reads on finds it as it was read."""
    assert blocks("json")[2] == FILES["grade.cases.json"]


@pytest.mark.usefixtures("starter")
def test_the_fixtures_shown_work():
    """In a test file beside the graders that it names."""
    (code,) = (code for code in blocks("python") if "def test_" in code)
    Path("starter/test_graders.py").write_text(code, encoding="utf-8")

    done = run_pytest("starter/test_graders.py")

    assert "2 passed" in done.stdout, done.stdout


def test_what_the_page_of_case_files_shows_is_read(tmp_path):
    """Its example in YAML, and each expectation of its table."""
    text = CASES.read_text("utf-8")
    (example,) = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    path = tmp_path / "page.cases.yaml"
    path.write_text(example, encoding="utf-8")
    assert read_cases(path).name(0) == "no trimming"
    (table,) = re.findall(r"\| short \|.*?\n\n", text, re.DOTALL)
    found = re.findall(r"`([^`]+)`", "".join(row.rpartition("|")[0].rpartition("|")[0]
                                              for row in table.splitlines()[2:]))  # fmt: skip
    assert len(found) == 12
    for expectation in found:
        Expect.model_validate(json.loads(expectation))


@pytest.mark.parametrize(
    "shown", [block for block in blocks("console") if block.startswith("$ graders ")]
)
@pytest.mark.usefixtures("starter")
def test_the_output_shown_is_the_output(shown, capfd):
    """The README shows how what a command prints begins, and parts of what follows."""
    command, _, lines = shown.partition("\n")
    first, *parts, end = lines.split("...\n")
    arguments = shlex.split(command.removeprefix("$ "))[1:]
    _results_for(arguments)
    capfd.readouterr()

    assert main(arguments) == 0
    printed = capfd.readouterr().out
    assert printed.startswith(first)
    assert end == ""
    rest = printed.removeprefix(first)
    for part in parts:
        before, found, rest = rest.partition(f"\n{part}")
        assert found, f"after {before!r}"


@pytest.mark.parametrize("command", first_short(SERVERS))
def test_servers_serve(command, starter):
    """Each says where, on a port that is free here, and ends when it is told to."""
    command = re.sub(r" --port \d+", "", command).replace("starter/", f"{starter}/starter/")
    with serving(*shlex.split(command)[2:]) as url:
        assert url.endswith("/v1")


@pytest.mark.usefixtures("starter")
def test_the_survivor_shown_is_the_survivor(capfd):
    """What the starter's cases do not notice, to the letter."""
    (shown,) = (text for text in blocks("text") if "survivor" in text)
    capfd.readouterr()

    assert main(["mutate", "starter/grade.cases.json"]) == 0
    assert capfd.readouterr().out == shown


@pytest.mark.parametrize(
    "code",
    [
        pytest.param(code, marks=[pytest.mark.needs("inspect_ai")] * ("inspect_ai" in code))
        for code in blocks("python")
        if "def test_" not in code
    ],
)
def test_python(code, starter):
    """The README's Python runs, in an interpreter of its own; the SDK asks a server of ours."""
    with serving() if "OpenAI()" in code else nullcontext("") as url:
        ours = {"OPENAI_BASE_URL": url, "OPENAI_API_KEY": "any", "PYTHONPATH": str(ROOT)}
        environment = {**os.environ, **ours}
        subprocess.run([sys.executable, "-c", code], check=True, cwd=starter, env=environment)


def test_json():
    """The config validates, and every row shape is one."""
    config, rows, _ = blocks("json")

    assert graders.read_config(json.loads(config)).findings == ()
    assert all(isinstance(json.loads(line), dict) for line in rows.splitlines())


def test_row_shapes(tmp_path):
    """The four row shapes are read as five samples, without a bad line."""
    path = tmp_path / "rows.jsonl"
    path.write_text(blocks("json")[1], encoding="utf-8")

    assert [isinstance(row, graders.Row) for row in graders.read_rows(path)] == [True] * 5


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
