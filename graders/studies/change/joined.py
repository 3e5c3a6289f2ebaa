"""Two results files of the same samples, joined by line and place in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from graders.errors import Finding, RowError
from graders.results import Result
from graders.studies.change.pairs import Pair

Place = tuple[int, int]
"""A line from 1, and a place among its samples from 0."""


@dataclass(slots=True)
class Joined:
    """Samples of both files, and what is no pair.

    Attributes:
        pairs: In the order of the old file.
        only_old: Places that the new file has not.
        only_new: Places that the old file has not.
        bad_lines: Lines that are no results, stand twice, or are of another sample in the other
            file.
        notes: What else there is to say.
        results: How many the old file holds, and the new one.
    """

    pairs: list[Pair] = field(default_factory=list)
    only_old: list[Place] = field(default_factory=list)
    only_new: list[Place] = field(default_factory=list)
    bad_lines: list[RowError] = field(default_factory=list)
    notes: list[Finding] = field(default_factory=list)
    results: tuple[int, int] = (0, 0)


def join_results(
    old: Iterable[Result | RowError | Finding], new: Iterable[Result | RowError | Finding]
) -> Joined:
    """Bring results of the same samples together; both are held in memory.

    Args:
        old: What `read_results` gives of the old file.
        new: And of the new one.

    Raises:
        OSError: A file cannot be read to its end.
    """
    joined = Joined()
    before, after = _by_place(old, "OLD", joined), _by_place(new, "NEW", joined)
    joined.results = len(before), len(after)
    for place, result in before.items():
        other = after.get(place)
        if other is None:
            joined.only_old.append(place)
        elif difference := _difference(result, other):
            joined.bad_lines.append(RowError(_shown(place), difference))
        else:
            kept = result.detail or other.detail or {}
            joined.pairs.append(Pair(result, other, _text(kept, "input"), _text(kept, "reference")))
    joined.only_new += [place for place in after if place not in before]
    return joined


def _by_place(
    lines: Iterable[Result | RowError | Finding], side: str, joined: Joined
) -> Mapping[Place, Result]:
    found: dict[Place, Result] = {}
    for line in lines:
        if isinstance(line, Finding):
            joined.notes.append(line)
        elif isinstance(line, RowError):
            joined.bad_lines.append(line)
        elif (place := (line.row, line.sample_index)) in found:
            problem = f"stands twice in {side}; the first is taken"
            joined.bad_lines.append(RowError(_shown(place), problem))
        else:
            found[place] = line
    return found


def _difference(old: Result, new: Result) -> str:
    """Why two results of one place are not of one sample; empty where nothing says so."""
    if old.output_chars != new.output_chars:
        lengths = f"{_length(old.output_chars)} in OLD and {_length(new.output_chars)} in NEW"
        return f"is of different outputs, {lengths}: the files are results of different rows"
    if old.group != new.group:
        groups = f"{old.group!r} in OLD and {new.group!r} in NEW"
        return f"is of different groups, {groups}: run both with the same --group-by"
    return ""


def _length(characters: int | None) -> str:
    return "no text" if characters is None else f"{characters:,} characters"


def _shown(place: Place) -> str:
    return f"row {place[0]}, sample {place[1]}"


def _text(detail: Mapping[str, Any], key: str) -> str | None:
    value = detail.get(key)
    return value if isinstance(value, str) else None
