"""CSV, and JSON Lines that are packed: what they are read as, and what is said of damage."""

import csv
import gzip
import io
import json
import sys
import tracemalloc
from importlib import import_module

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from graders.errors import RowError
from graders.formats.delimited import delimited_lines
from graders.formats.forms import FormatError
from graders.formats.packed import CutShortError, packer, packing
from graders.lines import decode_object, numbered, open_lines
from graders.row_files import RowFormat, read_rows

ZSTD = "compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd"
PACKINGS = [".gz", pytest.param(".zst", marks=pytest.mark.needs(ZSTD))]


def records(data, form="csv"):
    found = []
    lines = delimited_lines("rows.csv", io.BytesIO(data), form)
    for number, line in numbered(lines):
        try:
            found.append(decode_object("rows.csv", number, line))
        except RowError as error:
            found.append(str(error))
    return found


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("answer,output\n007,7\n", [{"answer": "007", "output": "7"}]),
        ("a,b\r\n,true\r\n", [{"a": "", "b": "true"}]),
        ('a,b\n"x, ""y""","two\nlines"\n', [{"a": 'x, "y"', "b": "two\nlines"}]),
        ("\ufeffanswer\nyes\n", [{"answer": "yes"}]),
        ("a\n\n1\n\n2", [{"a": "1"}, {"a": "2"}]),
        ('a\n""\n', [{"a": ""}]),
        (" a ,b\n x , y\n", [{" a ": " x ", "b": " y"}]),
        ("__proto__,a.b\n1,2\n", [{"__proto__": "1", "a.b": "2"}]),
        ("a,b\n", []),
        ('"a,b"\n1\n', [{"a,b": "1"}]),
        ("", []),
    ],
)
def test_a_cell_is_its_text(text, rows):
    """Nothing is guessed: no number, no null, no blank is taken off."""
    assert records(text.encode()) == rows


def test_tabs_part_the_cells_of_tsv():
    assert records(b"a\tb\n1,5\t2\n", "tsv") == [{"a": "1,5", "b": "2"}]
    with pytest.raises(FormatError, match=r"called 'a,b'; .* those of a .tsv by tabs"):
        records(b"a,b\n1,5\n", "tsv")


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"a,b\n1,2\n1\n3,4\n", "line 3 of the file ends a record of 1 cell, not 2"),
        (b'a,b\n"1\n1",2\n1,2,3\n3,4\n', "line 4 of the file ends a record of 3 cells, not 2"),
        (b"a,b\n1,2\n1,\xe9\n3,4\n", "column 'b': the cell is not UTF-8"),
    ],
)
def test_a_record_that_is_no_row_costs_itself_alone(data, problem):
    """It is named by its number and, where lines and records differ, by its line."""
    first, second, third = records(data)

    assert (first["b"], third) == ("2", {"a": "3", "b": "4"})
    assert second == f"rows.csv:2:1: {problem}"


@pytest.mark.parametrize(
    ("data", "error", "problem"),
    [
        (b"a,b,a\n1,2,3\n", FormatError, "rows.csv: two columns are called 'a'; rename one"),
        (b"a,\xe9\n1,2\n", FormatError, "the names of the columns are not UTF-8; save the file as"),
        (b"q;a\n1;2\n", FormatError, "only column is called 'q;a'; cells of a .csv are parted by"),
        (
            b"q\ta\n1\t2\n",
            FormatError,
            r"called 'q.*a'; .* parted by commas, those of a .tsv by tabs",
        ),
        (b"sep=;\nq;a\n", FormatError, "its only column is called 'sep=;'"),
        (b'a\n"1\n2\n', OSError, "rows.csv: line 3: unexpected end of data"),
        (b'a\n"1"2\n', OSError, "rows.csv: line 2: ',' expected after '\"'"),
        (b'a\n"' + b"x" * (1 << 24) + b'y"\n', OSError, "line 2: field larger than field limit"),
    ],
)
def test_a_file_that_is_no_csv_ends_there(data, error, problem):
    """Behind a wrong quote nobody can tell where a record ends."""
    with pytest.raises(error, match=problem):
        records(data)


CELLS = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)


@given(st.lists(CELLS, min_size=1, max_size=4, unique=True), st.data())
def test_what_a_writer_of_csv_writes_is_read(names, data):
    """The standard library's writer is the oracle."""
    assume(len(names) > 1 or not set(names[0]) & set(";\t|"))
    rows = data.draw(
        st.lists(st.lists(CELLS, min_size=len(names), max_size=len(names)), max_size=4)
    )
    text = io.StringIO(newline="")
    csv.writer(text, quoting=csv.QUOTE_ALL).writerows([names, *rows])

    assert records(text.getvalue().encode()) == [dict(zip(names, row, strict=True)) for row in rows]


