"""Frames: rows of one are read as those of a file are, and grades and results are made one.

Nothing is imported but what the caller's own frame was made with, or asks for.
"""

from __future__ import annotations

import datetime as dt
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from importlib import import_module
from importlib.util import find_spec
from math import nan
from typing import Any, Final, NamedTuple

from graders.column_map import parse_columns
from graders.errors import RowError
from graders.formats.arrow import check_schema, pyarrow
from graders.formats.arrow_rows import lines_of
from graders.formats.cells import to_line
from graders.formats.forms import FormatError
from graders.formats.reals import Reals
from graders.grades import Grade, Judged
from graders.joins import Joined
from graders.result_table import column_text
from graders.results import Result
from graders.row_files import Reader, RowFormat
from graders.rows import Row

_NAME: Final = "frame"
_AT_ONCE: Final = 1000
"""Rows that a dataset is asked for at a time."""
_CALLER: Final = 3
"""Who called `grade`, of which warnings are."""


class _Form(NamedTuple):
    """A kind of frame.

    Attributes:
        lines: Its rows as lines of JSON; shows its real numbers around.
        like: Makes a frame of such a kind, from columns and the frame that they are about.
    """

    lines: Callable[[Any, Reals], Iterator[bytes]]
    like: Callable[[Mapping[str, _Column], Any], Any]


class _Column(NamedTuple):
    """A column of grades.

    Attributes:
        kind: What its values are.
        values: One for each row.
    """

    kind: type
    values: Sequence[object]


def form_of_frame(frame: object) -> _Form | None:
    """What kind of frame something is; None if it is none.

    Raises:
        TypeError: It is of a library of frames, and cannot be graded; says what to do.
    """
    known = [f"{one.__module__.partition('.')[0]}.{one.__name__}" for one in type(frame).__mro__]
    for name in known:
        if name in _FORMS:
            return _FORMS[name]
        if name in _NO_FRAMES:
            shown = name.removeprefix("builtins.")
            raise TypeError(f"a {shown} cannot be graded: {_NO_FRAMES[name]}")
    return _FORMS["pyarrow.Table"] if hasattr(type(frame), "__arrow_c_stream__") else None


def grade_frame(
    form: _Form,
    frame: Any,
    columns: Mapping[str, str] | None,
    judge: Callable[[Sequence[Row]], Sequence[Grade]],
) -> Any:
    """The grades of a frame's rows, as a frame of its kind with as many rows.

    Warns of whole numbers that are read as real ones.

    Args:
        form: What kind it is.
        frame: What to grade.
        columns: What its columns are: `{"item.answer": "gold", "sample": "completion"}`.
        judge: Grades rows.

    Raises:
        ConfigError: `columns` makes no sense.
        FormatError: A column cannot be JSON.
        RowError: A row is none.
    """
    # pandas has columns that are called 0; rows have keys, which are text.
    pairs = [(str(place), str(column)) for place, column in (columns or {}).items()]
    shape, reals = RowFormat(columns=parse_columns(pairs)), Reals()
    rows = list(_rows(form.lines(frame, reals), shape))
    for lacking in reals.lacking():
        warnings.warn(f"{_NAME}: {lacking}", stacklevel=_CALLER)
    return form.like(_columns_of(judge(rows)), frame)


def frame_of(results: Sequence[Result], library: str | None = None) -> Any:
    """Results as a frame, one row each, in their order.

    Args:
        results: As `read_results` gives them.
        library: `pandas` or `polars`; None is the first of them that is installed.

    Raises:
        ImportError: Neither is installed.
        ValueError: The library is another.
    """
    known = ("pandas", "polars")
    if library not in {None, *known}:
        raise ValueError(f"a frame is of pandas or polars, not of {library!r:.80}")
    found = next((one for one in known if one == library or (not library and find_spec(one))), None)
    if found is None:
        raise ImportError("a frame needs pandas or polars: pip install pandas")
    import_module(found)
    groups = [one.group for one in results]
    numbered = all(isinstance(group, int) for group in groups)
    named = groups if numbered else [column_text(str(group)) for group in groups]
    columns = {
        "row": _Column(int, [one.row for one in results]),
        "sample_index": _Column(int, [one.sample_index for one in results]),
        "group": _Column(int if numbered else str, named),
        **_columns_of(results),
        "reward": _Column(float, [one.reward for one in results]),
    }
    return _FORMS[f"{found}.DataFrame"].like(columns, None)


def _rows(lines: Iterable[bytes], shape: RowFormat) -> Iterator[Row]:
    reader = Reader(_NAME, shape)
    for number, line in enumerate(lines, start=1):
        row, *more = reader.rows([Joined(number, line)])
        if isinstance(row, RowError):
            raise row
        if more:
            problem = f"it has {1 + len(more)} samples; give each a row of its own (explode)"
            raise RowError(f"{_NAME}:{number}:1", problem)
        assert isinstance(row, Row), "of a line come rows and errors"
        yield row


def _columns_of(grades: Sequence[Judged]) -> dict[str, _Column]:
    failures = [grade.failure for grade in grades]
    said = {
        f"failure_{name}": _Column(
            str, [failure and column_text(str(getattr(failure, name))) for failure in failures]
        )
        for name in ("kind", "reason", "message")
    }
    scores = _Column(float, [grade.score for grade in grades])
    members = dict.fromkeys(name for grade in grades for name in grade.parts)
    return {
        "score": scores,
        "reward": scores,
        "passed": _Column(bool, [grade.passed for grade in grades]),
        **said,
        **{
            f"parts.{column_text(name)}": _Column(float, [_score(grade, name) for grade in grades])
            for name in members
        },
    }


