"""The child: one row, in a process of its own that ends with it.

Everything before `exec` is ours and runs alone; from there on this process belongs to the code it
runs, and nothing it says is believed. It can spoil its own row's outcome and no other.
"""

from __future__ import annotations

import io
import json
import os
import resource
import signal
from collections import namedtuple
from types import CodeType

from sandbox import linux, wire
from sandbox.inside import calling
from sandbox.inside import nested as nested_runs
from sandbox.layers import rlimits

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, NoReturn

_PR_SET_PDEATHSIG = 1
_RESULT, _GO, _NESTED = 4, 5, 6


Descriptors = namedtuple("Descriptors", "control result out err go")  # noqa: PYI024 - no typing
"""What a child is born with: the host's socket and its own ends of four pipes."""


def run(  # noqa: PLR0913 - what a child differs in
    given: Descriptors,
    *,
    code: CodeType,
    cpu_seconds: float,
    processes: int | None,
    restrict: Callable[[int], None] | None,
    leash: bool,
    nested: int | None,
) -> NoReturn:
    """Read the calls, answer them one by one, and wait to be killed."""
    try:
        _settle(given, nested)
        if leash:
            linux.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        rlimits.limit_row(cpu_seconds=cpu_seconds, processes=processes)
        if restrict is not None:
            restrict(os.getpid())
        count, length = wire.CALLS.unpack(read_exactly(given.control, wire.CALLS.size))
        payload = read_exactly(given.control, length)
        os.close(given.control)
        _answer(code, json.loads(payload), count)
    finally:
        os._exit(3)  # an end without a frame: the host closed, or nothing could be said


def _settle(given: Descriptors, nested: int | None) -> None:
    """Put each descriptor where it belongs and close the rest."""
    os.close(0)
    os.open(os.devnull, os.O_RDONLY)  # a description of its own: flags and locks go with the row
    os.dup2(given.out, 1)
    os.dup2(given.err, 2)
    kept = [given.result, given.go, *([] if nested is None else [nested])]
    # Two steps, as a target may be the place of another source.
    high = [os.dup2(descriptor, 100 + i) for i, descriptor in enumerate(kept)]
    for i, descriptor in enumerate(high):
        os.dup2(descriptor, _RESULT + i)
    os.closerange(_RESULT + len(kept), 256)
    nested_runs.connect(None if nested is None else _NESTED)


def read_exactly(descriptor: int, length: int) -> bytes:
    """Read so many bytes.

    Raises:
        EOFError: The other side has gone.
    """
    parts = []
    while length:
        part = os.read(descriptor, min(length, 1 << 20))
        if not part:
            raise EOFError
        parts.append(part)
        length -= len(part)
    return b"".join(parts)


def printing_to(descriptor: int) -> io.TextIOWrapper:
    """A text stream without a buffer: what was printed before a crash has been printed."""
    raw = io.FileIO(descriptor, "w", closefd=False)
    return io.TextIOWrapper(raw, "utf-8", "backslashreplace", write_through=True)


def _answer(code: CodeType, calls: list[Any], count: int) -> None:
    module = calling.new_module()
    for left, (entry, arguments) in zip(range(count - 1, -1, -1), calls, strict=True):
        kind, body = calling.call(code, module, entry, arguments)
        used = resource.getrusage(resource.RUSAGE_SELF)
        seconds, peak = used.ru_utime + used.ru_stime, used.ru_maxrss * 1024
        kind |= 0 if left else wire.LAST
        frame = wire.FRAME.pack(wire.MAGIC, kind, seconds, peak, len(body)) + body
        while frame:
            frame = frame[os.write(_RESULT, frame) :]
        if left:
            os.read(_GO, 1)
    while True:
        signal.pause()  # taking this process down is the zygote's work, after its reply
