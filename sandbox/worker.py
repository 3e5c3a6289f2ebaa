"""The host's side of one zygote: send calls, hold the deadline, believe nothing."""

from __future__ import annotations

import json
import math
import os
import select
import signal
import socket
import struct
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import pairwise
from time import monotonic
from typing import Any, Final

from sandbox import endings, wire
from sandbox.interpreter import Interpreter
from sandbox.types import Call, Outcome, Status

_START_SECONDS: Final = 120.0  # importing a large library from a cold disk

Answer = Callable[[bytes, float], bytes]
"""Runs a nested request, given the seconds it may take."""


class BrokenSandboxError(Exception):
    """The sandbox itself failed, whatever the code did; says how."""


class RefusedError(BrokenSandboxError):
    """A layer could not be put on; says which, and what the kernel answered."""


class Mother:
    """A warm interpreter that forks zygotes.

    Args:
        interpreter: What to run.
        preload: Modules to import before anything else.

    Raises:
        BrokenSandboxError: It does not start.
    """

    def __init__(self, interpreter: Interpreter, preload: Sequence[str]) -> None:
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            code = "from sandbox.inside import mother; mother.main(int(sys.argv[1]))"
            self._process = subprocess.Popen(
                interpreter.start(code, str(theirs.fileno())),
                env=interpreter.environment,
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                cwd="/",
                start_new_session=True,
            )
        self._socket.settimeout(_START_SECONDS)
        self._socket.send(json.dumps(list(preload)).encode())
        ready = self._socket.recv(1 << 20)
        if not ready:
            _, said = self._process.communicate()
            raise BrokenSandboxError(f"no interpreter: {said.decode('utf-8', 'replace')[-2000:]}")
        self.missing: Mapping[str, str] = json.loads(ready)

    def fork(self, plan: Mapping[str, Any]) -> socket.socket:
        """Ask for a zygote; returns the socket to it."""
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                socket.send_fds(self._socket, [json.dumps(plan).encode()], [theirs.fileno()])
            except OSError as error:
                ours.close()
                raise BrokenSandboxError(f"the warm interpreter has gone: {error}") from None
        return ours

    @property
    def pid(self) -> int:
        return self._process.pid

    def close(self) -> None:
        """End it, and with it every zygote that it forked."""
        self._socket.close()
        self._process.kill()
        self._process.wait()
        if self._process.stderr:
            self._process.stderr.close()


