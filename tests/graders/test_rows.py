"""Rows: the sample a model's text becomes, and what makes rows a group."""

import copy
import json
import pickle

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graders.errors import ConfigError
from graders.row_files import RowFormat, read_rows
from graders.rows import ReadRow, Row, output_texts, to_sample

CALLS = [{"id": "call_1", "type": "function", "function": {"name": "add", "arguments": "{}"}}]

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def choice(**message):
    return {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": "stop"}


# --- from text


def test_text_becomes_the_hosted_object():
    """Every field of the hosted sample is there, in order, and nothing else."""
    sample = to_sample("Nairobi")

    assert sample == {
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "Nairobi", "tool_calls": []},
                "finish_reason": "stop",
            }
        ],
        "output_text": "Nairobi",
        "output_json": None,
        "output_tools": [],
        "output_reasoning_summary": None,
    }
    assert list(sample) == [
        *("choices", "output_text", "output_json", "output_tools", "output_reasoning_summary")
    ]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"answer": 4}', {"answer": 4}),
        ("[1, 2]", [1, 2]),
        (' \n{"a": {}}\t', {"a": {}}),
        ("4", 4),
        ("-0.5e1", -5.0),
        ('"quoted"', "quoted"),
        ("true", True),
        ("false", False),
        ("1180591620717411303424", 2**70),
        (r'"\ud800"', "\ud800"),
        ('{"a": 1, "a": 2}', {"a": 2}),
    ],
)
def test_text_that_is_json_is_read(text, value):
    """`output_json` holds any JSON value, scalars too, whatever space is around it."""
    read = to_sample(text)["output_json"]

    assert read == value
    assert type(read) is type(value)


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "null", "plain text", "NaN", "Infinity", "-Infinity", "1e999", '{"a": NaN}'),
        *("{'a': 1}", '{"a": 1,}', '{"a": 1} and so on', "01", "1.", "+1", "True", "tru"),
        *("```json\n{}\n```", "\ufeff{}", "\u00a04", '"\t"', "[" * 100_000, "9" * 5_000),
        *("\ud800", '"\x00"', '{"a": 1e400}'),
    ],
)
def test_text_that_is_not_strict_json_has_none(text):
    """What is not JSON to the letter, or is null, leaves `output_json` null and never raises."""
    sample = to_sample(text)

    assert sample["output_json"] is None
    assert sample["output_text"] == text


@given(json_values)
def test_any_json_value_comes_back(value):
    """Whatever a standard writer writes, `output_json` reads."""
    assert to_sample(json.dumps(value))["output_json"] == value


@given(st.text(alphabet=st.characters(exclude_categories=())))
def test_any_text_is_kept(text):
    """Text is never changed, lone surrogates included."""
    sample = to_sample(text)

    assert sample["output_text"] == sample["choices"][0]["message"]["content"] == text


def test_two_texts_share_nothing():
    """Changing one sample's lists changes no other's."""
    to_sample("a")["output_tools"].append("x")

    assert to_sample("a")["output_tools"] == []


# --- from an object


@pytest.mark.parametrize(
    ("given_", "expected"),
    [
        pytest.param({"output_text": "4"}, to_sample("4"), id="text alone is as good as a string"),
        pytest.param(
            {"choices": [choice(content="[4]")]},
            {
                "choices": [choice(content="[4]")],
                "output_text": "[4]",
                "output_json": [4],
                "output_tools": [],
                "output_reasoning_summary": None,
            },
            id="the text comes from the first choice",
        ),
        pytest.param(
            {"choices": [choice(content="it", tool_calls=CALLS), choice(content="other")]},
            {
                "choices": [choice(content="it", tool_calls=CALLS), choice(content="other")],
                "output_text": "it",
                "output_json": None,
                "output_tools": CALLS,
                "output_reasoning_summary": None,
            },
            id="the tools come from the first choice",
        ),
        pytest.param(
            {"output_text": "4", "output_json": None, "output_tools": CALLS},
            {**to_sample("4"), "output_json": None, "output_tools": CALLS},
            id="what is given is kept, null as well",
        ),
        pytest.param(
            {"output_text": "a", "choices": [choice(content="b")]},
            {**to_sample("a"), "choices": [choice(content="b")]},
            id="a given text wins over the choice's",
        ),
        pytest.param(
            {"output_text": "a", "model": "m", "output_audio": {"data": ""}, "mine": [1]},
            {**to_sample("a"), "model": "m", "output_audio": {"data": ""}, "mine": [1]},
            id="further fields stay",
        ),
    ],
)
def test_an_object_is_filled_where_it_lacks(given_, expected):
    """Derived fields are added; nothing that was there is changed."""
    before = json.dumps(given_)

    assert to_sample(given_) == expected
    assert json.dumps(given_) == before


