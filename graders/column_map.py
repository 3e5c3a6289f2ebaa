"""Columns by other names: which one is the sample, and which ones an item has under which key."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from graders.errors import ConfigError, Finding, RowError, did_you_mean
from graders.lines import kind_of
from sandbox import JSON

_SAMPLES: Final = ("sample", "samples")
_SHOWN: Final = 80


class ColumnsError(ValueError):
    """A row has not what is said of its columns, or no place for them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """What columns are.

    Attributes:
        item: Paths inside the item, each with its column; the empty path is all of the item.
        sample: The column of the sample, or of several in a list; None where nobody says.
    """

    item: tuple[tuple[tuple[str, ...], str], ...] = ()
    sample: str | None = None
    _sources: frozenset[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        named = {column for _, column in self.item}
        if self.sample is not None:
            named.add(self.sample)
        object.__setattr__(self, "_sources", frozenset(named))

    def apply(self, row: Mapping[str, JSON], *, sampled: bool = True) -> dict[str, JSON]:
        """The row with its columns where they belong; those that nobody names stay.

        Args:
            row: As it was read.
            sampled: Whether its sample is in it; else it is in another file.

        Raises:
            ColumnsError: A column is not there, or what it would be inside of is no object.

        Example:
            >>> columns = parse_columns({"item.answer": "gold", "sample": "completion"}.items())
            >>> columns.apply({"question": "2+2", "gold": "4", "completion": "four"})
            {'item': {'question': '2+2', 'answer': '4'}, 'sample': 'four'}
        """
        left = {name: value for name, value in row.items() if name not in self._sources}
        is_flat = "item" not in left and "model_sample" not in left
        item = left if is_flat else left.get("item", {})
        for path, column in self.item:
            item = _placed(item, path, _value(row, column), "item")
        if self.sample is not None and sampled:
            return {"item": item, "sample": _value(row, self.sample)}
        if any(not path for path, _ in self.item) or not is_flat:
            return {**left, "item": item}
        assert isinstance(item, dict), "a flat row is its item"
        return item


def _value(row: Mapping[str, JSON], column: str) -> JSON:
    """A column's value: the column of that name, or what dots lead to."""
    if column in row:
        return row[column]
    here: JSON = dict(row)
    for step in column.split("."):
        if not isinstance(here, dict) or step not in here:
            hint = did_you_mean(column, row)
            raise ColumnsError(f"there is no column {column!r:.{_SHOWN}}. {hint}")
        here = here[step]
    return here


def _placed(here: JSON, path: tuple[str, ...], value: JSON, place: str) -> JSON:
    """What stands at a place, with a value at a path inside; null is an object without keys.

    Raises:
        ColumnsError: Something else stands there, and would be lost.
    """
    if not path:
        return value
    if here is not None and not isinstance(here, dict):
        raise ColumnsError(
            f"{place} is {kind_of(here)}, and must be an object to hold {'.'.join((place, *path))}"
            "; item.KEY=COLUMN gives it a key of its own"
        )
    inside = {} if here is None else dict(here)
    step, *rest = path
    inside[step] = _placed(inside.get(step), tuple(rest), value, f"{place}.{step}")
    return inside


def unsampled(columns: Columns | None, place: str, row: dict[str, JSON]) -> dict[str, JSON]:
    """A row without a sample, its columns where they belong.

    Raises:
        RowError: A column is not there, or has no place.
    """
    try:
        return row if columns is None else columns.apply(row, sampled=False)
    except ColumnsError as error:
        raise RowError(place, str(error)) from None


def parse_columns(pairs: Iterable[tuple[str, str]]) -> Columns | None:
    """What columns are, by what is said of each; None where nothing is.

    Args:
        pairs: A place, `item`, `item.KEY`, `sample` or `samples`, and the column that is it.

    Raises:
        ConfigError: A place is none, or is given two columns.

    Example:
        >>> parse_columns([("item.meta.id", "key")]).item
        ((('meta', 'id'), 'key'),)
        >>> parse_columns([("items.answer", "gold")])
        Traceback (most recent call last):
        graders.errors.ConfigError: items.answer: a column is item, item.KEY, sample or samples
    """
    item: dict[tuple[str, ...], str] = {}
    sample: str | None = None
    for place, column in pairs:
        first, *path = place.split(".")
        if place in _SAMPLES and sample is None:
            sample = column
        elif first != "item" or not all(path):
            taken = place in _SAMPLES
            raise _wrong(place, "it has two columns" if taken else
                         "a column is item, item.KEY, sample or samples")  # fmt: skip
        elif tuple(path) in item:
            raise _wrong(place, "it has two columns")
        else:
            item[tuple(path)] = column
    if not item and sample is None:
        return None
    return Columns(item=tuple(sorted(item.items())), sample=sample)


def _wrong(place: str, message: str) -> ConfigError:
    return ConfigError(Finding(code="column", severity="error", path=place, message=message))
