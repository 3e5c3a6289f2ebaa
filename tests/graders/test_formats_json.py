"""Columns that are JSON by their type: what a text of theirs says is read, and nothing else."""

import pytest
from columnar import FORMS, lines, written

from graders.formats.forms import FormatError
from graders.row_files import read_rows

pytestmark = pytest.mark.needs("pyarrow")


def json_inside(form, texts):
    """A column whose values have a text of JSON each, by its type."""
    import pyarrow as pa

    found = pa.ExtensionArray.from_storage(pa.json_(), pa.array(texts))
    starts = pa.array(range(len(texts) + 1), pa.int32())
    if form == "itself":
        return found
    if form == "a struct":
        return pa.StructArray.from_arrays([found], ["a"])
    if form == "a map":
        return pa.MapArray.from_arrays(starts, pa.array(["a"] * len(texts)), found)
    return pa.ListArray.from_arrays(starts, found)


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.parametrize(
    ("form", "around", "step"),
    [
        ("itself", lambda value: value, ""),
        ("a struct", lambda value: {"a": value}, ".a"),
        ("a map", lambda value: {"a": value}, ".a"),
        ("a list", lambda value: [value], "[0]"),
    ],
)
def test_what_is_json_by_its_type_is_what_it_says(name, form, around, step, tmp_path):
    """A number stays exact; no JSON costs its row alone, and says where in the text it ends."""
    texts = ['{"a": [1.5, null]}', None, f"{2**63 + 1}", '{"a": NaN}', '"4"', "null"]
    values = json_inside(form, texts)
    said = ["x"] * len(texts)

    whole = lines(written(tmp_path / name, {"v": values.slice(0, 3), "s": said[:3]}))
    found = lines(written(tmp_path / name, {"v": values, "s": said}))

    assert [row["v"] for row in whole] == list(map(around, [{"a": [1.5, None]}, None, 2**63 + 1]))
    assert found[:3] == whole
    assert found[3] == (
        f"{name}:4:1: column 'v{step}': its type is JSON, and at 1:7 it is none: NaN is not a JSON "
        "number; write text"
    )
    assert [row["v"] for row in found[4:]] == list(map(around, ["4", None]))


@pytest.mark.needs("duckdb")
def test_a_column_of_json_that_duckdb_writes_is_an_item(tmp_path, monkeypatch):
    import duckdb

    monkeypatch.chdir(tmp_path)
    query = """SELECT '{"answer": "x"}'::json AS item, 'x' AS sample, INTERVAL 1 DAY AS span"""
    duckdb.sql(f"COPY (SELECT * EXCLUDE span FROM ({query})) TO 'rows.parquet'")
    duckdb.sql(f"COPY ({query}) TO 'spans.parquet'")

    assert [row.item for row in read_rows("rows.parquet")] == [{"answer": "x"}]
    with pytest.raises(FormatError, match=r"column 'span' .*: an INTERVAL, or other bytes: "):
        read_rows("spans.parquet")
