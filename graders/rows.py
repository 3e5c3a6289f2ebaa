"""One thing to grade: a dataset's item and a model's sample, in the hosted shapes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import msgspec

from graders.strict_json import decode_or_none
from sandbox import JSON

REFERENCE_KEYS: Final = (
    "answer",
    "reference_answer",
    "reference",
    "target",
    "expected",
    "expected_output",
    "ground_truth",
    "correct_answer",
    "solution",
    "gold",
    "label",
    "answers",
    "references",
)
"""Where a reference is looked for if nothing says where it stands, in this order."""


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to grade.

    Attributes:
        item: The dataset's own fields; `{{ item.* }}` in templates.
        sample: What the model produced, as the hosted object; `{{ sample.* }}` in templates.
        row: 1-based line in the file it came from, or position in the sequence it came from.
        sample_index: 0-based place among the samples of its line.
        group: What its samples are compared within; equal for the samples of one prompt.
    """

    item: Mapping[str, JSON]
    sample: Mapping[str, JSON]
    row: int = 0
    sample_index: int = 0
    group: int | str = 0


_given = Row.sample.__get__  # type: ignore[attr-defined]
"""What a row was made with, whatever its `sample` makes of it."""


class ReadRow(Row, frozen=True, kw_only=True):
    """A row of a file. It is made with the sample as the line has it, a text or an object.

    Most graders read only its text, and the hosted object takes longer to make than they take to
    judge: so it is made when someone asks for it. Encoded, the row is what was read.
    """

    @property  # type: ignore[misc]
    def sample(self) -> Mapping[str, JSON]:
        given = _given(self)
        whole = to_sample(given)
        if whole is not given:
            Row.sample.__set__(self, whole)  # type: ignore[attr-defined]
        return whole

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Row):
            return NotImplemented
        return _fields(self) == _fields(other)

    def __ne__(self, other: object) -> bool:  # a struct has one of its own
        return not self == other

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        self.sample  # noqa: B018 - so that it is shown as graders see it
        return super().__repr__()


def _fields(row: Row) -> tuple[object, ...]:
    return row.item, row.sample, row.row, row.sample_index, row.group


def output_texts(rows: Sequence[Row]) -> list[JSON]:
    """Each row's `sample.output_text`; None where it has none."""
    try:
        return [
            given if given.__class__ is str else given["output_text"] for given in map(_given, rows)
        ]
    except KeyError:  # an object without its text; its message may hold it
        return [row.sample.get("output_text") for row in rows]


class RowColumns(NamedTuple):
    """What is the same of many rows, a list each."""

    rows: list[int]
    indexes: list[int]
    groups: list[int | str]
    output_chars: list[int | None]


def row_columns(rows: Sequence[Row]) -> RowColumns:
    """Places, groups and lengths of outputs; None where a row has no output text."""
    texts = output_texts(rows)
    if set(map(type, texts)) == {str}:
        lengths: list[int | None] = list(map(len, texts))  # type: ignore[arg-type]
    else:
        lengths = [len(text) if isinstance(text, str) else None for text in texts]
    return RowColumns(
        rows=[row.row for row in rows],
        indexes=[row.sample_index for row in rows],
        groups=[row.group for row in rows],
        output_chars=lengths,
    )


_HOSTED: Final = frozenset({"choices", "output_text", "output_json", "output_tools"})


def to_sample(value: str | Mapping[str, JSON]) -> Mapping[str, JSON]:
    """The hosted sample object for a model's output.

    Args:
        value: The output as text, or a sample object. Of an object, only the derived fields
            it lacks are filled in (`output_json` from `output_text`, for one).

    Example:
        >>> sample = to_sample('{"answer": 4}')
        >>> sample["output_json"], sample["choices"][0]["finish_reason"]
        ({'answer': 4}, 'stop')
    """
    if isinstance(value, str):
        return _from_text(value)
    if value.keys() >= _HOSTED:
        return value
    text = value.get("output_text", _spoken(value))
    filled = _from_text(text) if isinstance(text, str) else {}
    return {**filled, **_called(value), **value}


def _from_text(text: str) -> dict[str, JSON]:
    return {
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": text, "tool_calls": []},
                "finish_reason": "stop",
            }
        ],
        "output_text": text,
        "output_json": decode_or_none(text),
        "output_tools": [],
        "output_reasoning_summary": None,
    }


def _called(sample: Mapping[str, JSON]) -> dict[str, JSON]:
    """`output_tools` is the first choice's tool calls, where there is a choice."""
    match sample.get("choices"):
        case [{"message": {"tool_calls": [*calls]}}, *_]:
            return {"output_tools": calls}
    return {}


def _spoken(sample: Mapping[str, JSON]) -> JSON:
    match sample.get("choices"):
        case [{"message": {"content": str(text)}}, *_]:
            return text
    return None