@pytest.mark.parametrize(
    "given_",
    [
        pytest.param({"choices": [choice(content=None, tool_calls=CALLS)]}, id="no text"),
        pytest.param({"choices": [choice(tool_calls=CALLS)]}, id="no content"),
        pytest.param(
            {"choices": [choice(content="", tool_calls=CALLS)], "output_text": ""}, id="empty text"
        ),
        pytest.param(
            {
                "choices": [choice(content="4", tool_calls=CALLS)],
                "output_text": "4",
                "output_json": 4,
            },
            id="everything but the tools",
        ),
    ],
)
def test_tool_calls_are_found_without_text(given_):
    """A reply that only calls tools has them at `output_tools`, where templates look."""
    assert to_sample(given_)["output_tools"] == CALLS


@pytest.mark.parametrize(
    "given_",
    [
        *({}, {"model": "m"}, {"choices": []}, {"choices": None}, {"choices": ["x"]}),
        *({"choices": [{"message": None}]}, {"output_text": None}, {"output_text": 4}),
    ],
)
def test_an_object_without_text_gets_none(given_):
    """No output is made up: a template that asks for it then fails by name."""
    sample = to_sample(given_)

    assert sample.get("output_text") == given_.get("output_text")
    assert {key: sample[key] for key in given_} == given_


@given(st.dictionaries(st.text() | st.sampled_from(["output_text", "choices"]), json_values))
def test_filling_keeps_what_was_given_and_is_done_once(value):
    """Every given field survives, and a filled object is already full."""
    sample = to_sample(value)

    assert {key: sample[key] for key in value} == value
    assert to_sample(sample) == sample


# --- rows


def test_a_row_is_a_value():
    """Rows compare by content and cannot be changed."""
    row = Row(item={"a": 1}, sample=to_sample("x"))

    assert row == Row(item={"a": 1}, sample=to_sample("x"), row=0, sample_index=0, group=0)
    with pytest.raises(AttributeError):
        row.row = 2


# --- groups


def groups(tmp_path, lines, group_by=None):
    """The group of each row, or the error in its place."""
    path = tmp_path / "rows.jsonl"
    path.write_text("\n".join(lines))
    shape = RowFormat(group_by=group_by)
    return [row.group if isinstance(row, Row) else row.problem for row in read_rows(path, shape)]


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        (['{"a": 1}', '{"a": 1}', '{"a": 2}', '{"a": 1}'], [1, 1, 3, 4]),
        (['{"a": 1, "b": [2]}', '{"b": [2], "a": 1}'], [1, 1]),
        (["{}", "", "{}"], [1, 1]),
        (['{"a": 0}', '{"a": "0"}', '{"a": null}'], [1, 2, 3]),
        (['{"a": 1}', '{"a": true}'], [1, 2]),  # Python calls these equal
        (['{"a": [1]}', '{"a": [1.0]}', '{"a": [1.0]}'], [1, 2, 2]),  # and these
        (['{"a": {"b": 1, "c": 2}}', '{"a": {"c": 2, "b": 1}}'], [1, 1]),
        (['{"a": "\\ud800", "b": 1}', '{"b": 1, "a": "\\ud800"}', '{"a": "\\ud800"}'], [1, 1, 3]),
    ],
)
@pytest.mark.parametrize("flat", [True, False])
def test_equal_neighbours_are_a_group(tmp_path, items, expected, flat):
    """Rows with the same item next to each other are one group, named after its first line."""
    lines = [
        item
        and json.dumps(
            {**json.loads(item), "output_text": str(i)}
            if flat
            else {"item": json.loads(item), "sample": str(i)}
        )
        for i, item in enumerate(items)
    ]

    assert groups(tmp_path, lines) == expected


def test_the_samples_of_a_line_are_a_group(tmp_path):
    """All samples of one line, and of its equal neighbour, are compared with each other."""
    lines = ['{"item": {}, "samples": ["x", "y"]}', '{"item": {}, "sample": "z"}']

    assert groups(tmp_path, lines) == [1, 1, 1]


