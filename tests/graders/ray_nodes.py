"""A Ray cluster of several nodes in a network of its own, and commands that are run there.

Ray listens on every interface, so its tests have none but loopback: `Nodes` starts this file as a
program in a namespace, and tells it line by line what to do. Processes have the same ids there.
"""

import contextlib
import fcntl
import io
import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import traceback
from collections import defaultdict
from functools import partial
from pathlib import Path

from kept_runs import EXACT, write
from stubborn_graders import Holding, grade_there

from graders.cluster.node import with_sandbox
from graders.config.parse import read_config
from graders.profile import OPENAI
from sandbox import open_sandbox

HERE = Path(__file__).parent
CODE = {
    "type": "python",
    "name": "code",
    "source": "def grade(sample, item):\n    return len(sample['output_text']) / 10\n",
}
MEMBERS = {
    "type": "multi",
    "name": "members",
    "graders": {"code": CODE, "exact": {**EXACT, "reference": "x"}},
    "calculate_output": "0.5 * code + 0.5 * exact",
}
SEED = "import sys; from graders.cli import main; sys.exit(main(sys.argv[1:]))"
QUICK = {"health_check_period_ms": 300, "health_check_failure_threshold": 2}
"""That a node has died is seen in a second, and not in a quarter of a minute."""
_SIOCSIFFLAGS, _UP_AND_RUNNING = 0x8914, 0x41


class Sandboxed(Holding):
    """Holds rows as it does, and what grades them has a member in a sandbox."""

    def __init__(self, folder, free):
        super().__init__(folder, free)
        box = partial(open_sandbox, workers=1)
        self.members = with_sandbox(read_config(MEMBERS), OPENAI, box)

    async def grade(self, rows):
        grades = await self.members.grade(rows)
        await super().grade(rows)
        return grades


def held(kind, free):
    """A grader that holds its rows from one on, and 160 rows: five shards."""
    write("rows.jsonl", '{"item": {}, "sample": "x"}\n' * 160)
    return partial(kind, str(Path.cwd()), free)


def begun():
    """The processes that have begun each shard, by its first row."""
    path, found = Path("begun.txt"), defaultdict(list)
    for line in path.read_text().splitlines() if path.exists() else ():
        row, pid = map(int, line.split())
        found[row].append(pid)
    return found


def apart():
    """What starts a program in a network of its own, as whoever we are."""
    if os.getuid() == 0:
        return ["unshare", "--net"]
    return ["unshare", "--user", "--map-current-user", "--keep-caps", "--net"]


class Nodes:
    """The program in its namespace, from outside."""

    def __init__(self):
        """Start it. What it says and what its nodes leave is in a folder with a short name.

        Names of sockets are no longer than 107 bytes.
        """
        self.tmp = Path(tempfile.mkdtemp(prefix="ray-"))
        self.said = self.tmp / "said.txt"
        environment = {
            **os.environ,
            "TMPDIR": str(self.tmp),
            "PYTHONPATH": os.pathsep.join([str(HERE.parents[1]), str(HERE)]),
            "RAY_USAGE_STATS_ENABLED": "0",
            "RAY_AUTH_MODE": "token",
            "RAY_AUTH_TOKEN": "0" * 64,
        }
        with self.said.open("wb") as said:
            self._process = subprocess.Popen(
                [*apart(), sys.executable, __file__],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=said,
                env=environment,
                text=True,
            )

    def __call__(self, do, *given):
        """Have something done there; gives what came of it."""
        print(json.dumps([do, str(Path.cwd()), given]), file=self._process.stdin, flush=True)
        line = self._process.stdout.readline()
        assert line, "the cluster's process has died"
        answer = json.loads(line)
        assert "failed" not in answer, answer.get("failed")
        return answer["done"]

    def close(self):
        """End the cluster."""
        self._process.stdin.close()
        self._process.wait(30)
        self._process.stdout.close()
        shutil.rmtree(self.tmp)


