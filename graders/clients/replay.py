"""Answers recorded to a file, and answers given from it: a judge without a network.

A line is `{"fingerprint", "model", "repeat", "request", "reply"}`. The server's address is no
part of the fingerprint, so what a real server said replays anywhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import msgspec

from graders.clients import ModelClient, ModelReply, ModelRequest
from graders.clients.fingerprint import fingerprint
from graders.clients.kept import from_kept, to_kept
from graders.errors import FailureKind, GradersError, GradingError
from graders.lines import numbered
from graders.strict_json import NotJSONError, decode, encode


class RecordingError(GradersError):
    """A line of a recording cannot be read. The message begins with `file:line`."""


class Recording:
    """A client that also writes down each answer it is given by another.

    A line is written as its answer comes, so that a killed run keeps what it has; `close` puts
    the lines in the order of their fingerprints, one each, the newest, so that a recording is the
    same bytes whatever answer came first.
    """

    def __init__(self, client: ModelClient, path: Path | str) -> None:
        """Open the file, to add to what it holds.

        Raises:
            RecordingError: It holds something else.
            OSError: It cannot be written.
        """
        self._client, self._path = client, Path(path)
        if self._path.exists():
            for _ in _entries(self._path):
                pass  # better now than when it is replayed
        self._file: BinaryIO = self._path.open("ab")

    async def complete(self, request: ModelRequest) -> ModelReply:
        reply = await self._client.complete(request)
        asked = msgspec.to_builtins(request)
        line = {
            "fingerprint": fingerprint(request),
            "model": asked.pop("model"),
            "repeat": asked.pop("repeat"),
            "request": asked,
            "reply": to_kept(reply),
        }
        self._file.write(encode(line) + b"\n")
        self._file.flush()
        return reply

    def close(self) -> None:
        """Close the file, its lines in order."""
        self._file.close()
        lines = {key: line for key, line, _ in _entries(self._path)}
        ordered = self._path.with_name(f"{self._path.name}.ordered")
        ordered.write_bytes(b"".join(line for _, line in sorted(lines.items())))
        ordered.replace(self._path)


class Replay:
    """A client that answers from a recording and from nothing else."""

    def __init__(self, path: Path | str) -> None:
        """Read the file.

        Raises:
            RecordingError: A line of it is no recorded answer.
            OSError: It cannot be read.
        """
        self._path = Path(path)
        self._replies = {key: reply for key, _, reply in _entries(self._path)}

    async def complete(self, request: ModelRequest) -> ModelReply:
        key = fingerprint(request)
        reply = self._replies.get(key)
        if reply is None:
            repeat = f", repeat {request.repeat}" if request.repeat else ""
            message = (
                f"{self._path} holds no answer to this request; --record {self._path} adds it "
                f"where {request.model!r} can be asked. The prompt, the model or a parameter has "
                f"changed since it was recorded (fingerprint {key}{repeat})"
            )
            raise GradingError(FailureKind.MODEL_SERVER, message, "replay_miss")
        return reply


def _entries(path: Path) -> Iterator[tuple[str, bytes, ModelReply]]:
    """Each line's fingerprint, the line itself and its reply."""
    with path.open("rb") as file:
        for number, line in numbered(file):
            place = f"{path}:{number}"
            try:
                key, reply = _read(line)
            except NotJSONError as error:
                problem = f"not JSON: {error.problem}"
                raise RecordingError(f"{place}:{error.column}: {problem}") from None
            except ValueError as error:
                raise RecordingError(f"{place}: {error}") from None
            yield key, line, reply


def _read(line: bytes) -> tuple[str, ModelReply]:
    if not line.endswith(b"\n"):
        raise ValueError("the line has no end: a run was killed while writing it; delete it")
    match decode(line.rstrip()):
        case {"fingerprint": str(key), "reply": reply}:
            return key, from_kept(reply)
    raise ValueError('no {"fingerprint", "reply"}: is this file a recording?')
