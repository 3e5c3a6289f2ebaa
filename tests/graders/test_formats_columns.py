"""Parquet and Arrow files are the JSON Lines that they could have been, or say where they are not.

The oracle of what a file holds is pyarrow, which wrote it.
"""

import datetime as dt
import json
import os
import struct
import tracemalloc
from decimal import Decimal

import pytest
from columnar import FORMS, lines, written
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from graders.formats.forms import FormatError
from graders.lines import open_lines
from graders.row_files import read_rows

pytestmark = pytest.mark.needs("pyarrow")


AT = dt.datetime.fromisoformat("2024-05-01T12:30:15.250000")
UTC = dt.UTC


def type_of(name):
    import pyarrow as pa

    kinds = {
        "int8": pa.int8(),
        "uint64": pa.uint64(),
        "float32": pa.float32(),
        "float16": pa.float16(),
        "large text": pa.large_string(),
        "category": pa.dictionary(pa.int8(), pa.string()),
        "date": pa.date32(),
        "ns": pa.timestamp("ns"),
        "berlin": pa.timestamp("us", tz="Europe/Berlin"),
        "mars": pa.timestamp("us", tz="Mars/Base"),
        "time": pa.time64("us"),
        "decimal": pa.decimal128(12, 2),
        "map": pa.map_(pa.string(), pa.int64()),
        "numbers": pa.map_(pa.int64(), pa.int64()),
        "fixed": pa.list_(pa.int64(), 2),
        "bytes": pa.binary(),
        "view of bytes": pa.binary_view(),
        "category of bytes": pa.dictionary(pa.int8(), pa.binary()),
        "span": pa.duration("s"),
        "time ns": pa.time64("ns"),
        "twelve bytes": pa.binary(12),
        "null": pa.null(),
    }
    return kinds.get(name)


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.parametrize(
    ("kind", "value", "meant"),
    [
        ("text", "007", "007"),
        ("large text", "x" * 100, "x" * 100),
        ("category", "yes", "yes"),
        ("whole", 2**53 + 1, 2**53 + 1),
        ("int8", -7, -7),
        ("uint64", 2**64 - 1, 2**64 - 1),
        ("real", 0.1, 0.1),
        ("float32", 0.1, 0.10000000149011612),
        ("float16", 1.5, 1.5),
        ("yes or no", True, True),
        ("null", None, None),
        ("date", dt.date(2024, 5, 1), "2024-05-01"),
        ("moment", AT, "2024-05-01T12:30:15.250000"),
        ("ns", AT, "2024-05-01T12:30:15.250000"),
        ("berlin", AT.replace(tzinfo=UTC), "2024-05-01T14:30:15.250000+02:00"),
        ("time", dt.time(9, 5), "09:05:00"),
        ("decimal", Decimal("1234.50"), "1234.50"),
        ("list", ["a", None], ["a", None]),
        ("fixed", [1, 2], [1, 2]),
        ("struct", {"a": {"b": [1.5]}, "c": None}, {"a": {"b": [1.5]}, "c": None}),
        ("dates in structs", [{"on": dt.date(2024, 5, 1)}], [{"on": "2024-05-01"}]),
        ("map", [("a", 1), ("b", None)], {"a": 1, "b": None}),
        ("null in a list", [[1], None], [[1], None]),
    ],
)
def test_a_type_means(name, kind, value, meant, tmp_path):
    """Each type has one meaning, in every form; a null beside it is a null."""
    columns = {"sample": ["yes", "no"], "value": [value, None]}
    path = written(tmp_path / name, columns, {"value": type_of(kind)})

    (first, second) = lines(path)

    assert first == {"sample": "yes", "value": meant}
    assert type(first["value"]) is type(meant)
    assert second == {"sample": "no", "value": None}


@pytest.mark.parametrize(
    ("kind", "problem"),
    [
        ("bytes", r"column 'value' \(binary\): bytes have no form in JSON; write text: CAST"),
        ("view of bytes", "bytes have no form in JSON; write text: CAST"),
        ("category of bytes", "bytes have no form in JSON; write text: CAST"),
        ("span", "column 'value' .*: a span of time has no form in JSON; write a number, or text"),
        (
            "twelve bytes",
            r"column 'value' \(fixed_size_binary\[12\]\): an INTERVAL, or other bytes: neither has "
            r"a form in JSON; write a span of time as a number or text: CAST\(",
        ),
        ("time ns", "times finer than a microsecond; write microseconds, or text"),
        (
            "mars",
            r"column 'value' \(timestamp\[us, tz=Mars/Base\]\): its time zone is not known here",
        ),
        ("numbers", "keys are text in JSON; write a map whose keys are"),
    ],
)
def test_a_column_that_cannot_be_json_is_named_before_any_row_is_read(kind, problem, tmp_path):
    """Whether it stands at the top or in a struct."""
    import pyarrow as pa

    inner = pa.array([None], type_of(kind))
    path = written(tmp_path / "rows.arrow", {"sample": ["yes"], "value": inner})
    deep = written(
        tmp_path / "deep.arrow",
        {"value": pa.StructArray.from_arrays([inner], ["inside"])},
    )

    with pytest.raises(FormatError, match=problem):
        read_rows(path)
    with pytest.raises(FormatError, match=problem.rpartition(": ")[2]):
        read_rows(deep)


