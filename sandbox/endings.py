"""What became of a call, read from bytes that a hostile process may have written."""

from __future__ import annotations

import json
import math
import os
import signal
import struct
from typing import Any, Final

from sandbox import wire
from sandbox.types import Status

_STATUS: Final = {wire.RAISED: Status.RAISED, wire.NO_MEMORY: Status.OUT_OF_MEMORY}

CUT: Final = "\n[... the rest was dropped]"
"""Ends a printed text that was capped."""


def mark_cut(text: str) -> str:
    """A printed text, with a note where it was capped."""
    return text + CUT if len(text) >= wire.MAX_PRINTED // 4 else text


def read_frame(frame: bytes) -> dict[str, Any]:
    """What a frame says, if it is exactly one frame of exactly the agreed form."""
    try:
        magic, kind, cpu, peak, length = wire.FRAME.unpack_from(frame)
        body = frame[wire.FRAME.size :]
        if magic != wire.MAGIC or len(body) != length or not math.isfinite(cpu):
            raise ValueError
        said = read_body(kind & ~wire.LAST, body)
    except (ValueError, RecursionError, struct.error):
        error = "the process wrote something else into the channel of its result"
        return {"status": Status.NO_RESULT, "error": error}
    return {"cpu_seconds": cpu, "peak_bytes": peak, **said}


def read_body(kind: int, body: bytes) -> dict[str, Any]:
    """The fields of an outcome that a frame's body holds.

    Raises:
        ValueError: It has not the form of its kind.
    """
    match kind:
        case wire.FLOAT:
            if len(body) != wire.NUMBER.size:
                raise ValueError
            return {"status": Status.OK, "value": wire.NUMBER.unpack(body)[0]}
        case wire.PLAIN:
            return {"status": Status.OK, "value": json.loads(body)}
        case wire.OTHER:
            return {"status": Status.BAD_VALUE, "error": body.decode("utf-8", "replace")}
        case wire.RAISED | wire.NO_MEMORY:
            return {"status": _STATUS[kind], "error": body.decode("utf-8", "replace")}
        case _:
            raise ValueError


def explain_end(ended: int, status: int, cpu: float) -> dict[str, Any]:
    """What a process that gave no answer died of."""
    if ended == wire.TOO_LARGE:
        error = f"the result is larger than {wire.MAX_FRAME:,} bytes"
        return {"status": Status.OUTPUT_TOO_LARGE, "error": error}
    return explain_exit(os.waitstatus_to_exitcode(status), cpu)


def explain_exit(code: int, cpu: float = 0.0) -> dict[str, Any]:
    """The same for an exit code, negative for a signal."""
    if code < 0 and _name(-code) == "SIGXCPU":
        return {"status": Status.TIMED_OUT, "error": f"used {cpu:.0f} s of processor time"}
    if code < 0:
        name = _name(-code)
        return {"status": Status.SIGNALED, "error": f"the process was ended by {name}"}
    error = f"the process ended itself with exit code {code}, without a result"
    return {"status": Status.NO_RESULT, "error": error}


def _name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # a real-time signal
        return f"signal {number}"
