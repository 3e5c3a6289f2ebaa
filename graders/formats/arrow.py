"""Parquet and Arrow files as lines of JSON: a few hundred rows in memory, or a batch of Arrow's.

The lines are what the same rows are in JSON Lines, with one difference that columns make: a key
that some rows have and others have not is null in the others.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from graders.formats.arrow_rows import ROWS_AT_ONCE, inner_types, is_text, rows_of
from graders.formats.cells import line_of
from graders.formats.forms import FormatError, form_of, missing_extra
from graders.formats.remote import open_raw
from sandbox import JSON

if TYPE_CHECKING:
    from pyarrow import Array, DataType, RecordBatch, Schema

_READ_BYTES: Final = 1 << 16
_AS_TEXT: Final = (
    "bytes have no form in JSON; write text: CAST(... AS VARCHAR), or base64; or leave it out"
)
_INTERVAL_BYTES: Final = 12
"""Parquet's INTERVAL, which Arrow has as bytes without a word about it."""
_AS_SPAN: Final = (
    "an INTERVAL, or other bytes: neither has a form in JSON; write a span of time as a number or "
    "text: CAST(... AS VARCHAR)"
)
_SHOWN: Final = 80


@contextmanager
def open_columns(path: Path | str) -> Iterator[Iterator[bytes]]:
    """The rows of a Parquet or Arrow file as lines of JSON.

    Raises:
        FormatError: It needs an extra that is not installed, or has a column that cannot be JSON.
        OSError: It cannot be read, or is damaged.
    """
    with open_rows(path) as rows:
        yield map(line_of, rows)


@contextmanager
def open_rows(path: Path | str) -> Iterator[Iterator[dict[str, JSON] | str]]:
    """The rows of a Parquet or Arrow file by column; why a row is none, in its place.

    Raises:
        FormatError: It needs an extra that is not installed, or has a column that cannot be JSON.
        OSError: It cannot be read, or is damaged.
    """
    with open_batches(path) as (schema, batches):
        with _damage(path):  # names that are no text
            check_schema(path, schema)
        yield (row for batch in batches for row in rows_of(batch))


@contextmanager
def open_batches(
    path: Path | str, of: Callable[[DataType], bool] | None = None
) -> Iterator[tuple[Schema, Iterator[RecordBatch]]]:
    """The schema and the rows of a Parquet or Arrow file.

    Args:
        path: The file.
        of: The types of the columns that are read; None is all.

    Raises:
        FormatError: It needs an extra that is not installed.
        OSError: It cannot be read, or is damaged.
    """
    pyarrow(path)
    with open_raw(path) as file:
        with _damage(path):
            if form_of(path).rows == "parquet":
                schema, batches = _parquet(file, of)
            else:
                schema, batches = _ipc(file, of)

        def sound() -> Iterator[RecordBatch]:
            with _damage(path):
                yield from batches

        yield schema, sound()


@contextmanager
def _damage(path: Path | str) -> Iterator[None]:
    """What Arrow says of a damaged file, with its path."""
    import pyarrow as pa

    try:
        yield
    except (pa.ArrowException, OSError, UnicodeDecodeError, MemoryError) as error:
        kind = "Parquet" if form_of(path).rows == "parquet" else "Arrow"
        said = str(error).partition("\n")[0][:200] or "it asks for more memory than there is"
        raise OSError(f"{path}: not {kind}, or damaged: {said}") from None


def _names(schema: Schema, of: Callable[[DataType], bool] | None) -> list[str] | None:
    return None if of is None else [field.name for field in schema if of(field.type)]


def _parquet(
    file: Any, of: Callable[[DataType], bool] | None
) -> tuple[Schema, Iterator[RecordBatch]]:
    from pyarrow.parquet import ParquetFile

    # Checksums are looked at where the writer left some. Without both of the others, all of a row
    # group is read at once, and most writers make one of a million rows.
    opened = ParquetFile(
        file, page_checksum_verification=True, pre_buffer=False, buffer_size=_READ_BYTES
    )
    names = _names(opened.schema_arrow, of)
    # Without threads: workers are forked.
    batches = opened.iter_batches(batch_size=ROWS_AT_ONCE, columns=names, use_threads=False)
    return opened.schema_arrow, batches


