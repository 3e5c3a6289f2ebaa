"""Grading frames: the same scores as of a list of rows, in a frame like the one that was given."""

import datetime as dt
import re
from contextlib import nullcontext
from decimal import Decimal
from importlib import import_module
from pathlib import Path

import pytest
from kept_runs import BOTH, EXACT

import graders
import graders.formats
from graders.errors import ConfigError, RowError
from graders.formats.forms import FormatError
from graders.results import read_results

ROWS = [
    {"item": {"a": "x"}, "sample": "x"},
    {"item": {"a": "abcd"}, "sample": "abxd"},
    {"item": {"a": None}, "sample": "y"},
]
FLAT = {"gold": ["x", "abcd", "y"], "said": ["x", "abxd", "n"]}
COLUMNS = {"item.a": "gold", "sample": "said"}
KINDS = ["pandas", "polars", "pyarrow", "datasets"]


def needed(kind):
    return pytest.param(kind, marks=pytest.mark.needs(kind))


def frame_of(kind, columns):
    """A frame of a kind, of columns by name."""
    library = import_module(kind)
    if kind == "datasets":
        return library.Dataset.from_dict(columns)
    make = library.table if kind == "pyarrow" else library.DataFrame
    return make(columns)


def columns_of(frame):
    """The columns of a frame of any kind, as lists; null is None."""
    names = getattr(frame, "column_names", None) or list(frame.columns)
    found = {}
    for name in names:
        column = frame[name]
        values = list(column.to_pylist() if hasattr(column, "to_pylist") else column)
        found[name] = [None if str(value) == "<NA>" else value for value in values]
    return found


@pytest.mark.parametrize("kind", [needed(kind) for kind in KINDS])
def test_a_frame_gives_the_scores_of_its_rows(kind):
    """As many rows, in order, in a frame of its kind; a failure says why."""
    frame = frame_of(kind, FLAT)
    rows = [
        {"item": {"a": gold}, "sample": said}
        for gold, said in zip(FLAT["gold"], FLAT["said"], strict=True)
    ]
    grades = graders.grade(BOTH, rows)

    graded = graders.grade(BOTH, frame, columns=COLUMNS)

    assert type(graded) is type(frame)
    assert columns_of(graded) == {
        "score": [grade.score for grade in grades],
        "reward": [grade.score for grade in grades],
        "passed": [grade.passed for grade in grades],
        "failure_kind": [None] * 3,
        "failure_reason": [None] * 3,
        "failure_message": [None] * 3,
        "parts.exact": [grade.parts["exact"].score for grade in grades],
        "parts.near": [grade.parts["near"].score for grade in grades],
    }


@pytest.mark.parametrize("kind", [needed(kind) for kind in KINDS])
def test_a_failure_is_null_and_says_why(kind):
    """It is never a score, in no kind of frame."""
    config = {**EXACT, "reference": "{{ item.b }}"}

    found = columns_of(graders.grade(config, frame_of(kind, FLAT), columns=COLUMNS))

    assert found["score"] == found["reward"] == [None] * 3
    assert found["passed"] == [False] * 3
    assert found["failure_kind"] == ["invalid_variable_error"] * 3
    assert found["failure_message"][0].startswith("{{ item.b }}: item has no field 'b'")


@pytest.mark.parametrize("kind", [needed(kind) for kind in KINDS])
def test_items_may_be_columns_of_structs(kind):
    """`item` and `sample` by their names, as in a line of a file."""
    frame = frame_of(kind, {"item": [row["item"] for row in ROWS], "sample": ["x", "abxd", "y"]})

    found = columns_of(graders.grade(BOTH, frame))

    assert found["parts.exact"] == [1.0, 0.0, 0.0]


