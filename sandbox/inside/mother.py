"""The mother: a fresh interpreter that imports the allowed packages once and forks zygotes.

It never sees a source or a row. Its memory is what every zygote begins with, so a heavy import
is paid once. It ends when the host closes its socket.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import signal
import socket
from collections.abc import Iterable
from contextlib import suppress

from sandbox import linux, wire
from sandbox.inside import zygote

_PR_SET_CHILD_SUBREAPER = 36


def main(descriptor: int) -> None:
    """Serve requests for zygotes on a socket until it closes."""
    host = socket.socket(fileno=descriptor)
    preload = json.loads(host.recv(1 << 20))
    _import_all(preload)
    linux.prctl(_PR_SET_CHILD_SUBREAPER, 1)  # zygotes outlive who forks them
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the host's to handle
    gc.collect()
    gc.freeze()
    gc.disable()
    # What another thread holds when a zygote is forked stays locked in it: the host wants one.
    host.send(str(len(os.listdir("/proc/self/task"))).encode())
    while True:
        request, descriptors, _, _ = socket.recv_fds(host, 1 << 20, 1)
        if not request:
            os._exit(0)
        _fork_zygote(host, request, descriptors[0])


def _import_all(names: Iterable[str]) -> None:
    """Import what there is; a grader that needs the rest fails by itself, with its own line."""
    for name in names:
        with suppress(Exception):  # whatever a package raises
            importlib.import_module(name)


def _fork_zygote(host: socket.socket, request: bytes, control: int) -> None:
    try:
        pid = os.fork()
    except OSError as error:
        _say_refused(control, error)
        return
    if pid:
        os.close(control)
        return
    try:
        host.close()
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        zygote.start(control, json.loads(request))
    except EOFError:
        pass  # the host has gone
    except BaseException as error:  # noqa: BLE001 - whatever it was, the host must hear of it
        _say_refused(control, error)
    finally:
        os._exit(1)


def _say_refused(control: int, error: BaseException) -> None:
    text = (
        f"{type(error).__name__}: {error}"[:2000] if not isinstance(error, OSError) else str(error)
    )
    body = text.encode("utf-8", "replace")
    try:
        os.write(control, wire.MESSAGE.pack(wire.REFUSED, len(body)) + body)
        os.close(control)
    except OSError:
        pass
