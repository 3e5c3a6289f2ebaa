"""Columns by other names: what a row is when a flag says what its columns are."""

import json
from pathlib import Path

import pytest
from kept_runs import EXACT, write

from graders.cli import main
from graders.column_map import parse_columns
from graders.errors import RowError
from graders.row_files import RowFormat, read_rows

FLAT = {"question": "2+2", "gold": "4", "completion": "four", "meta": {"id": 7, "of": "math"}}


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def rows_of(line, columns, **shape):
    write("rows.jsonl", json.dumps(line) + "\n")
    return list(read_rows("rows.jsonl", RowFormat(columns=parse_columns(columns.items()), **shape)))


def rest(*names):
    return {name: value for name, value in FLAT.items() if name not in names}


@pytest.mark.parametrize(
    ("line", "columns", "item", "texts"),
    [
        (FLAT, {"sample": "completion"}, rest("completion"), ["four"]),
        (FLAT, {"item.answer": "gold"}, {**rest("gold", "completion"), "answer": "4"}, ["four"]),
        (
            FLAT,
            {"item.answer": "gold", "sample": "completion"},
            {**rest("gold", "completion"), "answer": "4"},
            ["four"],
        ),
        (FLAT, {"item": "meta", "sample": "completion"}, {"id": 7, "of": "math"}, ["four"]),
        (FLAT, {"item": "meta"}, {"id": 7, "of": "math"}, ["four"]),
        (
            FLAT,
            {"item": "meta", "item.answer": "gold"},
            {"id": 7, "of": "math", "answer": "4"},
            ["four"],
        ),
        (FLAT, {"item.id": "meta.id"}, {**rest("completion"), "id": 7}, ["four"]),
        (
            FLAT,
            {"item.a": "gold", "item.b.c": "gold"},
            {**rest("gold", "completion"), "a": "4", "b": {"c": "4"}},
            ["four"],
        ),
        (
            FLAT,
            {"item.gold": "question", "item.question": "gold"},
            {**rest("completion"), "gold": "2+2", "question": "4"},
            ["four"],
        ),
        ({"meta.id": 1, "meta": {"id": 2}, "t": "x"}, {"item": "meta", "item.id": "meta.id",
         "sample": "t"}, {"id": 1}, ["x"]),
        ({"item": {"a": 1}, "gold": 2, "sample": "x"}, {"item.b": "gold"}, {"a": 1, "b": 2}, ["x"]),
        ({"item": {"a": 1}, "sample": "x", "best": "y"}, {"sample": "best"}, {"a": 1}, ["y"]),
        ({"q": 1, "drawn": ["x", "y"]}, {"samples": "drawn"}, {"q": 1}, ["x", "y"]),
        ({"item": None, "a": {"b": None}, "t": "x"}, {"item.a.b.c": "t", "sample": "t"},
         {"a": {"b": {"c": "x"}}}, ["x"]),
        ({"item": "a text", "gold": 4, "t": "x"}, {"item.text": "item", "sample": "t"},
         {"text": "a text", "gold": 4}, ["x"]),
        ({"item": "a text", "gold": {"a": 4}, "t": "x"}, {"item": "gold", "sample": "t"},
         {"a": 4}, ["x"]),
        ({"__proto__": "x", "t": "y"}, {"item.__proto__": "t", "sample": "__proto__"},
         {"__proto__": "y"}, ["x"]),
    ],
)  # fmt: skip
def test_columns_come_where_they_belong(line, columns, item, texts):
    """What nobody names stays; a flat row belongs to its item."""
    rows = rows_of(line, columns)

    assert [row.item for row in rows] == [item] * len(texts)
    assert [row.sample["output_text"] for row in rows] == texts


@pytest.mark.parametrize(
    ("columns", "problem"),
    [
        ({"item.a": "golt"}, "there is no column 'golt'. Did you mean 'gold'?"),
        ({"sample": "meta.text"}, "there is no column 'meta.text'. Did you mean 'meta'?"),
        ({"sample": "gold.text"}, "there is no column 'gold.text'."),
        ({"item": "gold"}, "item is a string, and must be an object"),
        ({"item": "gold", "item.a": "question"}, "item is a string, and must be an object to hold"),
        (
            {"item.gold.a": "meta"},
            "item.gold is a string, and must be an object to hold "
            "item.gold.a; item.KEY=COLUMN gives it a key of its own",
        ),
        ({"item.meta.id.a": "gold"}, "item.meta.id is a number, and must be an object to hold"),
        (
            {"sample": "meta.id"},
            "a sample is text, an object or messages, and this is a number",
        ),
    ],
)
def test_a_row_without_the_column_is_an_error(columns, problem):
    """At its place, and it costs that row alone."""
    (error,) = rows_of(FLAT, columns)

    assert isinstance(error, RowError)
    assert str(error).startswith("rows.jsonl:1:1: ")
    assert problem in str(error)