@pytest.mark.parametrize("kind", [needed(kind) for kind in KINDS])
def test_a_sample_may_be_a_chat(kind):
    """As conversational datasets have it; Arrow gives each message every key that one has."""
    call = {"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    asked = {"role": "user", "content": "x?", "tool_calls": None}
    answers = [{"role": "assistant", "content": text, "tool_calls": [call]} for text in "xy"]
    frame = frame_of(kind, {"gold": ["x", "x"], "said": [answers[:1], [asked, answers[1]]]})

    assert columns_of(graders.grade(EXACT, frame, columns=COLUMNS))["score"] == [1.0, 0.0]


@pytest.mark.needs("pandas")
def test_an_index_of_pandas_is_kept():
    """So that the grades can be joined to what they are about."""
    pandas = import_module("pandas")
    frame = pandas.DataFrame(FLAT, index=["one", "two", "two"])

    graded = graders.grade(EXACT, frame, columns=COLUMNS)

    assert graded.index.tolist() == ["one", "two", "two"]
    assert str(graded.dtypes["score"]) == "Float64"


@pytest.mark.needs("pandas")
def test_the_code_of_the_document_runs():
    document = Path(graders.formats.__file__).with_name("README.md").read_text("utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", document, re.DOTALL)

    exec(compile(code, "README.md", "exec"), {})


@pytest.mark.needs("pandas")
def test_what_pandas_holds_is_what_a_file_would_hold():
    """NaN is how it writes that there is nothing; types of numpy are numbers."""
    pandas, numpy = import_module("pandas"), import_module("numpy")
    config = {
        "type": "string_check", "name": "s", "operation": "eq", "input": "{{ sample.output_text }}",
        "reference": "{{ item.text }}|{{ item.whole }}|{{ item.real }}|{{ item.on }}|"
                     "{{ item.price }}|{{ item.many }}|{{ item.kind }}",
    }  # fmt: skip
    frame = pandas.DataFrame(
        {
            "text": ["007", None],
            "whole": [numpy.int64(3), numpy.int64(4)],
            "real": [0.5, float("nan")],
            "on": [pandas.Timestamp("2024-05-01T12:00:00"), pandas.NaT],
            "price": [Decimal("1.50"), None],
            "many": [numpy.array([1, 2]), None],
            "kind": pandas.Categorical(["a", None]),
            "output_text": ["007|3|0.5|2024-05-01T12:00:00|1.50|[1,2]|a", "null|4|null|null|null"],
        }
    )

    found = columns_of(graders.grade(config, frame))

    assert found["score"][0] == 1.0, found
    assert found["score"][1] == 0.0


@pytest.mark.parametrize(
    ("kind", "column", "problem"),
    [
        pytest.param(kind, column, problem, marks=pytest.mark.needs(kind))
        for kind, column, problem in [
            ("pandas", [1.0, float("inf"), 2.0], "frame:2:1: column 'x': inf is not a JSON number"),
            ("pandas", [1, b"y", 2], "frame:2:1: column 'x': bytes have no form in JSON"),
            ("pandas", ["a", {"k": {1: 2}}, "b"], "column 'x.k': 1 is a key, and keys are text"),
            ("pandas", [1, dt.timedelta(1), 2], "column 'x': a (timedelta|Timedelta) has no form"),
            ("pandas", [1, object, 2], "column 'x': a type has no form in JSON; write text"),
            ("polars", [1.0, float("nan"), 2.0], "frame:2:1: column 'x': nan is not a JSON number"),
            ("polars", [b"y", b"y", b"z"], "frame:1:1: column 'x': bytes have no form in JSON"),
            ("pyarrow", [1.0, float("nan"), 2.0], "frame:2:1: column 'x': nan is not a JSON"),
            ("pyarrow", [b"y", b"y", b"z"], r"frame: column 'x' \(binary\): bytes have no form"),
            ("datasets", [b"y", b"y", b"z"], r"frame: column 'x' \(binary\): bytes have no form"),
        ]
    ],
)
def test_what_has_no_form_in_json_is_an_error(kind, column, problem):
    """It names the row and the column; nothing is graded around it."""
    frame = frame_of(kind, {**FLAT, "x": column})

    with pytest.raises((RowError, FormatError), match=problem):
        graders.grade(EXACT, frame, columns=COLUMNS)


@pytest.mark.needs("polars")
@pytest.mark.parametrize(
    ("kind", "count", "problem"),
    [
        (lambda pl: pl.Datetime("ns"), 1, "column 'x': it has a moment finer than a microsecond"),
        (lambda pl: pl.List(pl.Datetime("ns", "UTC")), [1], "it has a moment finer than a micro"),
        (lambda pl: pl.Time, 1, "it has a moment finer than a microsecond; round it, or write"),
        (lambda pl: pl.Date, 10**7, "it has a date outside of the years 1 to 9999; write text"),
        (lambda pl: pl.Date, 10**9, "it has a date outside of the years 1 to 9999; write text"),
        (lambda pl: pl.Datetime("ns"), 1000, None),
        (lambda pl: pl.Time, 1000, None),
    ],
)
@pytest.mark.parametrize("inside", [False, True])
def test_a_moment_that_python_has_not_is_not_cut_to_one_that_it_has(kind, count, problem, inside):
    """What polars would do without a word, and pandas and Arrow refuse, too."""
    polars = import_module("polars")
    moments = polars.Series("x", [count, None, count]).cast(kind(polars))
    frame = polars.DataFrame(FLAT).with_columns(moments)
    if inside:
        frame = frame.with_columns(polars.struct("x").alias("x"))

    with nullcontext() if problem is None else pytest.raises(FormatError, match=problem):
        assert len(graders.grade(EXACT, frame, columns=COLUMNS)) == 3


@pytest.mark.needs("pandas")
def test_a_column_of_pandas_may_be_called_a_number():
    frame = import_module("pandas").DataFrame([["x", "x"], ["x", "y"]])

    assert list(graders.grade(EXACT, frame, columns={"item.a": 0, "sample": 1}).score) == [1, 0]


@pytest.mark.needs("pandas")
def test_no_moment_inside_of_a_cell_of_pandas_is_an_error():
    pandas = import_module("pandas")
    frame = pandas.DataFrame({**FLAT, "x": [[1], [pandas.NaT], [2]]})

    with pytest.raises(RowError, match=r"frame:2:1: column 'x\[0\]': NaT is no moment; null says"):
        graders.grade(EXACT, frame, columns=COLUMNS)


@pytest.mark.needs("pandas")
@pytest.mark.needs("pyarrow")
def test_columns_of_arrow_in_pandas_are_refused_as_those_of_a_table():
    """A list of times would be cut, without a word."""
    pandas, pa = import_module("pandas"), import_module("pyarrow")
    times = pa.chunked_array([pa.array([1, 2, 3]).cast(pa.time64("ns"))])
    frame = pandas.DataFrame({**FLAT, "x": pandas.arrays.ArrowExtensionArray(times)})

    with pytest.raises(FormatError, match=r"frame: column 'x' \(time64\[ns\]\): times finer than"):
        graders.grade(EXACT, frame, columns=COLUMNS)


@pytest.mark.needs("polars")
@pytest.mark.parametrize(
    ("columns", "error", "problem"),
    [
        ({"item.a": "golt", "sample": "said"}, RowError, "frame:1:1: there is no column 'golt'"),
        ({"answer": "gold"}, ConfigError, "answer: a column is item, item.KEY, sample or samples"),
        (None, RowError, "frame:1:1: no output: looked for output_text, completion, response; "),
        ({"samples": "many"}, RowError, "frame:1:1: it has 2 samples; give each a row of its own"),
    ],
)
def test_columns_that_make_no_row_are_an_error(columns, error, problem):
    frame = frame_of("polars", {**FLAT, "many": [["a", "b"]] * 3})

    with pytest.raises(error, match=problem):
        graders.grade(EXACT, frame, columns=columns)


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        (
            "rows.jsonl",
            r"a str cannot be graded: graders.read_rows\(path\) reads the rows of a file",
        ),
        (Path("rows.jsonl"), r"a pathlib.PurePath cannot be graded: graders.read_rows\(path\)"),
        ({"a": ["x"]}, "a dict cannot be graded: give a list of rows, or a frame of such columns"),
    ],
)
def test_what_only_names_rows_says_what_to_give(rows, problem):
    """Rather than what is wrong with its first letter, or its first key."""
    with pytest.raises(TypeError, match=problem):
        graders.grade(EXACT, rows)


