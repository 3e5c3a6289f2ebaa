"""Rows from what trainers hand over: columns of a dataset, messages, arrays, texts of JSON.

Two things can be wrong. A value that a row happens to have (a NaN, a text that is not JSON) makes
that row a `Failure`. A type that no row can be read from is raised, since no other row of the
column will be better; the message names the column.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from datetime import date, time
from decimal import Decimal
from math import isfinite
from typing import Final
from uuid import UUID

from graders.errors import Failure, FailureKind, GradersError, GradingError
from graders.formats.cells import CellError, to_json
from graders.outputs import ContentError, chat_sample
from graders.rows import ReadRow, Row, to_sample
from graders.strict_json import NotJSONError, decode
from graders.terminal import shorten
from sandbox import JSON

_DEEPEST: Final = 256
_OF_TABLES: Final = (date, time, Decimal, UUID)


class ColumnError(GradersError):
    """A column that no item can be read from, or one that is missing."""


def plain(value: object, place: str, *, absent: bool = False, depth: int = 0) -> JSON:
    """A value as JSON has it.

    Args:
        value: Numbers, texts, mappings and sequences of any kind; arrays and scalars of numpy,
            torch and the like (whatever has `tolist`); dataclasses and pydantic models; dates,
            times, decimals and UUIDs, which are the texts that `graders run` makes of them.
        place: Where it stands, for messages: `column 'answer'`.
        absent: Whether keys with None are left out. Arrow gives each struct of a column every key
            that one of them has, with None where there was none.
        depth: How many others it stands in.

    Raises:
        ColumnError: It is of no type that JSON has.
        GradingError: It is a number that JSON has not, or nested too deeply.

    Example:
        >>> import numpy
        >>> plain({"a": numpy.float32(0.5), "b": numpy.array([1, 2])}, "column 'x'")
        {'a': 0.5, 'b': [1, 2]}
        >>> plain({1}, "item")
        Traceback (most recent call last):
        graders.trainers.rows.ColumnError: item: {1} (set) is nothing that JSON has; write text
        >>> plain(Decimal("1.50"), "column 'x'")
        '1.50'
    """
    if depth > _DEEPEST:
        raise _bad(f"{place}: nested too deeply, in more than {_DEEPEST} levels")
    match value:
        case None | bool() | int() | str() if type(value) in {type(None), bool, int, str}:
            return value
        case float() if type(value) is float:
            return _finite(value, place)
        case Mapping():
            return {
                _key(key, place): plain(
                    entry, f"{place}, key {key!r}", absent=absent, depth=depth + 1
                )
                for key, entry in value.items()
                if not (absent and entry is None)
            }
        case Sequence() if not isinstance(value, (str, bytes, bytearray, memoryview)):
            inner = f"{place}, in a list"
            return [plain(entry, inner, absent=absent, depth=depth + 1) for entry in value]
    return plain(_converted(value, place), place, absent=absent, depth=depth + 1)


def _converted(value: object, place: str) -> object:
    """What is no JSON as what may be: a step towards it."""
    if isinstance(value, _OF_TABLES):
        return _cell(value, place)
    moments = getattr(getattr(value, "dtype", None), "kind", "") in {"m", "M"}
    if not moments and callable(convert := getattr(value, "tolist", None)):  # arrays and scalars
        converted: object = convert()
        if type(converted) is not type(value):
            return converted
    if callable(dump := getattr(value, "model_dump", None)):  # pydantic
        return dump()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = dataclasses.fields(value)
        return {field.name: getattr(value, field.name) for field in fields}
    for kind in (bool, int, float, str):  # an enum's member, a text of a subclass
        if isinstance(value, kind):
            return kind.__str__(value) if kind is str else kind(value)
    shown = f"{shorten(repr(value), 60)} ({type(value).__name__})"
    raise ColumnError(f"{place}: {shown} is nothing that JSON has; write text")


def _cell(value: object, place: str) -> JSON:
    try:
        return to_json(value)
    except CellError as error:  # NaT, a decimal that is infinite
        raise _bad(f"{place}: {error}") from None


def to_item(value: object, place: str, *, absent: bool = False) -> dict[str, JSON]:
    """The item of a row, from an object or a text of JSON.

    Raises:
        ColumnError: It is of a type that no object is read from.
        GradingError: It is a text that is not JSON, or not of an object.
    """
    if isinstance(value, (str, bytes)):
        try:
            decoded = decode(value)
        except NotJSONError as error:
            raise _bad(f"{place}: {error}") from None
        if not isinstance(decoded, dict):
            raise _bad(f"{place}: is JSON of a {type(decoded).__name__}, and an item is an object")
        return decoded
    read = plain(value, place, absent=absent)
    if read is None:
        raise _bad(f"{place}: is None, and an item is an object")
    if not isinstance(read, dict):
        raise ColumnError(f"{place}: is a {type(value).__name__}, and an item is an object")
    return read


def spoken(completion: object, place: str) -> Mapping[str, JSON]:
    """The sample of a completion: a text, or messages of which the last of the assistant counts.

    Its content may be a text, parts with texts among them, or missing; tool calls are kept.

    Raises:
        ColumnError: It is neither a text nor messages.
        GradingError: No message is the assistant's.
    """
    if isinstance(completion, str):
        return to_sample(str(completion))
    read = plain(completion, place)
    messages = [read] if isinstance(read, dict) else read
    if not isinstance(messages, list) or not all(isinstance(one, dict) for one in messages):
        raise ColumnError(
            f"{place}: is a {type(completion).__name__}, and a completion is a text or messages"
        )
    try:
        sample = chat_sample([one for one in messages if isinstance(one, dict)])
    except ContentError as error:
        raise ColumnError(f"{place}: {error}") from None
    if sample is None:
        raise _bad(f"{place}: none of its {len(messages)} messages is the assistant's")
    return sample


def column_rows(
    completions: Sequence[object],
    columns: Mapping[str, Sequence[object]],
    *,
    item: str = "item",
) -> list[Row | Failure]:
    """Rows of columns with an entry for each completion, as datasets of Arrow have them.

    Args:
        completions: Texts or messages.
        columns: By name.
        item: The column that holds items, as objects or as texts of JSON. Where there is none,
            the columns together are the item.

    Raises:
        ColumnError: A column is of another length, or of a type that no item is read from.

    Example:
        >>> column_rows(["4"], {"answer": ["4"]})[0].item
        {'answer': '4'}
    """
    for name, column in columns.items():
        if isinstance(column, (str, Mapping)) or not hasattr(column, "__len__"):
            raise ColumnError(f"column {name!r}: is a {type(column).__name__}, and not a list")
        if len(column) != len(completions):
            problem = f"has {len(column)} entries for {len(completions)} completions"
            raise ColumnError(f"column {name!r}: {problem}")
    rows: list[Row | Failure] = []
    for i, completion in enumerate(completions):
        try:
            if item in columns:
                read = to_item(columns[item][i], f"column {item!r}", absent=True)
            else:
                read = {
                    name: _entry(column[i], name)
                    for name, column in columns.items()
                    if column[i] is not None
                }
            rows.append(_row(read, completion, i + 1))
        except GradingError as error:
            rows.append(error.failure)
    return rows


def _entry(value: object, name: str) -> JSON:
    try:
        return plain(value, f"column {name!r}", absent=True)
    except ColumnError as error:
        remedy = f", remove the column {name!r}, or give a column 'item' with what is to be read"
        raise ColumnError(f"{error}{remedy}") from None


def _row(item: dict[str, JSON], completion: object, number: int) -> Row:
    if type(completion) is str:  # most graders want no more of the sample than its text
        return ReadRow(item=item, sample=completion, row=number)  # type: ignore[arg-type]
    return Row(item=item, sample=spoken(completion, "the completion"), row=number)


def _key(key: object, place: str) -> str:
    if not isinstance(key, str):
        raise ColumnError(f"{place}: has the key {key!r:.60}, and keys are texts")
    return str(key)


def _finite(value: float, place: str) -> float:
    if not isfinite(value):
        raise _bad(f"{place}: is {value}, which JSON has not")
    return value


def _bad(message: str) -> GradingError:
    return GradingError(FailureKind.OTHER, message, "bad_row")
