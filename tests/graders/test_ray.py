"""A cluster of two nodes: the same bytes as here, whatever dies; and what is refused."""

import contextlib
import json
import os
import random
import re
import shutil
import signal
from functools import partial
from pathlib import Path

import pytest
from kept_runs import BOTH, JUDGE, NEAR, Command, files, mixed, said, summed, until, write
from ray_nodes import CODE, Nodes, Sandboxed, begun, held
from stubborn_graders import Holding, Killing, grade_here

pytestmark = [pytest.mark.needs("ray"), pytest.mark.needs("/usr/bin/unshare")]
SLOW_ROWS, SLOW_CHARACTERS = 192, 16_000


@pytest.fixture(scope="module")
def nodes():
    """A cluster of one node, in a network of its own."""
    program = Nodes()
    try:
        program.address, program.second = program("start", 1), None
        yield program
    finally:
        program.close()


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write("both.json", BOTH)
    write("rows.jsonl", mixed(500))


@pytest.fixture
def second(nodes):
    """A second node, which is there until a test kills it."""
    if nodes.second is None:
        nodes.second = nodes("add", 1)
    return nodes.second


def on(nodes, *arguments):
    """A command on the cluster, to its end: exit code, summary, standard error."""
    code, out, err = nodes("run", *arguments, "--json", *ray(nodes))
    return code, summed(out) if out else None, err


def ray(nodes):
    """The options that say where to grade."""
    return "--engine", "ray", "--address", nodes.address


def here(run, *arguments):
    """The same command on this machine."""
    code, out, err = run(*arguments, "--json", "--workers", "2")
    return code, summed(out) if out else None, err


def slow():
    """Rows that take some hundredths of a second each."""
    chance = random.Random(7)
    letters = "".join(chance.choices("abcdefgh", k=2 * SLOW_CHARACTERS))
    rows = []
    for _ in range(SLOW_ROWS):
        one, other = (chance.randrange(SLOW_CHARACTERS) for _ in range(2))
        texts = letters[one : one + SLOW_CHARACTERS], letters[other : other + SLOW_CHARACTERS]
        rows.append(json.dumps({"item": {"a": texts[0]}, "sample": texts[1]}) + "\n")
    write("rows.jsonl", "".join(rows))
    write("near.json", NEAR)
    return "near.json", "rows.jsonl", "-o"


@pytest.fixture(autouse=True)
def _swept(request):
    """Killed drivers leave folders on nodes."""
    if "nodes" in request.fixturenames:
        nodes = request.getfixturevalue("nodes")
        for folder in nodes.tmp.glob("graders-*"):
            shutil.rmtree(folder)


def at_work(nodes, node=""):
    """Folders of shards that are being graded, on a node or on any."""
    return [*nodes.tmp.glob(f"graders-*-{node[:12]}*-*/stalled")]


def whose(folders):
    """The nodes that they are of."""
    return [folder.parent.name.split("-")[2] for folder in folders]


# --- the same bytes


@pytest.mark.usefixtures("second")
@pytest.mark.parametrize("options", [(), ("--failures", "stop"), ("--group-by", "item.n")], ids=str)
def test_a_cluster_gives_the_same_bytes(nodes, run, options):
    """Results, times' rows, summary, exit code and what ends a run early."""
    expected = here(run, "both.json", "rows.jsonl", "-o", "here.jsonl", *options)
    found = on(nodes, "both.json", "rows.jsonl", "-o", "there.jsonl", *options)
    assert found == expected
    assert files("there.jsonl") == files("here.jsonl")


@pytest.mark.usefixtures("second")
@pytest.mark.needs("pyarrow")
def test_columns_in_and_out_are_the_same(nodes, run):
    """Rows of Parquet are sent as lines, and results are made columns here."""
    import pyarrow as pa
    from pyarrow import parquet

    texts = [f"w{number % 7}" for number in range(100)]
    table = pa.table({"a": texts, "completion": texts[::-1]})
    parquet.write_table(table, "rows.parquet")
    expected = here(run, "both.json", "rows.parquet", "-o", "here.parquet")
    assert on(nodes, "both.json", "rows.parquet", "-o", "there.parquet") == expected
    assert Path("there.parquet").read_bytes() == Path("here.parquet").read_bytes()


@pytest.mark.usefixtures("second")
def test_python_runs_in_a_sandbox_on_each_node(nodes, run):
    """With the layers that hold there."""
    write("code.json", CODE)
    write("rows.jsonl", mixed(80))
    expected = here(run, "code.json", "rows.jsonl", "-o", "here.jsonl")[1]
    found = on(nodes, "code.json", "rows.jsonl", "-o", "there.jsonl")[1]
    assert {**found, "layers": None} == {**expected, "layers": None}
    assert files("there.jsonl") == files("here.jsonl")
    times = map(json.loads, Path("there.timing.jsonl").read_text().splitlines())
    assert all("seccomp" in time["layers"] for time in times)
    assert at_work(nodes) == []


