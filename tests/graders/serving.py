"""A server of ours in this process, for tests that set it up otherwise than the command does."""

import json
import logging
import socket
import threading
from contextlib import contextmanager
from dataclasses import dataclass

import httpx2
import uvicorn
from openai import OpenAI

from graders.server.app import create_app
from graders.server.settings import Limits, Settings


@dataclass
class Served:
    """A server that answers.

    Attributes:
        url: Its address, without `/v1`.
        client: Asks it over HTTP.
        openai: Asks it as people do.
        app: The application.
        logged: What it logged at warning or above, tracebacks included.
    """

    url: str
    client: httpx2.Client
    openai: OpenAI
    app: object
    logged: list[str]

    @property
    def shared(self):
        """What its requests share."""
        return self.app.state.shared

    def complaint(self):
        """What is logged next, or was already; it is expected, and so no longer in `logged`."""
        assert self.logged.any.wait(30)
        return self.logged.pop()

    def error(self, response, status):
        """The error of an answer; checks that it has the form that the SDKs read."""
        assert response.status_code == status, response.text
        error = response.json()["error"]
        assert set(error) == {"message", "type", "param", "code"}
        return error


class _Lines(list):
    def __init__(self):
        super().__init__()
        self.any = threading.Event()


class _Log(logging.Handler):
    def __init__(self):
        super().__init__(logging.WARNING)
        self.lines = _Lines()

    def emit(self, record):
        self.lines.append(logging.Formatter().format(record))
        self.lines.any.set()


class _Server(uvicorn.Server):
    def __init__(self, config):
        super().__init__(config)
        self.ready = threading.Event()

    async def startup(self, sockets=None):
        try:
            await super().startup(sockets)
        finally:
            self.ready.set()


@contextmanager
def serving(settings=None, **limits):
    """Serve until the block ends; nothing may be logged meanwhile, and no folder left behind."""
    settings = settings or Settings(limits=Limits(**limits))
    app, log, sock = create_app(settings), _Log(), socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(app, lifespan="on", log_config=None, timeout_graceful_shutdown=5)
    server = _Server(config)
    thread = threading.Thread(target=server.run, args=([sock],))
    logging.getLogger().addHandler(log)
    logging.getLogger("uvicorn").propagate = True  # a command in this process may have ended it
    thread.start()
    url = f"http://127.0.0.1:{sock.getsockname()[1]}"
    try:
        assert server.ready.wait(30)
        assert server.started
        room = app.state.shared.room.path("x").parent
        with (
            httpx2.Client(base_url=url, timeout=60) as client,
            OpenAI(base_url=url + "/v1", api_key="any", max_retries=0) as sdk,
        ):
            yield Served(url, client, sdk, app, log.lines)
    finally:
        server.should_exit = True
        thread.join(60)
        sock.close()
        logging.getLogger().removeHandler(log)
    assert not thread.is_alive()
    assert log.lines == []
    assert not room.exists()


def jsonl(*rows):
    """The bytes of a JSON Lines file."""
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)
