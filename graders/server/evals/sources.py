"""Where the rows of a run come from: its request, or a file that was uploaded before."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Final

from graders.server.files import StoredFile
from graders.server.shared import Shared
from graders.server.transport.answers import ApiError
from graders.strict_json import encode
from sandbox import JSON

ID: Final = "data_source.source.id"
"""Where the id of a file stands in a request."""

_AT: Final = "data_source"
_SAMPLING: Final = frozenset({"completions", "responses"})


def check_kind(config: Mapping[str, JSON]) -> None:
    """Refuse a run of an eval whose rows only the service has.

    Raises:
        ApiError: 400.
    """
    if (kind := config["type"]) != "custom":
        message = (
            f"the eval's data_source_config is {kind}, and the service's logs are not here; "
            "make an eval with a custom one"
        )
        raise ApiError(400, message, _AT, "unsupported")


def source_of(source: JSON) -> list[JSON] | str:
    """The rows of a run, or what should be the id of a file.

    Raises:
        ApiError: 400, there are none.
    """
    match source:
        case {"type": "jsonl", "source": {"type": "file_content", "content": [_, *_] as content}}:
            return content
        case {"type": "jsonl", "source": {"type": "file_content"}}:
            message = "content is missing, empty or no list"
            raise ApiError(400, message, f"{_AT}.source.content", "missing")
        case {"type": "jsonl", "source": {"type": "file_id", "id": str(name)}}:
            return name
        case {"type": "jsonl", "source": {"type": "file_id"}}:
            raise ApiError(400, "id is missing, or no text", ID, "missing")
        case {"type": "jsonl"}:
            message = "source must be an object of type file_content or file_id"
            raise ApiError(400, message, f"{_AT}.source", "choice")
        case {"type": str(kind)} if kind in _SAMPLING:
            message = (
                f"a {kind} data source samples from a model, and this server only grades; sample "
                "with `graders sample`, and run over its rows with a jsonl data source"
            )
            raise ApiError(400, message, f"{_AT}.type", "unsupported")
        case {"type": other}:
            message = f"type is {other!r:.80}, and must be jsonl"
            raise ApiError(400, message, f"{_AT}.type", "choice")
        case _:
            message = f"{_AT} is missing, or no object with a type"
            raise ApiError(400, message, _AT, "missing")


def to_lines(rows: Sequence[JSON]) -> bytes:
    """Rows of a request as the lines of a file."""
    return b"".join([encode(row) + b"\n" for row in rows])


def inline_file(server: Shared, run: str, rows: bytes) -> StoredFile:
    """The rows of a request as a file. It is in no list, has no id, and goes with its last reader.

    Raises:
        ApiError: 400, there is no room for it.
    """
    name = f"{run}.jsonl"
    server.room.keep(name, rows)
    return StoredFile(
        id="",
        name="content",
        purpose="evals",
        size=len(rows),
        created_at=int(time.time()),
        path=server.room.path(name),
        deleted=True,
    )
