"""What a dump of a hosted API holds, told by content.

A file is JSON, JSON Lines, what Python prints of the same, or a log of the openai package. Lists,
pages of lists (`{"object": "list", "data": [...]}`) and what wraps a request
(`{"method": "post", "url": ..., "json_data": {...}}`) are looked into. Of a wrapper nothing
but the request is read: its headers hold a key.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from graders.errors import ConfigError
from graders.lines import kind_of, numbered, open_lines
from graders.moving.forms import Found, Location, Place, refused, to_found, to_page
from graders.moving.literals import decode_either
from graders.moving.logged import is_log, read_log
from graders.strict_json import NotJSONError
from sandbox import JSON

WRAPPERS: Final = ("json_data", "body", "kwargs", "request", "response", "json")
"""Where logs and batch files keep a request."""
_UNKNOWN: Final = "unknown-form"
_KNOWN: Final = (
    "an eval, an output item, a run of an eval, a run request, a fine-tuning job, a method or a "
    "grader"
)


def read_dump(path: Path | str) -> Iterator[Found]:
    """What a file holds, in its order. It is read whole.

    Raises:
        ConfigError: It is not JSON, or something in it is of no form that is known.
        OSError: It cannot be read.
    """
    with open_lines(path) as opened:
        lines = list(opened)
    try:
        yield from recognise(_decoded(b"".join(lines)), str(path))
    except NotJSONError as whole:
        if _is_lines(lines):
            yield from _of_lines(lines, str(path))
        elif is_log(lines):
            yield from _of_log(lines, str(path))
        else:
            place = f"{path}:{whole.line}:{whole.column}" if whole.line else str(path)
            raise refused("not-json", place, f"not JSON: {whole.problem}") from None


def _decoded(data: bytes) -> JSON:
    return decode_either(data.removeprefix(b"\xef\xbb\xbf"))


def _is_lines(lines: Sequence[bytes]) -> bool:
    """Whether the first line is a value by itself, and others follow."""
    full = [line for _, line in numbered(lines)]
    try:
        decode_either(full[0] if full else b"")
    except NotJSONError:
        return False
    return len(full) > 1


def _of_lines(lines: Iterable[bytes], name: str) -> Iterator[Found]:
    for number, line in numbered(lines):
        try:
            value = decode_either(line.rstrip())
        except NotJSONError as error:
            place = f"{name}:{number}:{error.column}"
            raise refused("not-json", place, f"not JSON: {error.problem}") from None
        yield from recognise(value, f"{name}:{number}")


def _of_log(lines: Iterable[bytes], name: str) -> Iterator[Found]:
    requests, skipped = read_log(lines, name)
    for place, request in requests:
        yield from _of_request(request, place)
    lines_left = f"{skipped:,} line{'' if skipped == 1 else 's'}"
    why = f"{lines_left} without a new request to evals, graders or fine-tuning"
    yield Found(form="log", place=name, skipped=why if skipped else "")


def _of_request(request: Mapping[str, JSON], place: str) -> Sequence[Found]:
    """What it holds; of one that is for nothing here, such as an eval's new name, what it is."""
    try:
        return [*recognise(request, place)]
    except ConfigError as error:
        if [finding.code for finding in error.findings] != [_UNKNOWN]:
            raise
        why = f"the body of a request to {request['url']!r:.80} {error.findings[0].message}"
        return [Found(form="other request", place=place, skipped=why)]


def recognise(value: Any, name: str) -> Iterator[Found]:
    """What a JSON value holds.

    Args:
        value: It.
        name: What it is called in messages.

    Raises:
        ConfigError: It is of no form that is known, or lacks what its form has; says where.

    Example:
        >>> body = {"grader": {"type": "string_check"}, "model_sample": "4"}
        >>> [found.form for found in recognise({"json_data": body}, "log.json")]
        ['run request']
    """
    stack: list[tuple[Any, Location, bool]] = [(value, (), False)]
    while stack:
        one, at, azure = stack.pop()
        match one:
            case {"data": list(entries), **beside} if not beside.keys() & {"grader", "method"}:
                yield from to_page(one, Place(name, at))
                stack += _entries(entries, (*at, "data"), azure=azure)
            case list(entries):
                stack += _entries(entries, at, azure=azure)
            case dict():
                found = to_found(one, Place(name, at, azure=azure or _names_azure(one)))
                if found is not None:
                    yield found
                    continue
                inside = _wrapped(one, at)
                if inside is None:
                    raise _unknown(one, str(Place(name, at)))
                stack.append((*inside, azure or _names_azure(one)))
            case _:
                raise _unknown(one, str(Place(name, at)))


def _entries(
    entries: Sequence[JSON], at: Location, *, azure: bool
) -> list[tuple[Any, Location, bool]]:
    """Entries of a list, the first of them last: on a stack it comes first."""
    return [(entry, (*at, i), azure) for i, entry in enumerate(entries)][::-1]


def _wrapped(value: Mapping[str, JSON], at: Location) -> tuple[JSON, Location] | None:
    for key in WRAPPERS:
        if isinstance(inside := value.get(key), (dict, list)):
            return inside, (*at, key)
    return None


def _names_azure(value: Mapping[str, JSON]) -> bool:
    """Whether a logged request went there."""
    url = value.get("url", value.get("base_url"))
    return isinstance(url, str) and ".azure.com/" in f"{url}/"


def _unknown(value: JSON, place: str) -> ConfigError:
    what = kind_of(value)
    if isinstance(value, dict):
        keys = ", ".join(repr(key[:40]) for key in list(value)[:8]) or "no keys"
        what = f"an object with {keys}"
    return refused(_UNKNOWN, place, f"is {what}, and not {_KNOWN}")
