"""Lines of JSON from files, gzipped files and standard input, with the place where one is wrong."""

from __future__ import annotations

import gzip
import sys
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from io import UnsupportedOperation
from pathlib import Path
from typing import BinaryIO

from graders.errors import RowError
from graders.strict_json import NotJSONError, decode
from sandbox import JSON


class CutShortError(OSError):
    """A gzip file that ends before its end: what a killed writer leaves."""


@contextmanager
def open_lines(path: Path | str) -> Iterator[Iterable[bytes]]:
    """A file, a gzipped file or standard input (`-`), to iterate by line."""
    if str(path) == "-":
        with _standard_input() as file:
            yield file
    elif str(path).endswith(".gz"):
        with gzip.open(path, "rb") as packed:
            yield _unpacked(path, packed)
    else:
        with Path(path).open("rb") as plain:
            yield plain


def _unpacked(path: Path | str, lines: Iterable[bytes]) -> Iterator[bytes]:
    # Here and not around the block: it may read several files, and one of them is at fault.
    try:
        yield from lines
    except EOFError:
        raise CutShortError(f"{path}: the gzip data is cut short") from None
    except (gzip.BadGzipFile, zlib.error) as error:
        raise OSError(f"{path}: the gzip data is damaged: {error}") from None


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
        RowError: It is not JSON; says where.
    """
    try:
        return decode(line.rstrip())
    except NotJSONError as error:
        raise RowError(f"{name}:{number}:{error.column}", f"not JSON: {error.problem}") from None


def decode_object(name: str, number: int, line: bytes) -> dict[str, JSON]:
    """A line's JSON object.

    Raises:
        RowError: It is not JSON, or no object; says where.
    """
    value = decode_line(name, number, line)
    if not isinstance(value, dict):
        raise RowError(
            f"{name}:{number}:1", f"a row is a JSON object, and this is {kind_of(value)}"
        )
    return value


def kind_of(value: JSON) -> str:
    """What a JSON value is, in words."""
    names = {dict: "an object", list: "a list", str: "a string", bool: "true or false"}
    return "null" if value is None else names.get(type(value), "a number")
