"""Results as columns: what a results file is in Parquet or Arrow, and back.

Columns have the names of a result line's keys and the same types whatever the rows hold; see
`graders/formats/README.md`. Three things have no column of their own kind: a `detail` is JSON
text, the members of `parts` are the fields of a struct, and a group that a number names is text
with false in `group_named`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final, Protocol

import msgspec

from graders.formats.arrow import pyarrow
from graders.formats.forms import form_of
from graders.lines import decode_object, numbered, open_lines
from graders.strict_json import decode, encode
from sandbox import JSON

if TYPE_CHECKING:
    from pyarrow import DataType, RecordBatch, Schema

METADATA: Final = {"local-graders.results": "1"}
"""What the file says of itself: the version of its schema, which the column `schema` has, too."""
_ROWS, _GROUP_ROWS, _GROUP_BYTES = 4096, 1 << 16, 1 << 26
"""Rows that are made columns at a time, and rows and bytes of lines in one row group."""
_TOKENS: Final = ("prompt_tokens", "total_tokens", "completion_tokens", "cached_tokens")

Members = dict[str, "Members"]
"""The members of a grader, each with its own."""


class _Names(msgspec.Struct):
    """As much of a line as says what members it has."""

    parts: dict[str, _Names] = {}


_decode = msgspec.json.Decoder(_Names).decode


def write_table(lines: Path, table: Path) -> None:
    """Write the results of a file of lines as columns; the table is there whole or as it was.

    Equal lines make equal bytes, by one version of pyarrow. The lines are read twice: the members
    that are in them are columns.

    Args:
        lines: A results file in JSON Lines.
        table: What to write; its name says whether Parquet or Arrow.

    Raises:
        FormatError: The extra is not installed.
        OSError: One cannot be read or the other written.
        RowError: A line is no result.
    """
    pyarrow(table)
    members: Members = {}
    with open_lines(lines) as file:
        for _, line in numbered(file):
            _merge(members, _names(line))
    schema = _schema(members)
    beside = table.with_name(f".{table.name}.new")
    try:
        with beside.open("wb") as out:
            with closing(_writer(out, table, schema)) as writer:
                for group in _groups(lines, schema):
                    _write(writer, group)
            os.fsync(out.fileno())
        beside.replace(table)
    finally:
        beside.unlink(missing_ok=True)


def _names(line: bytes) -> _Names:
    try:
        return _decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError):  # a lone surrogate, which ours can hold
        return msgspec.convert(decode(line), _Names)


def _merge(members: Members, found: _Names) -> None:
    for name, inside in found.parts.items():
        _merge(members.setdefault(column_text(name), {}), inside)


class _Writer(Protocol):
    def write_batch(self, batch: RecordBatch) -> None: ...

    def close(self) -> None: ...


def _writer(out: BinaryIO, table: Path, schema: Schema) -> _Writer:
    if form_of(table).rows == "parquet":
        from pyarrow.parquet import ParquetWriter

        return ParquetWriter(out, schema, compression="zstd")  # type: ignore[no-any-return]
    from pyarrow import ipc

    return ipc.new_file(out, schema)  # type: ignore[no-any-return]


def _write(writer: _Writer, group: list[RecordBatch]) -> None:
    from pyarrow import Table

    whole = Table.from_batches(group).combine_chunks()
    for batch in whole.to_batches():
        writer.write_batch(batch)


def _groups(lines: Path, schema: Schema) -> Iterator[list[RecordBatch]]:
    """The results in pieces that one row group holds."""
    from pyarrow import RecordBatch

    group: list[RecordBatch] = []
    rows: list[dict[str, object]] = []
    counted = length = 0
    with open_lines(lines) as file:
        for number, line in numbered(file):
            rows.append(_to_row(decode_object(str(lines), number, line)))
            counted, length = counted + 1, length + len(line)
            full = counted >= _GROUP_ROWS or length >= _GROUP_BYTES
            if full or len(rows) >= _ROWS:
                group.append(RecordBatch.from_pylist(rows, schema=schema))
                rows = []
            if full:
                yield group
                group, counted, length = [], 0, 0
    if rows:
        group.append(RecordBatch.from_pylist(rows, schema=schema))
    if group:
        yield group


def _schema(members: Members) -> Schema:
    """The columns of results whose grader has these members."""
    import pyarrow as pa

    tokens = pa.struct([pa.field(name, pa.int64()) for name in _TOKENS])
    grade = dict(_grade(members))
    columns = {
        "schema": pa.int32(),
        "row": pa.int64(),
        "group": pa.string(),
        "group_named": pa.bool_(),
        "sample_index": pa.int64(),
        "score": grade.pop("score"),
        "reward": pa.float64(),
        **grade,
        "usage": pa.map_(pa.string(), tokens),
        "signature": pa.string(),
        "output_chars": pa.int64(),
        "reference_chars": pa.int64(),
    }
    return pa.schema([pa.field(*column) for column in columns.items()], metadata=METADATA)


def _grade(members: Members) -> Iterator[tuple[str, DataType]]:
    """The columns that a result and each of its parts have."""
    import pyarrow as pa

    failure = ("kind", "reason", "message")
    yield "score", pa.float64()
    yield "passed", pa.bool_()
    yield "failure", pa.struct([pa.field(name, pa.string()) for name in failure])
    if members:  # Parquet has no struct without fields
        yield (
            "parts",
            pa.struct(
                [
                    pa.field(name, pa.struct([pa.field(*column) for column in _grade(inside)]))
                    for name, inside in members.items()
                ]
            ),
        )
    yield "detail", pa.string()


def _to_row(line: Mapping[str, Any]) -> dict[str, object]:
    """A result line by column."""
    group, usage = line["group"], line["usage"]
    used = usage and [(column_text(model), tokens) for model, tokens in usage.items()]
    return {
        **line,
        **_to_grade(line),
        "group": column_text(group) if isinstance(group, str) else str(group),
        "group_named": isinstance(group, str),
        "usage": used,
        "signature": column_text(line["signature"]),
    }


def _to_grade(grade: Mapping[str, Any]) -> dict[str, object]:
    failure, detail, parts = grade["failure"], grade["detail"], grade["parts"]
    return {
        "score": grade["score"],
        "passed": grade["passed"],
        "failure": failure and {name: column_text(said) for name, said in failure.items()},
        "parts": {column_text(name): _to_grade(part) for name, part in parts.items()} or None,
        "detail": None if detail is None else encode(detail).decode(),
    }


def column_text(text: str) -> str:
    r"""A text as a column can hold it: what UTF-8 has not is written as its escape.

    Example:
        >>> column_text("\ud83d alone")
        '\\ud83d alone'
    """
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


def from_row(row: dict[str, Any]) -> dict[str, JSON]:
    """The result line that a row of columns was made of, before anybody has checked it.

    The row is made it: a new one would cost more than all the rest of reading.
    """
    named = row.pop("group_named", True)
    group = row.get("group")
    if not named and isinstance(group, str) and group.isdecimal():
        row["group"] = int(group)
    row.setdefault("parts", None)  # a grader without members has no such column
    _to_grade_line(row)
    return row


def _to_grade_line(grade: dict[str, Any]) -> None:
    """Read a detail, and leave out members that are not there."""
    if isinstance(detail := grade.get("detail"), str):
        grade["detail"] = decode(detail)
    if not (parts := grade.get("parts", True)):
        grade["parts"] = {}
    elif isinstance(parts, dict):
        if None in parts.values():
            grade["parts"] = parts = {name: one for name, one in parts.items() if one is not None}
        for part in parts.values():
            if isinstance(part, dict):
                _to_grade_line(part)