def test_two_columns_or_fields_of_one_name_are_refused(tmp_path):
    """Only one of them could count, and nobody said which."""
    import pyarrow as pa

    one = pa.array(["x"])
    twice = pa.StructArray.from_arrays([one, one], ["a", "a"])
    table = pa.Table.from_arrays([one, one], names=["answer", "answer"])
    with pa.ipc.new_file(tmp_path / "twice.arrow", table.schema) as file:
        file.write_table(table)

    with pytest.raises(FormatError, match="two columns are called 'answer'; rename one"):
        read_rows(tmp_path / "twice.arrow")
    with pytest.raises(FormatError, match=r"column 'item' .*two of its fields are called 'a'"):
        read_rows(written(tmp_path / "in.arrow", {"item": twice}))


@pytest.mark.parametrize(
    ("value", "kind", "problem"),
    [
        (float("nan"), None, "column 'value': nan is not a JSON number; null says that there is"),
        (float("inf"), "float32", "column 'value': inf is not a JSON number"),
        ([{"w": [1.0, float("-inf")]}], None, "column 'value[0].w[1]': -inf is not a JSON number"),
        ([("a", 1), ("a", 2)], "map", "column 'value': Converting to Python dictionary is not"),
    ],
)
def test_a_value_that_is_no_json_costs_its_row_alone(value, kind, problem, tmp_path):
    """It is named by file, row and column, and its neighbours are rows."""
    columns = {"sample": ["a", "b", "c"], "value": [None, value, None]}
    path = written(tmp_path / "rows.parquet", columns, {"value": type_of(kind)})

    first, second, third = lines(path)

    assert (first["sample"], third["sample"]) == ("a", "c")
    assert second.startswith(f"rows.parquet:2:1: {problem}")


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        ("text that is none", "column 'value': the text is not UTF-8"),
        ("a date of the far future", "column 'value': date value out of range"),
        ("nanoseconds", "column 'value': "),
    ],
)
def test_a_value_that_python_has_not_costs_its_row_alone(make, problem, tmp_path):
    """Arrow holds more than Python does, and a hostile file more than Arrow."""
    import pyarrow as pa

    value = {
        "text that is none": lambda: pa.array([b"ok", b"\xff", b"ok"]).view(pa.string()),
        "a date of the far future": lambda: pa.array([1, 10**7, 2], pa.date32()),
        "nanoseconds": lambda: pa.array([1000, 1001, 2000], pa.timestamp("ns")),
    }[make]()
    path = written(tmp_path / "rows.parquet", {"sample": ["a", "b", "c"], "value": value})

    first, second, third = lines(path)

    assert (first["sample"], third["sample"]) == ("a", "c")
    assert second.startswith(f"rows.parquet:2:1: {problem}")


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
LEAVES = {
    "text": TEXTS,
    "whole": st.integers(-(2**63), 2**63 - 1),
    "real": st.floats(allow_nan=False, allow_infinity=False),
    "bool": st.booleans(),
}
SHAPES = st.recursive(
    st.sampled_from(sorted(LEAVES)),
    lambda inner: st.tuples(inner) | st.dictionaries(TEXTS, inner, min_size=1, max_size=3),
    max_leaves=5,
)


def values(shape):
    """Values of a shape that one column can hold: every key in every row, nulls anywhere."""
    if isinstance(shape, str):
        return st.none() | LEAVES[shape]
    if isinstance(shape, tuple):
        return st.none() | st.lists(values(shape[0]), max_size=3)
    return st.none() | st.fixed_dictionaries({key: values(one) for key, one in shape.items()})


