"""What trainers hand over, and the rows that are read from it."""

import dataclasses
import enum
from collections import UserDict, UserList
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from types import SimpleNamespace
from uuid import UUID

import numpy as np
import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graders.errors import Failure, GradingError
from graders.trainers.failures import reward_or_raise, rewards
from graders.trainers.rows import ColumnError, column_rows, plain, spoken, to_item


class Level(enum.StrEnum):
    """A text of a subclass."""

    HARD = "hard"


@dataclasses.dataclass
class Task:
    """As some trainers have them."""

    answer: str
    tags: list


class Data(pydantic.BaseModel):
    """As others have them."""

    answer: str
    more: dict = {}


class Tensor:
    """As torch has them: of no library that is imported here."""

    def __init__(self, value):
        self.value = value

    def tolist(self):
        """What is in it."""
        return self.value


PLAIN = [
    (np.float32(0.5), 0.5),
    (np.int64(3), 3),
    (np.bool_(1), True),
    (np.str_("a"), "a"),
    (np.array([[1, 2], [3, 4]]), [[1, 2], [3, 4]]),
    (np.array([{"a": np.float64(1)}, None], dtype=object), [{"a": 1.0}, None]),
    (np.array(7), 7),
    (UserDict(a=UserList([1])), {"a": [1]}),
    ((1, "a"), [1, "a"]),
    (range(2), [0, 1]),
    (Level.HARD, "hard"),
    (Task("4", ["a"]), {"answer": "4", "tags": ["a"]}),
    (Data(answer="4", more={"a": np.int8(1)}), {"answer": "4", "more": {"a": 1}}),
    (Tensor([0.5]), [0.5]),
    ({"a": None, "b": [None]}, {"a": None, "b": [None]}),
    (datetime(2026, 1, 2, 3, 4, tzinfo=UTC), "2026-01-02T03:04:00+00:00"),
    ([date(2026, 1, 2), time(3, 4)], ["2026-01-02", "03:04:00"]),
    ({"price": Decimal("1.50")}, {"price": "1.50"}),
    (UUID(int=4), "00000000-0000-0000-0000-000000000004"),
]


@pytest.mark.parametrize(("value", "expected"), PLAIN)
def test_values_of_many_kinds_are_plain(value, expected):
    """Of the types that JSON has, whatever they came in."""
    got = plain(value, "column 'x'")

    assert got == expected
    assert type(got) is type(expected)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)  # fmt: skip


@given(JSON)
def test_what_is_plain_stays_as_it_is(value):
    """To the letter, and as a copy: a grader changes nothing of the trainer's."""
    assert repr(plain(value, "")) == repr(value)
    assert value in ([], {}) or not isinstance(value, (list, dict)) or plain(value, "") is not value


def test_what_arrow_adds_to_structs_is_left_out():
    """Whether a key was null or missing Arrow does not say; in a list None keeps its place."""
    value = {"a": None, "b": {"c": None, "d": 1}, "e": [None, {"f": None}]}

    assert plain(value, "", absent=True) == {"b": {"d": 1}, "e": [None, {}]}


UNREADABLE = [
    ({1, 2}, "column 'x': {1, 2} (set) is nothing that JSON has"),
    (b"a", "column 'x': b'a' (bytes) is nothing that JSON has"),
    ([b"a"], "column 'x', in a list: b'a' (bytes) is nothing that JSON has; write text"),
    (timedelta(1), "column 'x': datetime.timedelta(days=1) (timedelta) is nothing that JSON has"),
    (
        np.datetime64("2026-01-02", "ns"),
        "column 'x': np.datetime64('2026-01-02T00:00:00.000000000'"
        ") (datetime64) is nothing that JSON has; write text",
    ),
    (np.array(["2026-01-02"], "M8[ns]"), "column 'x': array(['2026-01-02T00:00:00.000000000']"),
    ({"d": {"e": 1j}}, "column 'x', key 'd', key 'e': 1j (complex) is nothing that JSON has"),
    ({1: 2}, "column 'x': has the key 1, and keys are texts"),
    (SimpleNamespace(a=1), "column 'x': namespace(a=1) (SimpleNamespace) is nothing that JSON has"),
    (Task, "column 'x': <class "),
]


