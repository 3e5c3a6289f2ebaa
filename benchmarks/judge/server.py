"""A chat completions server that costs next to nothing, in a thread or a process of its own."""

from __future__ import annotations

import asyncio
import multiprocessing
import queue
import random
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

ANSWER = (
    b'{"id":"c","object":"chat.completion","created":1,"model":"judge","choices":[{"index":0,'
    b'"message":{"role":"assistant","content":"{\\"steps\\":[{\\"description\\":\\"compare the '
    b'answer with the reference\\",\\"conclusion\\":\\"they agree\\"}],\\"result\\":0.75}",'
    b'"refusal":null},"finish_reason":"stop"}],"usage":{"prompt_tokens":120,'
    b'"completion_tokens":30,"total_tokens":150,"prompt_tokens_details":{"cached_tokens":64}}}'
)
REPLY = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s" % (
    len(ANSWER),
    ANSWER,
)
_LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)
_ROW = re.compile(rb"row (\d+):")


def no_latency(_row: int) -> float:
    """Answers at once."""
    return 0.0


def jittered_latency(row: int) -> float:
    """200 ms on the mean, between 100 and 300, the same each time for the same row."""
    return random.Random(row).uniform(0.1, 0.3)


class _Connection(asyncio.Protocol):
    def __init__(self, latency: Callable[[int], float]) -> None:
        self.latency, self.buffer = latency, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        head, end, body = self.buffer.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        if not end or length is None or len(body) < int(length[1]):
            return
        self.buffer = b""
        row = _ROW.search(body)
        seconds = self.latency(int(row[1])) if row else 0.0
        if seconds:
            asyncio.get_running_loop().call_later(seconds, self.transport.write, REPLY)
        else:
            self.transport.write(REPLY)


async def _serve(latency: Callable[[int], float], tell: Callable[[int], None]) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Connection(latency), "127.0.0.1", 0)
    tell(server.sockets[0].getsockname()[1])
    await server.serve_forever()


def _run(latency: Callable[[int], float], ports: queue.Queue[int]) -> None:
    asyncio.run(_serve(latency, ports.put))


@contextmanager
def serving_in_a_thread(latency: Callable[[int], float]) -> Iterator[str]:
    """The base URL of a server in this process. Measure the CPU of your own thread."""
    ports: queue.Queue[int] = queue.Queue()
    threading.Thread(target=_run, args=(latency, ports), daemon=True).start()
    yield f"http://127.0.0.1:{ports.get()}/v1"


@contextmanager
def serving_in_a_process(latency: Callable[[int], float]) -> Iterator[str]:
    """The base URL of a server that does not take this process' interpreter lock."""
    context = multiprocessing.get_context("spawn")
    ports = context.Queue()
    process = context.Process(target=_run, args=(latency, ports), daemon=True)
    process.start()
    yield f"http://127.0.0.1:{ports.get()}/v1"
    process.terminate()
