"""The fallback without isolation: a process per row, for code you wrote yourself.

It runs on every system. A row's code can read your files, reach the network and leave processes
behind; what is kept from it is the environment, and on Unix there are resource limits. Where we are
killed meanwhile, Linux kills the row's process group at once, and elsewhere an alarm ends the row's
own process soon after its time. Code can undo both.
"""

from __future__ import annotations

import asyncio
import json
import math
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any, Final

from sandbox import endings, forks, wire
from sandbox.interpreter import ENVIRONMENT, FLAGS, boot, check_hash_seed
from sandbox.limits import Limits
from sandbox.turns import Run, Turns
from sandbox.types import Call, Outcome, Status

try:
    import resource  # noqa: F401 - os.wait4 needs it
except ImportError:
    _MEASURES = False
else:
    _MEASURES = True

_SPARE_SECONDS: Final = 2
"""After its time a process ends by itself: who would have ended it may have been killed."""

_CODE: Final = """
import json, linecache, os, signal, sys
with open("call", "rb") as file:
    call = json.load(file)
os.remove("call")  # it has the row's text, and a folder stays where we are killed
if hasattr(signal, "alarm"):
    signal.alarm(call["seconds"])
for tie in map(int, sys.argv[2:]):  # the kernel kills the group once nobody has its other end
    import fcntl, select
    try:
        fcntl.fcntl(tie, fcntl.F_SETOWN, -os.getpgrp())
        fcntl.fcntl(tie, fcntl.F_SETSIG, signal.SIGKILL)
        fcntl.fcntl(tie, fcntl.F_SETFL, os.O_ASYNC)
    except OSError:
        break  # a kernel of another make; there is the alarm
    if select.select([tie], [], [], 0)[0]:
        sys.exit("nobody had it any more")
try:
    import resource
except ImportError:
    pass
else:
    for name, limits in call["rlimits"].items():
        try:
            resource.setrlimit(getattr(resource, name), limits)
        except (ValueError, OSError):
            pass  # macOS knows some by name only
from sandbox import wire
from sandbox.inside import calling
source = call["source"]
linecache.cache[calling.FILE] = (len(source), None, source.splitlines(True), calling.FILE)
try:
    code = compile(source, calling.FILE, "exec")
except Exception as error:
    kind, body = wire.RAISED, calling.explain(error)
else:
    kind, body = calling.call(code, calling.new_module(), call["entry"], call["args"])
with open(sys.argv[1], "wb") as file:
    file.write(bytes([kind]) + body)
"""


@dataclass(frozen=True, slots=True)
class _Ended:
    """How a process ended: its exit code, None where its time was up; what it used if known."""

    code: int | None
    used: dict[str, Any]


@dataclass(frozen=True, slots=True, eq=False)
class _Started:
    """A process that runs."""

    process: subprocess.Popen[bytes]

    def abandon(self) -> None:
        self.process.kill()
        _kill_group(self.process)


class _Tie:
    """A pipe whose other end a process has: once we are gone, Linux kills that one's group."""

    def __init__(self) -> None:
        self._ends: tuple[int, ...] = ()
        if sys.platform == "linux":
            with forks.opening:
                self._ends = os.pipe()
                forks.tell(self)

    @property
    def theirs(self) -> tuple[int, ...]:
        return self._ends[:1]

    def close(self) -> None:
        with forks.opening:
            ends, self._ends = self._ends, ()
            for end in ends:
                os.close(end)

    def after_fork(self) -> None:
        """A child would hold it for as long as it lives."""
        self.close()


