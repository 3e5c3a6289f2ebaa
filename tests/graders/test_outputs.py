"""What a line has for an output: texts, objects, chats as conversational datasets have them."""

import json
import re
from importlib import import_module
from pathlib import Path

import pytest
from kept_runs import EXACT, write

from graders.errors import RowError
from graders.outputs import OutputError, samples_of
from graders.row_files import RowFormat, read_rows

CALL = {"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}


def said(text, role="assistant", **more):
    return {"role": role, "content": text, **more}


ASKED = said("2+2?", "user")


@pytest.mark.parametrize(
    ("given", "texts"),
    [
        ("4", ["4"]),
        (["4", "5"], ["4", "5"]),
        ([{"output_text": "4"}, "5"], ["4", "5"]),
        ([said("4")], ["4"]),
        ([ASKED, said("4")], ["4"]),
        ([ASKED, said("5"), said("no", "user"), said("4")], ["4"]),
        ([said("4"), said("thanks", "user")], ["4"]),
        ([said(None, tool_calls=[CALL]), said("4", "tool"), said("4")], ["4"]),
        ([{"role": "assistant", "tool_calls": [CALL]}], [""]),
        ([said([{"type": "text", "text": "4"}, {"type": "image", "text": None}])], ["4"]),
        ([[said("4")]], ["4"]),
        ([[said("4")], [ASKED, said("5")]], ["4", "5"]),
        ([[said("5"), said("4")]], ["4"]),
        ([[said("4")], "5"], ["4", "5"]),
        ([said("4", output_text=None, choices=None)], ["4"]),
        ([{**said(None, role=None), "output_text": "4"}], ["4"]),
        ([{**said("x"), "output_text": "4"}, {**said("x"), "output_text": "5"}], ["4", "5"]),
    ],
)
def test_the_samples_of_a_line(given, texts):
    """A list is several, unless it is of messages: those are one."""
    found = [one if isinstance(one, str) else one["output_text"] for one in samples_of(given)]

    assert found == texts


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ([], "there are no samples in it"),
        (5, "a sample is text, an object or messages, and this is a number"),
        ([["4", "5"]], "a sample is text, an object or messages, and this is a list"),
        ([[]], "a sample is text, an object or messages, and this is a list"),
        ([ASKED], "none of its messages is the assistant's; they are of user"),
        ([[ASKED], [said("4")]], "none of its messages is the assistant's; they are of user"),
        (
            [said("4"), said("5")],
            "its 2 messages are all the assistant's: 2 samples, or one chat? Write [[...], [...]] "
            "for samples, [[..., ...]] for a chat",
        ),
        (
            [ASKED, said("4"), "5"],
            "2 of the 3 in its list are messages, and the others are not; a chat is a list of",
        ),
        ([ASKED, [said("4")]], "1 of the 2 in its list are messages, and the others are not"),
        ([said(4)], "has the content 4, and content is a text or parts"),
    ],
)
def test_what_may_be_two_things_is_an_error(given, problem):
    """Rather than one of them, or a sample that is somebody's question."""
    with pytest.raises(OutputError, match="^" + re.escape(problem)):
        samples_of(given)


@pytest.mark.needs("pyarrow")
def test_a_column_of_chats_and_sample_objects_has_the_output_of_each(tmp_path):
    """Arrow gives every struct of a column the keys of all."""
    parquet, pa = import_module("pyarrow.parquet"), import_module("pyarrow")
    given = [[said("4")], [{"output_text": "5"}], [ASKED, said("6")]]
    table = pa.Table.from_pylist([{"item": {"a": "4"}, "samples": one} for one in given])
    parquet.write_table(table, tmp_path / "rows.parquet")
    rows = read_rows(tmp_path / "rows.parquet", RowFormat())

    assert [row.sample["output_text"] for row in rows] == ["4", "5", "6"]


def test_a_chat_keeps_the_calls_of_its_output():
    (sample,) = samples_of([ASKED, said(None, tool_calls=[CALL])])

    assert sample["output_tools"] == [CALL]
    assert sample["choices"][0]["message"] == said("", tool_calls=[CALL])


COMPLETIONS = [[said("4")], [ASKED, said("5")], [ASKED]]


@pytest.fixture
def conversational(tmp_path, monkeypatch):
    """Rows as TRL has them, in a file of lines."""
    monkeypatch.chdir(tmp_path)
    rows = [{"prompt": [ASKED], "gold": "4", "completion": said} for said in COMPLETIONS]
    write("rows.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    return rows


@pytest.mark.parametrize("options", [[], ["--output", "completion"],
                                     ["--column", "sample=completion"]])  # fmt: skip
@pytest.mark.usefixtures("conversational")
def test_a_conversational_dataset_is_graded(run, options):
    """As trainers grade it; what is no chat of a model costs its row alone."""
    write("exact.json", EXACT)
    column = ["--column", "item.a=gold"]

    code, out, _ = run("exact.json", "rows.jsonl", *column, *options, "-o", "out.jsonl", "--json")

    lines = [json.loads(line) for line in Path("out.jsonl").read_bytes().splitlines()]
    assert (code, [line["score"] for line in lines]) == (1, [1.0, 0.0])
    assert "rows.jsonl:3:1: none of its messages is the assistant's; they are of user" in out


def test_outputs_in_another_file_may_be_chats(conversational):
    """A line that is a list of messages is one sample."""
    write("said.jsonl", "".join(json.dumps(row["completion"]) + "\n" for row in conversational))
    shape = RowFormat(outputs=Path("said.jsonl"))

    first, second, third = read_rows("rows.jsonl", shape)

    assert [first.sample["output_text"], second.sample["output_text"]] == ["4", "5"]
    assert isinstance(third, RowError)
    assert str(third).startswith("said.jsonl:3:1: none of its messages is the assistant's")