@pytest.mark.needs("polars")
def test_a_frame_that_is_not_loaded_says_what_to_do():
    polars = import_module("polars")

    with pytest.raises(TypeError, match=r"a polars.LazyFrame cannot be graded: collect\(\) it"):
        graders.grade(EXACT, polars.LazyFrame(FLAT), columns=COLUMNS)
    with pytest.raises(TypeError, match=r"a polars.Series cannot be graded: it is one column"):
        graders.grade(EXACT, polars.Series(["x"]))


@pytest.mark.needs("pyarrow")
@pytest.mark.parametrize("make", ["array", "chunked_array"])
def test_a_column_of_arrow_is_no_table(make):
    column = getattr(import_module("pyarrow"), make)([["x"]])

    with pytest.raises(TypeError, match=r"Array cannot be graded: it is one column; make it a tab"):
        graders.grade(EXACT, column)


def test_columns_without_a_frame_are_refused():
    with pytest.raises(TypeError, match="columns are of a frame, and these rows are none"):
        graders.grade(EXACT, ROWS, columns=COLUMNS)


@pytest.mark.needs("datasets")
def test_a_dataset_is_read_as_it_was_chosen_and_shuffled():
    """Its Arrow table has other rows, and more of them."""
    dataset = frame_of("datasets", FLAT).select([2, 0])

    assert columns_of(graders.grade(EXACT, dataset, columns=COLUMNS))["score"] == [0.0, 1.0]


