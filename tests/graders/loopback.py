"""A server on loopback that answers, fails or goes silent as a test says, and who asks it."""

import asyncio
import json
import threading
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field

from graders.clients import Message, ModelRequest
from graders.clients.openai_compatible import OpenAICompatible
from graders.errors import GradingError

KEY = "sk-a-key-that-nobody-may-see"
SOON = {"retry-after-ms": "1"}


@dataclass(frozen=True)
class Answer:
    """One HTTP answer: `body` is sent as JSON unless it is bytes.

    Attributes:
        keep: Send so many bytes of the body, then drop the connection; 0 sends no header either.
        seconds: Before it begins.
    """

    body: object
    status: int = 200
    headers: dict = field(default_factory=dict)
    keep: int | None = None
    seconds: float = 0.0


@dataclass(frozen=True)
class Received:
    """What was sent to the server. `headers` has lower-case names."""

    path: str
    headers: dict
    body: dict


@dataclass
class Loopback:
    """The running server."""

    url: str
    received: list[Received] = field(default_factory=list)


def completion(text='{"steps": [], "result": 1}', *, finish_reason="stop", refusal=None, **other):
    """The body of a chat completion."""
    message = {"role": "assistant", "content": text, "refusal": refusal}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "judge-2026",
        "choices": [{"index": 0, "message": message, "finish_reason": finish_reason}],
        "usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15},
        **other,
    }


@contextmanager
def loopback(answer):
    """Serve what `answer(received)` says, in a thread, until the block ends."""
    server, ready, loop = Loopback(""), threading.Event(), asyncio.new_event_loop()
    thread = threading.Thread(target=_run, args=(loop, server, answer, ready))
    thread.start()
    assert ready.wait(60)
    try:
        yield server
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(60)
    assert not thread.is_alive()


def _run(loop, server, answer, ready):
    async def connected(reader, writer):
        with closing(writer), suppress(ConnectionError, asyncio.IncompleteReadError):
            while await _answer_one(reader, writer, server, answer):
                pass

    listening = loop.run_until_complete(asyncio.start_server(connected, "127.0.0.1", 0))
    server.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/v1"
    loop.call_soon(ready.set)
    loop.run_forever()
    listening.close()
    loop.run_until_complete(_end(asyncio.all_tasks(loop)))
    loop.close()


async def _end(tasks):
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await asyncio.sleep(0)  # transports close one step after their tasks


async def _answer_one(reader, writer, server, answer):
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    lines = (line.split(": ", 1) for line in head[1:] if line)
    headers = {name.lower(): value for name, value in lines}
    sent = await reader.readexactly(int(headers.get("content-length", 0)))
    received = Received(head[0].split(" ")[1], headers, json.loads(sent))
    server.received.append(received)
    reply = answer(received)
    if reply.seconds:
        await asyncio.sleep(reply.seconds)
    if reply.keep == 0:
        return False
    body = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
    shown = {"content-type": "application/json", "content-length": len(body), **reply.headers}
    lines = [f"HTTP/1.1 {reply.status} x", *(f"{name}: {value}" for name, value in shown.items())]
    writer.write("\r\n".join([*lines, "", ""]).encode() + body[: reply.keep])
    await writer.drain()
    return reply.keep is None


def request(*messages, schema=None, **sampling):
    """A request of some messages, by default of one."""
    messages = messages or (Message("user", "hi"),)
    return ModelRequest(model="gpt-4o", messages=messages, schema=schema, sampling=sampling)


def scripted(*answers):
    """Each answer in turn; the last one for ever."""
    left = list(answers)
    return lambda _: left.pop(0) if len(left) > 1 else left[0]


def ask(*answers, asked=None, **settings):
    """What one request gets: a reply or a failure; and what the server received."""
    with loopback(scripted(*answers)) as server:
        client = OpenAICompatible(**{"base_url": server.url, "api_key": KEY, **settings})
        try:
            return asyncio.run(client.complete(asked or request())), server.received
        except GradingError as error:
            return error.failure, server.received


def said(message, **other):
    """The body of an error."""
    return {"error": {"message": message, **other}}
