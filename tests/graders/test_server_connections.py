"""What is written in one turn of the loop is sent at once, in its order and before the end."""

import asyncio
import socket
import threading
from contextlib import contextmanager

import pytest
import uvicorn

from graders.server.app import create_app
from graders.server.transport.connections import Patience, Together, protocol


class Sent:
    """A transport that keeps what it is told."""

    def __init__(self):
        self.told = []

    def write(self, data):
        self.told.append(data)

    def close(self):
        self.told.append("closed")

    def is_closing(self):
        return "closed" in self.told


def sent(*, close):
    """What is sent of three writes, two of them in one turn."""

    async def write():
        transport = Sent()
        together = Together(transport)
        together.write(b"head")
        together.write(b"body")
        await asyncio.sleep(0)
        together.write(b"more")
        if close:
            together.close()
        assert together.is_closing() == close
        await asyncio.sleep(0)
        return transport.told

    return asyncio.run(write())


def test_head_and_body_are_sent_as_one():
    """And what comes later by itself."""
    assert sent(close=False) == [b"headbody", b"more"]


def test_nothing_is_lost_when_a_connection_ends():
    """What was written before goes first."""
    assert sent(close=True) == [b"headbody", b"more", "closed"]


@contextmanager
def impatient(seconds=0.3):
    """A socket that is connected to a server with so much patience."""
    app, at = create_app(), socket.create_server(("127.0.0.1", 0))

    config = uvicorn.Config(app, http=protocol(seconds), lifespan="on", log_level="error")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([at],))
    thread.start()
    try:
        with socket.create_connection(at.getsockname(), timeout=30) as client:
            yield client
    finally:
        server.should_exit = True
        thread.join(30)
        at.close()


def all_of(client):
    """What is received before the connection ends, however it does."""
    received = 0
    try:
        while piece := client.recv(1 << 20):
            received += len(piece)
    except ConnectionResetError:
        pass
    return received


HEALTH = b"GET /health HTTP/1.1\r\nhost: localhost\r\n"


@pytest.mark.parametrize("begun", [b"", b"GET /hea", HEALTH, HEALTH + b"\r\n\r\n" + HEALTH])
def test_a_head_that_does_not_come_whole_is_not_waited_for(begun):
    """Of the first request of a connection, nor of a later one."""
    with impatient() as client:
        client.sendall(begun)
        received = all_of(client)

    assert (received > 0) == (begun.count(b"GET") == 2)


def test_a_head_without_end_is_not_read_to_its_end():
    """Memory would hold all of it."""
    with impatient(60) as client:
        client.sendall(HEALTH)
        with pytest.raises(ConnectionError):
            client.sendall(b"x: %b\r\n" % (b"x" * 100_000_000))


def test_a_long_head_is_read():
    """Cookies of other servers on this machine come along."""
    with impatient(60) as client:
        client.sendall(HEALTH + b"cookie: " + b"x" * 60_000 + b"\r\nconnection: close\r\n\r\n")
        assert client.recv(100).startswith(b"HTTP/1.1 200 OK")


class Unread:
    """A transport with bytes that nobody has read yet, so many at each look."""

    def __init__(self, *left):
        self.left, self.looks, self.aborted = list(left), 0, asyncio.Event()

    def get_write_buffer_size(self):
        self.looks += 1
        return self.left.pop(0)

    def abort(self):
        self.aborted.set()


@pytest.mark.parametrize(
    ("left", "busy", "looks"),
    [
        ([0], [False], 1),  # nobody asks anything
        ([9, 9], [False] * 2, 2),  # nobody reads
        ([9, 5, 2, 2], [False] * 4, 4),  # somebody reads slowly, and then no more
        ([9, 5, 0], [False] * 3, 3),  # all was read, and nothing else is asked
        ([0, 0, 0], [True, True, False], 3),  # an answer is made
        ([9, 9, 9], [True, True, False], 3),  # and not read, when it has come to its end
    ],
)
def test_a_connection_is_kept_as_long_as_something_happens_on_it(left, busy, looks):
    """An answer that nobody reads would be in memory as long."""

    async def look():
        transport, states = Unread(*left), iter(busy)
        Patience(transport, lambda: next(states), 0.001).begin()
        async with asyncio.timeout(30):
            await transport.aborted.wait()
        return transport.looks

    assert asyncio.run(look()) == looks


def test_a_connection_that_has_ended_is_not_looked_at():
    """Nor is one twice."""

    async def look():
        transport = Unread(0, 0)
        patience = Patience(transport, lambda: False, 0.001)
        patience.begin()
        patience.end()
        assert not transport.aborted.is_set()
        patience.begin()
        patience.begin()
        await transport.aborted.wait()
        return transport.looks

    assert asyncio.run(look()) == 1
