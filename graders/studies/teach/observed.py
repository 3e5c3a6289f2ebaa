"""What results say, kept in columns for a study: of all samples, or of whole items that are drawn.

It grows batch by batch, by grades or by result lines, and holds only what a line says, so that a
run that goes on later counts the same. Where there are more samples than the limit, items are
drawn by a keyed hash of their names: those whose hash, as a number in [0, 1), is below a bound,
which is halved until the samples fit. So the same items are kept whatever the workers, the
batches, the order and the sessions, and always with all their samples. Nothing here imports numpy
before there is something to study: a run's start would be slower by it.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from itertools import repeat
from math import nan
from typing import TYPE_CHECKING, Any, Final

from graders.grade_table import Grades
from graders.grades import Graded, Judged
from graders.results import Result, reference_chars
from graders.rows import RowColumns
from graders.studies.teach.observed_columns import (
    KEY,
    Path,
    floats,
    kind_numbers,
    lengths,
    part_tables,
    parts_within,
    short_name,
    table_kinds,
    table_reference_lengths,
    whole,
)

if TYPE_CHECKING:
    from graders.studies.statistics.statistic import Bools, Floats

LIMIT: Final = 200_000
"""Samples that a study looks at, at most."""
NO_VERDICT: Final = 2
"""In `passed`: nothing says what passes."""

_MOST_PATHS: Final = 64
_COLUMNS: Final = {
    "rows": "q",
    "indexes": "q",
    "groups": "q",
    "rewards": "d",
    "kinds": "b",
    "passed": "b",
    "output_chars": "q",
    "reference_chars": "q",
}


class Observed:
    """Samples of a run, in columns.

    Attributes:
        limit: Samples that are kept at most.
        seen: Samples that came.
        share: The bound of the hash of items that are kept: about their share of all; 1.0 as long
            as all are.
        columns: By name; see `Samples`. A group is its number, or one below 0 for a name.
        members: Scores of parts, by the keys that lead to them; NaN where there is none.
        names: Of groups that are called by a text, with their numbers: -1, -2, ...
        crowded: Whether there were more members than are kept.
    """

    def __init__(self, limit: int = LIMIT) -> None:
        """Begin with nothing."""
        self.limit, self.seen, self.share = limit, 0, 1.0
        self.columns: dict[str, array[Any]] = {name: array(kind) for name, kind in _COLUMNS.items()}
        self.members: dict[Path, array[Any]] = {}
        self.names: dict[int | str, int] = {}
        self.crowded = False

    def __len__(self) -> int:
        return len(self.columns["rows"])

    def add(self, graded: Graded) -> None:
        """Count a batch of grades."""
        grades = graded.grades
        if type(grades) is not Grades:
            references = [reference_chars(grade) for grade in grades]
            self._add(graded.columns, grades, graded.rewards, references)
            return
        columns = graded.columns
        self._extend(
            rows=columns.rows,
            indexes=columns.indexes,
            groups=self._numbers(columns.groups),
            rewards=floats(graded.rewards),
            kinds=table_kinds(grades),
            passed=bytes(grades.passed) if grades.passed is not None else b"\2" * len(grades),
            output_chars=lengths(columns.output_chars),
            reference_chars=table_reference_lengths(grades),
        )
        self._add_members({path: floats(part.scores) for path, part in part_tables(grades)})

    def add_lines(self, lines: Sequence[Result]) -> None:
        """Count result lines, all or none; many at a time, which is quicker than one by one.

        Raises:
            OverflowError: One has a number that no line of ours has.
        """
        places = RowColumns(
            rows=[line.row for line in lines],
            indexes=[line.sample_index for line in lines],
            groups=[line.group for line in lines],
            output_chars=[line.output_chars for line in lines],
        )
        rewards = [line.reward for line in lines]
        self._add(places, lines, rewards, [line.reference_chars for line in lines])

    def _add(
        self,
        places: RowColumns,
        grades: Sequence[Judged],
        rewards: Sequence[float | None],
        references: Sequence[int | None],
    ) -> None:
        kinds = [grade.failure.kind if grade.failure else None for grade in grades]
        passed = [NO_VERDICT if grade.passed is None else grade.passed for grade in grades]
        self._extend(
            rows=whole(places.rows),
            indexes=whole(places.indexes),
            groups=self._numbers(places.groups),
            rewards=floats(rewards),
            kinds=kind_numbers(kinds),
            passed=bytes(passed),
            output_chars=whole(lengths(places.output_chars)),
            reference_chars=whole(lengths(references)),
        )
        scores: dict[Path, array[Any]] = {}
        for place, grade in enumerate(grades):
            for path, part in parts_within(grade.parts):
                if path not in scores:
                    scores[path] = array("d", [nan]) * len(grades)
                scores[path][place] = nan if part.score is None else part.score
        self._add_members(scores)

    def _extend(self, **columns: Sequence[float] | bytes) -> None:
        """Append a batch; first of the many: a bad number leaves no column longer than another."""
        more = {name: _column(kind, columns[name]) for name, kind in _COLUMNS.items()}
        for name, column in more.items():
            self.columns[name].extend(column)
        self.seen += len(more["rows"])

    def _numbers(self, groups: Sequence[int | str]) -> Sequence[int]:
        try:
            numbers: array[int] = array("q", groups)  # type: ignore[arg-type]
        except (TypeError, OverflowError):
            numbers = array("q", [-1])
        if min(numbers, default=0) >= 0:
            return numbers
        names = self.names
        return [
            group
            if isinstance(group, int) and 0 <= group < 1 << 63
            else names.setdefault(short_name(group), -1 - len(names))
            for group in groups
        ]

    def _add_members(self, scores: Mapping[Path, Sequence[float]]) -> None:
        """Append scores of the last rows; a part that others lack has none there."""
        for path in scores:
            if path not in self.members:
                if len(self.members) >= _MOST_PATHS:
                    self.crowded = True
                    continue
                self.members[path] = array("d")
        for path, column in self.members.items():
            new = scores.get(path, ())
            missing = len(self) - len(column) - len(new)
            if missing > 0:
                column.extend(repeat(nan, missing))
            column.extend(_column("d", new))
        self._bound()

    def _bound(self) -> None:
        # Twice the limit, so that what dropping costs is shared by as many samples.
        if len(self) >= 2 * self.limit:
            self.settle()

    def merge(self, other: Observed) -> None:
        """Count in what another has counted, of the same limit."""
        before = len(self)
        for name, column in other.columns.items():
            self.columns[name].extend(self._renumbered(other) if name == "groups" else column)
        for path, column in other.members.items():
            mine = self.members.setdefault(path, array("d"))
            mine.extend(repeat(nan, before - len(mine)))
            mine.extend(column)
        for column in self.members.values():
            column.extend(repeat(nan, len(self) - len(column)))
        self.seen += other.seen
        self.share = min(self.share, other.share)
        self.crowded = self.crowded or other.crowded
        self._bound()

    def _renumbered(self, other: Observed) -> Sequence[int]:
        if not other.names:
            return other.columns["groups"]
        ours = {
            number: self.names.setdefault(name, -1 - len(self.names))
            for name, number in other.names.items()
        }
        return array("q", [ours.get(group, group) for group in other.columns["groups"]])

    def settle(self) -> None:
        """Drop items until the samples fit; a second time, there is nothing more to drop."""
        for column in self.members.values():
            column.extend(repeat(nan, len(self) - len(column)))
        if len(self) <= self.limit and self.share == 1.0:
            return
        hashes = self._hashes()
        # Not halved from what is left, but from all that came: the same in any order.
        while self.share and (hashes < self.share).sum() > self.limit:
            self.share = self.share / 2 if self.share > 2.0**-53 else 0.0
        self._keep(hashes < self.share)

    def _hashes(self) -> Floats:
        """Of each sample its item's hash, as a number in [0, 1)."""
        import numpy as np

        groups = np.frombuffer(self.columns["groups"], np.int64)
        with np.errstate(over="ignore"):
            # The finaliser of splitmix64 (Steele, Lea and Flood, OOPSLA 2014).
            mixed = groups.astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15)
            for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
                mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
            mixed ^= mixed >> np.uint64(31)
        named = np.array([_hashed(name) for name in self.names], np.uint64)
        if len(named):
            mixed = np.where(groups < 0, named[np.minimum(groups, -1) * -1 - 1], mixed)
        return (mixed >> np.uint64(11)).astype(np.float64) * 2.0**-53

    def _keep(self, kept: Bools) -> None:
        import numpy as np

        def those(column: array[Any]) -> array[Any]:
            left = array(column.typecode)
            left.frombytes(np.frombuffer(column, column.typecode)[kept].tobytes())
            return left

        if kept.all():
            return
        self.columns = {name: those(column) for name, column in self.columns.items()}
        self.members = {path: those(column) for path, column in self.members.items()}
        if not self.names:
            return
        used = set(self.columns["groups"])
        numbers = [number for number in self.names.values() if number in used]
        new = {number: -1 - place for place, number in enumerate(numbers)}
        self.names = {name: new[old] for name, old in self.names.items() if old in new}
        if new:
            groups = [new.get(group, group) for group in self.columns["groups"]]
            self.columns["groups"] = array("q", groups)

    @property
    def has_groups(self) -> bool:
        """Whether any two samples that are kept are of one item, or so many that none is kept."""
        self.settle()
        groups = self.columns["groups"]
        return len(set(groups)) < len(groups) or (self.seen > 0 and not groups)


def _column(kind: str, values: Sequence[float] | bytes) -> array[Any]:
    if isinstance(values, array):
        return values
    return array(kind, values)


def _hashed(name: int | str) -> int:
    data = str(name).encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(data, digest_size=8, key=KEY).digest(), "big")
