"""Letting Ctrl-C wait until what is half done is done."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def undisturbed() -> Iterator[None]:
    """Put off what SIGINT and SIGTERM do until the block is left.

    Blocking the signals would not do: the kernel gives them to any thread that takes them, and
    Python then runs the handler in the main thread all the same.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    late: list[int] = []

    def put_off(number: int, _frame: object) -> None:
        late.append(number)

    # SIGTERM may be passed on as SIGINT: so that one is changed first, and changed back last.
    before = [
        (number, signal.signal(number, put_off)) for number in (signal.SIGINT, signal.SIGTERM)
    ]
    try:
        yield
    finally:
        for number, handler in reversed(before):
            signal.signal(number, handler)
        if late:
            signal.raise_signal(late[0])