@pytest.mark.parametrize(("value", "message"), UNREADABLE)
def test_a_type_that_json_has_not_is_an_error_that_names_the_column(value, message):
    """It is the dataset's, and not one row's."""
    with pytest.raises(ColumnError) as error:
        plain(value, "column 'x'")

    assert str(error.value).startswith(message)


def nested(depth):
    value = []
    for _ in range(depth):
        value = [value]
    return value


BAD = [
    (float("nan"), "column 'x': is nan, which JSON has not"),
    (Decimal("Infinity"), "column 'x': a Decimal has no form in JSON; write text or a number"),
    (np.array([np.inf]), "column 'x', in a list: is inf, which JSON has not"),
]


@pytest.mark.parametrize(("value", "message"), BAD)
def test_a_number_that_json_has_not_is_the_rows_fault(value, message):
    """Others of its column may be fine."""
    with pytest.raises(GradingError) as error:
        plain(value, "column 'x'")

    assert (error.value.failure.message, error.value.failure.reason) == (message, "bad_row")


def test_what_is_nested_without_end_is_the_rows_fault():
    """And not the end of the stack."""
    with pytest.raises(GradingError, match="nested too deeply, in more than 256 levels"):
        plain(nested(10_000), "column 'x'")


ITEMS = [
    ('{"a": null, "b": 1}', {"a": None, "b": 1}),
    ({"a": None, "b": 1}, {"b": 1}),
    (Data(answer="4"), {"answer": "4", "more": {}}),
]


@pytest.mark.parametrize(("value", "item"), ITEMS)
def test_an_item_is_an_object_or_a_text_of_json(value, item):
    """A text keeps what Arrow would have changed."""
    assert to_item(value, "column 'item'", absent=True) == item


BAD_ITEMS = [
    ("{", GradingError, "column 'item': 1:2: not JSON: "),
    ('{"a": NaN}', GradingError, "column 'item': 1:7: not JSON: NaN is not a JSON number"),
    ("[1]", GradingError, "column 'item': is JSON of a list, and an item is an object"),
    (None, GradingError, "column 'item': is None, and an item is an object"),
    ([1], ColumnError, "column 'item': is a list, and an item is an object"),
    (4, ColumnError, "column 'item': is a int, and an item is an object"),
]


@pytest.mark.parametrize(("value", "kind", "message"), BAD_ITEMS)
def test_what_is_no_item_is_said(value, kind, message):
    """A text is one row's, a type the column's."""
    with pytest.raises(kind) as error:
        to_item(value, "column 'item'")

    assert str(error.value).startswith(message)


CALLS = [{"type": "function", "function": {"name": "add", "arguments": "{}"}}]
SAID = [
    ("4", "4", []),
    ([{"role": "assistant", "content": "4"}], "4", []),
    ({"role": "assistant", "content": "4"}, "4", []),
    ([{"role": "assistant", "content": "3"}, {"role": "tool", "content": "x"},
      {"role": "assistant", "content": "4"}], "4", []),
    ([{"role": "assistant", "content": [{"type": "text", "text": "a"}, {"type": "image"},
                                        {"type": "text", "text": "b"}]}], "ab", []),
    ([{"role": "assistant", "content": None, "tool_calls": CALLS}], "", CALLS),
    ([{"role": "assistant", "tool_calls": CALLS}, {"role": "tool", "content": "x"}], "", CALLS),
    ([{"role": "assistant", "content": '{"a": 1}', "reasoning_content": "hm"}], '{"a": 1}', []),
]  # fmt: skip