@pytest.mark.parametrize("item", ["some text", ["a", "list"], 7, False])
def test_an_item_that_is_no_object_does_not_give_way_to_a_column(item):
    """It would be gone without a word."""
    line = {"item": item, "gold": "4", "completion": "4"}
    (error,) = rows_of(line, {"item.answer": "gold", "sample": "completion"})

    assert str(error).startswith("rows.jsonl:1:1: item is ")
    assert "and must be an object to hold item.answer; item.KEY=COLUMN gives it a key" in str(error)


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--column", "gold"], "'gold' is not TO=FROM"),
        (["--column", "=gold"], "'=gold' is not TO=FROM"),
        (["--column", "answer=gold"], "answer: a column is item, item.KEY, sample or samples"),
        (["--column", "item.=gold"], "item.: a column is item, item.KEY, sample or samples"),
        (["--column", "sample=a", "--column", "samples=b"], "samples: it has two columns"),
        (["--column", "item.a=a", "--column", "item.a=b"], "item.a: it has two columns"),
        (["--column", "sample=a", "--output", "b"], "--output and --column sample=... both name"),
    ],
)
def test_a_flag_that_makes_no_sense_is_refused(run, arguments, problem):
    write("exact.json", EXACT)
    write("rows.jsonl", json.dumps(FLAT) + "\n")

    code, _, err = run("exact.json", "rows.jsonl", *arguments)

    assert code == 2
    assert problem in err


RENAMED = ["--column", "item.a=gold", "--column", "sample=said"]


@pytest.mark.parametrize(
    "command", [["run"], ["explain"], ["probe"], ["run", "--dry-run"]], ids=" ".join
)
def test_every_command_with_samples_takes_them(command, capsys):
    """The rows need no other file to be written first."""
    write("exact.json", EXACT)
    write("rows.csv", "gold,said\nx,x\n")
    first, *options = command

    assert main([first, "exact.json", "rows.csv", *options, *RENAMED]) == 0, capsys.readouterr()


def test_lint_looks_at_items_as_they_are_graded(capsys):
    """What a config would not find by the columns' own names, it finds by these."""
    write("exact.json", EXACT)
    write("rows.csv", "gold,said\nx,x\ny,x\n")

    bare, named = (
        (main(["lint", "exact.json", "rows.csv", *more]), capsys.readouterr().out)
        for more in ([], RENAMED)
    )

    assert "item.a" in bare[1]
    assert named == (0, named[1])
    assert "item.a" not in named[1]


def test_outputs_in_another_file_have_their_column_too(run):
    """`sample` is then a column of that file, and the item's are of the rows."""
    write("exact.json", EXACT)
    write("rows.csv", "id,gold\n1,x\n2,y\n")
    write("said.csv", "id,said\n2,y\n1,x\n")

    code, _, err = run("exact.json", "rows.csv", "--outputs", "said.csv", "--key", "id", *RENAMED,
                       "-o", "out.jsonl")  # fmt: skip

    assert (code, err) == (0, "")
    lines = [json.loads(line) for line in Path("out.jsonl").read_bytes().splitlines()]
    assert [line["score"] for line in lines] == [1.0, 1.0]


def test_other_columns_make_another_run(run):
    """Results of both do not belong in one file."""
    write("exact.json", EXACT)
    write("rows.csv", "gold,other,said\nx,y,x\n")
    assert run("exact.json", "rows.csv", *RENAMED, "-o", "out.jsonl")[0] == 0

    again = ["exact.json", "rows.csv", "-o", "out.jsonl", "--resume", "--column", "sample=said"]
    code, _, err = run(*again, "--column", "item.a=other")

    assert code == 2
    assert "columns: " in err
    assert run(*again, "--column", "item.a=gold")[0] == 0
