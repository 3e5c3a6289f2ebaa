"""Rows of a batch of Arrow as Python has them, each as JSON can have it, or why it cannot."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice, repeat
from typing import TYPE_CHECKING, Any, Final

from graders.formats.cells import CellError, line_of, to_json, to_row
from graders.strict_json import NotJSONError, decode
from sandbox import JSON

if TYPE_CHECKING:
    from pyarrow import Array, DataType, RecordBatch

ROWS_AT_ONCE: Final = 512
"""Rows that are made Python's at a time: more take longer each, for the memory they touch."""


def lines_of(batch: RecordBatch) -> Iterator[bytes]:
    """Each row as a line of JSON, or as one that says why it is none."""
    return map(line_of, rows_of(batch))


def rows_of(batch: RecordBatch) -> Iterator[dict[str, JSON] | str]:
    """Each row by column, or why it is none."""
    for start in range(0, batch.num_rows, ROWS_AT_ONCE):
        yield from _rows(batch.slice(start, ROWS_AT_ONCE))


def _rows(batch: RecordBatch) -> Iterator[dict[str, JSON] | str]:
    import pyarrow as pa

    names = batch.schema.names
    walked = [name for name, column in zip(names, batch.columns, strict=True) if not _clean(column)]
    try:
        columns = [_read(column) for column in batch.columns]
    except (ValueError, KeyError, OverflowError, pa.ArrowException):
        # One of them is at fault: each by itself.
        yield from (_one(batch.slice(at, 1)) for at in range(batch.num_rows))
        return
    rows = _dicts(names, columns, batch.num_rows)
    yield from (to_row(row, walked) for row in rows) if walked else rows


def _read(column: Array) -> list[Any]:
    """The values of a column; those of its texts that are JSON by their type are read as such.

    Raises:
        CellError: A text is not JSON.
        ValueError: See `_values`.
    """
    values = _values(column)
    if not has_json(column.type):
        return values
    return [_decoded(value, column.type) for value in values]


def _decoded(value: Any, kind: DataType) -> Any:
    """A value of a type with JSON in it, whose texts of JSON are what they mean."""
    import pyarrow.types as is_

    if value is None or not has_json(kind):
        return value
    if is_json(kind):
        return _decoded_text(value)
    if is_.is_struct(kind):
        return {name: _step(value[name], kind.field(name).type, f".{name}") for name in value}
    if is_.is_map(kind):
        return {key: _step(entry, kind.item_type, f".{key}") for key, entry in value.items()}
    if is_.is_dictionary(kind) or is_.is_run_end_encoded(kind):
        return _decoded(value, kind.value_type)
    return [_step(entry, kind.value_type, f"[{at}]") for at, entry in enumerate(value)]


def _step(value: Any, kind: DataType, step: str) -> Any:
    try:
        return _decoded(value, kind)
    except CellError as error:
        raise error.inside(step) from None


def _decoded_text(text: str) -> JSON:
    try:
        return decode(text)
    except NotJSONError as error:
        place = f"{error.line}:{error.column}"
        problem = f"its type is JSON, and at {place} it is none: {error.problem}; write text"
        raise CellError(problem) from None


def _values(column: Array) -> list[Any]:
    """What `to_pylist` gives of a column, without an object of Arrow's for each value.

    Raises:
        ValueError: A value has no form in Python; of others, too, see `_rows`.
    """
    import pyarrow.compute as pc
    import pyarrow.types as is_

    kind = column.type
    if column.null_count == len(column):
        return [None] * len(column)
    if is_json(kind):
        return _values(column.storage)
    if is_.is_struct(kind):
        fields = [_values(field) for field in column.flatten()]
        return _with_nulls(column, list(_dicts(kind.names, fields, len(column))))
    if is_.is_list(kind) or is_.is_large_list(kind):
        inside = iter(_values(column.flatten()))
        lengths = _values(pc.list_value_length(column))
        return [None if n is None else list(islice(inside, n)) for n in lengths]
    if is_.is_integer(kind) or is_.is_floating(kind):
        # Where numbers are missing, numpy would make all of them floating.
        return _with_nulls(column, column.fill_null(0).to_numpy().tolist())
    if is_.is_string(kind) or is_.is_large_string(kind) or is_.is_boolean(kind):
        return list(column.to_numpy(zero_copy_only=False).tolist())
    return list(column.to_pylist(maps_as_pydicts="strict"))


def _dicts(names: list[str], columns: list[list[Any]], count: int) -> Iterator[dict[str, Any]]:
    """Columns as rows; nothing but C is run for each."""
    rows = zip(*columns, strict=True) if columns else repeat((), count)
    return map(dict, map(zip, repeat(names), rows))


def _with_nulls(column: Array, values: list[Any]) -> list[Any]:
    if not column.null_count:
        return values
    there = column.is_valid().to_numpy(zero_copy_only=False).tolist()
    return [value if valid else None for value, valid in zip(values, there, strict=True)]


def _one(row: RecordBatch) -> dict[str, JSON] | str:
    """A single row, whose values may have no Python form."""
    values: dict[str, JSON] = {}
    for name, column in zip(row.schema.names, row.columns, strict=True):
        try:
            value = column.to_pylist(maps_as_pydicts="strict")[0]
            values[name] = to_json(_decoded(value, column.type))
        except CellError as error:
            return str(error.inside(name))
        except UnicodeDecodeError:
            return str(CellError("the text is not UTF-8", name))
        except (ValueError, KeyError, OverflowError) as error:
            said = str(error.args[0] if error.args else error)
            return str(CellError(said[:200], name))
    return values


def _clean(column: Array) -> bool:
    """Whether every value of a column is JSON as Python has it, known without a look at each."""
    import pyarrow.compute as pc
    import pyarrow.types as is_

    kind = column.type
    if column.null_count == len(column):
        return True
    if is_.is_floating(kind):
        return pc.all(pc.is_finite(column)).as_py() is not False
    if is_.is_dictionary(kind):
        return is_text(kind.value_type)
    if is_.is_struct(kind) or is_.is_list(kind) or is_.is_large_list(kind):
        return all(map(_clean, _flat(column)))
    return is_text(kind) or is_.is_integer(kind) or is_.is_boolean(kind) or is_.is_null(kind)


def _flat(column: Array) -> Iterable[Array]:
    """The columns inside a column; not of rows that are null."""
    flat = column.flatten()
    return flat if isinstance(flat, list) else [flat]


def is_text(kind: DataType) -> bool:
    """Whether values of a type are text."""
    import pyarrow.types as is_

    return bool(is_.is_string(kind) or is_.is_large_string(kind) or is_.is_string_view(kind))


def is_json(kind: DataType) -> bool:
    """Whether values of a type are texts of JSON."""
    return bool(getattr(kind, "extension_name", "") == "arrow.json")


def has_json(kind: DataType) -> bool:
    """Whether texts of JSON are in values of a type."""
    return is_json(kind) or any(map(has_json, inner_types(kind)))


def inner_types(kind: DataType) -> list[DataType]:
    """The types of what values of a type have inside."""
    import pyarrow.types as is_

    if is_.is_dictionary(kind) or is_.is_run_end_encoded(kind):
        return [kind.value_type]
    return [kind.field(i).type for i in range(kind.num_fields)]
