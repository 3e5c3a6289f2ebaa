r"""JSON as the standard has it, fast, with the place where it stops being JSON.

`msgspec` reads and writes almost everything. What it cannot carry and real rows do contain, lone
surrogates (`"\ud800"`) and odd numbers, falls back to the standard library, so that the value is
the same either way. NaN, Infinity and numbers too large for a double are refused: Python's
`json` lets them through, and a NaN in a row becomes a NaN in a reward.
"""

from __future__ import annotations

import json
import re
from math import isfinite, isinf
from typing import Final, NoReturn

import msgspec

from sandbox import JSON

_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode
_WORD = re.compile(r'"(?:[^"\\]|\\.)*"|[^\s",:\[\]{}]+')
_ENDS: Final = {"{": "}", "[": "]", '"': '"'}
_DIGITS: Final = frozenset("0123456789")
_WORDS: Final = frozenset(("true", "false", "null"))


DEEPEST: Final = 256
"""Lists and objects in one another. Few enough for every stack that they meet on their way, so that
no row is read here and refused in a worker."""
_NESTING: Final = (dict, list)
_TOO_DEEP: Final = f"nested too deeply, in more than {DEEPEST} levels"


class NotJSONError(ValueError):
    """A text that is not JSON.

    `line` and `column` are 1-based and count characters; 0 where the place is not known.
    """

    def __init__(self, problem: str, line: int, column: int) -> None:
        self.problem, self.line, self.column = problem, line, column
        super().__init__(f"{line}:{column}: not JSON: {problem}")


class _NumberError(ValueError):
    """A number that JSON does not have, or that no float or int of ours holds."""

    def __init__(self, literal: str, problem: str) -> None:
        self.literal = literal
        super().__init__(problem)


def decode(data: bytes | str, *, unique_keys: bool = False) -> JSON:
    """Read one JSON value.

    Args:
        data: UTF-8 bytes or text.
        unique_keys: Refuse an object that has a key twice (elsewhere the last one wins).

    Raises:
        NotJSONError: With the line and column where reading stopped.

    Example:
        >>> decode('{"score": 1}')
        {'score': 1}
        >>> decode('{"score": NaN}')
        Traceback (most recent call last):
        graders.strict_json.NotJSONError: 1:11: not JSON: NaN is not a JSON number
    """
    if not unique_keys:
        try:
            value: JSON = _decode(data)
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            pass  # the slow reader below knows the place, or can read it after all
        else:
            return _not_too_deep(value, data)
    try:
        text = data if isinstance(data, str) else data.decode("utf-8")
    except UnicodeDecodeError as error:
        before = error.object[: error.start].decode("utf-8", "replace")
        problem = f"byte 0x{error.object[error.start]:02x} is not UTF-8"
        raise NotJSONError(problem, *_place(before)) from None
    try:
        slow: JSON = json.loads(
            text,
            parse_constant=_refuse_constant,
            parse_float=_finite,
            parse_int=_readable,
            object_pairs_hook=_unique if unique_keys else None,
        )
    except json.JSONDecodeError as error:
        raise NotJSONError(error.msg.removesuffix(" at"), error.lineno, error.colno) from None
    except _NumberError as error:
        raise NotJSONError(str(error), *_place(_before(error.literal, text))) from None
    except RecursionError:
        raise NotJSONError(_TOO_DEEP, 1, 1) from None
    except ValueError as error:  # a key that stands twice, json does not say where
        raise NotJSONError(str(error), 0, 0) from None
    return _not_too_deep(slow, text)


def _not_too_deep(value: JSON, data: bytes | str) -> JSON:
    opened = (data.count("[") + data.count("{")) if isinstance(data, str) else (
        data.count(b"[") + data.count(b"{")
    )  # fmt: skip
    if opened <= DEEPEST:
        return value
    level, depth = [value] if isinstance(value, _NESTING) else [], 0
    while level:
        depth += 1
        if depth > DEEPEST:
            raise NotJSONError(_TOO_DEEP, 1, 1)
        inside = (one.values() if isinstance(one, dict) else one for one in level)
        level = [entry for entries in inside for entry in entries if isinstance(entry, _NESTING)]
    return value


def decode_or_none(text: str) -> JSON:
    """The JSON value a text holds, or None where it holds none (or null).

    Example:
        >>> decode_or_none('{"a": 1}'), decode_or_none("plain text")
        ({'a': 1}, None)
    """
    # Most model output is prose, and telling by its ends is cheaper than by an exception.
    inner = text.strip()
    last = inner[-1:]
    if _ENDS.get(inner[:1], "") != last and last not in _DIGITS and inner not in _WORDS:
        return None
    try:
        return decode(text)
    except NotJSONError:
        return None


def encode(value: object) -> bytes:
    r"""Write one JSON value, compact. Lone surrogates are written as `\ud800` escapes.

    A NaN, which only a row made in Python can hold, is written as null.

    Example:
        >>> encode({"text": "é"}).decode(), encode("\ud800")
        ('{"text":"é"}', b'"\\ud800"')
    """
    try:
        return _encode(value)
    except UnicodeEncodeError:
        plain = _without_nan(msgspec.to_builtins(value))
        return json.dumps(plain, separators=(",", ":"), allow_nan=False).encode("ascii")


def _without_nan(value: object) -> object:
    """What msgspec writes by itself: null for a float that is not finite."""
    if isinstance(value, dict):
        return {key: _without_nan(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_without_nan(entry) for entry in value]
    return None if isinstance(value, float) and not isfinite(value) else value


def _place(before: str) -> tuple[int, int]:
    """Line and column after some text, from 1."""
    return before.count("\n") + 1, len(before) - before.rfind("\n")


def _before(literal: str, text: str) -> str:
    """The text before a literal, which may also stand inside strings."""
    words = (word.start() for word in _WORD.finditer(text) if word[0].startswith(literal))
    return text[: next(words, text.find(literal))]


def _refuse_constant(name: str) -> NoReturn:
    raise _NumberError(name, f"{name} is not a JSON number")


def _finite(digits: str) -> float:
    value = float(digits)
    if isinf(value):
        raise _NumberError(digits, f"the number {digits[:40]} is too large for a double")
    return value


def _readable(digits: str) -> int:
    try:
        return int(digits)
    except ValueError:
        problem = f"an integer of {len(digits):,} digits is longer than Python reads"
        raise _NumberError(digits, problem) from None


def _unique(pairs: list[tuple[str, JSON]]) -> dict[str, JSON]:
    value = dict(pairs)
    if len(value) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"the key {twice!r} stands twice in one object, and only one can count")
    return value