class Processes:
    """Runs each call in a process of its own, with your rights.

    Args:
        limits: Wall time everywhere; memory and CPU time where the system has such limits.
        workers: Calls at once; the number of processors by default.
        python: The interpreter; the one that runs this by default.
        hash_seed: PYTHONHASHSEED of the code.

    Raises:
        ValueError: `hash_seed` is none.
    """

    layers: frozenset[str] = frozenset()
    batch = 1

    def __init__(
        self,
        *,
        limits: Limits | None = None,
        workers: int | None = None,
        python: str | None = None,
        hash_seed: int = 0,
    ) -> None:
        check_hash_seed(hash_seed)
        self.limits = limits or Limits()
        self.workers = workers or os.cpu_count() or 1
        self._python = python or sys.executable
        self._environment = {**ENVIRONMENT, "PYTHONHASHSEED": str(hash_seed)}
        self._turns = Turns(self._work, workers=self.workers)

    async def run(self, calls: Sequence[Call]) -> list[Outcome]:
        """Run calls; an outcome each, in the same order."""
        with self._turns.running(calls) as run:
            await asyncio.wrap_future(run.over)
        return run.results()

    async def aclose(self) -> None:
        """End what runs."""
        await asyncio.to_thread(self.close)

    def close(self) -> None:
        """The same, for callers without an event loop."""
        self._turns.close()
        self._turns.join()

    def _work(self, run: Run, taken: list[int]) -> None:
        for i in taken:
            try:
                outcome = self._run_in_folder(run, run.calls[i])
            except OSError as error:  # no file, process or descriptor: not the row's fault
                outcome = Outcome(status=Status.BROKEN, error=str(error))
            # How it ends once the run is stopped says nothing of the row.
            if outcome.status is Status.OK or not run.cancelled:
                run.outcomes[i] = outcome

    def _run_in_folder(self, run: Run, call: Call) -> Outcome:
        with _folder() as folder:
            (folder / "call").write_text(json.dumps(self._request(call)), encoding="ascii")
            started = monotonic()
            ended = self._wait(run, folder)
            took = monotonic() - started
            said = {**ended.used, **self._result(folder / "result", ended)}
            out, err = (_printed(folder / stream) for stream in ("out", "err"))
        return Outcome(stdout=out, stderr=err, wall_seconds=took, **said)

    def _request(self, call: Call) -> dict[str, Any]:
        cpu, memory = max(1, round(self.limits.cpu_seconds)), self.limits.memory_bytes
        limits = {
            "RLIMIT_AS": (2 * memory, 2 * memory),
            "RLIMIT_DATA": (memory, memory),
            "RLIMIT_CPU": (cpu, cpu + 1),  # the first signal says why, the second is obeyed
            "RLIMIT_FSIZE": (self.limits.disk_bytes, self.limits.disk_bytes),
        }
        args = list(call.args)
        request = {"source": call.source, "entry": call.entry, "args": args, "rlimits": limits}
        return {**request, "seconds": math.ceil(self.limits.wall_seconds) + _SPARE_SECONDS}

    def _wait(self, run: Run, folder: Path) -> _Ended:
        """Run the process to its end, or to the end of its time."""
        with closing(_Tie()) as tie:
            return self._until_its_end(run, self._start(folder, tie.theirs))

    def _start(self, folder: Path, tie: Sequence[int]) -> subprocess.Popen[bytes]:
        given = [str(folder / "result"), *map(str, tie)]
        with (folder / "out").open("wb") as out, (folder / "err").open("wb") as err:
            return subprocess.Popen(
                [self._python, "-u", *FLAGS, "-c", boot() + _CODE, *given],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                cwd=folder,
                env={**_needed_by_system(), **self._environment, "HOME": str(folder)},
                start_new_session=True,
                pass_fds=tie,
            )

    def _until_its_end(self, run: Run, process: subprocess.Popen[bytes]) -> _Ended:
        started = _Started(process)
        late = threading.Event()

        def time_is_up() -> None:
            late.set()
            started.abandon()

        timer = threading.Timer(self.limits.wall_seconds, time_is_up)
        timer.start()
        try:
            with run.watched(started):
                used = _reap(process)
        finally:
            timer.cancel()
            _kill_group(process)  # what it started and left
        return _Ended(None if late.is_set() else process.returncode, used)

    def _result(self, path: Path, ended: _Ended) -> dict[str, Any]:
        if ended.code is None:
            error = f"timed out after {self.limits.wall_seconds:g} s"
            return {"status": Status.TIMED_OUT, "error": error}
        try:
            with path.open("rb") as file:
                said = file.read(wire.MAX_FRAME + 1)
            if len(said) > wire.MAX_FRAME:
                return endings.explain_end(wire.TOO_LARGE, 0, 0.0)
            return endings.read_body(said[0], said[1:])
        except (OSError, ValueError, IndexError, RecursionError):
            return endings.explain_exit(ended.code, ended.used.get("cpu_seconds") or 0.0)


@contextmanager
def _folder() -> Iterator[Path]:
    """A temporary one. tempfile's own would be removed by a forked child that exits, too."""
    folder = tempfile.mkdtemp(prefix="grader-")
    try:
        yield Path(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _reap(process: subprocess.Popen[bytes]) -> dict[str, Any]:
    """Wait for a process; what it used, where the system tells."""
    if not _MEASURES:
        process.wait()
        return {}
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    scale = 1 if sys.platform == "darwin" else 1024  # bytes there, kilobytes elsewhere
    return {
        "cpu_seconds": usage.ru_utime + usage.ru_stime,
        "peak_bytes": usage.ru_maxrss * scale,
    }


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    if sys.platform != "win32":
        with suppress(OSError):  # nobody is left in it
            os.killpg(process.pid, signal.SIGKILL)


def _needed_by_system() -> dict[str, str]:
    return {name: os.environ[name] for name in ("SYSTEMROOT",) if name in os.environ}


def _printed(path: Path) -> str:
    with path.open("rb") as file:
        text = file.read(wire.MAX_PRINTED).decode("utf-8", "backslashreplace")
        return endings.mark_cut(text) if file.read(1) else text
