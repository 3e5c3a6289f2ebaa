"""Rows files: four shapes in, rows and errors with their places out."""

import gzip
import io
import json
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graders.errors import RowError
from graders.row_files import RowFormat, read_rows
from graders.rows import Row, to_sample

GOOD = '{"item": {"q": 1}, "sample": "x"}'


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    """Relative names, so that a place reads `rows.jsonl:2:1`."""
    monkeypatch.chdir(tmp_path)


def read(text, name="rows.jsonl", **shape):
    """Every row and error of a file with this text."""
    data = text if isinstance(text, bytes) else text.encode()
    Path(name).write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    return list(read_rows(name, RowFormat(**shape)))


def brief(found):
    """Item and output_text of rows; the text of errors."""
    return [
        str(row) if isinstance(row, RowError) else (dict(row.item), row.sample.get("output_text"))
        for row in found
    ]


# --- shapes


@pytest.mark.parametrize(
    ("line", "output", "item", "texts"),
    [
        ('{"item": {"a": 1}, "sample": "x"}', None, {"a": 1}, ["x"]),
        ('{"item": {}, "sample": ""}', None, {}, [""]),
        ('{"item": {"a": 1}, "sample": {"output_text": "x"}}', None, {"a": 1}, ["x"]),
        ('{"item": {"a": 1}, "sample": ["x", "y"]}', None, {"a": 1}, ["x", "y"]),
        ('{"item": {"a": 1}, "samples": ["x", {"output_text": "y"}]}', None, {"a": 1}, ["x", "y"]),
        ('{"item": {"a": 1}, "samples": ["x"], "id": 7}', None, {"a": 1}, ["x"]),
        ('{"grader": {}, "item": {"a": 1}, "model_sample": "x"}', None, {"a": 1}, ["x"]),
        ('{"grader": {}, "model_sample": "x"}', None, {}, ["x"]),
        ('{"model_sample": {"output_text": "x"}}', None, {}, ["x"]),
        ('{"item": {"a": 1}, "completion": "x"}', None, {"a": 1}, ["x"]),
        ('{"item": {"a": 1}, "mine": "x"}', "mine", {"a": 1}, ["x"]),
        ('{"a": 1, "output_text": "x"}', None, {"a": 1}, ["x"]),
        ('{"a": 1, "completion": "x"}', None, {"a": 1}, ["x"]),
        ('{"a": 1, "response": ["x", "y"]}', None, {"a": 1}, ["x", "y"]),
        (
            '{"response": "z", "completion": "y", "output_text": "x"}',
            None,
            {"response": "z", "completion": "y"},
            ["x"],
        ),
        ('{"output_text": "z", "mine": "x"}', "mine", {"output_text": "z"}, ["x"]),
        ('{"mine": {"output_text": "x"}}', "mine", {}, ["x"]),
        ('{"a.b": "x"}', "a.b", {}, ["x"]),
    ],
)
def test_every_shape_gives_item_and_samples(line, output, item, texts):
    """Each shape of a line is the same item, with its samples numbered from 0."""
    rows = read(line, output=output)

    assert [dict(row.item) for row in rows] == [item] * len(texts)
    assert [row.sample for row in rows] == [to_sample(text) for text in texts]
    assert [(row.row, row.sample_index) for row in rows] == [(1, i) for i in range(len(texts))]


# --- bad lines


