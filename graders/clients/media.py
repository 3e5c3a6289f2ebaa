"""Images and audio in a request, checked before anything is sent.

A service answers a broken image with a 400 that names neither the row's field nor what was
wrong, after the megabytes have gone over the wire. An address (http, https) is the service's to
fetch and is not looked behind.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final
from urllib.parse import urlsplit

from graders.clients import Message
from graders.errors import FailureKind, GradingError
from graders.terminal import shorten
from sandbox import JSON

MAX_BYTES: Final = 20 * 1024**2
"""Of one image or clip, decoded."""

_DATA_URL: Final = re.compile(r"data:([^;,]*)((?:;[^;,]*)*),", re.IGNORECASE)
_ALIASES: Final = {"image/jpg": "image/jpeg"}  # no registered type, and written all the time


def _riff(form: bytes) -> Callable[[bytes], bool]:
    return lambda data: data[:4] == b"RIFF" and data[8:12] == form


def _is_mp3(data: bytes) -> bool:
    # Tags, or a frame: eleven bits of sync, then layer III (AAC has the sync, but layer 0).
    return data[:3] == b"ID3" or (
        data[:1] == b"\xff" and data[1:2] != b"" and data[1] & 0xE6 == 0xE2
    )


_IMAGES: Final[Mapping[str, Callable[[bytes], bool]]] = {
    "image/png": lambda data: data[:8] == b"\x89PNG\r\n\x1a\n",
    "image/jpeg": lambda data: data[:3] == b"\xff\xd8\xff",
    "image/webp": _riff(b"WEBP"),
    "image/gif": lambda data: data[:6] in {b"GIF87a", b"GIF89a"},
}
_CLIPS: Final[Mapping[str, Callable[[bytes], bool]]] = {"mp3": _is_mp3, "wav": _riff(b"WAVE")}


def check_media(messages: Sequence[Message]) -> None:
    """Look at every image and clip of some messages.

    Raises:
        GradingError: One of them cannot be sent. It is the row's data that is wrong, neither the
            service nor the judge's answer, so the kind is `other_error` and the reason
            `bad_image` or `bad_audio`.
    """
    for place, block in _blocks(messages):
        match block:
            case {"type": "input_image", "image_url": url}:
                _check_image(url, f"{place}.image_url")
            case {"type": "input_audio", "input_audio": {"data": data, "format": format_}}:
                _check_audio(data, format_, f"{place}.input_audio.data")


def _blocks(messages: Sequence[Message]) -> Iterator[tuple[str, JSON]]:
    for i, message in enumerate(messages):
        if not isinstance(message.content, str):
            for j, block in enumerate(message.content):
                yield f"messages[{i}].content[{j}]", block


def _check_image(url: JSON, place: str) -> None:
    def bad(problem: str) -> GradingError:
        return GradingError(FailureKind.OTHER, f"{place}: {problem}", "bad_image")

    if not isinstance(url, str):
        raise bad(f"{url!r:.60} is not a text; an http(s) address or a data URL is wanted")
    if url[:5].lower() != "data:":
        if not _is_address(url):
            shown = shorten(repr(url[:80]), 60)
            raise bad(f"{shown} is neither an http(s) address nor a data URL (data:image/...)")
        return
    head = _DATA_URL.match(url)
    if head is None or not head[2].lower().endswith(";base64"):
        raise bad(f"{url[:40]!r} is not data:image/TYPE;base64,DATA")
    declared = head[1].lower()
    if _ALIASES.get(declared, declared) not in _IMAGES:
        raise bad(f"{declared or 'no media type'!r} is not one of {', '.join(_IMAGES)}")
    data = _decoded(url[head.end() :], bad)
    _agree(data, _ALIASES.get(declared, declared), _IMAGES, bad)


def _check_audio(data: JSON, declared: JSON, place: str) -> None:
    def bad(problem: str) -> GradingError:
        return GradingError(FailureKind.OTHER, f"{place}: {problem}", "bad_audio")

    if not isinstance(declared, str) or declared not in _CLIPS:
        raise bad(f"the format {declared!r:.60} is not one of {', '.join(_CLIPS)}")
    if not isinstance(data, str):
        raise bad(f"{data!r:.60} is not a text; base64 is wanted")
    if data[:5].lower() == "data:":
        raise bad("it is a data URL; only the base64 behind its comma is wanted")
    _agree(_decoded(data, bad), declared, _CLIPS, bad)


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    plain = url.isprintable() and " " not in url
    return plain and parts.scheme.lower() in {"http", "https"} and bool(parts.hostname)


def _decoded(text: str, bad: Callable[[str], GradingError]) -> bytes:
    size = len(text) * 3 // 4
    if size > MAX_BYTES + 2:  # padding takes up to two; decoding a gigabyte to say so costs memory
        raise bad(_too_large(size))
    try:
        data = binascii.a2b_base64(text, strict_mode=True)
    except ValueError as error:  # binascii.Error is one, and so is text beyond ASCII
        raise bad(f"its data is not base64: {error}") from None
    if len(data) > MAX_BYTES:
        raise bad(_too_large(len(data)))
    return data


def _too_large(size: int) -> str:
    return f"it has {size / 1024**2:.1f} MiB; at most {MAX_BYTES // 1024**2} MiB can be sent"


def _agree(
    data: bytes,
    declared: str,
    kinds: Mapping[str, Callable[[bytes], bool]],
    bad: Callable[[str], GradingError],
) -> None:
    """Hold what the first bytes say against what is declared."""
    if kinds[declared](data):
        return
    found = next((kind for kind, recognises in kinds.items() if recognises(data)), None)
    what = found or (f"unknown data that begins with {data[:8]!r}" if data else "empty")
    raise bad(f"it is declared {declared}, and is {what}")
