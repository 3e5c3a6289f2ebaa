"""Rows from lines of JSON, in whichever of the four shapes people have them.

    {"item": {...}, "sample": "text" or {...}}          one sample
    {"item": {...}, "samples": [...]}                   several
    {"grader": {...}, "item": {...}, "model_sample": "text"}     a hosted run request
    {"question": ..., "answer": ..., "output_text": ...}        flat: the line is the item

A sample may be a chat, too: a list of messages, as `graders.outputs` has it.

Files are streamed: memory holds one line (and the outputs of a join by key). A line that is not
a row is an error in the stream, with its file, line and column; its neighbours are rows.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Reversible, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

import msgspec
from msgspec.structs import replace

from graders.column_map import Columns, ColumnsError
from graders.errors import ConfigError, Finding, GradingError, RowError, TemplateError
from graders.joins import Joined, Output, Outputs, join_by_key, join_by_line, read_output
from graders.lines import check_form, decode_object, kind_of, numbered, open_lines
from graders.outputs import OutputError, samples_of
from graders.rows import ReadRow, Row
from graders.strict_json import encode
from graders.template import Slot, look_up, parse_path
from sandbox import JSON

T = TypeVar("T")

_ADD_A_SAMPLE: Final = "Add sample, samples or model_sample."
_sorted = msgspec.json.Encoder(order="deterministic").encode
OUTPUT_KEYS: Final = ("output_text", "completion", "response")
"""Where a flat line's output is looked for, in this order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RowFormat:
    """How lines become rows.

    Attributes:
        output: The key of a flat line's output; None tries `OUTPUT_KEYS`.
        outputs: A second file with the outputs, joined by line, or by `key`.
        key: Path of the value that joins the two files: `id`, `meta.id`.
        group_by: Path of the value that makes rows one group: `item.prompt_id`.
        sampled: Whether an item without a sample is no row; else its sample is empty.
        columns: What columns are, where their names do not say it.
    """

    output: str | None = None
    outputs: Path | None = None
    key: str | None = None
    group_by: str | None = None
    sampled: bool = True
    columns: Columns | None = None

    @property
    def output_keys(self) -> Sequence[str]:
        """Where a line's output is looked for."""
        if self.columns is not None and self.columns.sample is not None:
            return (self.columns.sample,)
        return OUTPUT_KEYS if self.output is None else (self.output,)

    @property
    def outputs_file(self) -> Outputs | None:
        """The second file, if there is one."""
        return None if self.outputs is None else Outputs(self.outputs, self.output_keys)


def read_rows(path: Path | str, shape: RowFormat | None = None) -> Iterator[Row | RowError]:
    """Stream the rows of a file; a bad line comes as its error.

    Args:
        path: A file, whose name says its form, or `-` for JSON Lines from standard input.
        shape: How lines become rows.

    Raises:
        ConfigError: A path in `shape` does not parse; raised by the call, before a line is read.
        FormatError: The form of a file cannot be read; raised by the call, too.
        OSError: A file cannot be read.
    """
    shape = shape or RowFormat()
    reader = Reader(str(path), shape)
    return reader.rows(read_lines(path, shape))


def read_lines(path: Path | str, shape: RowFormat) -> Iterator[Joined | RowError]:
    """Stream the lines that a `Reader` makes rows of; arguments and errors as in `read_rows`."""
    for file in (path, shape.outputs):
        if file is not None:
            check_form(file)
    key = _path(shape.key) if shape.key is not None else None
    return _joined(path, shape, key)


def _joined(path: Path | str, shape: RowFormat, key: Slot | None) -> Iterator[Joined | RowError]:
    with open_lines(path) as lines:
        outputs = shape.outputs_file
        if outputs is None:
            for number, line in numbered(lines):
                yield Joined(number, line)
        elif key is None:
            yield from join_by_line(str(path), lines, outputs)
        else:
            yield from join_by_key(str(path), lines, outputs, key)


class Group(NamedTuple):
    """A group that may go on: a line of it, and its name."""

    line: Joined
    name: int | str


