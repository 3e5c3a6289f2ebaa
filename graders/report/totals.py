"""Sums of a run that grow with it in constant memory."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import ceil, floor, fsum
from typing import Protocol

_BARS = 10
_FIRST = 1024
"""Scores seen before the histogram's range is decided."""
_SMALL = 2.0**-64


class Placed(Protocol):
    """Where a result stands: a row, or its line."""

    @property
    def row(self) -> int: ...
    @property
    def sample_index(self) -> int: ...
    @property
    def group(self) -> int | str: ...


@dataclass(slots=True)
class Mean:
    """A mean in constant memory; the sum is exact, so no order and no grouping changes it.

    Attributes:
        count: How many values there were.
        sum: Doubles whose sum is theirs, largest first, in units of `unit`.
        unit: 1.0, or less where the sum is too large for a double.
    """

    count: int = 0
    sum: list[float] = field(default_factory=list)
    unit: float = 1.0

    def add(self, *values: float) -> None:
        """Count values in."""
        self.count += len(values)
        self._take(values)

    def merge(self, other: Mean) -> None:
        """Count in what another has counted."""
        self.count += other.count
        if other.unit < self.unit:
            self._shrink()
        self._take(other.sum, other.unit)

    def _take(self, values: Iterable[float], unit: float = 1.0) -> None:
        scale = self.unit / unit
        more = values if scale == 1.0 else [value * scale for value in values]
        try:
            self.sum = _exact([*self.sum, *more])
        except OverflowError:
            self._shrink()
            self._take(values, unit)

    def _shrink(self) -> None:
        self.sum, self.unit = [part * _SMALL for part in self.sum], _SMALL

    @property
    def value(self) -> float | None:
        """The mean, or None of nothing."""
        return fsum(self.sum) / self.count / self.unit if self.count else None


def _exact(values: list[float]) -> list[float]:
    """A few doubles with the same sum: what one rounds off, the next one has."""
    parts = []
    while part := fsum(values):
        parts.append(part)
        values.append(-part)
    return parts


@dataclass(slots=True)
class Histogram:
    """Ten bars over [0, 1], or over the range of the first scores where that is wider.

    Later scores outside the range are counted in the outermost bars.

    Attributes:
        open: Whether all scores are kept as they are, so that another can take them in.
        first: Scores seen before the range is decided.
        edges: The range.
        counts: Of each bar.
        low: The least score that was seen.
        high: The greatest.
    """

    open: bool = False
    first: list[float] = field(default_factory=list)
    edges: tuple[float, float] | None = None
    counts: list[int] = field(default_factory=lambda: [0] * _BARS)
    low: float | None = None
    high: float | None = None

    def add(self, *scores: float) -> None:
        """Count scores in."""
        if not scores:
            return
        seen = scores if self.low is None or self.high is None else (self.low, self.high, *scores)
        self.low, self.high = min(seen), max(seen)
        room = len(scores) if self.open else _FIRST - len(self.first) if self.edges is None else 0
        self.first += scores[:room]
        if len(self.first) >= _FIRST and not self.open:
            self.settle()
        if room < len(scores):
            self._count(scores[room:])

    def merge(self, other: Histogram) -> None:
        """Count in the scores of one that is open."""
        self.add(*other.first)

    def settle(self) -> None:
        """Decide the range from the scores so far."""
        if self.edges is None and self.first:
            low, high = min(self.first), max(self.first)
            inside = low >= 0 and high <= 1
            wider = min(0.0, float(floor(low))), max(1.0, float(ceil(high)))
            self.edges = (0.0, 1.0) if inside else wider
            self._count(self.first)
            self.first = []

    def _count(self, scores: Iterable[float]) -> None:
        assert self.edges is not None, "settled"
        # Halves, because the difference of two doubles may be too large for one.
        low, high = self.edges[0] / 2, self.edges[1] / 2
        width = high - low
        bars = [int((score / 2 - low) / width * _BARS) for score in scores]
        for bar in set(bars):
            self.counts[min(max(bar, 0), _BARS - 1)] += bars.count(bar)


@dataclass(slots=True)
class Tally:
    """How many rows failed in one way, or carry one warning, and the first of them."""

    count: int = 0
    row: int = 0
    sample_index: int = 0
    message: str = ""

    def add(self, row: Placed, message: str) -> None:
        if self.count == 0:
            self.row, self.sample_index, self.message = row.row, row.sample_index, message
        self.count += 1

    def merge(self, other: Tally) -> None:
        """Count in those of another, which stand behind these."""
        if self.count == 0:
            self.row, self.sample_index, self.message = other.row, other.sample_index, other.message
        self.count += other.count

    def to_json(self) -> Mapping[str, object]:
        first = {"row": self.row, "sample_index": self.sample_index, "message": self.message}
        return {"count": self.count, "first": first}
