"""CSV and TSV as lines of JSON: a record is an object, and every cell is text.

Nothing is guessed from a cell. `007` stays three characters, an empty cell is the empty text: a
template renders both as they stand in the file, and a guess that is wrong in one row would be a
wrong reward. Numbers that must be numbers belong in JSON Lines or Parquet.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Generator, Iterable, Sequence
from io import TextIOWrapper
from pathlib import Path
from typing import BinaryIO, Final

import msgspec

from graders.formats.cells import refused
from graders.formats.forms import FormatError

_DELIMITERS: Final = {"csv": ",", "tsv": "\t"}
_LONGEST_CELL: Final = 1 << 24
"""Characters. A quote that nobody closes would make a cell of all the file."""
_NOT_UTF8: Final = re.compile("[\udc80-\udcff]")
_PARTING: Final = frozenset(",;\t|")
"""What parts cells in files that are called .csv, whatever they are."""


def delimited_lines(path: Path | str, file: BinaryIO, form: str) -> Generator[bytes, None, None]:
    """Each record behind the first, which names the columns, as a line of JSON.

    Blank lines are no records and are not counted, as in every reader of CSV; so the number of a
    line is that of its record. A record with too many cells or too few is a line that says so.

    Args:
        path: For messages.
        file: What to read, as UTF-8; a byte order mark is left out.
        form: `csv` or `tsv`.

    Raises:
        FormatError: The first record does not name the columns.
        OSError: Quotes are wrong, and so nobody can tell where a record ends.
    """
    # Of the process: the module has no other, and its own is less than a long answer has.
    csv.field_size_limit(max(csv.field_size_limit(), _LONGEST_CELL))
    # What is not UTF-8 costs its own record: it comes as lone surrogates, which no UTF-8 holds.
    text = TextIOWrapper(file, "utf-8-sig", errors="surrogateescape", newline="")
    reader = csv.reader(text, delimiter=_DELIMITERS[form], strict=True)
    try:
        records = (record for record in reader if record)
        names = _header(path, next(records, None))
        _refuse_one_column(path, names, form)
        for record in records:
            yield _line(names, record, reader.line_num)
    except csv.Error as error:
        raise OSError(f"{path}: line {reader.line_num}: {error}") from None
    finally:
        text.detach()


def _header(path: Path | str, names: Sequence[str] | None) -> Sequence[str]:
    if names is None:
        return ()
    if twice := [name for name, count in Counter(names).items() if count > 1]:
        raise FormatError(f"{path}: two columns are called {twice[0]!r:.80}; rename one")
    if _not_utf8(names) is not None:
        raise FormatError(f"{path}: the names of the columns are not UTF-8; save the file as UTF-8")
    return names


def _refuse_one_column(path: Path | str, names: Sequence[str], form: str) -> None:
    """Refuse a file whose cells something else parts: all of a row would be one text."""
    if len(names) == 1 and (_PARTING - {_DELIMITERS[form]}) & set(names[0]):
        raise FormatError(
            f"{path}: its only column is called {names[0]!r:.80}; cells of a .csv are parted by "
            "commas, those of a .tsv by tabs"
        )


def _line(names: Sequence[str], record: Sequence[str], last: int) -> bytes:
    """A record as a line; `last` is the line of the file that it ends in."""
    if len(record) != len(names):
        cells = f"{len(record)} cell{'s' * (len(record) != 1)}"
        return refused(f"line {last} of the file ends a record of {cells}, not {len(names)}")
    try:
        return msgspec.json.encode(dict(zip(names, record, strict=True))) + b"\n"
    except UnicodeEncodeError:
        at = _not_utf8(record)
        return refused(f"column {names[at or 0]!r:.80}: the cell is not UTF-8")


def _not_utf8(cells: Iterable[str]) -> int | None:
    return next((at for at, cell in enumerate(cells) if _NOT_UTF8.search(cell)), None)