@pytest.mark.parametrize(
    ("line", "place", "problem"),
    [
        ("oops", "1", "not JSON: Expecting value"),
        ('{"item": {}, "sample": "x"', "27", "not JSON: Expecting ',' delimiter"),
        ('{"item": {}, "sample": NaN}', "24", "not JSON: NaN is not a JSON number"),
        ('{"item": {"é": -Infinity}}', "16", "not JSON: -Infinity is not a JSON number"),
        ('{"item": {"a": 1e999}}', "16", "not JSON: the number 1e999 is too large for a double"),
        ('{"a": 1 1}', "9", "not JSON: Expecting ',' delimiter"),
        ('{"a": "é"} x', "12", "not JSON: Extra data"),
        ('{"a": "\t"}', "8", "not JSON: Invalid control character"),
        (b'{"a": "\xc3\xa9\xff"}', "9", "not JSON: byte 0xff is not UTF-8"),
        (b'{"a": "\xed\xa0\x80"}', "8", "not JSON: byte 0xed is not UTF-8"),
        ("[" * 100_000, "1", "not JSON: nested too deeply, in more than 256 levels"),
        ("5", "1", "a row is a JSON object, and this is a number"),
        ("true", "1", "a row is a JSON object, and this is true or false"),
        ("null", "1", "a row is a JSON object, and this is null"),
        ('["x"]', "1", "a row is a JSON object, and this is a list"),
        ('"x"', "1", "a row is a JSON object, and this is a string"),
        ('{"item": "apple", "sample": "x"}', "1", "item is a string, and must be an object"),
        ('{"item": null, "sample": "x"}', "1", "item is null, and must be an object"),
        (
            '{"item": {}, "sample": 5}',
            "1",
            "a sample is text, an object or messages, and this is a number",
        ),
        (
            '{"item": {}, "sample": null}',
            "1",
            "a sample is text, an object or messages, and this is null",
        ),
        (
            '{"item": {}, "samples": ["x", true]}',
            "1",
            "a sample is text, an object or messages, and this is true or false",
        ),
        ('{"item": {}, "samples": []}', "1", "there are no samples in it"),
        ('{"item": {}, "samples": "x"}', "1", "samples is a string, and must be a list"),
        (
            '{"item": {}}',
            "1",
            "item has no sample beside it. Add sample, samples or model_sample.",
        ),
        (
            '{"item": {}, "smple": "x"}',
            "1",
            "item has no sample beside it. 'smple' is not read; did you mean 'sample'?",
        ),
        (
            '{"b": 1, "a": 2}',
            "1",
            "no output: looked for output_text, completion, response; the line has a, b. "
            "Name its key with --output, or in columns of grade().",
        ),
        (
            "{}",
            "1",
            "no output: looked for output_text, completion, response; the line has no keys. "
            "Name its key with --output, or in columns of grade().",
        ),
    ],
)
def test_a_bad_line_costs_itself_only(line, place, problem):
    """A line that is no row is an error at its place, and its neighbours are rows."""
    bad = line if isinstance(line, bytes) else line.encode()
    first, error, last = read(b"\n".join([GOOD.encode(), bad, GOOD.encode()]))

    assert (first.row, last.row) == (1, 3)
    assert isinstance(error, RowError)
    assert error.place == f"rows.jsonl:2:{place}"
    assert str(error) == f"rows.jsonl:2:{place}: {problem}"


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b'[\n {"a": 1}\n]', "it is JSON over several lines; write each row in one: jq -c . or "),
        (b'{\r\n "a": 1\r\n}', "it is JSON over several lines; write each row in one: jq -c . or "),
        (b'[{"a": 1}, {"a": 2}]', "a row is a JSON object, and this is a list of them; write each "
         "in its own line: jq -c '.[]'"),
        (gzip.compress(b"{}", mtime=0), "not JSON Lines, but gzip; let its name end in .gz"),
        (b"\x28\xb5\x2f\xfd\x20\n", "not JSON Lines, but Zstandard; let its name end in .zst"),
        (b"PAR1\x15", "not JSON Lines, but Parquet; let its name end in .parquet"),
        (b"ARROW1\0\0", "not JSON Lines, but Arrow; let its name end in .arrow"),
        (b"PK\x03\x04", "not JSON Lines, but a ZIP archive, as workbooks are; save it as CSV"),
        ('{"a": 1}\n'.encode("utf-16"), "not JSON Lines, but UTF-16; save it as UTF-8"),
    ],
)  # fmt: skip
def test_what_has_the_name_of_lines_and_is_something_else_is_told(data, problem):
    """By its beginning, where a reader finds that it is no JSON."""
    first, *_ = read(data)
    assert isinstance(first, RowError)
    assert str(first).startswith("rows.jsonl:1:")
    assert first.problem.startswith(problem)


def test_a_named_output_that_is_not_there():
    """With --output, only that key is looked for."""
    (error,) = read('{"output_text": "x"}', output="mine")

    assert str(error) == "rows.jsonl:1:1: no output: looked for mine; the line has output_text."


@pytest.mark.long
def test_any_depth_is_a_row_or_an_error():
    """Nesting near the interpreter's limit is not an exception anywhere on the way."""
    lines = [
        '{"item": {"a": ' + "[" * depth + "]" * depth + '}, "sample": "x"}'
        for depth in range(100, 1_100)
        for _ in range(2)  # the second is compared with the first
    ]

    found = read("\n".join(lines))

    assert len(found) == len(lines)
    assert isinstance(found[0], Row)
    assert {str(row).partition(": ")[2] for row in found if isinstance(row, RowError)} <= {
        "not JSON: nested too deeply, in more than 256 levels"
    }


# --- bytes


@pytest.mark.parametrize(
    ("data", "numbers"),
    [
        (GOOD, [1]),
        (f"{GOOD}\n", [1]),
        (f"{GOOD}\n{GOOD}", [1, 2]),
        (f"{GOOD}\r\n{GOOD}\r\n", [1, 2]),
        (f"\ufeff{GOOD}\n{GOOD}\n", [1, 2]),
        (f"\n  \n{GOOD}\n\t\r\n{GOOD}\n\n", [3, 5]),
        ("\ufeff\n" + GOOD, [2]),
        ("", []),
        ("\n\n", []),
        ("\ufeff", []),
    ],
)
@pytest.mark.parametrize("name", ["rows.jsonl", "rows.jsonl.gz"])
def test_line_ends_and_marks(data, numbers, name):
    """Blank lines count but are no rows; a byte order mark and CRLF are not in the way."""
    assert [row.row for row in read(data, name)] == numbers