@pytest.mark.parametrize("name", ["any.parquet", "any.feather"])
@given(data=st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
def test_what_columns_can_hold_is_read_as_it_was(name, data, tmp_path):
    """Nested JSON through a file is the same JSON, to the bit."""
    import pyarrow as pa

    shape = data.draw(st.dictionaries(TEXTS, SHAPES, min_size=1, max_size=3))
    whole = st.fixed_dictionaries({key: values(one) for key, one in shape.items()})
    rows = data.draw(st.lists(whole, min_size=1, max_size=5))
    table = pa.Table.from_pylist(rows)
    columns = {key: table[key].combine_chunks() for key in table.column_names}

    found = lines(written(tmp_path / name, columns))

    assert [json.dumps(row, sort_keys=True) for row in found] == [
        json.dumps(row, sort_keys=True) for row in rows
    ]


def test_names_are_only_names(tmp_path):
    """A column may be called anything, and holds what it holds."""
    names = ["__proto__", "constructor", "a.b", "", "\x1b[31m", "é" * 500, "item "]
    path = written(tmp_path / "rows.parquet", {name: ["x"] for name in names})

    assert lines(path) == [dict.fromkeys(names, "x")]


def test_a_text_may_be_huge(tmp_path):
    """Of eight million characters, in its place."""
    path = written(tmp_path / "rows.parquet", {"output": ["a", "x" * 8_000_000, "b"]})

    assert [len(row["output"]) for row in lines(path)] == [1, 8_000_000, 1]


def test_memory_holds_some_rows_and_no_row_group(tmp_path):
    """Most writers make one group of a million rows."""
    import pyarrow as pa

    texts = [os.urandom(4000).hex() for _ in range(8000)]
    path = written(tmp_path / "rows.parquet", {"output": texts})
    del texts
    assert path.stat().st_size > 60_000_000

    tracemalloc.start()
    try:
        most = 0
        with open_lines(path) as file:
            for _ in file:
                most = max(most, pa.total_allocated_bytes())
        assert tracemalloc.get_traced_memory()[1] + most < 40_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("name", FORMS)
def test_a_file_that_is_cut_or_damaged_says_so(name, tmp_path):
    """Wherever it is cut, what is read of it is what was written, and then an error."""
    path = tmp_path / name
    rows = [f"answer number {i}" for i in range(2000)]
    whole = written(path, {"output": rows}).read_bytes()

    for cut in [0, 3, 7, len(whole) // 3, len(whole) // 2, len(whole) - 9]:
        path.write_bytes(whole[:cut])
        found = []
        with pytest.raises(OSError, match=f"{name}: not (Parquet|Arrow), or damaged: "):
            read_into(found, path)
        assert found == rows[: len(found)]


def read_into(found, path):
    with open_lines(path) as file:
        found.extend(json.loads(line)["output"] for line in file)


@pytest.mark.parametrize("name", ["rows.arrow", "rows.feather"])
@pytest.mark.parametrize(
    ("make", "problem"),
    [
        ("texts behind the end", "[Oo]ffset"),
        ("lists behind the end", "[Oo]ffset"),
        ("words that no dictionary has", "Dictionary indices invalid"),
        ("texts that are none, inside", "Invalid UTF8"),
        ("a name that is no text", "codec can't decode"),
    ],
)
def test_a_hostile_file_leads_nowhere(make, problem, name, tmp_path):
    """Arrow follows what a file of it says to read, also out of the file."""
    import pyarrow as pa

    far = pa.py_buffer(struct.pack("<iii", 0, 1 << 28, 2))
    value = {
        "texts behind the end": lambda: pa.Array.from_buffers(
            pa.string(), 2, [None, far, pa.py_buffer(b"abc")]
        ),
        "lists behind the end": lambda: pa.Array.from_buffers(
            pa.list_(pa.int8()), 2, [None, far], children=[pa.array([1, 2], pa.int8())]
        ),
        "words that no dictionary has": lambda: pa.DictionaryArray.from_arrays(
            pa.array([0, 1 << 28], pa.int32()), pa.array(["a"]), safe=False
        ),
        "texts that are none, inside": lambda: pa.array([[b"\xff"], []]).view(
            pa.list_(pa.string())
        ),
        "a name that is no text": lambda: pa.array([1, 2]),
    }[make]()
    path = written(tmp_path / name, {"output": value, "NAME": ["a", "b"]})
    if make == "a name that is no text":
        path.write_bytes(path.read_bytes().replace(b"NAME", b"\xff\xfe\xfd\xfc"))

    with pytest.raises(OSError, match=f"{name}: not Arrow, or damaged: .*({problem})"):
        lines(path)


def test_absurdly_nested_columns_are_refused(tmp_path):
    """With an error that names the file; writers of Arrow do not even write them."""
    import pyarrow as pa

    nested = pa.array(["x"])
    for _ in range(300):
        nested = pa.StructArray.from_arrays([nested], ["a"])
    path = written(tmp_path / "deep.parquet", {"item": nested, "output": ["x"]})

    with pytest.raises(OSError, match=r"deep.parquet: not Parquet, or damaged: .* too deeply"):
        read_rows(path)


def test_columns_inside_gzip_are_refused(tmp_path):
    """They are read from their end, which a packed file has not before it is unpacked."""
    with pytest.raises(FormatError, match=r"\.parquet inside \.gz is neither read nor written"):
        read_rows(tmp_path / "rows.parquet.gz")


def test_the_extra_is_named_where_it_is_missing(tmp_path, monkeypatch):
    """Before anything rests on it."""
    path = written(tmp_path / "rows.parquet", {"output": ["x"]})
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)

    with pytest.raises(FormatError, match=r"rows.parquet needs an extra: .*local-graders\[parquet"):
        read_rows(path)
