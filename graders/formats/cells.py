"""What a value of a column is in JSON, and lines that stand for rows that are none.

One table for every source: Parquet and Arrow files, and frames. What has no form in JSON is an
error that names the column, never a guess: a reward would be computed from it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, time
from decimal import Decimal
from math import isfinite
from typing import Any, Final
from uuid import UUID

from graders.strict_json import NotJSONError, decode, encode
from sandbox import JSON

_REFUSED: Final = b"\0"
"""Begins a line that says why a row is none. No JSON text begins so, and a block of lines that
goes to a worker can hold it."""
_NUMPY: Final = frozenset("biufUO")
"""Kinds of its values that Python has, too; it makes bare numbers of moments."""
_TOO_DEEP: Final = "nested too deeply"
_PLAIN: Final = frozenset({str, int, bool, type(None)})


class CellError(ValueError):
    """A value that JSON has no form for, with its path inside its column."""

    def __init__(self, problem: str, path: str = "") -> None:
        self.problem, self.path = problem, path
        super().__init__(f"column {path!r}: {problem}" if path else problem)

    def inside(self, step: str) -> CellError:
        """The same error, seen from one level further out."""
        return CellError(self.problem, step + self.path)


def to_json(value: object) -> JSON:
    """The JSON form of a value.

    Text, whole numbers, booleans and null are themselves. Dates and times are ISO 8601, a decimal
    is the text of its digits, a UUID is its text.

    Raises:
        CellError: There is none.

    Example:
        >>> to_json({"when": date(2024, 5, 1), "price": Decimal("1.50"), "tags": ("a", None)})
        {'when': '2024-05-01', 'price': '1.50', 'tags': ['a', None]}
        >>> to_json([b"abc"])
        Traceback (most recent call last):
        graders.formats.cells.CellError: column '[0]': bytes have no form in JSON; write text
    """
    if type(value) in _PLAIN:
        return value  # type: ignore[return-value]
    if type(value).__module__ == "numpy" and value.dtype.kind in _NUMPY:  # type: ignore[attr-defined]
        return to_json(value.tolist())  # type: ignore[attr-defined]
    if isinstance(value, dict):
        return {_key(key): _inside(entry, f".{key}") for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_inside(entry, f"[{at}]") for at, entry in enumerate(value)]
    return _single(value)


def _single(value: object) -> JSON:
    match value:
        case str():  # of a class of its own
            return str(value)
        case float() if isfinite(value):
            return float(value)
        case float():
            raise CellError(f"{value} is not a JSON number; null says that there is none")
        case datetime() | date() | time():
            return _moment(value)
        case Decimal() if value.is_finite():
            return format(value, "f")
        case UUID():
            return str(value)
        case bytes():
            raise CellError("bytes have no form in JSON; write text")
    raise CellError(f"a {type(value).__name__} has no form in JSON; write text or a number")


def _inside(value: object, step: str) -> JSON:
    try:
        return to_json(value)
    except CellError as error:
        raise error.inside(step) from None


def _key(key: object) -> str:
    if isinstance(key, str):
        return key
    raise CellError(f"{key!r:.40} is a key, and keys are text in JSON")


def _moment(value: date | time) -> str:
    if str(value) == "NaT":
        raise CellError("NaT is no moment; null says that there is none")
    if getattr(value, "nanosecond", 0):  # of a pandas Timestamp
        raise CellError(f"{value} is finer than a microsecond; round it, or write text")
    # Those of pandas go by the text of the standard library's, too.
    plain = getattr(value, "to_pydatetime", None)
    return (value if plain is None else plain()).isoformat()


def to_line(row: dict[str, Any], walked: Iterable[str]) -> bytes:
    r"""A row as a line of JSON, or as one that says why it is none.

    Args:
        row: By column; changed.
        walked: The columns whose values may not be JSON yet.

    Example:
        >>> to_line({"answer": "4", "weight": 1.5}, ["weight"])
        b'{"answer":"4","weight":1.5}\n'
        >>> refusal(to_line({"answer": "4", "weight": float("inf")}, ["weight"]))
        "column 'weight': inf is not a JSON number; null says that there is none"
    """
    return line_of(to_row(row, walked))


def line_of(row: dict[str, JSON] | str) -> bytes:
    """A row as a line of JSON, or why it is none as a line that says so."""
    if isinstance(row, str):
        return refused(row)
    try:
        return encode(row) + b"\n"
    except RecursionError:
        return refused(_TOO_DEEP)


def to_row(row: dict[str, Any], walked: Iterable[str]) -> dict[str, JSON] | str:
    """A row as JSON has it, or why it has not; arguments as of `to_line`."""
    try:
        for name in walked:
            row[name] = _inside(row[name], name)
    except CellError as error:
        return str(error)
    except RecursionError:
        return _TOO_DEEP
    return row


def refused(problem: str) -> bytes:
    """A line in the place of a row that is none."""
    return _REFUSED + encode(problem) + b"\n"


def refusal(line: bytes) -> str | None:
    """What is wrong with the row that a line stands for; None of any other line."""
    if not line.startswith(_REFUSED):
        return None
    try:
        problem = decode(line[1:])
    except NotJSONError:  # of a file that somebody else wrote
        return None
    return problem if isinstance(problem, str) else None