def _score(grade: Judged, member: str) -> float | None:
    part = grade.parts.get(member)
    return None if part is None else part.score


# --- pandas


def _pandas_lines(frame: Any, reals: Reals) -> Iterator[bytes]:
    names = [str(name) for name in frame.columns]
    _refuse_twice(names)
    kinds = zip(names, frame.dtypes, strict=True)
    if arrow := {
        name: kind.pyarrow_dtype for name, kind in kinds if hasattr(kind, "pyarrow_dtype")
    }:
        check_schema(_NAME, pyarrow(_NAME).schema(arrow))
    for at, name in enumerate(names):
        if (column := frame.iloc[:, at]).dtype.kind == "f":
            reals.take(name, column.to_numpy(dtype=float, na_value=nan))
    # NaN is how pandas writes that there is nothing.
    values = [
        [None if none else value for value, none in zip(column, column.isna(), strict=True)]
        for column in (frame.iloc[:, at] for at in range(len(names)))
    ]
    for row in zip(*values, strict=True):
        yield to_line(dict(zip(names, row, strict=True)), names)


def _refuse_twice(names: Sequence[str]) -> None:
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise FormatError(f"{_NAME}: two columns are called {twice!r:.80}; rename one")


def _pandas_like(columns: Mapping[str, _Column], frame: Any) -> Any:
    pandas: Any = sys.modules["pandas"]
    kinds = {float: "Float64", int: "Int64", bool: "boolean", str: "string"}
    arrays = {
        name: pandas.array(column.values, dtype=kinds[column.kind])
        for name, column in columns.items()
    }
    return pandas.DataFrame(arrays, index=None if frame is None else frame.index)


# --- polars


def _polars_lines(frame: Any, reals: Reals) -> Iterator[bytes]:
    for name in frame.columns:
        if problem := _lost_moment(frame[name]):
            raise FormatError(f"{_NAME}: column {name!r:.80}: {problem}")
        if frame[name].dtype.is_float():
            reals.take(name, frame[name].to_numpy(), frame[name].is_not_null().to_numpy())
    for row in frame.iter_rows(named=True):
        yield to_line(row, frame.columns)


def _lost_moment(column: Any) -> str | None:
    """Which moment of a column Python has not: polars would cut it to the microsecond, or stop."""
    polars: Any = sys.modules["polars"]
    kind = column.dtype
    if kind in (polars.List, polars.Array):
        return _lost_moment(column.explode())
    if kind == polars.Struct:
        inside = (column.struct.field(one.name) for one in kind.fields)
        return next(filter(None, map(_lost_moment, inside)), None)
    if kind in (polars.Datetime, polars.Time) and (column.dt.nanosecond() % 1000 != 0).any():
        return "it has a moment finer than a microsecond; round it, or write text"
    if kind in (polars.Datetime, polars.Date):
        years = column.drop_nulls().dt.year()
        if years.has_nulls() or not years.is_between(dt.MINYEAR, dt.MAXYEAR).all():
            return f"it has a date outside of the years {dt.MINYEAR} to {dt.MAXYEAR}; write text"
    return None


def _polars_like(columns: Mapping[str, _Column], _frame: Any) -> Any:
    polars: Any = sys.modules["polars"]
    kinds = {float: polars.Float64, int: polars.Int64, bool: polars.Boolean, str: polars.String}
    return polars.DataFrame(
        [polars.Series(name, one.values, dtype=kinds[one.kind]) for name, one in columns.items()]
    )


# --- Arrow, and what gives it


def _arrow_lines(frame: Any, reals: Reals) -> Iterator[bytes]:
    table = pyarrow(_NAME).table(frame)
    check_schema(_NAME, table.schema)
    for batch in table.to_batches():
        reals.take_batch(batch)
        yield from lines_of(batch)


def _arrow_like(columns: Mapping[str, _Column], _frame: Any) -> Any:
    pa = pyarrow(_NAME)
    kinds = {float: pa.float64(), bool: pa.bool_(), str: pa.string()}
    return pa.table({name: pa.array(one.values, kinds[one.kind]) for name, one in columns.items()})


# --- Hugging Face datasets


def _dataset_lines(frame: Any, reals: Reals) -> Iterator[bytes]:
    for table in frame.with_format("arrow").iter(batch_size=_AT_ONCE):
        yield from _arrow_lines(table, reals)


def _dataset_like(columns: Mapping[str, _Column], frame: Any) -> Any:
    datasets: Any = sys.modules["datasets"]
    return datasets.Dataset(_arrow_like(columns, frame))


_FORMS: Final = {
    "pandas.DataFrame": _Form(_pandas_lines, _pandas_like),
    "polars.DataFrame": _Form(_polars_lines, _polars_like),
    "pyarrow.Table": _Form(_arrow_lines, _arrow_like),
    "datasets.Dataset": _Form(_dataset_lines, _dataset_like),
    "datasets.IterableDataset": _Form(_dataset_lines, _dataset_like),
}
_NO_FRAMES: Final = {
    "builtins.str": "graders.read_rows(path) reads the rows of a file",
    "pathlib.PurePath": "graders.read_rows(path) reads the rows of a file",
    "builtins.dict": "give a list of rows, or a frame of such columns",
    "polars.LazyFrame": "collect() it first",
    "polars.Series": "it is one column; make it a frame",
    "pandas.Series": "it is one column; make it a frame",
    "pyarrow.Array": "it is one column; make it a table",
    "pyarrow.ChunkedArray": "it is one column; make it a table",
    "datasets.DatasetDict": 'choose a split, as in dataset["train"]',
    "datasets.IterableDatasetDict": 'choose a split, as in dataset["train"]',
}
