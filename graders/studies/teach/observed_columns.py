"""Grades and result lines as columns of numbers, for `observed` to keep."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping, Sequence
from hashlib import blake2b
from math import nan
from typing import Any, Final

from graders.errors import FailureKind
from graders.grade_table import Grades
from graders.grades import Judged
from graders.results import reference_chars

Path = tuple[str, ...]
"""Keys of parts, from the outside in: a member, or one of its repeats."""

KINDS: Final = (None, *FailureKind)
"""How a sample failed, by number; the first is that of a score."""
KEY: Final = b"items of a study"
"""Of the hashes of names."""

_NUMBER_OF: Final = {kind: number for number, kind in enumerate(KINDS)}
_LONGEST_NAME: Final = 80


def whole(numbers: Sequence[int]) -> array[Any]:
    """Numbers of lines or of characters, -1 for none.

    Raises:
        OverflowError: One is neither.
    """
    wrong = [number for number in numbers if not -1 <= number < 1 << 63]
    if wrong:
        raise OverflowError(f"{wrong[0]} is no number of a line or of characters")
    return array("q", numbers)


def floats(scores: Sequence[float | None]) -> Sequence[float]:
    """Scores, NaN for none."""
    try:
        return array("d", scores)  # type: ignore[arg-type]
    except TypeError:  # there is none in some row
        return array("d", [nan if score is None else score for score in scores])


def lengths(characters: Sequence[int | None]) -> Sequence[int]:
    """Lengths of texts, -1 for none."""
    if None in characters:
        return [-1 if length is None else length for length in characters]
    return characters  # type: ignore[return-value]


def kind_numbers(kinds: Sequence[FailureKind | None]) -> bytes:
    """Places in `KINDS`."""
    return bytes(map(_NUMBER_OF.__getitem__, kinds))


def table_kinds(grades: Grades) -> bytes:
    """The same of a table, which has few failures or none."""
    kinds = bytearray(len(grades))
    for i, failure in grades.failures.items():
        kinds[i] = _NUMBER_OF[failure.kind]
    return bytes(kinds)


def table_reference_lengths(grades: Grades) -> Sequence[int]:
    """As result lines have them: a row that failed may have none."""
    for one in (grades, *grades.parts.values()):
        if one.compared is not None:
            break
    else:
        return array("q", [-1]) * len(grades)
    lengths = list(map(len, one.compared.references))
    for i in grades.remarkable():
        found = reference_chars(grades[i])
        lengths[i] = -1 if found is None else found
    return lengths


def part_tables(grades: Grades, above: Path = ()) -> Iterator[tuple[Path, Grades]]:
    """Tables of all parts, and of theirs."""
    for key, part in grades.parts.items():
        path = (*above, short_name(key))
        yield path, part
        yield from part_tables(part, path)


def parts_within(parts: Mapping[str, Judged], above: Path = ()) -> Iterator[tuple[Path, Judged]]:
    """All parts of one grade, and theirs."""
    for key, part in parts.items():
        path = (*above, short_name(key))
        yield path, part
        yield from parts_within(part.parts, path)


def short_name(name: int | str) -> str:
    """A name that takes little memory, and is no other's."""
    text = name if isinstance(name, str) else f"{name}"
    if len(text) <= _LONGEST_NAME:
        return text
    digest = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16, key=KEY).hexdigest()
    return f"{text[: _LONGEST_NAME - 35]}...{digest}"
