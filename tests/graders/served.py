"""`graders serve` as a process of its own on a free port, and what it grades with."""

import os
import signal
import subprocess
import sys
import tempfile
import threading
from contextlib import closing, contextmanager
from pathlib import Path

from graders.clients import ModelReply
from graders.clients.allowed import AllowedHosts
from graders.clients.endpoint import HttpEndpoint
from graders.compile import Tools
from graders.grades import Usage
from sandbox import open_sandbox

HERE = Path(__file__).parent
COMMAND = [sys.executable, "-c", "import sys; from graders.cli import main; sys.exit(main())"]
USAGE = Usage(prompt_tokens=12, completion_tokens=7, total_tokens=19)


class Judge:
    """Finds every answer good by a quarter. `--client served:Judge`."""

    async def complete(self, _):
        """Without a network."""
        return ModelReply(text='{"steps": [], "result": 0.25}', usage=USAGE)


@contextmanager
def serving(*arguments, **how):
    """The address of such a server."""
    with server_process(*arguments, **how) as (url, _):
        yield url


@contextmanager
def server_process(*arguments, signals=(signal.SIGTERM,), at="127.0.0.1", **environment):
    """Start a server; at the end it must stop by itself, without a traceback.

    Args:
        arguments: Further ones of `graders serve`.
        signals: What it is sent at the end.
        at: The address that it says it serves.
        environment: Further variables. No keys of this process are handed on.

    Yields:
        Its address and its process id.
    """
    inherited = {name: value for name, value in os.environ.items() if "_API_KEY" not in name}
    paths = [str(HERE.parents[1]), *filter(None, [os.environ.get("PYTHONPATH")])]
    command = [*COMMAND, "serve", "--port", "0", *arguments]
    env = {**inherited, "PYTHONPATH": os.pathsep.join(paths), **environment}
    with (
        tempfile.TemporaryFile("w+") as said,
        subprocess.Popen(  # in this folder, so that it finds the judge
            command, stdout=subprocess.PIPE, stderr=said, text=True, cwd=HERE, env=env
        ) as server,
    ):
        patience = threading.Timer(60, server.kill)
        patience.start()
        line = server.stdout.readline()
        patience.cancel()
        try:
            assert line.startswith(f"serving http://{at}:"), (line, _all_of(said))
            yield line.split()[1], server.pid
        finally:
            code, rest = _stop(server, signals)
            complaints = _all_of(said)
        assert "Traceback" not in complaints, complaints
        assert code == 0, (code, complaints)
        assert rest == ""


@contextmanager
def tools_of_the_server():
    """What such a server grades with: the judge, a sandbox, and no endpoint that it may ask."""
    sandbox, endpoint = open_sandbox(), AllowedHosts(HttpEndpoint(), frozenset())
    with closing(sandbox):
        yield Tools(client=Judge(), sandbox=sandbox, endpoint=endpoint)


def _stop(server, signals):
    """Its exit code, and what else it printed."""
    for one in signals:
        server.send_signal(one)
    patience = threading.Timer(30, server.kill)
    patience.start()
    rest, _ = server.communicate()
    patience.cancel()
    return server.returncode, rest


def _all_of(file):
    file.seek(0)
    return file.read()
