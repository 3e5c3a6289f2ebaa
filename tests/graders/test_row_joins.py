"""Rows whose outputs stand in a second file: joined by line, or by a key."""

from pathlib import Path

import pytest

from graders.errors import RowError
from graders.row_files import RowFormat, read_rows


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    """Relative names, so that a place reads `rows.jsonl:2:1`."""
    monkeypatch.chdir(tmp_path)


def joined(rows, outputs, **shape):
    """Every row and error of a rows file beside an outputs file."""
    for name, text in (("rows.jsonl", rows), ("outs.jsonl", outputs)):
        Path(name).write_text(text, encoding="utf-8")
    return list(read_rows("rows.jsonl", RowFormat(outputs=Path("outs.jsonl"), **shape)))


def brief(rows, outputs, **shape):
    """Item and output_text of rows; the text of errors."""
    return [
        str(row) if isinstance(row, RowError) else (dict(row.item), row.sample.get("output_text"))
        for row in joined(rows, outputs, **shape)
    ]


@pytest.mark.parametrize(
    ("line", "texts"),
    [
        *(('"x"', ["x"]), ('["x", "y"]', ["x", "y"]), ('{"sample": "x"}', ["x"])),
        *(('{"samples": ["x", {"output_text": "y"}]}', ["x", "y"]), ('{"completion": "x"}', ["x"])),
        *(('{"output_text": "x"}', ["x"]), ('{"response": ["x", "y"], "id": 1}', ["x", "y"])),
        ('{"choices": [{"message": {"content": "x"}}]}', ["x"]),
        ('{"sample": {"output_text": "x"}, "completion": "z"}', ["x"]),
    ],
)
@pytest.mark.parametrize("row", ['{"q": 1}', '{"item": {"q": 1}}', '{"item": {"q": 1}, "id": 2}'])
def test_an_outputs_file_has_any_shape(row, line, texts):
    """A line of it is an output, a list of them, or holds either under a usual key."""
    assert brief(row, line) == [({"q": 1}, text) for text in texts]


def test_an_outputs_file_wins_over_the_rows():
    """What a row already had is not graded."""
    assert brief('{"item": {}, "sample": "old"}', '"new"') == [({}, "new")]


def test_an_output_object_is_kept_whole():
    """The tool calls of a sample object in the outputs file are not lost."""
    (row,) = joined("{}", '{"output_text": "x", "output_tools": [1], "model": "m"}')

    assert (row.sample["output_tools"], row.sample["model"]) == ([1], "m")


def test_the_outputs_files_key_can_be_named():
    """--output names the output wherever it stands."""
    assert brief('{"q": 1}', '{"mine": "x"}', output="mine") == [({"q": 1}, "x")]


@pytest.mark.parametrize(
    ("rows", "outputs", "expected"),
    [
        ("{}\n\n{}\n", '\n"x"\n"y"\n', [({}, "x"), ({}, "y")]),
        (
            "{}\n{}\n{}",
            '"x"\n',
            [
                *(({}, "x"), "rows.jsonl:2:1: outs.jsonl has no line for it; it is shorter"),
                "rows.jsonl:3:1: outs.jsonl has no line for it; it is shorter",
            ],
        ),
        (
            "{}\n",
            '"x"\n\n"y"\n"z"\n',
            [
                ({}, "x"),
                "outs.jsonl:3:1: rows.jsonl has no row for this line and those after it; "
                "it is shorter",
            ],
        ),
        (
            "{}\n{}\n{}",
            '"x"\noops\n"z"',
            [({}, "x"), "outs.jsonl:2:1: not JSON: Expecting value", ({}, "z")],
        ),
        ("oops\n{}", '"x"\n"y"', ["rows.jsonl:1:1: not JSON: Expecting value", ({}, "y")]),
        (
            "{}\n{}",
            '{"a": 1}\n5',
            [
                f"outs.jsonl:{line}:1: no output in it: "
                "looked for samples, sample, output_text, completion, response"
                for line in (1, 2)
            ],
        ),
        (
            '{"output_text": "old"}\n{}',
            '{"sample": null}\n{"completion": 5}',
            [
                "outs.jsonl:1:1: a sample is text, an object or messages, and this is null",
                "outs.jsonl:2:1: a sample is text, an object or messages, and this is a number",
            ],
        ),
    ],
)
def test_joining_by_line(rows, outputs, expected):
    """The n-th row has the n-th output; what is left over on either side is an error."""
    assert brief(rows, outputs) == expected


@pytest.mark.parametrize(
    ("key", "rows", "outputs", "expected"),
    [
        (
            "id",
            '{"id": 1}\n{"id": "1"}\n{"item": {"id": 2}}',
            '{"id": 2, "sample": "c"}\n{"id": "1", "sample": "b"}\n{"id": 1, "sample": "a"}',
            [({"id": 1}, "a"), ({"id": "1"}, "b"), ({"id": 2}, "c")],
        ),
        (
            "meta.ids[1]",
            '{"meta": {"ids": [0, 5]}}',
            '{"item": {"meta": {"ids": [1, 5]}}, "sample": "x"}',
            [({"meta": {"ids": [0, 5]}}, "x")],
        ),
        (
            "id",
            '{"id": 1}\n{"id": "é"}\noops\n{"no": 1}\n{"id": 2}',
            '{"id": 2, "sample": "x"}\n{"sample": "y"}\noops\n{"id": 3, "sample": "left over"}',
            [
                "outs.jsonl:2:1: --key: {{ item.id }}: item has no field 'id'. It has: sample.",
                "outs.jsonl:3:1: not JSON: Expecting value",
                "rows.jsonl:1:1: outs.jsonl has no output for id = 1",
                'rows.jsonl:2:1: outs.jsonl has no output for id = "é"',
                "rows.jsonl:3:1: not JSON: Expecting value",
                "rows.jsonl:4:1: --key: {{ item.id }}: item has no field 'id'. It has: no.",
                ({"id": 2}, "x"),
            ],
        ),
    ],
)
def test_joining_by_key(key, rows, outputs, expected):
    """Rows find their output by value, in any order; an output that no row wants is no error."""
    assert brief(rows, outputs, key=key) == expected


def test_a_key_that_two_outputs_have():
    """Which output counts cannot be guessed, so neither silently wins."""
    outputs = '{"id": 1, "sample": "a"}\n{"id": 1, "sample": "b"}'

    assert any(
        str(found).startswith("outs.jsonl:2:1: ") for found in brief('{"id": 1}', outputs, key="id")
    )
