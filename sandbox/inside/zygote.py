"""The zygote: locked down once, then a fork for each row.

It is process 1 of its namespaces, so kill(-1) reaches everything a row could have started, and
its end is the end of all of it. It reads the source, and never a row: what it holds, every later
row can find. After each row it is as it was before, or it ends and the host asks for a new one.
"""

from __future__ import annotations

import gc
import linecache
import os
import select
import signal
import socket
import struct
import sys
import time
import traceback
from types import CodeType

from sandbox import wire
from sandbox.inside import child, lockdown
from sandbox.layers import namespaces, seccomp

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from sandbox.inside.lockdown import Plan

_PIPE_BYTES, _READS = 1 << 16, 64
_CLOCK_OF_FILES = 5  # CLOCK_REALTIME_COARSE, which ticks every 1 to 10 ms
_CONTROL = 3  # the descriptor of the host's socket, in the zygote and in a child that reads


def start(control: int, plan: Plan) -> None:
    """Become an isolated zygote that serves rows; returns only by raising.

    Args:
        control: The socket to the host.
        plan: What `sandbox.pool` asks for: layers, limits, readable paths, user.
    """
    _keep_only(control)
    layers = set(plan["layers"])
    lockdown.enter(layers)
    if "namespaces" in layers:
        _become_first_process()
    else:
        _send_keeper(os.getpid())
    lockdown.lock_down(plan, layers)
    _send(wire.LOCKED, b"")
    _serve(plan, layers, _compile(_read_source(), plan["file"]))


def _keep_only(control: int) -> None:
    if control != _CONTROL:
        os.dup2(control, _CONTROL)
    os.closerange(_CONTROL + 1, 1 << 16)
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(null, descriptor)
    os.close(null)


def _become_first_process() -> None:
    """Fork into the new process namespace; who forked tells the host and goes."""
    told, tell = os.pipe()
    pid = os.fork()
    if pid:
        _send_keeper(pid)
        os.write(tell, b".")
        os._exit(0)
    os.close(tell)
    if not os.read(told, 1):  # whoever could kill us was never told of
        os._exit(1)
    os.close(told)


def _send_keeper(pid: int) -> None:
    _send_descriptor(wire.KEEPER, os.pidfd_open(pid))


def _send_descriptor(kind: bytes, descriptor: int) -> None:
    with socket.socket(fileno=os.dup(_CONTROL)) as host:
        socket.send_fds(host, [wire.MESSAGE.pack(kind, 0)], [descriptor])
    os.close(descriptor)


def _read_source() -> str:
    (length,) = struct.unpack("<I", child.read_exactly(_CONTROL, 4))
    return child.read_exactly(_CONTROL, length).decode("utf-8", "surrogatepass")


def _compile(source: str, file: str) -> CodeType:
    """Compile the source, or tell the host why not and end.

    This is after the lock-down: compiling is the first thing hostile text is given to.
    """
    lines = source.splitlines(keepends=True)
    linecache.cache[file] = (len(source), None, lines, file)
    try:
        code = compile(source, file, "exec", dont_inherit=True)
    except BaseException as error:  # noqa: BLE001 - SyntaxError, ValueError, MemoryError, ...
        text = "".join(traceback.format_exception_only(error))
        _send(wire.READY, text[-4000:].encode("utf-8", "replace"))
        os._exit(0)
    return code


def _send(kind: bytes, body: bytes) -> None:
    _write_all(_CONTROL, wire.MESSAGE.pack(kind, len(body)) + body)


def _write_all(descriptor: int, data: bytes | memoryview) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


class _Row:
    """A child and the ends of its pipes."""

    __slots__ = ("err", "go", "out", "pid", "result")

    def __init__(self, pid: int, result: int, out: int, err: int, go: int) -> None:
        self.pid, self.result, self.out, self.err, self.go = pid, result, out, err, go

    def close(self) -> None:
        for descriptor in (self.result, self.out, self.err, self.go):
            os.close(descriptor)