# --- what dies


@pytest.mark.usefixtures("second")
@pytest.mark.parametrize("engine", ["ray", "local"])
def test_a_killed_driver_is_gone_on_with_by_any_engine(nodes, engine):
    """While two nodes grade; what is in its folder is not graded again."""
    recipe = held(Holding, free=32)
    pid = nodes("hold", "Holding", 32)
    out = Path("out.jsonl")
    until(
        lambda: (
            (out.exists() and out.stat().st_size and len({*whose(at_work(nodes))}) == 2)
            or nodes("over", pid)
        )
    )
    os.kill(pid, signal.SIGKILL)
    assert nodes("ended", pid) == -signal.SIGKILL, said()
    write("let", "")
    if engine == "ray":
        assert nodes("grade", "Holding", [str(Path.cwd()), 32], "out", "resume") == 0
    else:
        assert grade_here(recipe, "out", "resume") == 0
    assert len(begun()[1]) == 1
    assert begun().keys() == {1, 33, 65, 97, 129}
    assert grade_here(recipe, "here") == 0
    assert files("out.jsonl") == files("here.jsonl")


def test_a_node_that_dies_costs_no_row(nodes, second):
    """In the middle of a shard, with a sandbox: nothing is lost, and nothing is there twice."""
    recipe = held(Sandboxed, free=32)
    pid = nodes("hold", "Sandboxed", 32)
    until(lambda: (at_work(nodes, second) and len(begun()) == 3) or nodes("over", pid))
    nodes("kill", second)
    nodes.second = None
    assert at_work(nodes, second), f"it was not in the middle of a shard: {said()}"
    # Of a machine they would die with it; here they find out that they are alone.
    until(lambda: not all(Path(f"/proc/{one[0]}/exe").exists() for one in begun().values()))
    write("let", "")
    assert nodes("ended", pid) == 0, said()
    assert said("stdout") == ""
    assert sorted(map(len, begun().values())) == [1, 1, 1, 1, 2], "what was begun there is again"
    assert grade_here(recipe, "here") == 0
    assert files("out.jsonl") == files("here.jsonl")


def test_an_interrupt_leaves_nothing_on_the_nodes(nodes):
    """And keeps what has come back; the line that goes on with it names the cluster."""
    command = slow()
    pid = nodes("begin", *command, "out.jsonl", "--json", *ray(nodes))
    until(lambda: at_work(nodes) or nodes("over", pid))
    os.kill(pid, signal.SIGINT)
    assert nodes("ended", pid) == 130, said()
    assert f"--engine ray --address {nodes.address} --resume" in said()
    assert at_work(nodes) == []


def test_a_run_that_was_begun_here_goes_on_there(nodes, run):
    """Its parts are sent along, and no row of them is graded a second time."""
    command = slow()
    expected = here(run, *command, "here.jsonl")[1]
    driver = Command("run", *command, "out.jsonl", "--workers", "2")
    until(lambda: any(path.stat().st_size for path in Path().glob("out.run/parts/*.part*")))
    driver.kill()
    assert driver.wait() == -signal.SIGKILL
    times = b"".join(path.read_bytes() for path in Path().glob("out.run/parts/*.part*"))
    took = re.findall(rb'"seconds":[0-9.e-]+', times)
    assert on(nodes, *command, "out.jsonl", "--resume")[1] == expected
    assert files("out.jsonl") == files("here.jsonl")
    assert took
    assert set(took) <= set(
        re.findall(rb'"seconds":[0-9.e-]+', Path("out.timing.jsonl").read_bytes())
    )


def test_a_row_that_kills_its_process_is_a_failure(nodes):
    """As on one machine: after a few tries, and every other row is graded."""
    write("rows.jsonl", '{"item": {}, "sample": "x"}\n' * 40)
    assert nodes("grade", "Killing", [[7]], "there", "new") == 1
    assert grade_here(partial(Killing, [7]), "here") == 1
    assert files("there.jsonl") == files("here.jsonl")
    assert b"worker_died" in Path("there.jsonl").read_bytes().splitlines()[6]


def test_what_killed_drivers_left_is_swept_by_the_next_run(nodes):
    """Before anything is graded; what may be needed yet stays."""
    old, new = (nodes.tmp / f"graders-{digit * 32}-{'a' * 12}-0" for digit in "01")
    for folder in (old, new):
        folder.mkdir()
    os.utime(old, (0, 0))
    assert on(nodes, "both.json", "rows.jsonl", "-o", "out.jsonl")[0] == 1
    assert not old.exists()
    assert new.exists()


