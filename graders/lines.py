"""Lines of JSON from files of any form and standard input, with the place where one is wrong."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from io import UnsupportedOperation
from pathlib import Path
from typing import BinaryIO, Final

from graders.errors import RowError
from graders.formats.cells import refusal
from graders.formats.forms import form_of
from graders.formats.packed import open_packed
from graders.formats.remote import is_url
from graders.formats.saved import is_folder, saved_lines
from graders.strict_json import NotJSONError, decode
from sandbox import JSON

_BEGINNINGS: Final = {
    b"\x1f\x8b": "gzip; let its name end in .gz",
    b"\x28\xb5\x2f\xfd": "Zstandard; let its name end in .zst",
    b"PAR1": "Parquet; let its name end in .parquet",
    b"ARROW1": "Arrow; let its name end in .arrow",
    b"PK\x03\x04": "a ZIP archive, as workbooks are; save it as CSV",
    b"\xff\xfe": "UTF-16; save it as UTF-8",
    b"\xfe\xff": "UTF-16; save it as UTF-8",
}
"""How files begin that have the name of JSON Lines and are something else."""
_OPENED: Final = (b"{", b"[", b"[{")


@contextmanager
def open_lines(path: Path | str) -> Iterator[Iterable[bytes]]:
    """A file of any form, or JSON Lines from standard input (`-`), to iterate by line.

    A file that is not JSON Lines is read as if it were, and so is the folder of a saved dataset: a
    line of JSON for each of its rows.

    Raises:
        FormatError: Its form cannot be read; says what to do.
        OSError: It cannot be read.
    """
    if str(path) == "-":
        with _standard_input() as file:
            yield file
        return
    if is_folder(path):
        with closing(saved_lines(path)) as rows:
            yield rows
        return
    form = form_of(path)
    if form.is_columnar:
        from graders.formats.arrow import open_columns

        with open_columns(path) as lines:
            yield lines
        return
    with open_packed(path) as file:
        if form.rows == "lines":
            yield file
        else:
            from graders.formats.delimited import delimited_lines

            with closing(delimited_lines(path, file, form.rows)) as lines:
                yield lines


def check_form(path: Path | str) -> None:
    """Look at the beginning of a file, before anything rests on it; streams are left alone.

    What is here and JSON Lines needs no look: that it is there is known.

    Raises:
        FormatError: Its form cannot be read; says what to do.
        OSError: It cannot be read.
    """
    if is_folder(path) or is_url(path) or (not form_of(path).is_plain and is_lasting(path)):
        with open_lines(path) as lines:
            next(iter(lines), None)


def is_lasting(path: Path | str) -> bool:
    """Whether this can be read a second time: no standard input, and no pipe."""
    return is_url(path) or Path(path).is_file() or is_folder(path)


@contextmanager
def _standard_input() -> Iterator[BinaryIO]:
    try:
        descriptor = sys.stdin.fileno()
    except UnsupportedOperation:  # standard input was replaced by something in memory
        yield sys.stdin.buffer
        return
    # A reader of our own: a thread that still waits in sys.stdin's at the end aborts the process.
    with open(descriptor, "rb", closefd=False) as file:
        yield file


def numbered(lines: Iterable[bytes], first: int = 1) -> Iterator[tuple[int, bytes]]:
    """Lines that are not blank, with their numbers in the file; a byte order mark is left out."""
    for number, line in enumerate(lines, start=first):
        text = line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line
        if text and not text.isspace():
            yield number, text


def decode_line(name: str, number: int, line: bytes) -> JSON:
    """A line's JSON value.

    Raises:
        RowError: It is not JSON, or stands for a row that is none; says where.
    """
    if (problem := refusal(line)) is not None:
        raise RowError(f"{name}:{number}:1", problem)
    try:
        return decode(line.rstrip())
    except NotJSONError as error:
        problem = _other_form(number, line) or f"not JSON: {error.problem}"
        raise RowError(f"{name}:{number}:{error.column}", problem) from None


def decode_object(name: str, number: int, line: bytes) -> dict[str, JSON]:
    """A line's JSON object.

    Raises:
        RowError: It is not JSON, or no object; says where.
    """
    value = decode_line(name, number, line)
    if not isinstance(value, dict):
        of_rows = isinstance(value, list) and value and isinstance(value[0], dict)
        hint = " of them; write each in its own line: jq -c '.[]'" if of_rows else ""
        problem = f"a row is a JSON object, and this is {kind_of(value)}{hint}"
        raise RowError(f"{name}:{number}:1", problem)
    return value


def _other_form(number: int, line: bytes) -> str | None:
    """What a line that is no JSON is of, and what to do; None where nothing is known."""
    if number != 1:
        return None
    if line.strip() in _OPENED:
        return "it is JSON over several lines; write each row in one: jq -c . or jq -c '.[]'"
    found = (what for start, what in _BEGINNINGS.items() if line.startswith(start))
    return next((f"not JSON Lines, but {what}" for what in found), None)


def kind_of(value: JSON) -> str:
    """What a JSON value is, in words."""
    names = {dict: "an object", list: "a list", str: "a string", bool: "true or false"}
    return "null" if value is None else names.get(type(value), "a number")