class _Program:
    """The same from inside; each public method is something that can be done."""

    def __init__(self):
        self._cluster = None
        self._nodes, self._begun = {}, {}

    def start(self, cores):
        """Start a cluster of one node, with so many processors; gives its address."""
        from ray.cluster_utils import Cluster

        self._cluster = Cluster()
        self.add(cores, _system_config=QUICK)
        return self._cluster.address

    def add(self, cores, **settings):
        """Add a node; gives its id."""
        node = self._cluster.add_node(
            num_cpus=cores, node_ip_address="127.0.0.1", include_dashboard=False, **settings
        )
        self._nodes[node.node_id] = node
        return node.node_id

    def kill(self, node):
        """Kill all processes of a node, as a machine dies."""
        self._cluster.remove_node(self._nodes.pop(node), allow_graceful=False)

    def run(self, *arguments):
        """A command to its end: exit code, standard output and standard error."""
        from graders.cli import main

        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = main(["run", *arguments])
        return code, out.getvalue(), err.getvalue()

    def begin(self, *arguments):
        """Begin a command; gives its process id."""
        return self._begin("-c", SEED, "run", *arguments)

    def hold(self, kind, free):
        """Begin to grade rows.jsonl, from a row on only when there is a file `let`."""
        code = "import sys, ray_nodes; ray_nodes.hold(*sys.argv[1:])"
        return self._begin("-c", code, self._cluster.address, kind, str(free))

    def _begin(self, *arguments):
        with Path("stdout.txt").open("wb") as out, Path("stderr.txt").open("wb") as err:
            process = subprocess.Popen(
                [sys.executable, *arguments], stdout=out, stderr=err, start_new_session=True
            )
        self._begun[process.pid] = process
        return process.pid

    def ended(self, pid):
        """The exit code of a command that was begun, at its end."""
        code = self._begun[pid].wait(120)
        del self._begun[pid]  # one that is late is killed at the end
        return code

    def over(self, pid):
        """Whether it has ended."""
        return self._begun[pid].poll() is not None

    def join(self):
        """Add a node that cannot become another user: it runs as root of nobody but itself."""
        command = [sys.executable, "-m", "ray.scripts.scripts", "start", "--block"]
        process = subprocess.Popen(
            [
                *("unshare", "--user", "--map-root-user", *command),
                *("--address", self._cluster.address, "--node-ip-address", "127.0.0.1"),
                *("--num-cpus", "1", "--object-store-memory", str(100 << 20)),
            ],
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )
        self._begun[process.pid] = process
        return process.pid

    def alive(self):
        """How many nodes there are."""
        return sum(node["Alive"] for node in self._cluster.global_state.node_table())

    def grade(self, kind, given, name, way):
        """Grade rows.jsonl by a stubborn grader; gives how many rows fail."""
        import stubborn_graders

        recipe = partial(getattr(stubborn_graders, kind), *given)
        return stubborn_graders.grade_there(recipe, self._cluster.address, name, way)

    def close(self):
        for process in self._begun.values():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        if self._cluster is not None:
            self._cluster.shutdown()


def hold(address, kind, free):
    """Grade rows.jsonl by a grader that holds them, into out.jsonl."""
    kinds = {"Holding": Holding, "Sandboxed": Sandboxed}
    grade_there(partial(kinds[kind], str(Path.cwd()), int(free)), address, "out")


def _serve():
    fcntl.ioctl(socket.socket(), _SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", _UP_AND_RUNNING))
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what Ray prints is no answer
    program = _Program()
    try:
        for line in sys.stdin:
            do, folder, given = json.loads(line)
            os.chdir(folder)
            try:
                answer = {"done": getattr(program, do)(*given)}
            except BaseException:  # noqa: BLE001 - the test says it
                answer = {"failed": traceback.format_exc()}
            print(json.dumps(answer), file=answers, flush=True)
    finally:
        program.close()


if __name__ == "__main__":
    _serve()
