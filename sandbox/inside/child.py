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
import traceback
from types import CodeType, FrameType, TracebackType
from typing import Any, NamedTuple, NoReturn

from sandbox import linux, wire
from sandbox.inside import nested as nested_runs
from sandbox.layers import rlimits, seccomp

_PR_SET_PDEATHSIG = 1
_RESULT, _GO, _NESTED = 4, 5, 6
_MAX_TEXT = 16_000


class Descriptors(NamedTuple):
    """What a child is born with: the host's socket and its own ends of four pipes."""

    control: int
    result: int
    out: int
    err: int
    go: int


def run(
    given: Descriptors,
    *,
    code: CodeType,
    cpu_seconds: float,
    filtered: bool,
    leash: bool,
    nested: int | None,
) -> NoReturn:
    """Read the calls, answer them one by one, and wait to be killed."""
    try:
        _settle(given, nested)
        if leash:
            linux.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        rlimits.limit_row(cpu_seconds=cpu_seconds)
        if filtered:
            seccomp.install(seccomp.filter_for_row(os.getpid()))
        count, length = wire.CALLS.unpack(read_exactly(given.control, wire.CALLS.size))
        payload = read_exactly(given.control, length)
        os.close(given.control)
        _answer(code, json.loads(payload), count)
    finally:
        os._exit(3)  # an end without a frame: the host closed, or nothing could be said


def _settle(given: Descriptors, nested: int | None) -> None:
    """Put each descriptor where it belongs and close the rest."""
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
    return io.TextIOWrapper(raw, "utf-8", "backslashreplace", write_through=True)  # type: ignore[arg-type]


def _answer(code: CodeType, calls: list[Any], count: int) -> None:
    module: dict[str, Any] = {}
    for left, (entry, arguments) in zip(range(count - 1, -1, -1), calls, strict=True):
        kind, body = _call(code, module, entry, arguments)
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


def _call(
    code: CodeType, module: dict[str, Any], entry: str, arguments: list[Any]
) -> tuple[int, bytes]:
    try:
        if entry not in module:
            module.update(__name__="grader", __file__="grade.py")
            exec(code, module)  # noqa: S102 - this is what it is for
        function = module.get(entry)
        if function is None:
            raise NameError(f"the source defines no {entry}")
        return _encode(function(*arguments))
    except MemoryError as error:
        return wire.NO_MEMORY, _explain(error)
    except BaseException as error:  # noqa: BLE001 - SystemExit and KeyboardInterrupt as well
        return wire.RAISED, _explain(error)


def _encode(value: Any) -> tuple[int, bytes]:  # noqa: ANN401 - whatever the code returned
    """Plain data as it is, a numpy scalar as the number it is, the rest as a description."""
    if isinstance(value, float):
        return wire.FLOAT, wire.NUMBER.pack(float.__float__(value))
    kind = type(value)
    if kind.__module__ == "numpy" and hasattr(kind, "dtype") and not hasattr(kind, "__len__"):
        value = value.item()
        if type(value) is float:
            return wire.FLOAT, wire.NUMBER.pack(value)
    try:
        body = json.dumps(value).encode() if _is_plain(value) else None
    except (TypeError, ValueError, RecursionError):  # an object inside, 4,300 digits, a circle
        body = None
    return (wire.OTHER, _describe(value)) if body is None else (wire.PLAIN, body)


def _is_plain(value: Any) -> bool:  # noqa: ANN401
    return value is None or isinstance(value, (bool, int, str, list, dict))


def _describe(value: Any) -> bytes:  # noqa: ANN401
    name = type(value).__name__
    try:
        shown = repr(value)[:200]
    except BaseException:  # noqa: BLE001 - a hostile __repr__
        return f"an object of type {name}".encode("utf-8", "replace")
    return f"{shown} ({name})".encode("utf-8", "replace")


def _explain(error: BaseException) -> bytes:
    """The traceback from the code's own first line on, its end kept where it is too long."""
    try:
        text = "".join(traceback.format_exception(type(error), error, _own(error.__traceback__)))
    except BaseException:  # noqa: BLE001 - hostile classes; no memory left
        text = f"{type(error).__name__}, and it cannot be shown"
    if len(text) > _MAX_TEXT:
        half = _MAX_TEXT // 2
        text = f"{text[:half]}\n[... {len(text) - _MAX_TEXT:,} characters ...]\n{text[-half:]}"
    return text.encode("utf-8", "backslashreplace")


def _own(trace: TracebackType | None) -> TracebackType | None:
    ours = __file__
    while trace is not None and _file(trace.tb_frame) == ours:
        trace = trace.tb_next
    return trace


def _file(frame: FrameType) -> str:
    return frame.f_code.co_filename

