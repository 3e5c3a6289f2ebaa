"""The fallback without isolation: a process per row, for code you wrote yourself.

It runs on every system. A row's code can read your files, reach the network and leave processes
behind; what is kept from it is the environment, and on Unix there are resource limits.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import monotonic
from typing import Any, Final

from sandbox import endings, wire
from sandbox.interpreter import ENVIRONMENT, FLAGS, boot
from sandbox.limits import Limits
from sandbox.types import Call, Outcome, Status

_CODE: Final = """
import json, linecache, sys
call = json.loads(sys.stdin.buffer.read())
try:
    import resource
except ImportError:
    pass
else:
    for name, value in call["rlimits"].items():
        try:
            resource.setrlimit(getattr(resource, name), (value, value))
        except (ValueError, OSError):
            pass  # macOS knows some by name only
from sandbox import endings, wire
from sandbox.inside import calling
source = call["source"]
linecache.cache["grade.py"] = (len(source), None, source.splitlines(True), "grade.py")
try:
    code = compile(source, "grade.py", "exec")
except Exception as error:
    kind, body = wire.RAISED, calling.explain(error)
else:
    kind, body = calling.call(code, {}, call["entry"], call["args"])
with open(sys.argv[1], "wb") as file:
    file.write(bytes([kind]) + body)
"""


class Processes:
    """Runs each call in a process of its own, with your rights.

    Args:
        limits: Wall time everywhere; memory and CPU time where the system has such limits.
        workers: Calls at once; the number of processors by default.
        python: The interpreter; the one that runs this by default.
    """

    layers: frozenset[str] = frozenset()
    batch = 1

    def __init__(
        self, *, limits: Limits | None = None, workers: int | None = None, python: str | None = None
    ) -> None:
        self.limits = limits or Limits()
        self.workers = workers or os.cpu_count() or 1
        self._python = python or sys.executable
        self._threads = ThreadPoolExecutor(self.workers, thread_name_prefix="unsafe")

    async def run(self, calls: Sequence[Call]) -> list[Outcome]:
        """Run calls; an outcome each, in the same order."""
        loop = asyncio.get_running_loop()
        waiting = [loop.run_in_executor(self._threads, self._run, call) for call in calls]
        return list(await asyncio.gather(*waiting))

    async def aclose(self) -> None:
        """Wait for what runs."""
        await asyncio.to_thread(self.close)

    def close(self) -> None:
        """The same, for callers without an event loop."""
        self._threads.shutdown(cancel_futures=True)

    def _run(self, call: Call) -> Outcome:
        try:
            return self._run_in_folder(call)
        except OSError as error:  # no file, process or descriptor to be had: not the row's fault
            return Outcome(status=Status.BROKEN, error=str(error))

    def _run_in_folder(self, call: Call) -> Outcome:
        with tempfile.TemporaryDirectory(prefix="grader-", ignore_cleanup_errors=True) as folder:
            result = Path(folder) / "result"
            out, err = Path(folder) / "out", Path(folder) / "err"
            started = monotonic()
            ended = self._start(call, result, out, err)
            said = _result(result, ended, self.limits.wall_seconds)
            printed = [_printed(path) for path in (out, err)]
        return Outcome(
            stdout=printed[0], stderr=printed[1], wall_seconds=monotonic() - started, **said
        )

    def _start(self, call: Call, result: Path, out: Path, err: Path) -> int | None:
        """Run the process to its end; returns its exit code, or None after its time."""
        limits = {
            "RLIMIT_AS": 2 * self.limits.memory_bytes,
            "RLIMIT_DATA": self.limits.memory_bytes,
            "RLIMIT_CPU": max(1, round(self.limits.cpu_seconds)),
            "RLIMIT_FSIZE": self.limits.disk_bytes,
        }
        request = {
            "source": call.source,
            "entry": call.entry,
            "args": list(call.args),
            "rlimits": limits,
        }
        try:
            with out.open("wb") as out_file, err.open("wb") as err_file:
                done = subprocess.run(
                    [self._python, *FLAGS, "-c", boot() + _CODE, str(result)],
                    input=json.dumps(request).encode(),
                    stdout=out_file,
                    stderr=err_file,
                    cwd=out.parent,
                    env={**_needed_by_system(), **ENVIRONMENT, "HOME": str(out.parent)},
                    timeout=self.limits.wall_seconds,
                    check=False,
                )
        except subprocess.TimeoutExpired:
            return None
        return done.returncode


def _needed_by_system() -> dict[str, str]:
    return {name: os.environ[name] for name in ("SYSTEMROOT",) if name in os.environ}


def _result(path: Path, ended: int | None, wall_seconds: float) -> dict[str, Any]:
    if ended is None:
        return {"status": Status.TIMED_OUT, "error": f"timed out after {wall_seconds:g} s"}
    try:
        with path.open("rb") as file:
            said = file.read(wire.MAX_FRAME + 1)
        if len(said) > wire.MAX_FRAME:
            return endings.explain_end(wire.TOO_LARGE, 0, 0.0)
        return endings.read_body(said[0], said[1:])
    except (OSError, ValueError, IndexError, RecursionError):
        return endings.explain_exit(ended)


def _printed(path: Path) -> str:
    with path.open("rb") as file:
        return file.read(wire.MAX_PRINTED).decode("utf-8", "backslashreplace")
