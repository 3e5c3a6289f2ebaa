"""Rows as promptfoo's tests: an item as vars, and the output of its sample as what a provider gave.

An output stays as it is there, whatever is in it. Of an item, promptfoo reads the file that a text
names, runs it if it is code, and renders what is a template, which can do anything. Seen with
promptfoo 0.121.20 and 0.123.1, as all below. And its numbers are JavaScript's, which has no 4.0 and
rounds long integers. Rows with such items stay here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from graders.errors import RowError
from graders.rows import Row
from graders.strict_json import encode
from sandbox import JSON

_MARKS: Final = ("{{", "{%", "{#")
_BEGINNINGS: Final = ("file://", "package:")
_MOST_INTEGER: Final = (1 << 53) - 1
"""Beyond it JavaScript has not every integer."""


@dataclass(frozen=True, slots=True)
class Tests:
    """What is written of rows.

    Attributes:
        lines: JSON Lines, a test each.
        count: How many.
        left_out: For each row that is not among them, its number and why.
    """

    lines: str
    count: int
    left_out: Sequence[tuple[int, str]]


def to_tests(rows: Iterable[Row | RowError]) -> Tests:
    """Make tests of rows.

    Raises:
        RowError: A line is no row.
    """
    lines: list[str] = []
    left_out: list[tuple[int, str]] = []
    for row in rows:
        if isinstance(row, RowError):
            raise row
        output = row.sample.get("output_text")
        why = _acted_on(row.item) if isinstance(output, str) else "its sample has no output_text"
        if why:
            left_out.append((row.row, why))
            continue
        given = {key: _kept(value) for key, value in row.item.items()}
        told = f"row {row.row}" + (f", sample {row.sample_index}" if row.sample_index else "")
        test = {"description": told, "vars": given, "providerOutput": output}
        lines.append(encode(test).decode() + "\n")
    return Tests("".join(lines), len(lines), left_out)


def _acted_on(item: Mapping[str, JSON]) -> str:
    """Why promptfoo would make something else of an item; "" where it would not."""
    for key, value in item.items():
        if found := _act_on(value):
            return f"{key!r:.80} of its item has {found!r}, on which promptfoo would act"
        if changed := _changed(value):
            return f"{key!r:.80} of its item has {changed:.40}, which JavaScript would change"
    return ""


def _act_on(value: JSON) -> str:
    """What makes a text a template or the name of a file; "" where it is neither."""
    if not isinstance(value, str):
        return ""  # what is inside lists and objects stays as it is
    found = [mark for mark in _MARKS if mark in value]
    found += [start for start in _BEGINNINGS if value.startswith(start)]
    return found[0] if found else ""


def _changed(value: JSON) -> str:
    """A number, at any depth, that JavaScript would write otherwise; "" where there is none.

    Example:
        >>> _changed([1, {"a": 4.0}]), _changed(2**53), _changed([0.5, 2**53 - 1, True, "4.0"])
        ('4.0', '9007199254740992', '')
    """
    stack = [value]
    while stack:
        match one := stack.pop():
            case list():
                stack += one
            case dict():
                stack += one.values()
            case float() if one.is_integer():
                return encode(one).decode()
            case int() if abs(one) > _MOST_INTEGER:
                return encode(one).decode()
    return ""


def _kept(value: JSON) -> JSON:
    r"""A value of which promptfoo drops what is too much: of a text at the end, one line break.

    Example:
        >>> _kept("a\n"), _kept("a"), _kept(["a\n"])
        ('a\n\n', 'a', ['a\n'])
    """
    return f"{value}\n" if isinstance(value, str) and value.endswith("\n") else value