class Reader:
    """Turns lines into rows, and remembers the last item to tell where a group ends."""

    def __init__(self, name: str, shape: RowFormat) -> None:
        self.name, self.shape = name, shape
        self.group_by = _path(shape.group_by) if shape.group_by else None
        self.last_item: Mapping[str, JSON] | None = None
        self.group = 0

    def rows(self, lines: Iterable[Joined | T]) -> Iterator[Row | RowError | T]:
        """The rows of lines; what is no line is handed on."""
        for joined in lines:
            if not isinstance(joined, Joined):
                yield joined
                continue
            try:
                yield from self._rows_of(joined)
            except RowError as error:
                yield error

    def _rows_of(self, joined: Joined) -> list[Row]:
        number, output = joined.number, None
        if joined.other is not None:
            assert self.shape.outputs_file is not None, "it was joined with something"
            output = read_output(self.shape.outputs_file, *joined.other)
        item, given = self._split(number, decode_object(self.name, number, joined.line), output)
        place = output.place if output is not None else f"{self.name}:{number}:1"
        samples = _samples(place, given)
        group = 0 if self.group_by is not None else self._neighbours(number, item)
        rows: list[Row] = [
            ReadRow(item=item, sample=sample, row=number, sample_index=i, group=group)
            for i, sample in enumerate(samples)
        ]
        if self.group_by is None:
            return rows
        return [replace(row, group=self._named(self.group_by, row)) for row in rows]

    def go_on(self, group: Group | None) -> None:
        """Begin where another reader left off, in a group that may go on."""
        if group is None:
            return
        try:
            row = self._rows_of(group.line)[0]
        except RowError:  # so deep that it could be read there, and cannot here
            return
        assert isinstance(group.name, int), "groups of neighbours are named after a line"
        self.last_item, self.group = row.item, group.name

    def last_group(
        self, lines: Reversible[Joined | RowError], before: Group | None
    ) -> Group | None:
        """The group that may go on behind these lines, without reading more of them than it has.

        Args:
            lines: In their order.
            before: The group that may go on at their beginning.
        """
        if self.group_by is not None:
            return None  # named by what it holds
        found: Group | None = None
        item: Mapping[str, JSON] | None = None
        for line in reversed(lines):
            if (other := self._item_of(line)) is None:
                continue
            assert isinstance(line, Joined), "it has an item"
            if found is not None and not _same(other, item):
                return found
            found, item = Group(line, line.number), other
        if before is not None and (found is None or _same(self._item_of(before.line), item)):
            return before
        return found

    def _item_of(self, line: Joined | RowError) -> Mapping[str, JSON] | None:
        """The item that a reader remembers of a line; None of one that is no row."""
        if isinstance(line, RowError):
            return None
        try:
            return Reader(self.name, self.shape)._rows_of(line)[0].item  # noqa: SLF001 - our own
        except RowError:
            return None

    def _split(
        self, number: int, line: dict[str, JSON], output: Output | None
    ) -> tuple[dict[str, JSON], JSON]:
        """The line's item and output, in whichever shape it has."""
        if self.shape.columns is not None:
            try:
                line = self.shape.columns.apply(line, sampled=output is None)
            except ColumnsError as error:
                raise self._error(number, str(error)) from None
        if "item" in line or "model_sample" in line:
            item = line.get("item", {})
            given = output.value if output is not None else self._given(number, line)
        elif output is not None:
            item, given = line, output.value
        else:
            key = self._output_key(number, line)
            item, given = {k: v for k, v in line.items() if k != key}, line[key]
        if not isinstance(item, dict):
            raise self._error(number, f"item is {kind_of(item)}, and must be an object")
        return item, given

    def _given(self, number: int, line: dict[str, JSON]) -> JSON:
        for key in ("sample", "samples", "model_sample"):
            if key in line:
                if key == "samples" and not isinstance(line[key], list):
                    raise self._error(
                        number, f"samples is {kind_of(line[key])}, and must be a list"
                    )
                return line[key]
        for key in self.shape.output_keys:
            if key in line:
                return line[key]
        if not self.shape.sampled:
            return {}
        close = get_close_matches("sample", line, n=1)
        hint = f"{close[0]!r} is not read; did you mean 'sample'?" if close else _ADD_A_SAMPLE
        raise self._error(number, f"item has no sample beside it. {hint}")

    def _output_key(self, number: int, line: dict[str, JSON]) -> str:
        wanted = self.shape.output_keys
        for key in wanted:
            if key in line:
                return key
        has = ", ".join(sorted(line)[:12]) or "no keys"
        hint = (
            "Name its key with --output, or in columns of grade()."
            if self.shape.output is None
            else ""
        )
        raise self._error(
            number, f"no output: looked for {', '.join(wanted)}; the line has {has}. {hint}".strip()
        )

    def _named(self, path: Slot, row: Row) -> int | str:
        """The group that --group-by says."""
        try:
            value = look_up(path, row)
        except GradingError as error:
            raise self._error(row.row, f"--group-by: {error}") from None
        return value if isinstance(value, str) else encode(value).decode()

    def _neighbours(self, number: int, item: Mapping[str, JSON]) -> int:
        """Equal neighbours are one group, named after its first line."""
        if not _same(item, self.last_item):
            self.group = number
        self.last_item = item
        return self.group

    def _error(self, number: int, problem: str) -> RowError:
        return RowError(f"{self.name}:{number}:1", problem)


def _same(item: Mapping[str, JSON] | None, other: Mapping[str, JSON] | None) -> bool:
    if item is None or other is None:
        return False
    try:
        # Python's == takes 1, 1.0 and true for one value, so it only rules out.
        return item == other and _canonical(item) == _canonical(other)
    except RecursionError:  # absurdly deep: each its own group
        return False


def _canonical(item: Mapping[str, JSON]) -> bytes:
    try:
        return _sorted(item)
    except UnicodeEncodeError:  # a lone surrogate, which only the standard library writes
        return json.dumps(item, sort_keys=True).encode()


def _samples(place: str, given: JSON) -> list[Any]:
    """Samples as a `ReadRow` takes them."""
    try:
        return samples_of(given)
    except OutputError as error:
        raise RowError(place, str(error)) from None


def _path(text: str) -> Slot:
    """A path; without a namespace it is one of the item's."""
    spelled = text if re.match(r"(item|sample)\b", text) else f"item.{text}"
    try:
        return parse_path(spelled)
    except TemplateError as error:
        raise ConfigError(
            Finding(code="path", severity="error", path=text, message=error.problem)
        ) from None
