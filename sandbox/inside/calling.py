"""The call itself: run the code, and turn what comes of it into bytes.

Plain Python for any system; the isolated child and the unsafe fallback share it.
"""

from __future__ import annotations

import json
import sys
import traceback
from types import CodeType, ModuleType, TracebackType

from sandbox import wire

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

FILE, RUNNER_FILE = "grade.py", "<runner>"
_NAME = "grader"
_MAX_TEXT = 16_000


def new_module() -> ModuleType:
    """An empty module for the code, known to `sys.modules`: dataclasses and pickle ask there."""
    module = sys.modules[_NAME] = ModuleType(_NAME)
    module.__file__ = FILE
    return module


def call(code: CodeType, module: ModuleType, entry: str, arguments: list[Any]) -> tuple[int, bytes]:
    """Call a function of a module, which is executed first; returns a frame's kind and body."""
    try:
        names = module.__dict__
        if entry not in names:
            exec(code, names)  # noqa: S102 - this is what it is for
        function = names.get(entry)
        if function is None:
            raise NameError(f"the source defines no {entry}")
        return _encode(function(*arguments))
    except MemoryError as error:
        return wire.NO_MEMORY, explain(error)
    except BaseException as error:  # noqa: BLE001 - SystemExit and KeyboardInterrupt as well
        return wire.RAISED, explain(error)


def _encode(value: Any) -> tuple[int, bytes]:
    """Plain data as it is, a numpy scalar as the number it is, the rest as a description."""
    if isinstance(value, float):
        return wire.FLOAT, wire.NUMBER.pack(float.__float__(value))
    kind = type(value)
    if kind.__module__ == "numpy" and hasattr(kind, "dtype") and not hasattr(kind, "__len__"):
        value = float(value) if kind.__name__ == "longdouble" else value.item()
        if type(value) is float:
            return wire.FLOAT, wire.NUMBER.pack(value)
    try:
        body = json.dumps(value).encode() if _is_plain(value) else None
    except (TypeError, ValueError, RecursionError):  # an object inside, 4,300 digits, a circle
        body = None
    return (wire.OTHER, _describe(value)) if body is None else (wire.PLAIN, body)


def _is_plain(value: Any) -> bool:
    return value is None or isinstance(value, (bool, int, str, list, dict))


def _describe(value: Any) -> bytes:
    name = type(value).__name__
    try:
        shown = repr(value)[:200]
    except BaseException:  # noqa: BLE001 - a hostile __repr__
        return f"an object of type {name}".encode("utf-8", "replace")
    return f"{shown} ({name})".encode("utf-8", "replace")


def explain(error: BaseException) -> bytes:
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
    ours = (__file__, RUNNER_FILE)
    while trace is not None and trace.tb_frame.f_code.co_filename in ours:
        trace = trace.tb_next
    return trace
