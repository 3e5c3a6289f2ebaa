"""`graders serve` as a command: what it refuses to start with, and how it stops."""

import json
import os
import signal
import socket
import threading
import time
from contextlib import closing, suppress
from pathlib import Path
from typing import Final

import httpx2
import pytest
from asking import RUN
from sample_configs import JUDGE, PYTHON
from served import serving

from graders.cli import main

TOKEN = "sixteen-letters-"
SLOW = {
    **PYTHON,
    "source": "import time\n\ndef grade(sample, item):\n    time.sleep(100)\n    return 1.0\n",
    "pass_threshold": 0.5,
}
GRADING: Final = 4
"""Processes while a sample is graded: the server, what checked the source, a sandbox and in it
one grading at least."""
CUSTOM = {"type": "custom", "item_schema": {"type": "object"}}


@pytest.fixture
def refused(capsys, monkeypatch):
    """What `graders serve` says when it does not start."""
    for name in ("GRADERS_TOKEN", "OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)

    def command(*arguments, token=None):
        if token is not None:
            monkeypatch.setenv("GRADERS_TOKEN", token)
        assert main(["serve", "--port", "0", *arguments]) == 2
        captured = capsys.readouterr()
        assert captured.out == ""
        return captured.err

    return command


@pytest.mark.parametrize(
    ("arguments", "token", "message"),
    [
        (("--host", "0.0.0.0"), None, "--host 0.0.0.0 lets other machines ask; set GRADERS_TOKEN"),
        (("--host", "::"), None, "--host :: lets other machines ask; set GRADERS_TOKEN"),
        ((), "short", "GRADERS_TOKEN has 5 characters, and must have 16 or more; `openssl rand"),
        ((), "sixteen letters ", "GRADERS_TOKEN has characters that no header can bear: visible"),
        ((), "sixteen-lettérs-", "GRADERS_TOKEN has characters that no header can bear: visible"),
        (("--host", "no.such.invalid"), TOKEN, "cannot listen at no.such.invalid, port 0: "),
        (("--grader", "x"), None, "'x' is not NAME=CONFIG, where CONFIG is a file"),
        (("--grader", "x=absent.json"), None, "'x=absent.json' is not NAME=CONFIG"),
        (("--allow-endpoint", "http://a/"), None, "'http://a/' is not HOST or HOST:PORT"),
        (("--allow-endpoint", "a/b"), None, "'a/b' is not HOST or HOST:PORT"),
        (
            ("--failed-reward", "nan"),
            None,
            "Invalid value for --failed-reward: nan is not a number",
        ),
        (("--end-token", ""), None, "--end-token: a token has one character at least"),
        (("--budget-usd", "1", "--base-url", "http://127.0.0.1:9"), None, "--budget-tokens bounds"),
    ],
)
def test_what_cannot_be_served_is_said_before_it_is(refused, arguments, token, message):
    """With what to do."""
    assert message in refused(*arguments, token=token)


def test_a_port_that_is_taken_is_said(refused):
    """Once, and with what to do."""
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        said = refused("--port", str(port))

    assert said == (
        f"graders: cannot listen at 127.0.0.1, port {port}: Address already in use; "
        "give another --port, or 0 for any that is free\n"
    )


def test_a_grader_that_cannot_grade_here_is_said_without_a_traceback(refused, tmp_path):
    """A judge by name, and nobody to ask."""
    path = tmp_path / "judge.json"
    path.write_text(json.dumps(JUDGE))
    said = refused("--grader", f"good={path}")

    assert said.startswith("graders: the score_model grader")
    assert "give --base-url URL" in said


def test_a_missing_package_is_named(refused, monkeypatch):
    """All of them are of one extra."""
    monkeypatch.setattr(
        "graders.server.transport.serving._PACKAGES", ("uvicorn", "no_such_package", "nor_such")
    )

    assert refused() == (
        "graders: the server needs no_such_package, nor_such. pip install 'local-graders[server]'\n"
    )


@pytest.mark.long
@pytest.mark.parametrize(
    ("host", "called"), [("localhost", "127.0.0.1"), ("::1", "[::1]"), ("[::1]", "[::1]")]
)
def test_names_and_addresses_of_this_machine_need_no_token(host, called):
    """And the address that is shown is the one to ask."""
    if ":" in host and not has_ipv6():
        pytest.skip("needs IPv6")
    with serving("--host", host, at=called) as url:
        assert httpx2.get(f"{url.removesuffix('/v1')}/health").json() == {"status": "ok"}


def has_ipv6():
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


@pytest.mark.long
@pytest.mark.parametrize(
    "signals",
    [
        (signal.SIGINT, signal.SIGINT),
        (signal.SIGTERM, signal.SIGINT),
        (signal.SIGHUP, signal.SIGTERM),
        (signal.SIGTERM,),
    ],
    ids=["twice", "term and ctrl-c", "hang-up and term", "once"],
)
def test_a_signal_leaves_nothing_behind(signals, tmp_path):
    """No process, no folder, no traceback; who still waits is told when to come again."""
    told, others = [], {*below(os.getpid())}  # a session has servers of its own
    with serving(signals=signals, TMPDIR=str(tmp_path)) as url:
        asking = threading.Thread(target=lambda: told.append(ask(url)))
        asking.start()
        until(lambda: len({*below(os.getpid())} - others) >= GRADING)
        with httpx2.Client(base_url=url.removesuffix("/v1"), timeout=60) as client:
            body = {"data_source_config": CUSTOM, "testing_criteria": [SLOW]}
            made = client.post("/v1/evals", json=body).json()["id"]
            source = {"type": "file_content", "content": [{"item": {}}]}
            run = {"data_source": {"type": "jsonl", "source": source}}
            assert client.post(f"/v1/evals/{made}/runs", json=run).status_code == 201
        children = {*below(os.getpid())} - others
        assert [path.name[:14] for path in tmp_path.iterdir()] == ["graders-serve-"]
    asking.join()

    (answer,) = told
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "stopped")
    assert answer.headers["retry-after"] == "1"
    assert list(tmp_path.iterdir()) == []
    assert until(lambda: not any(map(is_there, children)))


def ask(url):
    body = {"grader": SLOW, "model_sample": "x", "item": {}}
    return httpx2.post(url.removesuffix("/v1") + RUN, json=body, timeout=60)


def until(holds):
    """What holds in the end, which must be soon."""
    deadline = time.monotonic() + 30
    while not (value := holds()):
        assert time.monotonic() < deadline
    return value


def below(parent):
    """The processes that a process has started, and those that these have."""
    parents = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(FileNotFoundError, ProcessLookupError):  # it has ended meanwhile
            parents[int(path.parent.name)] = int(path.read_text().rpartition(")")[2].split()[1])
    found = [parent]
    for one in found:  # it grows
        found += [child for child, its in parents.items() if its == one]
    return found[1:]


def is_there(process):
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False
