"""A cluster that has no node to grade on: one is waited for, and looked at when it comes."""

import os
import re
import signal
from pathlib import Path

import pytest
from kept_runs import files, mixed, said, until, write
from ray_nodes import CODE, Nodes, Sandboxed, begun, held
from stubborn_graders import Holding, grade_here

pytestmark = [
    pytest.mark.needs("ray"),
    pytest.mark.needs("/usr/bin/unshare"),
    pytest.mark.long,  # for clusters whose head has no processor
]
NOTE = "the cluster has no processor now; waiting for one (Ctrl-C keeps what is graded)\n"


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module")
def nodes():
    """A cluster of a head that grades nothing, as one is that grows as it is asked."""
    program = Nodes()
    try:
        program.address = program("start", 0)
        yield program
    finally:
        program.close()


def test_a_node_is_waited_for_at_the_start_and_in_the_middle(nodes):
    """It is said once each time, and with the first node that comes the run goes on."""
    recipe, out = held(Holding, free=32), Path("out.jsonl")
    pid = nodes("hold", "Holding", 32)
    until(lambda: NOTE in said() or nodes("over", pid))
    node = nodes("add", 1)
    until(lambda: (out.exists() and out.stat().st_size) or nodes("over", pid), seconds=120)
    until(lambda: len(begun()) == 2 or nodes("over", pid))
    nodes("kill", node)
    # Not before: what a killed node had begun may outlive it, and go on, for a while.
    until(lambda: said().count(NOTE) == 2 or nodes("over", pid))
    write("let", "")
    node = nodes("add", 1)
    assert nodes("ended", pid) == 0, said()
    nodes("kill", node)
    assert said().count(NOTE) == 2
    assert len(begun()[1]) == 1, "what has come back is not graded again"
    assert grade_here(recipe, "here") == 0
    assert files("out.jsonl") == files("here.jsonl")


@pytest.fixture
def join(nodes):
    """Has a node come that cannot isolate, until the end."""
    joined = []
    yield lambda: joined.append(nodes("join"))
    for pid in joined:
        os.killpg(pid, signal.SIGKILL)
        nodes("ended", pid)


def test_a_node_that_is_waited_for_is_looked_at(nodes, join):
    """Before anything is graded."""
    write("code.json", CODE)
    write("rows.jsonl", mixed(40))
    command = ("code.json", "rows.jsonl", "-o", "out.jsonl", "--engine", "ray")
    pid = nodes("begin", *command, "--address", nodes.address)
    until(lambda: NOTE in said() or nodes("over", pid))
    join()
    assert nodes("ended", pid) == 2, said()
    assert "not every node can grade this:\nnode 127.0.0.1 (" in said()
    assert "no sandbox starts here" in said()
    assert not Path("out.run").exists()


def test_a_node_that_comes_later_is_looked_at_before_its_first_shard(nodes, join):
    """One that is not fit ends the run, which keeps what is graded."""
    held(Sandboxed, free=32)
    node = nodes("add", 1)
    pid = nodes("hold", "Sandboxed", 32)
    until(lambda: len(begun()) == 2 or nodes("over", pid), seconds=120)
    join()
    assert nodes("ended", pid) == 1
    nodes("kill", node)
    assert re.search("ClusterError: node [0-9a-f]{12}: no sandbox starts here", said()), said()
    assert len(Path("out.jsonl").read_bytes().splitlines()) == 32