@pytest.mark.needs("datasets")
def test_an_iterable_dataset_gives_a_dataset():
    datasets = import_module("datasets")
    streamed = frame_of("datasets", FLAT).to_iterable_dataset()

    graded = graders.grade(EXACT, streamed, columns=COLUMNS)

    assert type(graded) is datasets.Dataset
    assert graded["score"][:] == [1.0, 0.0, 0.0]
    with pytest.raises(TypeError, match="DatasetDict cannot be graded: choose a split, as in data"):
        graders.grade(EXACT, datasets.DatasetDict({"train": frame_of("datasets", FLAT)}))


@pytest.mark.needs("datasets")
def test_what_a_dataset_saves_is_rows(tmp_path, monkeypatch, run):
    """The Arrow file in the folder that `save_to_disk` makes."""
    monkeypatch.chdir(tmp_path)
    import_module("datasets").disable_progress_bars()
    frame_of("datasets", FLAT).save_to_disk("saved")
    (tmp_path / "exact.json").write_text(__import__("json").dumps(EXACT))
    options = ["--column", "item.a=gold", "--column", "sample=said", "-o", "out.jsonl"]

    assert run("exact.json", "saved/data-00000-of-00001.arrow", *options)[0] == 0
    assert [one.score for one in read_results(tmp_path / "out.jsonl")] == [1.0, 0.0, 0.0]


@pytest.mark.needs("duckdb")
@pytest.mark.needs("pyarrow")
def test_what_gives_arrow_columns_is_a_frame(tmp_path, monkeypatch):
    """A query of DuckDB, for one; the grades are a table of pyarrow."""
    monkeypatch.chdir(tmp_path)
    query = import_module("duckdb").sql("SELECT 'x' AS gold, 'x' AS said UNION ALL SELECT 'y', 'n'")

    graded = graders.grade(EXACT, query, columns=COLUMNS)

    assert type(graded) is import_module("pyarrow").Table
    assert sorted(columns_of(graded)["score"]) == [0.0, 1.0]


@pytest.mark.parametrize("kind", [needed(kind) for kind in KINDS])
def test_a_frame_without_rows_gives_one(kind):
    frame = frame_of(kind, {"gold": [], "said": []})

    graded = columns_of(graders.grade(EXACT, frame, columns=COLUMNS))

    assert graded["score"] == graded["failure_kind"] == []