def test_only_a_newline_ends_a_line():
    """U+2028, U+0085 and their like stand inside JSON strings, where `splitlines` would cut."""
    text = "a\u2028b\u2029c\u0085d\x7fe"

    assert brief(read(f'{{"item": {{}}, "sample": "{text}"}}\n')) == [({}, text)]


def test_values_survive_reading():
    """Lone surrogates, integers beyond 64 bits and floats come as they are."""
    line = r'{"item": {"s": "\ud800", "n": 1180591620717411303424, "f": -0.0}, "sample": "\udfff"}'
    (row,) = read(line)

    assert row.item == {"s": "\ud800", "n": 2**70, "f": 0.0}
    assert str(row.item["f"]) == "-0.0"
    assert row.sample["output_text"] == "\udfff"


def test_standard_input(monkeypatch):
    """`-` reads standard input, and errors call it that."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(f"{GOOD}\noops\n".encode())))

    assert brief(read_rows("-")) == [({"q": 1}, "x"), "-:2:1: not JSON: Expecting value"]


def test_gzip_that_was_cut_short():
    """Every whole line before the cut is a row, then the error names the file."""
    lines = "".join(
        json.dumps({"item": {"n": i}, "sample": str(i**40)}) + "\n" for i in range(5_000)
    )
    Path("rows.jsonl.gz").write_bytes(gzip.compress(lines.encode())[:-2_000])
    rows = []

    with pytest.raises(OSError, match=r"^rows\.jsonl\.gz: the gzip data is cut short$"):
        rows.extend(read_rows("rows.jsonl.gz"))

    assert len(rows) > 1_000
    assert [row.item["n"] for row in rows] == list(range(len(rows)))


@pytest.mark.parametrize("data", [b"not gzip", gzip.compress(b"{}", mtime=0)[:-8] + b"12345678"])
def test_gzip_that_is_damaged_names_the_file(data):
    """Of several files one wants to know which."""
    Path("rows.jsonl.gz").write_bytes(data)

    with pytest.raises(OSError, match=r"rows\.jsonl\.gz"):
        list(read_rows("rows.jsonl.gz"))


def test_a_missing_file():
    """The system's own error, with the name."""
    with pytest.raises(FileNotFoundError, match=r"none\.jsonl"):
        list(read_rows("none.jsonl"))


# --- laws

lines_of_all_kinds = st.sampled_from(
    [
        *(GOOD.encode(), b'{"id": 1, "completion": ["a", "b"]}', b'{"id": 1, "sample": "x"}'),
        *(b'{"item": {"a": [1], "id": 1}, "samples": ["x", {}]}', b'"x"', b"[]", b"{}", b""),
        *(b"\xef\xbb\xbf{}", b'{"item": []}', b'{"output_text": null}', b'{"sample": "\\ud800"}'),
        *(
            b'{"item": {"a": NaN}}',
            b'{"item": {"a": "[{\\"b\\": 1}]"}, "sample": {"choices": [1]}}',
        ),
    ]
)
files = st.binary(max_size=80) | st.lists(
    lines_of_all_kinds | st.binary(max_size=12), max_size=6
).map(b"\n".join)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("laws")


@given(
    rows=files,
    outputs=files,
    joined=st.booleans(),
    key=st.sampled_from([None, "id", "item.id", "a[0]"]),
    group_by=st.sampled_from([None, "item.a", "a[0].b", "sample.choices[0].message", "id"]),
    output=st.sampled_from([None, "completion", "sample"]),
)
def test_any_bytes_are_rows_and_errors(folder, rows, outputs, joined, key, group_by, output):
    """Whatever a file holds, reading it gives rows and row errors, and raises nothing."""
    (folder / "rows.jsonl").write_bytes(rows)
    (folder / "outputs.jsonl").write_bytes(outputs)
    shape = RowFormat(
        outputs=folder / "outputs.jsonl" if joined else None,
        key=key if joined else None,
        group_by=group_by,
        output=output,
    )

    found = list(read_rows(folder / "rows.jsonl", shape))

    assert all(isinstance(row, Row | RowError) for row in found)
    assert all(row.row >= 1 for row in found if isinstance(row, Row))


@given(
    st.lists(
        st.tuples(
            st.dictionaries(st.text(max_size=3), st.none() | st.integers() | st.text(max_size=3)),
            st.lists(st.text(max_size=3), min_size=1, max_size=3),
        ),
        max_size=5,
    )
)
def test_what_is_written_is_read(folder, pairs):
    """Items and samples come back in order, with their line and index."""
    (folder / "rows.jsonl").write_text(
        "".join(json.dumps({"item": item, "samples": samples}) + "\n" for item, samples in pairs)
    )

    assert [
        (row.row, row.sample_index, row.item, row.sample)
        for row in read_rows(folder / "rows.jsonl")
    ] == [
        (line, i, item, to_sample(sample))
        for line, (item, samples) in enumerate(pairs, start=1)
        for i, sample in enumerate(samples)
    ]