@pytest.mark.parametrize("packed", ["", *PACKINGS])
def test_a_csv_is_rows_whether_packed_or_not(packed, tmp_path):
    """Its flat rows have their output where those of JSON Lines have it."""
    path = tmp_path / f"rows.csv{packed}"
    path.write_bytes(packer(path)(b"question,answer,completion\n2+2,4,four\n3+3,6,six\n"))

    rows = list(read_rows(path))

    assert [row.item for row in rows] == [
        {"question": "2+2", "answer": "4"},
        {"question": "3+3", "answer": "6"},
    ]
    assert [row.sample["output_text"] for row in rows] == ["four", "six"]
    assert [row.row for row in rows] == [1, 2]


@pytest.mark.parametrize("ending", PACKINGS)
def test_pieces_packed_one_by_one_are_a_file(ending, tmp_path):
    """As a run writes its results, and equal lines are equal bytes."""
    path = tmp_path / f"out.jsonl{ending}"
    pack = packer(path)
    path.write_bytes(pack(b'{"a":1}\n') + pack(b'{"a":2}\n'))

    with open_lines(path) as lines:
        assert list(lines) == [b'{"a":1}\n', b'{"a":2}\n']
    made = []
    for _ in range(2):
        into = io.BytesIO()
        with packing(into, path) as file:
            file.write(b'{"a":1}\n')
        made.append(into.getvalue())
    assert made[0] == made[1]


@pytest.mark.parametrize("ending", PACKINGS)
def test_a_packed_file_that_is_cut_short_gives_what_stands_before(ending, tmp_path):
    """A killed writer's file is known for one, and damage for another."""
    path = tmp_path / f"rows.jsonl{ending}"
    pack = packer(path)
    whole = pack(b'{"output":"a"}\n') + pack(b'{"output":"b"}\n' * 1000)
    word = {".gz": "gzip", ".zst": "Zstandard"}[ending]

    path.write_bytes(whole[:-4])
    with open_lines(path) as lines:
        assert next(iter(lines)) == b'{"output":"a"}\n'
        with pytest.raises(CutShortError, match=f"{word} data is cut short"):
            list(lines)
    path.write_bytes(whole[: len(pack(b'{"output":"a"}\n'))] + b"not packed at all")
    with open_lines(path) as lines, pytest.raises(OSError, match=f"{word} data is damaged"):
        list(lines)


@pytest.mark.needs(ZSTD)
def test_a_bomb_is_read_in_pieces(tmp_path):
    """200 MB of lines in a file of some kilobytes cost the memory of one line and a window."""
    path = tmp_path / "bomb.jsonl.zst"
    line = b'{"item": {}, "output_text": "' + b"0" * 1_000_000 + b'"}\n'
    path.write_bytes(packer(path)(line) * 200)
    assert path.stat().st_size < 50_000

    tracemalloc.start()
    try:
        assert sum(1 for _ in read_rows(path, RowFormat())) == 200
        assert tracemalloc.get_traced_memory()[1] < 16_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.needs(ZSTD)
def test_without_a_package_for_zstandard_the_extra_is_named(tmp_path, monkeypatch):
    path = tmp_path / "rows.jsonl.zst"
    path.write_bytes(import_module(ZSTD).compress(b'{"output":"a"}\n'))
    for name in ("compression.zstd", "backports.zstd"):
        monkeypatch.setitem(sys.modules, name, None)

    with pytest.raises(FormatError, match=r"rows.jsonl.zst needs an extra: .*local-graders\[zstd"):
        read_rows(path)


def test_a_line_that_begins_like_ours_for_no_row_is_only_not_json(tmp_path):
    """Whoever writes a NUL byte into JSON Lines gets an error at that line, and no more."""
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b'\0oops\n{"output_text": "x"}\n')

    bad, good = read_rows(path)

    assert "not JSON" in str(bad)
    assert good.sample["output_text"] == "x"


def test_names_say_the_form_in_any_case(tmp_path):
    path = tmp_path / "ROWS.CSV.GZ"
    path.write_bytes(gzip.compress(b"output\nyes\n"))

    with open_lines(path) as lines:
        assert [json.loads(line) for line in lines] == [{"output": "yes"}]
