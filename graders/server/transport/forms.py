"""Multipart forms, read as they come: the file goes to where it stays, short fields are kept.

Of a file, memory holds only the piece that came last.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from graders.server.settings import Limits
from graders.server.transport.answers import ApiError
from graders.server.transport.bodies import pieces

if TYPE_CHECKING:  # starlette is an extra
    from python_multipart.multipart import MultipartCallbacks
    from starlette.requests import Request

FILE: Final = "file"
"""The part that is the file."""

_KIND: Final = "multipart/form-data"
_MOST_PARTS: Final = 16
_AROUND_BYTES: Final = 65_536
"""Of a form, beside its file: boundaries, headers and fields of all parts."""
_HEADER_BYTES: Final = 8_192
"""Of one part's headers."""
_FIELD_BYTES: Final = 1_024


@dataclass(slots=True)
class Form:
    """What a form holds.

    Attributes:
        fields: By name, but for the file.
        file_name: What its sender calls the file; None where there is none.
    """

    fields: dict[str, str] = field(default_factory=dict)
    file_name: str | None = None


async def read_form(request: Request, limits: Limits, keep: Callable[[bytes], None]) -> Form:
    """Read a form with a file in it.

    Args:
        request: Whose body the form is.
        limits: How long it may be, and may take.
        keep: Gets the file, piece by piece.

    Raises:
        ApiError: It is no form, or a wrong one, or what `keep` raised.
    """
    # Heavy, and of an extra.
    from python_multipart.exceptions import FormParserError
    from python_multipart.multipart import MultipartParser, parse_options_header

    kind, options = parse_options_header(request.headers.get("content-type", ""))
    if kind.decode("latin-1") != _KIND or not options.get(b"boundary"):
        told = request.headers.get("content-type", "")
        message = f"the body's content-type is {told!r:.80}, and must be {_KIND}; boundary=..."
        raise ApiError(415, message, code="content-type")
    parts = _Parts(keep)
    stream = pieces(request, most=limits.upload_bytes + _AROUND_BYTES, seconds=limits.body_seconds)
    try:
        parser = MultipartParser(options[b"boundary"], parts.callbacks())
        parser.logger = logging.getLogger(f"{__name__}.parser")
        parser.logger.disabled = True  # it would fill the server's log with what anybody sends
        async for piece in stream:
            parser.write(piece)
    except FormParserError as error:
        raise _wrong(f"the form cannot be read: {error}") from None
    if not parts.ended:
        raise _wrong("the form has no end: its last boundary is missing")
    return parts.form


def _wrong(message: str, param: str | None = None) -> ApiError:
    return ApiError(400, message, param, "form")


class _Parts:
    """What the parser has met.

    Attributes:
        form: What is read of it.
        ended: Whether its last boundary came.
    """

    def __init__(self, keep: Callable[[bytes], None]) -> None:
        self.form, self.ended = Form(), False
        self._keep = keep
        self._parts = 0
        self._headers = 0
        self._header, self._header_value = bytearray(), bytearray()
        self._disposition = b""
        self._name, self._value = "", bytearray()

    def callbacks(self) -> MultipartCallbacks:
        """What the parser calls, by the names that it has for it."""
        return {
            "on_part_begin": self._begin,
            "on_header_field": lambda *piece: self._add_header(self._header, *piece),
            "on_header_value": lambda *piece: self._add_header(self._header_value, *piece),
            "on_header_end": self._end_header,
            "on_headers_finished": self._begin_value,
            "on_part_data": self._data,
            "on_part_end": self._end,
            "on_end": self._finish,
        }

    def _begin(self) -> None:
        self._parts += 1
        if self._parts > _MOST_PARTS:
            raise _wrong(f"the form has more than {_MOST_PARTS} parts")
        self._headers, self._disposition = 0, b""
        self._value.clear()

    def _add_header(self, to: bytearray, data: bytes, start: int, end: int) -> None:
        self._headers += end - start
        if self._headers > _HEADER_BYTES:
            raise _wrong(f"a part of the form has more than {_HEADER_BYTES:,} bytes of headers")
        to += data[start:end]

    def _end_header(self) -> None:
        if self._header.lower() == b"content-disposition":
            self._disposition = bytes(self._header_value)
        self._header.clear()
        self._header_value.clear()

    def _begin_value(self) -> None:
        from python_multipart.multipart import parse_options_header

        _, options = parse_options_header(self._disposition)
        if b"name" not in options:
            raise _wrong("a part of the form has no name")
        self._name = options[b"name"].decode("utf-8", "replace")
        if self._name in self.form.fields or (
            self._name == FILE and self.form.file_name is not None
        ):
            raise _wrong(f"the form has {self._name!r:.80} twice", self._name)
        if self._name == FILE:
            if b"filename" not in options:
                raise _wrong("file is a field, and must be a file with a filename", FILE)
            self.form.file_name = options[b"filename"].decode("utf-8", "replace")

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._name == FILE:
            self._keep(data[start:end])
            return
        self._value += data[start:end]
        if len(self._value) > _FIELD_BYTES:
            message = f"{self._name!r:.80} has more than {_FIELD_BYTES:,} bytes"
            raise _wrong(message, self._name)

    def _end(self) -> None:
        if self._name != FILE:
            self.form.fields[self._name] = self._value.decode("utf-8", "replace")

    def _finish(self) -> None:
        self.ended = True
