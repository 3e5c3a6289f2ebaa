"""A service that endpoint graders ask, on loopback, that misbehaves in every way it can."""

import asyncio
from contextlib import asynccontextmanager

from graders.clients.endpoint import MAX_BYTES, HttpEndpoint
from graders.errors import GradingError

DROP, CUT, HANG = "drop", "cut", "hang"  # ways not to answer


def ok(body='{"score": 0.5}', status=200, **headers):
    """An answer as bytes on the wire."""
    body = body if isinstance(body, bytes) else body.encode()
    lines = [f"HTTP/1.1 {status} X", f"content-length: {len(body)}",
             *(f"{name}: {value}" for name, value in headers.items())]  # fmt: skip
    return "\r\n".join([*lines, "", ""]).encode() + body


class Service:
    """Gives its answers in order, the last one again and again, and keeps what it got."""

    def __init__(self, *answers):
        self.answers, self.got, self.connections = list(answers), [], 0

    async def serve(self, reader, writer):
        self.connections += 1
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                fields = dict(
                    line.split(": ", 1) for line in head.decode().lower().split("\r\n")[1:-2]
                )
                body = await reader.readexactly(int(fields["content-length"]))
                self.got.append((head.decode(), body))
                answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
                if answer == DROP:
                    return
                if answer == CUT:
                    writer.write(ok()[:-4])
                    return
                if answer == HANG:
                    await reader.read()  # until the client has gone
                    return
                writer.write(answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def started(service):
    server = await asyncio.start_server(service.serve, "127.0.0.1", 0, limit=4 * MAX_BYTES)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/grade"
    finally:
        server.close()


class Clock:
    """Time that passes only while somebody sleeps."""

    def __init__(self):
        self.time, self.slept = 1000.0, []

    def now(self):
        return self.time

    async def sleep(self, seconds):
        self.slept.append(seconds)
        self.time += seconds


def post(service, *bodies, headers=None, query="", per_second=None, **options):
    """What the client makes of it, an answer or a failure for each body, one after the other."""
    clock = Clock()
    endpoint = HttpEndpoint(now=clock.now, sleep=clock.sleep, **options)

    async def run():
        outcomes = []
        async with started(service) as url:
            for body in bodies or ({},):
                try:
                    outcomes.append(
                        await endpoint.post(url + query, headers or {}, body, per_second=per_second)
                    )
                except GradingError as error:
                    outcomes.append(error.failure)
            await endpoint.aclose()
        return outcomes

    return asyncio.run(run()), clock


def failure(service, **options):
    (failed,), clock = post(service, **options)
    return failed, clock
