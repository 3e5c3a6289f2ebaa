"""Serving at a socket until a signal ends it, with all that was opened closed again."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

from graders.errors import ConfigError, Finding
from graders.server.transport.connections import protocol

if TYPE_CHECKING:  # uvicorn and starlette are extras
    import socket
    from types import FrameType

    from starlette.types import ASGIApp

_GRACE_SECONDS: Final = 5
_PACKAGES: Final = ("starlette", "uvicorn", "httptools", "python_multipart", "httpx2")
_SIGNALS: Final = tuple(
    getattr(signal, name)
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
    if hasattr(signal, name)
)


def check_packages() -> None:
    """Check that all that a server needs is installed.

    Raises:
        ConfigError: Something is not.
    """
    missing = [name for name in _PACKAGES if find_spec(name) is None]
    if missing:
        message = f"the server needs {', '.join(missing)}"
        fix = "pip install 'local-graders[server]'"
        raise ConfigError(
            Finding(code="no-package", severity="error", path="", message=message, fix=fix)
        )


def serve(app: ASGIApp, sock: socket.socket, ready: Callable[[], None]) -> bool:
    """Serve until a signal.

    The first one lets what is under way come to its end, for some seconds; another one does not.

    Args:
        app: What answers.
        sock: Where it is asked.
        ready: Called when it answers.

    Returns:
        Whether it ever answered.
    """
    import uvicorn

    class Server(uvicorn.Server):
        """One that a signal ends as if it had come to its end by itself.

        Uvicorn's own sends itself the signal once more, which would end the process before its
        sandbox is closed and its folder removed.
        """

        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            if self.started:
                ready()

        @contextmanager
        def capture_signals(self) -> Iterator[None]:
            before = {one: signal.signal(one, self.handle_exit) for one in _heeded()}
            try:
                yield
            finally:
                for one, handler in before.items():
                    signal.signal(one, handler)

        def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002
            if self.should_exit:
                asyncio.get_running_loop().call_soon_threadsafe(self._end_requests)
            self.should_exit = True

        def _end_requests(self) -> None:
            for task in self.server_state.tasks:
                task.cancel()

    config = uvicorn.Config(
        app,
        http=protocol(),
        ws="none",
        lifespan="on",
        proxy_headers=False,
        log_level="error",  # what anybody sends may be warned of, and would fill the log
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
    server = Server(config)
    server.run(sockets=[sock])
    return server.started


def _heeded() -> list[signal.Signals]:
    """All but those that whoever started us wants to be ignored, as `nohup` does."""
    return [one for one in _SIGNALS if signal.getsignal(one) is not signal.SIG_IGN]
