"""Runs that are kept in folders: configs and rows, commands as processes, and full disks."""

import json
import os
import resource
import shlex
import signal
import sys
import time
import traceback
import warnings
from contextlib import contextmanager
from pathlib import Path

from graders.cli import main

EXACT = {
    "type": "string_check",
    "name": "exact",
    "operation": "eq",
    "input": "{{ sample.output_text }}",
    "reference": "{{ item.a }}",
}
NEAR = {
    "type": "text_similarity",
    "name": "near",
    "evaluation_metric": "fuzzy_match",
    "input": "{{ sample.output_text }}",
    "reference": "{{ item.a }}",
    "pass_threshold": 0.5,
}
BOTH = {
    "type": "multi",
    "name": "both",
    "graders": {"exact": EXACT, "near": NEAR},
    "calculate_output": "0.5 * exact + 0.5 * near",
    "pass_threshold": 0.6,
}
JUDGE = {
    "type": "score_model",
    "name": "judge",
    "model": "m",
    "input": [{"role": "user", "content": "{{ sample.output_text }}"}],
}
# Says in a file what it was asked. What is in the file `broken` it cannot answer, and what begins
# with "slow" it answers once the file `let` is there.
ASKED = """
import asyncio, json, os
from pathlib import Path
from graders.clients import ModelReply
from graders.errors import FailureKind, GradingError

class Client:
    async def complete(self, request):
        text = request.messages[0].content
        with open("asked.txt", "a") as file:
            file.write(text + "\\n")
        if text.startswith("slow") and not os.path.exists("let"):
            await asyncio.Event().wait()
        if os.path.exists("broken") and text in Path("broken").read_text().split():
            raise GradingError(FailureKind.MODEL_SERVER, f"no answer for {text}")
        return ModelReply(text=json.dumps({"steps": [], "result": 1 / len(text)}))
"""


def write(name, content):
    """Write a text, or a value as JSON."""
    text = content if isinstance(content, str) else json.dumps(content)
    Path(name).write_text(text, encoding="utf-8", newline="")


def mixed(count, long=1):
    """Rows as they are: good, low, several samples, failing, bad, blank, equal neighbours."""
    made = []
    for number in range(count):
        word = f"w{number // 3 % 17} " * long
        other = word if number % 4 else word[::-1]
        row = {"item": {"a": word, "n": number // 3}, "sample": other}
        if number % 11 == 3:
            row = {"item": row["item"], "samples": [word, other, "!"]}
        if number % 13 == 5:
            row = {"item": {"n": number}, "sample": word}  # has no reference: a failure
        made.append("oops" if number % 17 == 7 else "" if number % 19 == 9 else json.dumps(row))
    return "".join(line + "\n" for line in made)


def files(name="out.jsonl"):
    """The bytes of a results file, and the rows of its times."""
    times = Path(name.replace(".jsonl", ".timing.jsonl")).read_bytes().splitlines()
    whose = [(time["row"], time["sample_index"]) for time in map(json.loads, times)]
    return Path(name).read_bytes(), whose


def kept(name="out.run"):
    """Sizes of all that a run has on disk: they change with every batch."""
    found = {}
    for path in [Path("out.jsonl"), *Path(name).glob("parts/*.part*")]:
        try:
            found[path.name] = path.stat().st_size
        except FileNotFoundError:
            continue
    return found


@contextmanager
def room(size):
    """A disk on which no file can be longer."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


class Command:
    """`graders ...` in a process of its own: a fork, which begins at once."""

    def __init__(self, *arguments, size=None):
        """Begin it; `size` is the longest that a file may be."""
        sys.stdout.flush()
        with warnings.catch_warnings():  # idle threads of a library look after themselves
            warnings.simplefilter("ignore", DeprecationWarning)
            self.pid = os.fork()
        if self.pid == 0:
            self._run(arguments, size)
        self._code = None

    def _run(self, arguments, size):
        code = 70
        try:
            os.setsid()
            for name in ("stdout", "stderr"):
                stream = Path(f"{name}.txt").open("w", encoding="utf-8")  # noqa: SIM115 - to the end
                setattr(sys, name, stream)
            if size is not None:
                resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
            code = main(arguments)
        except BaseException:  # noqa: BLE001 - as the interpreter does
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)

    @property
    def over(self):
        """Whether it has ended."""
        if self._code is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            self._code = os.waitstatus_to_exitcode(status) if pid else None
        return self._code is not None

    def wait(self, seconds=60.0):
        """Its exit code, at its end."""
        until(lambda: self.over, seconds)
        return self._code

    def workers(self):
        """The processes it has, by id."""
        path = Path(f"/proc/{self.pid}/task/{self.pid}/children")
        return [int(pid) for pid in path.read_text().split()] if path.exists() else []

    def kill(self, number=signal.SIGKILL, *, group=False):
        """Send it a signal; to its workers too, as a terminal does, with `group`."""
        if not self.over:
            (os.killpg if group else os.kill)(self.pid, number)


def until(true, seconds=60.0):
    """Wait until something is so; it is looked for every other millisecond."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it never was"
        time.sleep(0.002)


def said(name="stderr"):
    """What a command printed."""
    return Path(f"{name}.txt").read_text(encoding="utf-8")


# --- commands in the process of the tests, by the fixture `run`


COMMAND = ("both.json", "rows.jsonl", "-o", "out.jsonl", "--json")
JOINED = 40_000
"""Bytes of a file in which the parts of a few hundred rows have room, and not all results."""


def undisturbed(run, *options):
    """A run to its end, elsewhere: exit code, summary, files."""
    code, out, _ = run(*COMMAND[:2], "-o", "whole.jsonl", "--json", *options)
    return code, summed(out), files("whole.jsonl")


def summed(out):
    """A JSON summary without the times of the machine."""
    return {**json.loads(out), "seconds": None, "slowest": None, "results": None}


def unfinished(run, *options, size=JOINED):
    """A run that a full disk ended; what it printed on standard error."""
    with room(size):
        code, _, err = run(*COMMAND, *options)
    assert code == 2
    return err


def line_that_resumes(err):
    """The arguments of the line that goes on with a run."""
    (line,) = [line for line in err.splitlines() if line.startswith("graders: go on with: ")]
    return shlex.split(line.removeprefix("graders: go on with: graders run "))
