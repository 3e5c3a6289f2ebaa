"""What templates make of many rows, a column at a time: a tenth of the time of row by row."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Generic, Protocol, TypeVar

import msgspec

from graders.errors import Failure, GradingError
from graders.rows import Row, output_texts
from graders.template import Slot, Template, look_up, to_text

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Renders(Protocol[T_co]):
    """What a row is rendered by: a template, or a list of references."""

    def render(self, row: Row) -> T_co: ...


class Texts(msgspec.Struct, Generic[T], frozen=True):
    """What some rows were rendered to.

    Attributes:
        values: Of each row; of one that failed, any.
        failures: By position.
    """

    values: Sequence[T]
    failures: Mapping[int, Failure] = {}


class SharedRows(list[Row]):
    """Rows for several graders. Members of a multi often have equal templates: rendered once.

    Equal templates are one object, as they are compiled once.
    """

    __slots__ = ("rendered",)

    def __init__(self, rows: Iterable[Row]) -> None:
        super().__init__(rows)
        self.rendered: dict[int, Texts[str]] = {}


def render_each(template: Template, rows: Sequence[Row]) -> Texts[str]:
    """Render a template for each row; what `Template.render` gives or raises."""
    if not isinstance(rows, SharedRows):
        return _together(template, rows)
    found = rows.rendered.get(id(template))  # to hash what it holds takes as long as to render
    if found is None:
        found = rows.rendered[id(template)] = _together(template, rows)
    return found


def render_one_by_one(template: Renders[T], rows: Sequence[Row], blank: T) -> Texts[T]:
    """Render rows each by itself; one that fails has `blank` for a value."""
    values: list[T] = []
    failures: dict[int, Failure] = {}
    for position, row in enumerate(rows):
        try:
            values.append(template.render(row))
        except GradingError as error:
            values.append(blank)
            failures[position] = error.failure
    return Texts(values, failures)


def _together(template: Template, rows: Sequence[Row]) -> Texts[str]:
    try:
        columns = [_column(piece, template, rows) for piece in template.pieces]
    except (GradingError, LookupError, TypeError):  # some row has no value for a slot
        return render_one_by_one(template, rows, "")
    if len(columns) == 1:
        return Texts(columns[0])
    return Texts(["".join(pieces) for pieces in zip(*columns, strict=True)])


def _column(piece: str | Slot, template: Template, rows: Sequence[Row]) -> list[str]:
    if isinstance(piece, str):
        return [piece] * len(rows)
    values = _values(piece, rows)
    if set(map(type, values)) == {str}:
        return values
    return [to_text(value, piece, template.rendering) for value in values]


def _values(slot: Slot, rows: Sequence[Row]) -> list[Any]:
    """The value at a slot's path in each row; raises where a row has none."""
    if len(slot.steps) == 1:
        step = slot.steps[0]
        if slot.namespace == "item":
            return [row.item[step] for row in rows]  # type: ignore[index]
        if step == "output_text":
            texts = output_texts(rows)
            if None in texts:  # null, or not there
                raise LookupError
            return texts
    return [look_up(slot, row) for row in rows]
