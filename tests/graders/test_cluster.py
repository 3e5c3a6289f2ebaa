"""What can be said of a cluster without one."""

import sys
from pathlib import Path

import pytest
from kept_runs import BOTH, mixed, write

from graders.cluster.node import ClusterError, _check_versions, _stalled
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


def test_a_cluster_s_errors_are_ours():
    """So that a run ends with them as with any other, and can be gone on with."""
    assert issubclass(ClusterError, GradersError)
