"""Which rows a metric computes in one go: many short ones; each long one alone, and last.

Together they take less than apart; but nothing stops what computes, and one row that takes too long
costs those beside it. A row is as long as its output and what the grader reads of its item.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from operator import add
from typing import Final

from graders.config.graders import EvalConfig, TextSimilarityConfig, walk
from graders.config.parse import parse_config
from graders.rows import Row, output_texts
from graders.strict_json import decode, encode
from graders.template import Slot, compile_template, parse_path
from sandbox import JSON

_MOST_ROWS: Final = 256
_MOST_CHARACTERS: Final = 262_144
"""What computes does so many at a time, and holds up all else for no longer."""
_LONG_CHARACTERS: Final = 16_384
"""Longer ones are computed alone."""


def slices(rows: Sequence[Row], fields: Sequence[str]) -> Iterator[Sequence[int]]:
    """Positions of rows, those of a slice after those of the one before.

    Args:
        rows: At least one.
        fields: Of their items, which count as their outputs do.

    Example:
        >>> rows = [Row(item={"a": "x" * n}, sample={"output_text": ""}) for n in (1, 20_000, 2)]
        >>> [[*some] for some in slices(rows, ["a"])]
        [[0, 2], [1]]
    """
    sizes = _sizes(rows, fields)
    few = len(sizes) <= _MOST_ROWS and sum(sizes) <= _MOST_CHARACTERS
    if few and max(sizes) <= _LONG_CHARACTERS:  # as most batches are
        yield range(len(sizes))
        return
    some, characters = list[int](), 0
    for at, size in enumerate(sizes):
        if size > _LONG_CHARACTERS:
            continue
        if len(some) == _MOST_ROWS or characters + size > _MOST_CHARACTERS:
            yield some
            some, characters = [], 0
        some.append(at)
        characters += size
    if some:
        yield some
    long = [at for at, size in enumerate(sizes) if size > _LONG_CHARACTERS]
    yield from ([at] for at in sorted(long, key=sizes.__getitem__))


def _sizes(rows: Sequence[Row], fields: Sequence[str]) -> list[int]:
    sizes = _lengths(output_texts(rows))
    for field in fields:
        sizes = [*map(add, sizes, _lengths([row.item.get(field) for row in rows]))]
    return sizes


def _lengths(values: Sequence[JSON]) -> list[int]:
    """Characters of texts, bytes of lists and objects; 0 of what is short."""
    return [
        len(value)
        if isinstance(value, str)
        else (len(encode(value)) if isinstance(value, (list, dict)) else 0)
        for value in values
    ]


@lru_cache(maxsize=256)
def fields_read(config: bytes) -> tuple[str, ...]:
    """The fields of an item that a grader's templates name.

    Args:
        config: The grader, as JSON.
    """
    slots: list[Slot] = []
    for _, part in walk(parse_config(decode(config)).grader):
        if isinstance(part, EvalConfig):
            continue
        for _, text in part.templates():
            slots += (one for one in compile_template(text).pieces if isinstance(one, Slot))
        if isinstance(part, TextSimilarityConfig) and part.references is not None:
            slots.append(parse_path(part.references))
    named = (str(slot.steps[0]) for slot in slots if slot.namespace == "item" and slot.steps)
    return tuple(dict.fromkeys(named))
