"""The host's side of a mother: start it once, ask it for zygotes."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import threading
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from typing import Any, Final

from sandbox import forks
from sandbox.interpreter import Interpreter

START_SECONDS: Final = 120.0  # importing a large library from a cold disk


class BrokenSandboxError(Exception):
    """The sandbox itself failed, whatever the code did; says how."""


class Mother:
    """A warm interpreter that forks zygotes.

    Starting it is quick; `wait` for what it imports. One that cannot import its modules with a
    single thread left is started again without: what another thread holds at a fork, a lock or
    half of a list, stays so in the zygote.

    Args:
        interpreter: What to run.
        preload: Modules to import before anything else.

    Raises:
        OSError: The interpreter does not start.
    """

    def __init__(self, interpreter: Interpreter, preload: Sequence[str]) -> None:
        self._interpreter = interpreter
        self._make_locks()
        self._ready = self._closed = False
        with forks.opening:
            self._spawn(preload)
            forks.tell(self)

    @property
    def pid(self) -> int:
        return self._process.pid

    def wait(self) -> None:
        """Wait until it can fork.

        Raises:
            BrokenSandboxError: It does not start, or was closed meanwhile.
        """
        with self._waiting:
            if self._ready:
                return
            if self._threads() > 1:
                self._process.kill()
                self._clear()
                with self._changing:
                    if self._closed:
                        raise BrokenSandboxError("closed while it started")
                    self._spawn(())
                self._threads()
            self._ready = True

    def fork(self, plan: Mapping[str, Any]) -> socket.socket:
        """Ask for a zygote; returns the socket to it.

        Raises:
            BrokenSandboxError: It has gone.
            OSError: This process has no descriptor left.
        """
        with forks.opening:
            ours, theirs = socket.socketpair()
            with theirs:
                try:
                    socket.send_fds(self._socket, [json.dumps(plan).encode()], [theirs.fileno()])
                except OSError as error:
                    ours.close()
                    raise BrokenSandboxError(f"the warm interpreter has gone: {error}") from None
            return ours

    def close(self) -> None:
        """End it. Its zygotes live on: they hang on their own sockets to the host."""
        with self._changing:
            self._closed = True
            self._process.kill()  # first: whoever waits for its answer sees the end
        with self._waiting:
            self._clear()

    def after_fork(self) -> None:
        """Let go of it in a child of this process; see `sandbox.forks`."""
        self._make_locks()
        self._closed = True
        self._process.returncode = 0  # it is no child of the child, which is not to look after it
        self._socket.close()
        self._stderr.close()

    def _make_locks(self) -> None:
        self._waiting = threading.RLock()  # held by whoever reads its answer or closes the socket
        self._changing = threading.Lock()  # so that no process is started after the end

    def _spawn(self, preload: Sequence[str]) -> None:
        code = "from sandbox.inside import mother; mother.main(int(sys.argv[1]))"
        with forks.opening, ExitStack() as opened:  # closed where it does not come to the end
            ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            opened.enter_context(ours)
            with theirs:
                stderr = opened.enter_context(os.fdopen(os.memfd_create("stderr"), "w+b"))
                self._process = subprocess.Popen(
                    self._interpreter.start(code, str(theirs.fileno())),
                    env=self._interpreter.environment,
                    pass_fds=[theirs.fileno()],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=stderr,
                    cwd="/",
                    start_new_session=True,
                )
            opened.pop_all()
            self._socket, self._stderr = ours, stderr
        self._socket.settimeout(START_SECONDS)
        with suppress(OSError):  # it has ended: `wait` says how
            self._socket.send(json.dumps(list(preload)).encode())

    def _threads(self) -> int:
        """How many threads it has, once it is ready."""
        try:
            ready = self._socket.recv(64)
        except OSError as error:  # too slow, or closed by another thread
            raise BrokenSandboxError(f"no interpreter: {error}") from None
        if not ready:
            self._stderr.seek(0)
            said = self._stderr.read().decode("utf-8", "replace")[-2000:]
            raise BrokenSandboxError(f"no interpreter: {said or 'it ended'}")
        return int(ready)

    def _clear(self) -> None:
        self._process.wait()
        self._socket.close()
        self._stderr.close()