@pytest.mark.parametrize(("completion", "text", "calls"), SAID)
def test_a_completion_is_what_the_assistant_said_last(completion, text, calls):
    """In every shape that trainers give it."""
    sample = spoken(completion, "the completion")

    assert (sample["output_text"], sample["output_tools"]) == (text, calls)
    assert sample["choices"][0]["message"]["content"] == text
    if text.startswith("{"):
        assert sample["output_json"] == {"a": 1}
        assert sample["choices"][0]["message"]["reasoning_content"] == "hm"


UNSAID = [
    (None, ColumnError, "the completion: is a NoneType, and a completion is a text or messages"),
    (["4"], ColumnError, "the completion: is a list, and a completion is a text or messages"),
    ([], GradingError, "the completion: none of its 0 messages is the assistant's"),
    ([{"role": "tool", "content": "4"}], GradingError, "the completion: none of its 1 messages"),
    ([{"role": "assistant", "content": 4}], ColumnError, "the completion: has the content 4, and"),
]


@pytest.mark.parametrize(("completion", "kind", "message"), UNSAID)
def test_what_is_no_completion_is_said(completion, kind, message):
    """And is never an empty text."""
    with pytest.raises(kind) as error:
        spoken(completion, "the completion")

    assert str(error.value).startswith(message)


def test_a_column_that_nothing_can_be_read_from_is_named_with_a_remedy():
    """It ends the training, also where the grader would not have looked at it."""
    with pytest.raises(ColumnError) as error:
        column_rows(["4"], {"answer": ["4"], "scan": [b"a"]})

    assert str(error.value) == (
        "column 'scan': b'a' (bytes) is nothing that JSON has; write text, "
        "remove the column 'scan', or give a column 'item' with what is to be read"
    )
    given = {"answer": ["4"], "scan": [b"a"], "item": [{"answer": "4"}]}
    assert column_rows(["4"], given)[0].item == {"answer": "4"}


def test_columns_are_items_or_one_of_them_is():
    """A column of items stands for all of the item."""
    (one,) = column_rows(["4"], {"answer": np.array(["4"]), "note": [None]})
    (two,) = column_rows(["4"], {"item": ['{"a": 1}'], "answer": ["4"]})

    assert one.item == {"answer": "4"}
    assert two.item == {"a": 1}
    assert (one.row, one.sample["output_text"]) == (1, "4")


def test_a_row_that_cannot_be_read_is_a_failure_beside_the_others():
    """It keeps its place."""
    first, second, third = column_rows(
        ["4", "5", []], {"answer": [1.0, float("nan"), 2.0]}
    )  # fmt: skip

    assert first.item == {"answer": 1.0}
    assert isinstance(second, Failure)
    assert second.message == "column 'answer': is nan, which JSON has not"
    assert third.message == "the completion: none of its 0 messages is the assistant's"


LENGTHS = [
    ({"answer": ["4", "5"]}, "column 'answer': has 2 entries for 1 completions"),
    ({"answer": "4"}, "column 'answer': is a str, and not a list"),
    ({"answer": {"a": 1}}, "column 'answer': is a dict, and not a list"),
    ({"answer": 4}, "column 'answer': is a int, and not a list"),
]


@pytest.mark.parametrize(("columns", "message"), LENGTHS)
def test_columns_that_do_not_fit_are_named(columns, message):
    """Nothing is cut to the shorter one."""
    with pytest.raises(ColumnError, match=message):
        column_rows(["4"], columns)


def test_a_failure_is_none_or_an_error_and_never_a_number():
    """The two words that trainers have for it."""
    from graders.errors import FailureKind
    from graders.grades import Grade

    failure = Failure(kind=FailureKind.MODEL_SERVER, reason="timeout", message="no answer")
    grades = [Grade(name="g", score=0.0), Grade(name="g", failure=failure)]

    assert rewards(grades, "none") == [0.0, None]
    assert rewards(grades[:1], "raise") == [0.0]
    with pytest.raises(GradingError, match=r"^completion\[1\]: no answer$") as error:
        rewards(grades, "raise")
    assert (error.value.failure.kind, error.value.failure.reason) == (failure.kind, "timeout")
    with pytest.raises(GradingError):
        reward_or_raise(grades[1])