def _ipc(file: Any, of: Callable[[DataType], bool] | None) -> tuple[Schema, Iterator[RecordBatch]]:
    from pyarrow import ipc

    # `datasets` saves streams, and most others files: both are called .arrow.
    is_file = file.read(6) == b"ARROW1"
    file.seek(0)
    if not is_file:
        stream = ipc.open_stream(file)
        return stream.schema, map(partial(_validated, _names(stream.schema, of)), stream)
    opened = ipc.open_file(file)
    batches = (opened.get_batch(i) for i in range(opened.num_record_batches))
    return opened.schema, map(partial(_validated, _names(opened.schema, of)), batches)


def _validated(names: list[str] | None, batch: RecordBatch) -> RecordBatch:
    """A batch that nothing in it leads out of: Arrow reads offsets and indices as they stand.

    Of names, it has only those columns. A text that is not UTF-8 is left to its row, and is damage
    inside of other columns.

    Raises:
        ArrowInvalid: The file is damaged.
    """
    import pyarrow as pa

    batch = batch if names is None else batch.select(names)
    for column in batch.columns:
        try:
            column.validate(full=True)
        except pa.ArrowInvalid:
            if not is_text(column.type):
                raise
            _as_bytes(column).validate(full=True)
    return batch


def _as_bytes(texts: Array) -> Array:
    import pyarrow as pa

    kinds = {pa.string(): pa.binary(), pa.large_string(): pa.large_binary()}
    return texts.view(kinds.get(texts.type) or pa.binary_view())


def pyarrow(path: Path | str) -> Any:
    """The library that reads and writes columns.

    Raises:
        FormatError: It is not installed.
    """
    try:
        import pyarrow as pa
    except ImportError:
        raise missing_extra(path, "parquet") from None
    return pa


def check_schema(path: Path | str, schema: Schema) -> None:
    """Refuse columns that no row of could be JSON.

    Raises:
        FormatError: There is one; names it.
    """
    names = Counter(schema.names)
    if twice := [name for name, count in names.items() if count > 1]:
        raise FormatError(f"{path}: two columns are called {twice[0]!r:.{_SHOWN}}; rename one")
    for field in schema:
        if (problem := _unfit(field.type)) is not None:
            raise FormatError(f"{path}: column {field.name!r:.{_SHOWN}} ({field.type}): {problem}")


def _unfit(kind: DataType) -> str | None:
    """Why no value of a type has a form in JSON; None where some have one."""
    import pyarrow.types as is_

    if is_.is_fixed_size_binary(kind) and kind.byte_width == _INTERVAL_BYTES:
        return _AS_SPAN
    if _is_bytes(kind):
        return _AS_TEXT
    if is_.is_duration(kind) or is_.is_interval(kind):
        return "a span of time has no form in JSON; write a number, or text"
    if is_.is_time64(kind) and kind.unit == "ns":
        return "times finer than a microsecond; write microseconds, or text"
    if is_.is_timestamp(kind) and kind.tz is not None and not _is_known(kind.tz):
        return "its time zone is not known here; pip install tzdata, or write UTC"
    if is_.is_map(kind) and not is_text(kind.key_type):
        return "keys are text in JSON; write a map whose keys are"
    if is_.is_struct(kind):
        twice = [name for name, count in Counter(f.name for f in kind).items() if count > 1]
        if twice:
            return f"two of its fields are called {twice[0]!r:.{_SHOWN}}; rename one"
    return next(filter(None, map(_unfit, inner_types(kind))), None)


def _is_known(zone: str) -> bool:
    import pyarrow as pa

    try:
        pa.lib.string_to_tzinfo(zone)
    except (ValueError, KeyError):
        return False
    return True


def _is_bytes(kind: DataType) -> bool:
    import pyarrow.types as is_

    sized = is_.is_binary(kind) or is_.is_large_binary(kind) or is_.is_fixed_size_binary(kind)
    return bool(sized or is_.is_binary_view(kind))
