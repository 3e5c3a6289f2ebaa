"""Whole numbers that became real ones for the lack of a value: said once, and read as they are."""

import json
import re
import warnings
from importlib import import_module
from pathlib import Path

import pytest
from columnar import FORMS, written
from kept_runs import EXACT, write

import graders
from graders.formats.reals import lacking_in
from graders.lint import lint

pytestmark = pytest.mark.needs("pyarrow")
SAID = ["5", "x", "7"]
WHOLE = {"n": [5.0, None, 7.0], "said": SAID}
COLUMNS = {"item.a": "n", "sample": "said"}
NAN = float("nan")
PROBLEM = (
    "column 'n' is of real numbers, all whole and some missing: 5 is read as 5.0, which is another "
    "text; write whole numbers (Int64 in pandas)"
)


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write("exact.json", EXACT)


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.parametrize(
    ("values", "kind", "row"),
    [
        ([5.0, None, 7.0], "double", 2),
        ([5.0, None, 7.0], "float", 2),
        ([5.0, None, 7.0], "halffloat", 2),
        ([None, None, -5.0], "double", 1),
        ([5.0] * 2000 + [None], "double", 2001),
        ([5.0, 6.0, 7.0], "double", None),
        ([5.0, None, 7.5], "double", None),
        ([5.0, None] * 700 + [0.5], "double", None),
        ([5.0, None, float("inf")], "double", None),
        ([None, None, None], "double", None),
        ([5.0, NAN, 7.0], "double", None),  # an error of the row
        ([5.0, None, NAN], "double", None),
        ([5, None, 7], "int64", None),
        (["5", None, "7"], "string", None),
        ([], "double", None),
    ],
)
def test_which_columns_are_said(name, values, kind, row):
    """Of which all is whole and something missing, to the end of the file."""
    kind = import_module("pyarrow").type_for_alias(kind)
    columns = {"t": ["x"] * len(values), "n": values, "half": [0.5] * len(values)}

    found = lacking_in(written(Path(name), columns, {"n": kind}))

    assert [(one.column, one.row) for one in found] == ([("n", row)] if row else [])


@pytest.mark.needs("pandas")
def test_a_column_that_pandas_made_real_is_a_note_and_a_warning(run):
    """Of the file that it wrote; the numbers stay what they are in it."""
    pandas = import_module("pandas")
    write("rows.csv", "n,said\n5,5\n,x\n7,7.0\n8,8.0\n")
    pandas.read_csv("rows.csv", dtype={"said": str}).to_parquet("rows.parquet")
    pandas.read_csv("rows.csv", dtype={"said": str, "n": "Int64"}).to_parquet("whole.parquet")
    options = ["--column", "item.a=n", "--column", "sample=said"]

    _, out, err = run("exact.json", "rows.parquet", *options, "--json")
    whole = run("exact.json", "whole.parquet", *options, "--json")

    assert err == f"note: rows.parquet: {PROBLEM}\n"
    assert whole[2] == ""
    assert [json.loads(text)["mean_reward"] for text in (out, whole[1])] == [0.5, 0.25]
    assert said_by_lint("rows.parquet") == [("warning", PROBLEM, 2)]
    assert said_by_lint("whole.parquet") == []


def said_by_lint(rows):
    found = lint(Path("exact.json"), rows).findings
    return [
        (one.finding.severity, one.finding.message, one.place.line)
        for one in found
        if one.finding.code == "whole-as-real"
    ]


@pytest.mark.needs("datasets")
def test_a_saved_dataset_is_looked_at(run):
    """All of its files, whichever of them lacks a value."""
    datasets = import_module("datasets")
    datasets.disable_progress_bars()
    whole = datasets.Dataset.from_dict({"n": [5.0, 6.0, None, 7.0], "said": ["5"] * 4})
    whole.save_to_disk("saved", num_shards=2)

    _, _, err = run("exact.json", "saved", "--column", "item.a=n", "--column", "sample=said")

    assert err == f"note: saved: {PROBLEM}\n"
    assert [one.row for one in lacking_in("saved")] == [3]


def test_a_number_of_many_digits_is_shown_in_few():
    (one,) = lacking_in(written(Path("rows.parquet"), {"n": [1e300, None]}))

    assert "missing: 100000000000000005250... is read as 1e+300, which is" in str(one)


def test_damage_is_left_to_those_who_read_the_rows(run):
    """They say it, and grade what is before it."""
    path = written(Path("rows.arrow"), WHOLE)
    path.write_bytes(path.read_bytes()[:-400])

    assert lacking_in(path) == []
    code, _, err = run("exact.json", "rows.arrow")
    assert code == 2
    assert err.startswith("graders: rows.arrow: not Arrow, or damaged: ")


def _nan(kind):
    """How pandas writes that there is nothing; elsewhere it is no number, and a row's error."""
    if kind == "pandas":
        yield "has NaN", {**WHOLE, "n": [5.0, NAN, 7.0]}, PROBLEM


def frames():
    """The same rows as every kind of frame, and some in which nothing is wrong."""
    for kind in ("pandas", "polars", "pyarrow", "datasets"):
        for name, columns, problem in [
            ("lacks", WHOLE, PROBLEM),
            ("has all", {**WHOLE, "n": [5.0, 6.0, 7.0]}, None),
            ("has a half", {**WHOLE, "n": [5.0, None, 7.5]}, None),
            *_nan(kind),
        ]:
            marks = pytest.mark.needs(kind)
            yield pytest.param(kind, columns, problem, id=f"{kind} {name}", marks=marks)


@pytest.mark.parametrize(("kind", "columns", "problem"), [*frames()])
def test_a_frame_is_warned_of(kind, columns, problem):
    """Once, where `grade` was called."""
    library = import_module(kind)
    make = {
        "datasets": lambda: library.Dataset.from_dict(columns),
        "pyarrow": lambda: library.table(columns),
    }.get(kind, lambda: library.DataFrame(columns))

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        graders.grade(EXACT, make(), columns=COLUMNS)

    assert [str(one.message) for one in caught] == ([f"frame: {problem}"] if problem else [])
    assert {one.filename for one in caught} <= {__file__}


@pytest.mark.needs("pandas")
@pytest.mark.parametrize(
    ("kind", "is_said"),
    [("float32", True), ("Float64", True), ("double[pyarrow]", True), ("Int64", False),
     ("int64[pyarrow]", False)],
)  # fmt: skip
def test_every_kind_of_column_that_pandas_has(kind, is_said):
    pandas = import_module("pandas")
    frame = pandas.DataFrame({"said": SAID, "n": pandas.array([5, None, 7], dtype="Int64")})
    frame["n"] = frame["n"].astype(kind)

    with (
        pytest.warns(UserWarning, match=re.escape(PROBLEM))
        if is_said
        else warnings.catch_warnings()
    ):
        graded = graders.grade(EXACT, frame, columns=COLUMNS)

    assert graded.score.tolist() == ([0.0, 0.0, 0.0] if is_said else [1.0, 0.0, 1.0])
