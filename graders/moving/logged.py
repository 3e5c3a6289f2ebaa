r"""Requests in a log of the openai package, as its OPENAI_LOG=debug writes one.

    [2026-11-26 14:22:04 - openai._base_client:482 - DEBUG] Request options: {'method': 'post', ...}

Behind the words stands what Python prints, and no literal: of a timeout it shows
`Timeout(connect=5)`. So the entries are told apart, and only those of `_READ` are read; headers
hold keys. Versions until 3.0 write such lines; later ones (3.30 is one) tell no bodies at all.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, NamedTuple

from graders.lines import numbered
from graders.moving.forms import refused
from graders.moving.literals import decode_either
from graders.strict_json import NotJSONError
from sandbox import JSON

_REQUEST: Final = re.compile(rb"[^\"'{]*\bRequest options: (?=\{)")
_WITHOUT_BODY: Final = re.compile(rb"[^\"'{]*\bBuilding HTTP request: method=")
_OURS: Final = re.compile(r"/(?:evals|fine_tuning)(?:[/?]|$)")
_PIECE: Final = re.compile(
    r"""(?P<text>'(?:[^'\\\n]++|\\.)*+'|"(?:[^"\\\n]++|\\.)*+")|(?P<open>[\[{(])|(?P<end>[\]})])"""
    "|[:,]"
)
_READ: Final = ("url", "idempotency_key", "json_data", "extra_json")


class Entry(NamedTuple):
    """What Python prints of a value.

    Attributes:
        text: It.
        column: Where it begins, from 1.
    """

    text: str
    column: int


def is_log(lines: Iterable[bytes]) -> bool:
    """Whether a line tells a request, or would, were the package an older one."""
    return any(_REQUEST.match(line) or _WITHOUT_BODY.match(line) for line in lines)


def read_log(lines: Iterable[bytes], name: str) -> tuple[list[tuple[str, dict[str, JSON]]], int]:
    """The requests to evals, graders and fine-tuning that have a body, each once.

    Args:
        lines: Of the log.
        name: What it is called in messages.

    Returns:
        Each request with its place, as `{"url": ..., "json_data": ...}`, and how many lines hold no
        such request, or one that was tried again.

    Raises:
        ConfigError: A request is no literal, or none is told.
    """
    requests: list[tuple[str, dict[str, JSON]]] = []
    skipped, known, told = 0, set[str](), False
    for number, line in numbered(lines):
        place = f"{name}:{number}"
        found = _REQUEST.match(line)
        entries = _entries(line, found.end(), place) if found else {}
        told |= found is not None
        url, key = (_value(entries.get(one), place) for one in ("url", "idempotency_key"))
        body = _value(entries.get("json_data"), place) if _is_ours(url) else None
        if not isinstance(body, (dict, list)) or key in known:
            skipped += 1
            continue
        if isinstance(key, str):
            known.add(key)
        more = _value(entries.get("extra_json"), place)
        whole = {**body, **more} if isinstance(body, dict) and isinstance(more, dict) else body
        requests.append((place, {"url": url, "json_data": whole}))
    if not told:
        message = "this version of openai logs no bodies of requests"
        raise refused("not-json", name, message, "Write them as JSON: json.dumps(BODY).")
    return requests, skipped


def _is_ours(url: JSON) -> bool:
    return isinstance(url, str) and _OURS.search(url) is not None


def _entries(line: bytes, start: int, place: str) -> dict[str, Entry]:
    """What Python prints of a dict's entries that are read."""
    text = line.decode("utf-8", "surrogateescape")
    depth, key, begin = 0, "", 0
    entries: dict[str, Entry] = {}
    for piece in _PIECE.finditer(text, len(line[:start].decode("utf-8", "surrogateescape"))):
        depth += piece.lastgroup == "open"
        depth -= piece.lastgroup == "end"
        if (depth == 1 and piece[0] == ",") or depth == 0:
            if key in _READ:
                entries[key] = Entry(text[begin : piece.start()], begin + 1)
            if depth == 0:
                return entries
            key, begin = "", 0
        elif depth == 1 and piece.lastgroup == "text" and not begin:
            key = piece[0][1:-1]
        elif depth == 1 and piece[0] == ":" and not begin:
            begin = piece.end()
    raise refused("not-json", place, "its request is cut off")


def _value(entry: Entry | None, place: str) -> JSON:
    if entry is None:
        return None
    try:
        return decode_either(entry.text.strip().encode("utf-8", "surrogateescape"))
    except NotJSONError as error:
        blank = len(entry.text) - len(entry.text.lstrip())
        at = f"{place}:{entry.column + blank + error.column - 1}"
        raise refused("not-json", at, f"not JSON: {error.problem}") from None
