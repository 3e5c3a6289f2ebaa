"""Connections on which an answer's head and body are sent together."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # uvicorn is an extra
    from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


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


def protocol() -> type[HttpToolsProtocol]:
    """The protocol of uvicorn, over such transports."""
    from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

    class Protocol(HttpToolsProtocol):
        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(Together(transport))  # type: ignore[arg-type]

    return Protocol
