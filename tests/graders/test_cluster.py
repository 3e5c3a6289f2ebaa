"""What can be said of a cluster without one."""

import os
import re
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType

import pytest
from kept_runs import BOTH, mixed, write

from graders.cluster.connection import _own_folder, connected
from graders.cluster.folders import alone
from graders.cluster.node import ClusterError, _check_versions, _stalled
from graders.cluster.tasks import _failing, check_nodes
from graders.errors import GradersError
from graders.runs.worker import WorkersDiedError


def test_versions_must_be_the_same_everywhere():
    """Each that differs is named, with both."""
    same = {"python": "3.11.7", "nltk": "3.10.0"}
    _check_versions(same, same)
    with pytest.raises(ClusterError) as caught:
        _check_versions(same, {"python": "3.12.1", "numpy": "2.2.4", "nltk": "3.10.0"})
    assert str(caught.value) == (
        "numbers could differ: python is 3.12.1 there and 3.11.7 here; numpy is 2.2.4 there and "
        "missing here. Install the same versions on every node"
    )


def test_processes_that_died_of_a_shard_are_counted_on_its_node(tmp_path):
    """From the last new row on; and after seven the shard is given up."""
    found = [_stalled(tmp_path, size, 3) for size in (0, 0, 0, *[80] * 7)]
    assert found == [0, 0, 1, 0, 1, 2, 3, 4, 5, 6]
    with pytest.raises(WorkersDiedError, match=r"^8 workers died one after the other .* shard 3; "):
        _stalled(tmp_path, 80, 3)


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (["rows.jsonl", "--engine", "ray"], "--engine ray needs an extra: pip install"),
        (["--sample", "x", "--engine", "ray"], "is for a file of rows, and there is one sample"),
    ],
)
def test_what_is_said_before_anything_is_begun(run, tmp_path, monkeypatch, options, problem):
    """Without Ray, and without rows."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "ray", None)
    write("both.json", BOTH)
    write("rows.jsonl", mixed(10))
    output = ["-o", "out.jsonl"] if "rows.jsonl" in options else []
    code, _, err = run("both.json", *options, *output)
    assert code == 2
    assert problem in err
    assert not Path("out.run").exists()


def test_a_shard_s_folder_is_removed_before_the_next_process_has_it(tmp_path):
    """So that nobody's rows go with those of a process that was thought dead."""
    folder = tmp_path / "shard"

    def enter():
        with alone(folder):
            return [path.name for path in folder.iterdir()]

    with ThreadPoolExecutor(1) as pool:
        with alone(folder):
            (folder / "theirs").touch()
            waiting = pool.submit(enter)
        assert "theirs" not in waiting.result()
    assert not folder.exists()


def test_the_folder_of_a_cluster_started_here_is_ours_alone(tmp_path, monkeypatch):
    """With a short name, for Ray's sockets; and the environment is as it was."""
    monkeypatch.setenv("RAY_AUTH_TOKEN", "mine")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "a folder with a long name"))
    before = dict(os.environ)
    with _own_folder() as folder:
        token = folder / "token"
        assert (folder.stat().st_mode | token.stat().st_mode) & 0o077 == 0
        assert len(str(folder / "r")) <= len("/tmp/graders-12345678/ray")
        assert os.environ["RAY_AUTH_TOKEN_PATH"] == str(token)
        assert "RAY_AUTH_TOKEN" not in os.environ
    assert not folder.exists()
    assert dict(os.environ) == before


@pytest.mark.parametrize(
    ("address", "problem"),
    [("127.0.0.1:1", ".*refused"), ("ray://127.0.0.1:1", ".*refused"), ("[::1]:99999", "")],
)
def test_an_address_where_nobody_is(address, problem):
    """Is said at once: Ray alone tries it for minutes."""
    said = rf"^--address {re.escape(address)}: nobody answers there: {problem}"
    with pytest.raises(ClusterError, match=said), connected(address, 1):
        pass


def test_a_cluster_that_fails_is_said_and_a_bug_in_a_task_stays_one(monkeypatch):
    """By the last line of what Ray says."""
    ray, exceptions = ModuleType("ray"), ModuleType("ray.exceptions")
    exceptions.RayError = type("RayError", (Exception,), {})
    exceptions.RayTaskError = type("RayTaskError", (exceptions.RayError,), {})
    ray.exceptions = exceptions
    monkeypatch.setitem(sys.modules, "ray", ray)
    monkeypatch.setitem(sys.modules, "ray.exceptions", exceptions)
    with pytest.raises(ClusterError, match=r"^the cluster failed: it is gone$"), _failing():
        raise exceptions.RayError("Traceback:\n  it is gone\n")
    with pytest.raises(exceptions.RayTaskError), _failing():
        raise exceptions.RayTaskError


class _Coming(ModuleType):
    """A Ray whose first node is gone before it is looked at, and that has another later."""

    def __init__(self):
        super().__init__("ray")
        self.exceptions = ModuleType("ray.exceptions")
        self.exceptions.RayError = type("RayError", (Exception,), {})
        node = {"NodeID": "n", "NodeManagerAddress": "h", "Alive": True, "Resources": {"CPU": 1}}
        self.seen = iter([[], [node], [], [], [node]])
        self.waits = iter([[], [], ["one"], [], ["one"]])
        self.answers = iter([self.exceptions.RayError("gone"), ""])

    def nodes(self):
        return next(self.seen)

    def wait(self, asked, **_):
        return next(self.waits), asked

    def get(self, _):
        if isinstance(answer := next(self.answers), Exception):
            raise answer
        return answer

    def remote(self, *_):
        return self

    def options(self, **_):
        return self


def test_that_nobody_is_there_is_said_once(monkeypatch):
    """Also where a node comes, and goes before it is looked at."""
    ray, said = _Coming(), []
    placing = ModuleType("ray.util.scheduling_strategies")
    placing.NodeAffinitySchedulingStrategy = lambda *_, **__: None
    for module in (ray, ray.exceptions, ModuleType("ray.util"), placing):
        monkeypatch.setitem(sys.modules, module.__name__, module)
    check_nodes([], said.append)

    assert said == [
        "the cluster has no processor now; waiting for one (Ctrl-C keeps what is graded)"
    ]
    assert [*ray.seen, *ray.waits, *ray.answers] == []


def test_a_cluster_s_errors_are_ours():
    """So that a run ends with them as with any other, and can be gone on with."""
    assert issubclass(ClusterError, GradersError)
