"""Processes beside the server: they answer, they end in time, and a dead one costs one call."""

import asyncio
import operator
import os
import sys
import time

import pytest

from graders.server.processes import ProcessDiedError, Processes, RaisedError

AN_HOUR = 3600


def with_processes(work, *, seconds=60.0, most=1):
    """Run `await work(processes)`, and close them."""

    async def run():
        processes = Processes(seconds=seconds, most=most)
        try:
            return await work(processes)
        finally:
            await processes.close()

    return asyncio.run(run())


def is_there(process):
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_function_is_called_in_another_process_which_stays():
    """The second call needs no new one, and closing ends it."""

    async def work(processes):
        pids = {await processes.call(os.getpid) for _ in range(3)}
        return pids, await processes.call(int, "ff", base=16)

    (pid,), number = with_processes(work)

    assert number == 255
    assert pid != os.getpid()
    assert not is_there(pid)


def test_none_is_forgotten_that_gets_idle_while_another_one_starts():
    """All are ended when they are closed."""

    async def work(processes):
        await processes.call(os.getpid)
        pids = await asyncio.gather(*(processes.call(os.getpid) for _ in range(2)))
        assert {process.pid for process in processes.idle} == {*pids}
        return pids

    assert not any(map(is_there, with_processes(work, most=2)))


def test_what_takes_too_long_is_ended_with_its_process():
    """The call says so, and the next one gets a new process."""

    async def work(processes):
        pid = await processes.call(os.getpid)
        processes.seconds = 0.2
        with pytest.raises(TimeoutError):
            await processes.call(time.sleep, AN_HOUR)
        assert not is_there(pid)
        processes.seconds = 60
        return pid, await processes.call(os.getpid)

    first, second = with_processes(work)

    assert first != second


@pytest.mark.parametrize(
    ("function", "arguments"),
    [(os._exit, (1,)), (sys.exit, ()), (bytearray, (1 << 40,))],
    ids=["killed", "ended", "out of memory"],
)
def test_a_process_that_dies_costs_one_call(function, arguments):
    """The next one has another process."""

    async def work(processes):
        with pytest.raises(ProcessDiedError):
            await processes.call(function, *arguments)
        return await processes.call(operator.add, 1, 2)

    assert with_processes(work) == 3


def test_what_a_function_raises_is_told_with_its_traceback():
    """Else a bug of ours would look as if memory were short. The process goes on."""

    async def work(processes):
        pid = await processes.call(os.getpid)
        with pytest.raises(
            RaisedError, match=r"(?s)Traceback .* in _answer.*TypeError: bad operand"
        ):
            await processes.call(operator.inv, "x")
        with pytest.raises(RaisedError, match="cannot pickle"):
            await processes.call(open, os.devnull)
        return pid == await processes.call(os.getpid)

    assert with_processes(work)


def test_what_a_function_prints_or_reads_is_no_part_of_what_is_said():
    """Not even what it writes to the descriptors themselves."""

    async def work(processes):
        await processes.call(print, "printed", flush=True)
        assert await processes.call(os.write, 1, b"written") == 7
        assert await processes.call(os.read, 0, 1) == b""
        return await processes.call(operator.add, 1, 2)

    assert with_processes(work) == 3


def test_a_cancelled_call_ends_its_process_and_lets_the_next_one_in():
    """Nobody waits for what nobody wants."""

    async def work(processes):
        pid = await processes.call(os.getpid)
        long = asyncio.create_task(processes.call(time.sleep, AN_HOUR))
        waiting = asyncio.create_task(processes.call(operator.add, 1, 2))
        await asyncio.sleep(0)
        assert not waiting.done()
        long.cancel()
        assert await waiting == 3
        return pid

    assert not is_there(with_processes(work))
