"""`run_code`: let a grader run someone else's code without sharing a process with it."""

from __future__ import annotations

import json
import os
import struct

from sandbox import wire

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_LENGTH = struct.Struct("<I")
_connection: int | None = None


def connect(descriptor: int | None) -> None:
    """Say where nested runs are asked for; called once in each child."""
    global _connection  # noqa: PLW0603 - a child is one process with one connection
    _connection = descriptor


def run_code(
    code: str, stdin: str = "", *, timeout: float = 10.0, memory: int = 512 << 20
) -> dict[str, Any]:
    """Run code in a second, stricter sandbox that never sees the item or the grader.

    Whatever `grade()` itself executes can set its own score; code run here cannot. Only plain
    data comes back. This exists in this package alone, not on any hosted service.

    Args:
        code: A Python program.
        stdin: What it reads from standard input.
        timeout: Seconds it may take, within what is left of the row's own.
        memory: Bytes it may use.

    Returns:
        `status` (`ok`, `raised`, `timed_out`, ...), `stdout` and `stderr` (64 kB at most each),
        and `value`: that of the last line if it is an expression with plain data, else None.

    Raises:
        RuntimeError: Called outside a sandboxed grader.
        TypeError: An argument is not of its type.
    """
    if _connection is None:
        raise RuntimeError(
            "sandbox.run_code works inside a sandboxed grader only, whose source names it"
        )
    for text in (code, stdin):
        if not isinstance(text, str):
            raise TypeError(f"run_code takes code and stdin as text, got {type(text).__name__}")
    request = json.dumps([code, stdin, float(timeout), int(memory)]).encode()
    if len(request) > wire.MAX_NESTED:
        raise ValueError(f"code and stdin take {len(request):,} bytes, of {wire.MAX_NESTED:,}")
    os.write(_connection, _LENGTH.pack(len(request)))
    view = memoryview(request)
    while view:
        view = view[os.write(_connection, view) :]
    (length,) = _LENGTH.unpack(_read(_connection, _LENGTH.size))
    answer: dict[str, Any] = json.loads(_read(_connection, length))
    return answer


def _read(descriptor: int, length: int) -> bytes:
    parts = []
    while length:
        part = os.read(descriptor, min(length, 1 << 20))
        if not part:
            raise RuntimeError("the sandbox for nested code has gone")
        parts.append(part)
        length -= len(part)
    return b"".join(parts)


RUNNER = """
import ast, io, linecache, resource, sys, types

def limit(which, value):
    ceiling = resource.getrlimit(which)[1]
    value = value if ceiling == resource.RLIM_INFINITY else min(value, ceiling)
    resource.setrlimit(which, (value, value))

def run(code, stdin, memory, seconds):
    limit(resource.RLIMIT_DATA, memory)
    limit(resource.RLIMIT_AS, 2 * memory)
    limit(resource.RLIMIT_CPU, seconds + 1)
    sys.stdin = io.StringIO(stdin)
    linecache.cache["<code>"] = (len(code), None, code.splitlines(True), "<code>")
    tree = ast.parse(code, "<code>")
    last = None
    if tree.body and isinstance(tree.body[-1], ast.Expr):
        last = ast.Expression(tree.body.pop().value)
    sys.modules["__main__"] = types.ModuleType("__main__")
    names = sys.modules["__main__"].__dict__
    exec(compile(tree, "<code>", "exec"), names)
    return None if last is None else eval(compile(last, "<code>", "eval"), names)
"""
"""The source of the second sandbox's only function."""
