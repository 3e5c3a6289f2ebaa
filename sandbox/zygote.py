"""The host's side of one zygote: send calls, hold the deadline, believe nothing."""

from __future__ import annotations

import json
import math
import os
import select
import signal
import socket
import struct
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import pairwise
from time import monotonic
from typing import Any, Final

from sandbox import endings, forks, wire
from sandbox.mother import START_SECONDS, BrokenSandboxError, Mother
from sandbox.types import Call, Outcome, Status

_LAST_WORDS_SECONDS: Final = 1.0  # for a zygote to say what a row that is out of time printed

Answer = Callable[[bytes, float], bytes]
"""Runs a nested request, given the seconds it may take."""


class RefusedError(BrokenSandboxError):
    """A layer could not be put on; says which, and what the kernel answered."""


class CompilingEndedError(BrokenSandboxError):
    """It ended while it compiled the source, which is the first thing it does with it."""


class Zygote:
    """One isolated parent of rows, for one source. `start` it, `run` calls, `close` it.

    Args:
        mother: Who forks it.
        plan: Layers, limits and paths, as `sandbox.inside.zygote` reads them.
        source: The module to run.

    Attributes:
        usable: Whether it can run calls: it is started, and as good as new.
        verdict: What each call of a source that does not compile comes to; None if it compiles.

    Raises:
        BrokenSandboxError: The mother has gone.
    """

    def __init__(self, mother: Mother, plan: Mapping[str, Any], source: str) -> None:
        self.source, self.slot = source, plan["slot"]
        self.usable = False
        self.verdict: Outcome | None = None
        self._keeper: int | None = None
        self._keeping = threading.Lock()  # `abandon` and `after_fork` come from other threads
        self._connections: list[socket.socket] = []
        self._deadline = monotonic() + START_SECONDS
        with forks.opening:
            self._socket = mother.fork(plan)
            forks.tell(self)

    def start(self, compile_seconds: float) -> None:
        """Wait until it is locked down and has compiled the source.

        Args:
            compile_seconds: What compiling may take. Beyond it the verdict is TIMED_OUT.

        Raises:
            RefusedError: A layer cannot be had.
            CompilingEndedError: It ended over the source.
            BrokenSandboxError: It does not come up.
        """
        try:
            self._expect(wire.LOCKED)
        except RefusedError:
            self.close()
            raise
        except (OSError, EOFError) as error:  # a TimeoutError is an OSError
            self.close()
            raise BrokenSandboxError(f"no sandbox came up: {str(error) or 'it ended'}") from None
        self._deadline = monotonic() + compile_seconds
        try:
            text = self.source.encode("utf-8", "surrogatepass")
            self._send(struct.pack("<I", len(text)) + text)
            said = self._expect(wire.READY).decode("utf-8", "replace")
        except TimeoutError:
            slow = f"timed out after {compile_seconds:g} s, compiling the source"
            self.verdict = Outcome(status=Status.TIMED_OUT, error=slow)
        except (OSError, EOFError):
            self.close()
            raise CompilingEndedError("the process ended while compiling the source") from None
        else:
            self.verdict = Outcome(status=Status.RAISED, error=said) if said else None
        self.usable = self.verdict is None

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
            self._read_ahead()
            self._send(wire.CALLS.pack(len(calls), len(payload)) + payload)
            for left in range(len(calls) - 1, -1, -1):
                body = self._ended(answer)
                now = monotonic()
                outcome, last = self._read_end(body, wall_seconds=now - started)
                if last != (not left):
                    self.usable = self.usable and last  # more calls answered than were asked
                yield outcome
                if last:
                    break
                started, self._deadline = now, now + wall_seconds
        except TimeoutError:
            self.usable = False
            said = self._last_words()
            self._kill()
            error, took = f"timed out after {wall_seconds:g} s", monotonic() - started
            yield replace(said, status=Status.TIMED_OUT, error=error, wall_seconds=took)
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
        if self._keeper is None:
            with suppress(OSError, EOFError, RefusedError):  # it may lie in the socket yet
                self._deadline = monotonic() + 0.01
                self._expect(wire.LOCKED)
        self._kill()
        with self._keeping:
            self._socket.close()
        self._drop_connections(keep=0)

    def abandon(self) -> None:
        """Make whoever waits for it stop waiting; safe from any thread."""
        with self._keeping, suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        with self._keeping, suppress(OSError):
            if self._keeper is not None:
                signal.pidfd_send_signal(self._keeper, signal.SIGKILL)

    def after_fork(self) -> None:
        """Let go of it in a child of this process; see `sandbox.forks`."""
        self.usable = False
        self._keeping = threading.Lock()
        self._socket.close()
        self._drop_connections(keep=0)
        if self._keeper is not None:
            os.close(self._keeper)
            self._keeper = None

    def _kill(self) -> None:
        if self._keeper is None:
            return
        with suppress(OSError):
            signal.pidfd_send_signal(self._keeper, signal.SIGKILL)
            poll = select.poll()
            poll.register(self._keeper, select.POLLIN)
            poll.poll(10_000)
        with self._keeping:
            os.close(self._keeper)
            self._keeper = None

    def _drop_connections(self, *, keep: int) -> None:
        while len(self._connections) > keep:
            self._connections.pop(0).close()

    def _last_words(self) -> Outcome:
        """What a row out of time printed and took, if the zygote answers to our hanging up."""
        try:
            self._deadline = monotonic() + _LAST_WORDS_SECONDS
            self._socket.shutdown(socket.SHUT_WR)
            outcome, _ = self._read_end(self._ended(None), wall_seconds=0.0)
        except (OSError, EOFError):
            return Outcome(status=Status.TIMED_OUT)
        finally:
            self.usable = False
        return replace(outcome, value=None)  # one that came too late is none

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

    def _read_ahead(self) -> None:
        """Take the connection of the child that waits for the next call.

        Raises:
            EOFError: That child has ended, unasked: somebody killed it. No call is to get its end.
        """
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        while poll.poll(0):
            kind, _ = self._message()
            if kind != wire.CONNECTION:
                raise EOFError(f"an unexpected message {kind!r}")

    def _expect(self, wanted: bytes) -> bytes:
        """The body of the next message of a kind; descriptors are kept on the way.

        Raises:
            RefusedError: It says that a layer cannot be had.
            EOFError: It says something else.
        """
        while True:
            kind, body = self._message()
            if kind == wire.REFUSED:
                raise RefusedError(body.decode("utf-8", "replace"))
            if kind == wanted:
                return body
            if kind not in (wire.KEEPER, wire.CONNECTION):
                raise EOFError(f"an unexpected message {kind!r}")

    def _message(self) -> tuple[bytes, bytes]:
        head, descriptors = self._receive_head()
        kind, length = wire.MESSAGE.unpack(head)
        if length > wire.MAX_MESSAGE:
            raise EOFError(f"a message of {length:,} bytes")
        if kind in (wire.KEEPER, wire.CONNECTION) and not descriptors:
            # With our table full the kernel drops what was sent.
            raise EOFError("no descriptor is left for it in this process")
        if kind == wire.KEEPER:
            self._keeper = descriptors.pop()
        elif kind == wire.CONNECTION:
            self._connections.append(socket.socket(fileno=descriptors.pop()))
        return kind, _receive(self._socket, length, self._left())

    def _receive_head(self) -> tuple[bytes, list[int]]:
        self._socket.settimeout(self._left())
        head, descriptors, _, _ = socket.recv_fds(
            self._socket, wire.MESSAGE.size, 1, socket.MSG_CMSG_CLOEXEC
        )
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