# --- what is refused


def test_a_node_that_cannot_isolate_is_named_before_anything_is_graded(nodes):
    """Here one whose processes cannot become another user."""
    write("code.json", CODE)
    before, pid = nodes("alive"), nodes("join")
    until(lambda: nodes("alive") > before)
    code, _, err = nodes("run", "code.json", "rows.jsonl", "-o", "out.jsonl", *ray(nodes))
    os.killpg(pid, signal.SIGKILL)
    nodes("ended", pid)
    assert code == 2
    assert re.search(
        "not every node can grade this:\nnode 127.0.0.1 \\([0-9a-f]{12}\\): no sandbox starts here",
        err,
    )
    assert not Path("out.run").exists()


@pytest.mark.parametrize("address", ["auto:x", "ray://x"])
def test_no_cluster_at_an_address(nodes, address):
    """Says which, and begins nothing; ray:// needs more than Ray, or a port."""
    command = ("both.json", "rows.jsonl", "-o", "o.jsonl", "--engine", "ray", "--address", address)
    code, _, err = nodes("run", *command)
    assert code == 2
    assert f"--address {address}: Ray does not connect: " in err
    assert not Path("o.run").exists()


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (["--address", "auto"], "--address is of a cluster; say --engine ray, too."),
        (["--engine", "ray", "--limit", "3"], "--limit counts rows one by one"),
        (["--engine", "ray", "--judge", "m"], "asks a model or a service"),
    ],
)
def test_what_a_cluster_is_not_for(run, options, problem):
    """Before a cluster is looked for."""
    write("judge.json", JUDGE)
    config = "judge.json" if "--judge" in options else "both.json"
    code, _, err = run(config, "rows.jsonl", *options)
    assert code == 2
    assert problem in err


# --- a cluster of our own


def test_one_that_is_started_here_listens_on_loopback_and_asks_for_a_token(nodes, run):
    """It sends no usage, shows its token to nobody, and is gone at the end."""
    command, sessions = slow(), {*nodes.tmp.glob("ray/*")}
    here(run, *command, "here.jsonl")
    pid = nodes("begin", *command, "out.jsonl", "--engine", "ray", "--workers", "2")
    until(lambda: at_work(nodes) or nodes("over", pid), seconds=120)  # a cluster has to start
    os.kill(pid, signal.SIGSTOP)  # so that the cluster stays while it is looked at
    (server,) = [one for one in children(pid) if "gcs_server" in name_of(one)]
    settings = Path(f"/proc/{server}/environ").read_text().split("\0")
    assert {"RAY_AUTH_MODE=token", "RAY_USAGE_STATS_ENABLED=0"} <= {*settings}
    assert "RAY_AUTH_TOKEN=" + "0" * 64 not in settings
    (path,) = [one.partition("=")[2] for one in settings if one.startswith("RAY_AUTH_TOKEN_PATH=")]
    own = Path(path).parent
    assert (Path(path).stat().st_mode | own.stat().st_mode) & 0o077 == 0
    token = Path(path).read_text()
    assert len(token) == 64
    assert listening(pid) == {"127.0.0.1"}
    os.kill(pid, signal.SIGCONT)
    assert nodes("ended", pid) == 0, said()
    assert files("out.jsonl") == files("here.jsonl")
    written = [*Path().glob("*"), *Path().glob("out.run/*"), nodes.said]
    assert not [one for one in written if one.is_file() and token in one.read_text()]
    assert not own.exists()
    assert {*nodes.tmp.glob("ray/*")} == sessions
    until(lambda: not Path(f"/proc/{server}/exe").exists())


def children(pid):
    """The processes of a process, and theirs."""
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in path.read_text().split():
            yield int(child)
            yield from children(int(child))


def name_of(pid):
    """The program that a process runs."""
    return Path(f"/proc/{pid}/cmdline").read_text().partition("\0")[0]


def listening(pid):
    """The addresses at which a process and those that it has started listen."""
    found = set()
    for one in (pid, *children(pid)):
        sockets = sockets_of(one)
        for table in ("tcp", "tcp6"):
            for line in Path(f"/proc/{one}/net/{table}").read_text().splitlines()[1:]:
                local, state, inode = (line.split()[i] for i in (1, 3, 9))
                if state == "0A" and inode in sockets:
                    last = bytes.fromhex(local.partition(":")[0])[-4:]
                    found.add(".".join(map(str, last[::-1])))
    return found


def sockets_of(pid):
    """The numbers of the sockets that a process has open."""
    links = []
    for path in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            links.append(str(path.readlink()))
    return {link[8:-1] for link in links if link.startswith("socket:[")}