@pytest.mark.parametrize(
    ("path", "line", "expected"),
    [
        ("item.id", '{"item": {"id": "a-1"}, "sample": "x"}', ["a-1"]),
        ("id", '{"item": {"id": "a-1"}, "sample": "x"}', ["a-1"]),
        ("item_id", '{"item_id": 7, "output_text": "x"}', ["7"]),
        ("meta.ids[1]", '{"meta": {"ids": [1, null]}, "output_text": "x"}', ["null"]),
        ("id", '{"id": {"a": [1.5, "é"]}, "output_text": ["x", "y"]}', ['{"a":[1.5,"é"]}'] * 2),
        ("id", '{"id": 1180591620717411303424, "output_text": "x"}', ["1180591620717411303424"]),
        ("id", r'{"id": "\ud800", "output_text": "x"}', ["\ud800"]),
        ("id", '{"id": "{\\"a\\": 1}", "output_text": "x"}', ['{"a": 1}']),
        ("sample.model", '{"item": {}, "sample": {"model": "m"}}', ["m"]),
        ("sample.model", '{"item": {}, "samples": [{"model": "m"}, {"model": "n"}]}', ["m", "n"]),
        (
            "idd",
            '{"id": 1, "output_text": "x"}',
            ["--group-by: {{ item.idd }}: item has no field 'idd'. Did you mean 'item.id'?"],
        ),
        (
            "sample.choices[3]",
            '{"item": {}, "sample": "x"}',
            [
                "--group-by: {{ sample.choices[3] }}: "
                "sample.choices has 1 entries, so there is no [3]"
            ],
        ),
    ],
)
def test_a_path_makes_groups(tmp_path, path, line, expected):
    """--group-by looks a value up in each sample's row; where there is none, that is an error."""
    assert groups(tmp_path, [line], path) == expected


def test_equal_values_are_one_group_wherever_they_stand(tmp_path):
    """By path, rows need not be neighbours."""
    lines = [f'{{"id": {i}, "output_text": "x", "n": {n}}}' for n, i in enumerate([1, 2, 1])]

    assert groups(tmp_path, lines, "id") == ["1", "2", "1"]


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("a[", "a[: only a number may stand in brackets, as in item.answers[0]"),
        ("item.", "item.: a path goes on with .key or [0]"),
        ("a b}}", "a b}}: a path goes on with .key or [0]"),
    ],
)
def test_a_path_that_does_not_parse(tmp_path, path, message):
    """It is refused as a whole, not line by line."""
    with pytest.raises(ConfigError) as caught:
        groups(tmp_path, ['{"a": 1, "output_text": "x"}'], path)

    assert str(caught.value).startswith(message)


# --- rows of files, whose samples are made when someone asks

given_samples = st.text() | st.dictionaries(
    st.sampled_from(["output_text", "choices", "model"]),
    json_values | st.just([choice(content="x")]),
)


@given(given_samples)
def test_a_row_of_a_file_is_the_row_of_its_hosted_sample(sample):
    """Whoever looks at it, before or after: its sample, equality, copies, text and pickles."""
    read = ReadRow(item={"a": 1}, sample=copy.deepcopy(sample), row=3, group="g")
    whole = Row(item={"a": 1}, sample=to_sample(sample), row=3, group="g")
    copies = [copy.copy(read), copy.deepcopy(read), pickle.loads(pickle.dumps(read))]

    assert output_texts([read, whole]) == [whole.sample.get("output_text")] * 2
    assert read == whole
    assert whole == read
    assert not read != whole  # noqa: SIM202 - both operators are asked
    assert not whole != read  # noqa: SIM202
    assert repr(read) == f"Read{whole!r}"
    assert dict(read.sample) == whole.sample
    assert list(read.sample) == list(whole.sample)
    assert copies == [whole] * 3
    assert msgspec.structs.replace(read, group="h") == msgspec.structs.replace(whole, group="h")


def test_a_row_of_a_file_makes_its_sample_once():
    """Later looks get the same object, a plain dict, which JSON and sandboxes take."""
    read = ReadRow(item={}, sample="x")

    assert type(read.sample) is dict
    assert read.sample is read.sample


def test_rows_that_differ_are_not_equal():
    """In their samples, places or kinds."""
    read = ReadRow(item={}, sample="x")

    assert read != Row(item={}, sample=to_sample("y"))
    assert read != ReadRow(item={}, sample="x", row=1)
    assert read != "x"
    with pytest.raises(TypeError, match="unhashable"):
        hash(read)
