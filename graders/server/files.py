"""`/v1/files`: files by id. What a sender calls one is only ever shown: no path is made of it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import time
from typing import TYPE_CHECKING, BinaryIO, Final

from graders.errors import did_you_mean
from graders.server.shared import Shared, shared
from graders.server.storage import Paging, new_id, not_kept
from graders.server.transport.answers import ApiError, answer
from graders.server.transport.forms import FILE, Form, read_form
from graders.terminal import printable
from sandbox import JSON

if TYPE_CHECKING:  # starlette is an extra
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import ASGIApp, Receive, Scope, Send

PURPOSES: Final = ("assistants", "batch", "fine-tune", "vision", "user_data", "evals")
_PAGING: Final = Paging(order="desc", limit=10_000, longest=10_000)
_NAME_CHARACTERS: Final = 255
_PIECE_BYTES: Final = 262_144
_DOWNLOADED: Final = {
    "content-type": "application/octet-stream",
    "content-disposition": "attachment",
    "x-content-type-options": "nosniff",
}


@dataclass(slots=True, kw_only=True)
class StoredFile:
    """A file that was uploaded.

    Attributes:
        id: Its own, and the name of its bytes in the room.
        name: What its sender calls it, to be shown.
        purpose: One of `PURPOSES`.
        size: In bytes.
        created_at: In seconds since 1970.
        path: Where its bytes are.
        readers: Who reads it now.
        deleted: Whether its bytes go with the last reader.
    """

    id: str
    name: str
    purpose: str
    size: int
    created_at: int
    path: Path
    readers: int = 0
    deleted: bool = False


def file_of(server: Shared, name: object, param: str) -> StoredFile:
    """The file that a request's body names.

    Args:
        server: Where it was uploaded.
        name: Its id, or whatever else stands there.
        param: The path of it in the body.

    Raises:
        ApiError: 400, there is none.
    """
    if isinstance(name, str) and name in server.files:
        return server.files.get(name)
    message = f"{param} is {name!r:.80}, and no file on this server has that id"
    raise ApiError(400, message, param, "not_found")


def keep_file(server: Shared, name: str, purpose: str, data: bytes) -> StoredFile:
    """A file that the server itself has made.

    Raises:
        ApiError: 400, there is no room for it.
    """
    own = new_id("file-")
    file = StoredFile(
        id=own,
        name=name,
        purpose=purpose,
        size=len(data),
        created_at=int(time()),
        path=server.room.path(own),
    )
    server.room.keep(own, data)
    try:
        server.files.add(own, file)
    except ApiError:
        server.room.drop(own)
        raise
    return file


@contextmanager
def reading(server: Shared, file: StoredFile) -> Iterator[Path]:
    """Where the bytes of a file are; they stay until the block ends, also if it is deleted."""
    file.readers += 1
    try:
        yield file.path
    finally:
        file.readers -= 1
        _drop_unread(server, file)


def _drop_unread(server: Shared, file: StoredFile) -> None:
    if file.deleted and not file.readers:
        file.path.unlink(missing_ok=True)
        server.room.give_back(file.size)


async def create(request: Request) -> Response:
    """`POST /v1/files`: a form with a `file` and its `purpose`."""
    server = shared(request)
    name = new_id("file-")
    path, size = server.room.path(name), 0

    def keep(piece: bytes) -> None:
        nonlocal size
        if size + len(piece) > server.limits.upload_bytes:
            message = f"the file has more than the {server.limits.upload_bytes:,} bytes it may have"
            raise ApiError(413, message, FILE, "file-size", {"connection": "close"})
        server.room.take(len(piece))
        size += len(piece)
        out.write(piece)

    try:
        with path.open("xb") as out:
            form = await read_form(request, server.limits, keep)
        file = StoredFile(
            id=name,
            name=_shown(form),
            purpose=_purpose(form),
            size=size,
            created_at=int(time()),
            path=path,
        )
        server.files.add(name, file)
    except BaseException as error:
        path.unlink(missing_ok=True)
        server.room.give_back(size)
        if isinstance(error, OSError):
            raise not_kept(error) from None
        raise
    return answer(_show(file))


def _shown(form: Form) -> str:
    r"""What a file is called, without folders and control characters.

    Example:
        >>> _shown(Form(file_name="../C:\\a\nb.jsonl")), _shown(Form(file_name="a/.."))
        ('a\\nb.jsonl', 'file')

    Raises:
        ApiError: 400, the form has no file.
    """
    if form.file_name is None:
        raise ApiError(400, "the form has no file", FILE, "form")
    name = re.split(r"[/\\]", form.file_name)[-1]
    return "file" if name in {"", ".", ".."} else printable(name)[:_NAME_CHARACTERS]


def _purpose(form: Form) -> str:
    purpose = form.fields.get("purpose")
    if purpose is None:
        raise ApiError(400, "the form has no purpose", "purpose", "form")
    if purpose not in PURPOSES:
        message = f"purpose is {purpose!r:.80}. {did_you_mean(purpose[:80], PURPOSES)}"
        raise ApiError(400, message, "purpose", "choice")
    return purpose


async def list_all(request: Request) -> Response:
    """`GET /v1/files`."""
    query = request.query_params
    purpose = query.get("purpose")
    return answer(
        shared(request).files.page(
            query,
            _show,
            where=lambda file: purpose is None or file.purpose == purpose,
            paging=_PAGING,
        )
    )


async def retrieve(request: Request) -> Response:
    """`GET /v1/files/{id}`."""
    return answer(_show(_asked(request)))


async def delete(request: Request) -> Response:
    """`DELETE /v1/files/{id}`. Who reads it already reads it to its end."""
    server = shared(request)
    file = server.files.remove(_asked(request).id)
    file.deleted = True
    _drop_unread(server, file)
    return answer({"id": file.id, "object": "file", "deleted": True})


async def content(request: Request) -> ASGIApp:
    """`GET /v1/files/{id}/content`: its bytes, which no browser takes for a page."""
    from starlette.responses import StreamingResponse

    server, file = shared(request), _asked(request)
    headers = {**_DOWNLOADED, "content-length": str(file.size)}

    async def send_all(scope: Scope, receive: Receive, send: Send) -> None:
        with reading(server, file) as path, path.open("rb") as source:
            await StreamingResponse(_pieces(source), headers=headers)(scope, receive, send)

    return send_all


async def _pieces(source: BinaryIO) -> AsyncIterator[bytes]:
    while piece := await asyncio.to_thread(source.read, _PIECE_BYTES):
        yield piece


def _asked(request: Request) -> StoredFile:
    return shared(request).files.get(request.path_params["file"])


def _show(file: StoredFile) -> dict[str, JSON]:
    return {
        "id": file.id,
        "object": "file",
        "bytes": file.size,
        "created_at": file.created_at,
        "filename": file.name,
        "purpose": file.purpose,
        "status": "processed",
        "expires_at": None,
        "status_details": None,
    }