class Zygote:
    """One isolated parent of rows, for one source.

    Args:
        mother: Who forks it.
        plan: Layers, limits and paths, as `sandbox.inside.zygote` reads them.
        source: The module to run.

    Raises:
        RefusedError: A layer cannot be had.
        BrokenSandboxError: It does not start.
    """

    def __init__(self, mother: Mother, plan: Mapping[str, Any], source: str) -> None:
        self.source = source
        self.usable = True
        self.has_served = False
        self.does_not_compile: Outcome | None = None
        self._keeper: int | None = None
        self._connections: list[socket.socket] = []
        self._socket = mother.fork(plan)
        self._deadline = monotonic() + _START_SECONDS
        try:
            kind, body = self._next_word()
            if kind == wire.LOCKED:
                kind, body = self._compile(source, plan["limits"]["wall_seconds"])
        except (OSError, EOFError, TimeoutError) as problem:
            self.close()
            raise BrokenSandboxError(f"no sandbox came up: {str(problem) or 'it ended'}") from None
        if kind == wire.REFUSED:
            self.close()
            raise RefusedError(body.decode("utf-8", "replace"))
        if body:
            error = body.decode("utf-8", "replace")
            self.does_not_compile = Outcome(status=Status.RAISED, error=error)
        self.usable = self.does_not_compile is None

    def _compile(self, source: str, seconds: float) -> tuple[bytes, bytes]:
        """Send the source. It may be made to take for ever, and that is its rows' own outcome."""
        self._deadline = monotonic() + seconds
        text = source.encode("utf-8", "surrogatepass")
        try:
            with suppress(BrokenPipeError, ConnectionResetError):  # what it says is read below
                self._send(struct.pack("<I", len(text)) + text)
            return self._next_word()
        except TimeoutError:
            error = f"compiling the source took more than {seconds:g} s"
            self.does_not_compile = Outcome(status=Status.TIMED_OUT, error=error)
            return wire.READY, b""

    def run(
        self, calls: Sequence[Call], wall_seconds: float, answer: Answer | None = None
    ) -> Iterator[Outcome]:
        """Run calls in one child, an outcome each; fewer where the child ends before the last.

        Raises:
            BrokenSandboxError: The zygote ended without a word.
        """
        payload = json.dumps([[call.entry, list(call.args)] for call in calls]).encode()
        started = monotonic()
        self._deadline = started + wall_seconds
        try:
            self._send(wire.CALLS.pack(len(calls), len(payload)) + payload)
            for left in range(len(calls) - 1, -1, -1):
                body = self._ended(answer)
                now = monotonic()
                outcome, last = self._read_end(body, wall_seconds=now - started)
                if last != (not left):
                    self.usable = self.usable and last  # more calls answered than were asked
                self.has_served = True
                yield outcome
                if last:
                    break
                started, self._deadline = now, now + wall_seconds
        except TimeoutError:
            self.usable = False
            self._kill()
            error = f"timed out after {wall_seconds:g} s"
            yield Outcome(status=Status.TIMED_OUT, error=error, wall_seconds=monotonic() - started)
        except (OSError, EOFError) as error:
            self.usable = False
            raise BrokenSandboxError(f"the sandbox ended: {str(error) or 'no word'}") from None
        finally:
            self._drop_connections(keep=0)
            if not self.usable:
                self.close()

    def close(self) -> None:
        """End it and all that runs in it; waits until it has ended."""
        self.usable = False
        self._kill()
        self._socket.close()
        self._drop_connections(keep=0)

    def abandon(self) -> None:
        """Make whoever waits for it stop waiting; safe from any thread."""
        if self._keeper is not None:
            with suppress(OSError):
                signal.pidfd_send_signal(self._keeper, signal.SIGKILL)

    def _kill(self) -> None:
        if self._keeper is None:
            return
        with suppress(OSError):
            signal.pidfd_send_signal(self._keeper, signal.SIGKILL)
            poll = select.poll()
            poll.register(self._keeper, select.POLLIN)
            poll.poll(10_000)
        os.close(self._keeper)
        self._keeper = None

    def _drop_connections(self, *, keep: int) -> None:
        while len(self._connections) > keep:
            self._connections.pop(0).close()

    def _ended(self, answer: Answer | None) -> bytes:
        """The end of a call; nested requests are answered meanwhile."""
        while True:
            if answer is not None and self._nested_first(answer):
                continue
            kind, body = self._message()
            if kind == wire.ENDED:
                return body
            if kind != wire.CONNECTION:
                raise EOFError(f"an unexpected message {kind!r}")

    def _nested_first(self, answer: Answer) -> bool:
        """Answer a nested request if one comes before the end of the call."""
        if not self._connections:
            return False
        connection = self._connections[0]
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        poll.register(connection, select.POLLIN)
        ready = dict(poll.poll(max(0, math.ceil(self._left() * 1000))))
        if not ready:
            raise TimeoutError
        if self._socket.fileno() in ready:
            return False
        try:
            (length,) = struct.unpack("<I", _receive(connection, 4, self._left()))
            if length > wire.MAX_NESTED:
                raise EOFError
            reply = answer(_receive(connection, length, self._left()), self._left())
            connection.settimeout(self._left())
            connection.sendall(struct.pack("<I", len(reply)) + reply)
        except (OSError, EOFError):  # the row hung up, or does not read: its own loss
            self._drop_connections(keep=len(self._connections) - 1)
        return True

    def _next_word(self) -> tuple[bytes, bytes]:
        """The next message that has something to say; descriptors are kept on the way."""
        while True:
            kind, body = self._message()
            if kind not in (wire.KEEPER, wire.CONNECTION):
                return kind, body

    def _message(self) -> tuple[bytes, bytes]:
        head, descriptors = self._receive_head()
        kind, length = wire.MESSAGE.unpack(head)
        if kind == wire.KEEPER:
            (self._keeper,) = descriptors
        elif kind == wire.CONNECTION:
            (descriptor,) = descriptors
            self._connections.append(socket.socket(fileno=descriptor))
        return kind, _receive(self._socket, length, self._left())

    def _receive_head(self) -> tuple[bytes, list[int]]:
        self._socket.settimeout(self._left())
        head, descriptors, _, _ = socket.recv_fds(self._socket, wire.MESSAGE.size, 1)
        if not head:
            raise EOFError
        rest = wire.MESSAGE.size - len(head)
        return head + _receive(self._socket, rest, self._left()), descriptors

    def _send(self, data: bytes) -> None:
        self._socket.settimeout(self._left())
        self._socket.sendall(data)

    def _left(self) -> float:
        left = self._deadline - monotonic()
        if left <= 0:
            raise TimeoutError
        return left

    def _read_end(self, body: bytes, *, wall_seconds: float) -> tuple[Outcome, bool]:
        ended, then, last, cut, status, cpu, peak, *lengths = wire.END.unpack_from(body)
        self.usable = then == wire.AGAIN
        ends = [wire.END.size]
        for length in lengths:
            ends.append(ends[-1] + length)
        frame, out, err = (body[a:b] for a, b in pairwise(ends))
        result: dict[str, Any]
        if ended == wire.WITH_FRAME:
            result = endings.read_frame(frame)
        else:
            result = {
                "cpu_seconds": cpu,
                "peak_bytes": peak,
                **endings.explain_end(ended, status, cpu),
            }
        printed = [text.decode("utf-8", "backslashreplace") for text in (out, err)]
        if cut:
            printed = [endings.mark_cut(text) for text in printed]
        outcome = Outcome(stdout=printed[0], stderr=printed[1], wall_seconds=wall_seconds, **result)
        return outcome, last


def _receive(connection: socket.socket, length: int, seconds: float) -> bytes:
    deadline = monotonic() + seconds
    parts = []
    while length:
        left = deadline - monotonic()
        if left <= 0:
            raise TimeoutError
        connection.settimeout(left)
        part = connection.recv(min(length, 1 << 20))
        if not part:
            raise EOFError
        parts.append(part)
        length -= len(part)
    return b"".join(parts)
