"""A server that answers at once, in a thread: a judge, a labeller, embeddings, and an endpoint."""

from __future__ import annotations

import asyncio
import base64
import json
import queue
import re
import struct
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

DIMENSIONS = 1536
VECTOR = base64.b64encode(struct.pack(f"<{DIMENSIONS}f", *[0.02] * DIMENSIONS)).decode()
RESULTS = {"judge": 0.75, "labeller": "good"}
"""What a model says, by its name."""
_LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)


class Service:
    """Where it is, and what it was asked.

    Attributes:
        url: Of the service.
        asked: How many requests there were, by the end of the path; and how many texts to
            embed, and characters of them.
    """

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}/v1"
        self.asked: Counter[str] = Counter()

    def answer(self, path: str, body: dict[str, Any]) -> Any:
        kind = path.rpartition("/")[2]
        self.asked[kind] += 1
        if kind == "embeddings":
            self.asked["texts"] += len(body["input"])
            self.asked["characters"] += sum(map(len, body["input"]))
            data = [{"index": at, "embedding": VECTOR} for at in range(len(body["input"]))]
            return {"model": body["model"], "data": data, "usage": _usage()}
        if kind == "completions":
            said = json.dumps({"steps": [], "result": RESULTS[body["model"]]})
            message = {"role": "assistant", "content": said, "refusal": None}
            choice = {"index": 0, "message": message, "finish_reason": "stop"}
            return {"id": "c", "model": body["model"], "choices": [choice], "usage": _usage()}
        return {"score": 0.5}


def _usage() -> dict[str, int]:
    return {"prompt_tokens": 120, "completion_tokens": 30, "total_tokens": 150}


class _Connection(asyncio.Protocol):
    def __init__(self, services: list[Service]) -> None:
        self.services, self.buffer = services, b""

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
        path = head.split(b" ", 2)[1].decode()
        answer = json.dumps(self.services[0].answer(path, json.loads(body))).encode()
        said = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b"
        self.transport.write(said % (len(answer), answer))


@contextmanager
def serving() -> Iterator[Service]:
    """Serve. Measure the CPU of another process."""
    begun: queue.Queue[Service] = queue.Queue()

    async def serve() -> None:
        services: list[Service] = []
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: _Connection(services), "127.0.0.1", 0)
        services.append(Service(server.sockets[0].getsockname()[1]))
        begun.put(services[0])
        await server.serve_forever()

    threading.Thread(target=lambda: asyncio.run(serve()), daemon=True).start()
    yield begun.get()
