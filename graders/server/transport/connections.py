"""Connections: an answer's head and body are sent together, and nobody is waited for for ever."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:  # uvicorn is an extra
    from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


_HEAD_BYTES: Final = 65_536
"""Of a request's head, beside the piece in which it begins; uvicorn would read any number."""


class Together:
    """A transport that sends what is written in one turn of the event loop as one piece.

    Head and body of an answer are two writes. Each would be a system call, of which one takes as
    long as a small grading, and would wake whoever reads.

    Args:
        transport: What sends; all else is up to it.
    """

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._pieces: list[bytes] = []

    def write(self, data: bytes) -> None:
        """Send data before the loop waits again."""
        if not self._pieces:
            asyncio.get_running_loop().call_soon(self._send)
        self._pieces.append(data)

    def close(self) -> None:
        """Send what is left, and end the connection."""
        self._send()
        self._transport.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def _send(self) -> None:
        if self._pieces:
            pieces, self._pieces = self._pieces, []
            self._transport.write(b"".join(pieces))


class Patience:
    """Cuts a connection on which nothing happens for some time.

    Uvicorn waits for ever for the rest of a request's head, and for ever until an answer is read.
    Requests under way have limits of their own.

    Args:
        transport: Of the connection.
        is_busy: Whether a request is under way.
        seconds: How long nothing may happen.
    """

    def __init__(
        self, transport: asyncio.Transport, is_busy: Callable[[], bool], seconds: float
    ) -> None:
        self._transport, self._is_busy, self._seconds = transport, is_busy, seconds
        self._unread: int | None = None
        self._timer: asyncio.TimerHandle | None = None

    def begin(self) -> None:
        """From now on: there is a connection, or an answer is complete."""
        self.end()
        self._timer = asyncio.get_running_loop().call_later(self._seconds, self._look)

    def end(self) -> None:
        """Look no longer."""
        if self._timer is not None:
            self._timer.cancel()

    def _look(self) -> None:
        before, self._unread = self._unread, self._transport.get_write_buffer_size()
        is_read = self._unread and (before is None or self._unread < before)
        if self._is_busy() or is_read:
            self.begin()
        else:
            self._transport.abort()


def protocol(patience_seconds: float = 60.0) -> type[HttpToolsProtocol]:
    """The protocol of uvicorn, over such transports, with some patience."""

    class Protocol(_with_bounded_heads()):  # type: ignore[misc]
        def connection_made(self, transport: asyncio.Transport) -> None:
            super().connection_made(Together(transport))
            self._patience = Patience(transport, self._is_busy, patience_seconds)
            self._patience.begin()

        def on_response_complete(self) -> None:
            super().on_response_complete()
            self._patience.begin()

        def connection_lost(self, exc: Exception | None) -> None:
            self._patience.end()
            super().connection_lost(exc)

        def _is_busy(self) -> bool:
            answering = self.cycle is not None and not self.cycle.response_complete
            return answering and not self.transport.is_closing()

    return Protocol


def _with_bounded_heads() -> type[HttpToolsProtocol]:
    from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

    class Protocol(HttpToolsProtocol):
        _in_head = False
        _head_bytes = 0

        def data_received(self, data: bytes) -> None:
            self._head_bytes += len(data) if self._in_head else 0
            if self._head_bytes > _HEAD_BYTES:
                self.transport.abort()
            else:
                super().data_received(data)

        def on_message_begin(self) -> None:
            super().on_message_begin()
            self._in_head, self._head_bytes = True, 0

        def on_header(self, name: bytes, value: bytes) -> None:
            if self._in_head:  # what comes behind a body is nothing that we read
                super().on_header(name, value)

        def on_headers_complete(self) -> None:
            self._in_head, self._head_bytes = False, 0
            super().on_headers_complete()

    return Protocol
