"""What is written in one turn of the loop is sent at once, in its order and before the end."""

import asyncio

from graders.server.connections import Together


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
