"""Two results files of the same samples, joined by line and place in it.

Results have no texts, so what is of other rows is known by lengths. A length of the output or a
group that differs is no pair. A reference may differ because the grader does, and a line may have
fewer samples because a run was cut short, so these are compared. How many differ is said of each.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from graders.errors import Finding, RowError
from graders.results import Result
from graders.studies.change.pairs import Pair
from graders.studies.verdict import shown_length

Place = tuple[int, int]
"""A line from 1, and a place among its samples from 0."""


@dataclass(slots=True)
class Joined:
    """Samples of both files, and what is no pair.

    Attributes:
        pairs: In the order of the old file.
        only_old: Places that the new file has not.
        only_new: Places that the old file has not.
        mismatched: Places at which the files have different samples.
        bad_lines: Lines that are no results, stand twice, or are of another sample in the other
            file.
        others: What else speaks for results of different rows, in words.
        notes: What else there is to say.
        results: How many the old file holds, and the new one.
    """

    pairs: list[Pair] = field(default_factory=list)
    only_old: list[Place] = field(default_factory=list)
    only_new: list[Place] = field(default_factory=list)
    mismatched: int = 0
    bad_lines: list[RowError] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
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
    both: list[tuple[Result, Result]] = []
    for place, result in before.items():
        other = after.get(place)
        if other is None:
            joined.only_old.append(place)
            continue
        both.append((result, other))
        if difference := _difference(result, other):
            joined.mismatched += 1
            joined.bad_lines.append(RowError(_shown(place), difference))
        else:
            kept = result.detail or other.detail or {}
            joined.pairs.append(Pair(result, other, _text(kept, "input"), _text(kept, "reference")))
    joined.only_new += [place for place in after if place not in before]
    joined.others += [*_other_outputs(both), *_other_groups(both)]
    joined.others += [*_other_references(joined.pairs), *_other_numbers(before, after)]
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
        lengths = (
            f"{shown_length(old.output_chars)} in OLD and {shown_length(new.output_chars)} in NEW"
        )
        return f"is of different outputs, {lengths}: the files are results of different rows"
    if old.group != new.group:
        groups = f"{old.group!r} in OLD and {new.group!r} in NEW"
        return f"is of different groups, {groups}: run both with the same --group-by"
    return ""


def _other_outputs(both: Sequence[tuple[Result, Result]]) -> Iterator[str]:
    """How many places have an output of another length."""
    if other := [(old, new) for old, new in both if old.output_chars != new.output_chars]:
        old, new = other[0]
        lengths = (
            f"{shown_length(old.output_chars)} in OLD and {shown_length(new.output_chars)} in NEW"
        )
        yield _counted(len(other), both, "outputs have another length", old, lengths)


def _other_groups(both: Sequence[tuple[Result, Result]]) -> Iterator[str]:
    """How many places have another group."""
    if other := [(old, new) for old, new in both if old.group != new.group]:
        old, new = other[0]
        groups = f"{old.group!r} in OLD and {new.group!r} in NEW"
        said = _counted(len(other), both, "samples are of another group", old, groups)
        yield f"{said}, unless OLD and NEW have different --group-by"


def _counted(number: int, all_: Sequence[object], what: str, first: Result, sides: str) -> str:
    """How many of some have what, and the first."""
    place = _shown((first.row, first.sample_index))
    return f"{number:,} of {len(all_):,} {what} (the first: {place}, {sides})"


def _other_references(pairs: Iterable[Pair]) -> Iterator[str]:
    """How many samples have a reference of another length, where both have one."""
    lengths = [(one.old.reference_chars, one.new.reference_chars, one.old) for one in pairs]
    known = [(old, new, one) for old, new, one in lengths if old is not None and new is not None]
    if other := [(old, new, one) for old, new, one in known if old != new]:
        before, after, one = other[0]
        sides = f"{shown_length(before)} in OLD and {shown_length(after)} in NEW"
        said = _counted(len(other), known, "references have another length", one, sides)
        yield f"{said}, unless OLD and NEW take different references"


def _other_numbers(before: Iterable[Place], after: Iterable[Place]) -> Iterator[str]:
    """How many lines have another number of samples, but for those at which a file ends."""
    old, new = (Counter(row for row, _ in places) for places in (before, after))
    ends = min(max(old, default=0), max(new, default=0))
    if other := [row for row in old if row < ends and row in new and old[row] != new[row]]:
        row = other[0]
        yield (
            f"{len(other):,} {'line has' if len(other) == 1 else 'lines have'} another number of "
            f"samples (the first: row {row}, {old[row]:,} in OLD and {new[row]:,} in NEW)"
        )


def _shown(place: Place) -> str:
    return f"row {place[0]}, sample {place[1]}"


def _text(detail: Mapping[str, Any], key: str) -> str | None:
    value = detail.get(key)
    return value if isinstance(value, str) else None
