"""Joining a file of rows with a second file of outputs: line by line, or by a key."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from graders.errors import GradingError, RowError
from graders.lines import decode_line, decode_object, numbered, open_lines
from graders.rows import Row
from graders.strict_json import encode
from graders.template import Slot, look_up
from sandbox import JSON


class Output(NamedTuple):
    """An output from another file, and where it stood."""

    place: str
    value: JSON


class Joined(NamedTuple):
    """A line of rows, and the numbered line of another file that holds its output, if one does."""

    number: int
    line: bytes
    other: tuple[int, bytes] | None = None


class Outputs(NamedTuple):
    """The second file.

    Attributes:
        path: Where it is.
        keys: Where a line of it may have its output, beside `samples` and `sample`.
    """

    path: Path
    keys: Sequence[str]


def join_by_line(
    name: str, lines: Iterable[bytes], outputs: Outputs
) -> Iterator[Joined | RowError]:
    """Each line of the file called `name` with the output at the same place of the other."""
    with open_lines(outputs.path) as file:
        others = numbered(file)
        for number, line in numbered(lines):
            other = next(others, None)
            if other is None:
                problem = f"{outputs.path} has no line for it; it is shorter"
                yield RowError(f"{name}:{number}:1", problem)
                continue
            yield Joined(number, line, other)
        if (extra := next(others, None)) is not None:
            problem = f"{name} has no row for this line and those after it; it is shorter"
            yield RowError(f"{outputs.path}:{extra[0]}:1", problem)


def join_by_key(
    name: str, lines: Iterable[bytes], outputs: Outputs, key: Slot
) -> Iterator[Joined | RowError]:
    """Each line of the file called `name` with the output that has the same key.

    Memory holds all outputs, but one line at a time of the rows.
    """
    found: dict[bytes, tuple[int, bytes]] = {}
    yield from _collect(outputs, key, found)
    for number, line in numbered(lines):
        place = f"{name}:{number}:1"
        try:
            value = _key(key, decode_object(name, number, line), place)
        except RowError as error:
            yield error
            continue
        if value in found:
            yield Joined(number, line, found[value])
        else:
            yield RowError(place, f"{outputs.path} has no output for {_shown(key, value)}")


def _collect(
    outputs: Outputs, key: Slot, found: dict[bytes, tuple[int, bytes]]
) -> Iterator[RowError]:
    """Fill `found` with the outputs by key; yields what is wrong among them."""
    path = str(outputs.path)
    with open_lines(outputs.path) as file:
        for number, line in numbered(file):
            try:
                output = read_output(outputs, number, line)
                value = _key(key, decode_object(path, number, line), output.place)
            except RowError as error:
                yield error
                continue
            if value in found:
                yield RowError(output.place, f"{_shown(key, value)} stands here a second time")
            found.setdefault(value, (number, line))


def _key(key: Slot, line: dict[str, JSON], place: str) -> bytes:
    """The joining value, looked for in the line and then in its item."""
    inside = line.get("item")
    try:
        try:
            return encode(look_up(key, Row(item=line, sample={})))
        except GradingError:
            if not isinstance(inside, dict):
                raise
            return encode(look_up(key, Row(item=inside, sample={})))
    except GradingError as error:
        raise RowError(place, f"--key: {error}") from None


def _shown(key: Slot, name: bytes) -> str:
    return f"{str(key).removeprefix('item.')} = {name.decode('utf-8', 'replace')}"


def read_output(outputs: Outputs, number: int, line: bytes) -> Output:
    """What a line of an outputs file holds: samples, a sample, or the output under its key.

    Raises:
        RowError: None of those.
    """
    place = f"{outputs.path}:{number}:1"
    value = decode_line(str(outputs.path), number, line)
    if isinstance(value, (str, list)):
        return Output(place, value)
    if isinstance(value, dict):
        for key in ("samples", "sample", *outputs.keys):
            if key in value:
                # An object with its text under output_text is a sample, with more to say.
                whole = key == "output_text" and isinstance(value[key], str)
                return Output(place, value if whole else value[key])
        if "choices" in value:
            return Output(place, value)
    wanted = ", ".join(("samples", "sample", *outputs.keys))
    raise RowError(place, f"no output in it: looked for {wanted}")