class _Buffer:
    """Room for a child's bytes that is zeroed after use: the next row inherits this memory."""

    __slots__ = ("full", "room", "spill", "used", "view")

    def __init__(self, size: int) -> None:
        self.room, self.spill = bytearray(size), bytearray(_PIPE_BYTES)
        self.view, self.used, self.full = memoryview(self.room), 0, False

    def read(self, descriptor: int) -> bool:
        """Take what there is; False at the end of the stream. What does not fit is dropped."""
        if self.used < len(self.room):
            got = os.readv(descriptor, [self.view[self.used :]])
            self.used += got
            return got > 0
        self.full = True
        return os.readv(descriptor, [self.spill]) > 0

    def taken(self) -> memoryview:
        return self.view[: self.used]

    def wipe(self) -> None:
        self.room[: self.used] = bytes(self.used)
        if self.full:
            self.spill[:] = bytes(len(self.spill))
        self.used, self.full = 0, False


def _serve(plan: Plan, layers: set[str], code: CodeType) -> None:
    server = _Server(plan, layers, code)
    gc.collect()
    gc.freeze()
    gc.disable()
    _send(wire.READY, b"")
    server.run()


class _Server:
    """The loop: fork, watch, reply, wipe out."""

    def __init__(self, plan: Plan, layers: set[str], code: CodeType) -> None:
        self._code, self._row_tasks = code, plan["row_tasks"]
        self._cpu_seconds = plan["limits"]["cpu_seconds"]
        self._restrict = seccomp.prepare_row_filter() if "row_filter" in layers else None
        self._first_process = "namespaces" in layers
        self._nested = plan["nested"]
        self._frame = _Buffer(wire.MAX_FRAME + wire.FRAME.size)
        self._out, self._err = _Buffer(wire.MAX_PRINTED), _Buffer(wire.MAX_PRINTED)
        self._scratch = _settled_time() if self._first_process else 0
        sys.stdout, sys.stderr = child.printing_to(1), child.printing_to(2)

    def run(self) -> None:
        row = self._fork()
        while True:
            clean = self._watch(row)
            if not clean:
                os._exit(0)  # and with process 1 goes whatever is left
            spare = self._next(row)
            if self._touched():
                os._exit(0)
            row = spare

    def _next(self, row: _Row) -> _Row:
        """End a row and everything it started; fork the one after it meanwhile."""
        if self._first_process:
            os.kill(-1, signal.SIGKILL)
        else:
            os.kill(row.pid, signal.SIGKILL)
        row.close()
        spare = self._fork()
        os.waitpid(row.pid, 0)
        if self._first_process:
            while os.waitpid(-1, os.WNOHANG)[0]:  # whoever it left behind
                pass
        return spare

    def _touched(self) -> bool:
        """Whether a row left its mark on the scratch folder: a file, a mode, an attribute."""
        return self._first_process and os.stat(namespaces.SCRATCH).st_ctime_ns != self._scratch

    def _fork(self) -> _Row:
        pipes = [os.pipe() for _ in range(4)]
        (result, result_in), (out, out_in), (err, err_in), (go_out, go) = pipes
        mine = theirs = None
        if self._nested:
            mine, theirs = socket.socketpair()
        pid = os.fork()
        if pid == 0:
            child.run(
                child.Descriptors(_CONTROL, result_in, out_in, err_in, go_out),
                code=self._code,
                cpu_seconds=self._cpu_seconds,
                processes=self._row_tasks,
                restrict=self._restrict,
                leash=not self._first_process,
                nested=theirs.detach() if theirs else None,
            )
        for descriptor in (result_in, out_in, err_in, go_out):
            os.close(descriptor)
        os.set_blocking(out, False)
        os.set_blocking(err, False)
        if mine and theirs:
            theirs.close()
            _send_descriptor(wire.CONNECTION, mine.detach())
        return _Row(pid, result, out, err, go)

    def _watch(self, row: _Row) -> bool:
        """Forward each call's end to the host, until the child has answered its last call.

        Returns:
            Whether the zygote is as good as new. A child that ended without its last frame
            is not looked into further: the zygote ends with it.
        """
        poll = select.poll()
        for descriptor in (row.result, row.out, row.err):
            poll.register(descriptor, select.POLLIN)
        poll.register(_CONTROL, select.POLLRDHUP)
        while True:
            for descriptor, _ in poll.poll():
                if descriptor == _CONTROL:
                    # The host hangs up: the row's time is up, or there is nobody left to tell.
                    os.kill(row.pid, signal.SIGKILL)
                    self._reply_without_frame(row)
                    return False
                if descriptor == row.result:
                    if not self._frame.read(row.result) or self._frame.full:
                        self._reply_without_frame(row)
                        return False
                elif not self._drain(descriptor, row):
                    poll.unregister(descriptor)
            if self._complete():
                self._drain(row.out, row)
                self._drain(row.err, row)
                last = bool(self._frame.room[len(wire.MAGIC)] & wire.LAST)
                clean = not self._touched()
                self._reply(wire.WITH_FRAME, then=wire.AGAIN if clean else wire.GONE, last=last)
                if last:
                    return clean
                os.write(row.go, b".")

    def _drain(self, descriptor: int, row: _Row) -> bool:
        """Take what a row printed; False once it can print no more there."""
        buffer = self._out if descriptor == row.out else self._err
        try:
            for _ in range(_READS):  # and no more, as a row may print faster than we read
                if not buffer.read(descriptor):
                    return False
        except BlockingIOError:
            pass
        return True

    def _complete(self) -> bool:
        used = self._frame.used
        if used < wire.FRAME.size:
            return False
        length: int = wire.FRAME.unpack_from(self._frame.room)[4]
        return used >= wire.FRAME.size + length

    def _reply_without_frame(self, row: _Row) -> None:
        """The child has ended, or closed its pipe, or says too much."""
        ended = wire.TOO_LARGE if self._frame.full else wire.WITHOUT_FRAME
        status, usage = _wait(row.pid)
        self._drain(row.out, row)
        self._drain(row.err, row)
        self._frame.wipe()
        self._reply(
            ended,
            status=status,
            cpu=usage.ru_utime + usage.ru_stime,
            peak=usage.ru_maxrss * 1024,
            then=wire.GONE,
            last=True,
        )

    def _reply(  # noqa: PLR0913 - the fields of wire.END
        self,
        ended: int,
        *,
        then: int,
        last: bool,
        status: int = 0,
        cpu: float = 0.0,
        peak: int = 0,
    ) -> None:
        parts = [self._frame.taken(), self._out.taken(), self._err.taken()]
        cut = self._out.full or self._err.full
        lengths = [len(part) for part in parts]
        end = wire.END.pack(ended, then, last, cut, status, cpu, peak, *lengths)
        length = len(end) + sum(len(part) for part in parts)
        _write_all(_CONTROL, wire.MESSAGE.pack(wire.ENDED, length) + end)
        for part, buffer in zip(parts, (self._frame, self._out, self._err), strict=True):
            _write_all(_CONTROL, part)
            part.release()
            buffer.wipe()


def _wait(pid: int) -> tuple[int, Any]:
    """Wait for a child that ought to be dead; one that only closed its pipe is killed."""
    for _ in range(20):  # between closing its pipes and being dead
        if os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT | os.WNOHANG):
            break
        time.sleep(0.001)
    else:
        os.kill(pid, signal.SIGKILL)  # nothing to one that is already ending
    _, status, usage = os.wait4(pid, 0)
    return status, usage


def _settled_time() -> int:
    """The scratch folder's time of change, once any later change must show another."""
    changed = os.stat(namespaces.SCRATCH).st_ctime_ns
    while time.clock_gettime_ns(_CLOCK_OF_FILES) <= changed:
        time.sleep(0.001)
    return changed
