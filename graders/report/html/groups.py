"""What a page says of the groups of a run, added up in bounded memory."""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from typing import Final

from graders.markup import cut
from graders.report.named import Named
from graders.report.totals import Histogram, Mean

MOST_GROUPS: Final = 200_000
"""Groups with a name that are added up, about 100 MB of them."""
_LOWEST: Final = 10
_SHORT: Final = 200


@dataclass(slots=True)
class Group:
    """The samples that are compared with each other.

    Attributes:
        name: As the results name it.
        row: Where its first sample is.
        samples: How many there are.
        scores: The mean of those that have one.
        low: The least score; None where none has one.
        high: The greatest.
    """

    name: int | str
    row: int
    samples: int = 0
    scores: Mean = field(default_factory=Mean)
    low: float | None = None
    high: float | None = None

    def add(self, score: float | None) -> None:
        """Count a sample."""
        self.samples += 1
        if score is None:
            return
        self.scores.add(score)
        self.low = score if self.low is None else min(self.low, score)
        self.high = score if self.high is None else max(self.high, score)


@dataclass(slots=True)
class Groups:
    """Groups of a run, added up as their samples pass by.

    Those that are named after a line stand side by side, and only the last is kept; of those that
    have another name, samples may be anywhere, and all are kept up to a limit.

    Attributes:
        count: How many there are.
        several: Those with two scores or more.
        flat: Those of them whose scores are all the same.
        means: How their means are distributed.
        lowest: Those with the lowest means, the lowest first when the run is at its end.
        share: About the share of them that all this is of; 1.0 but where there are very many names.
    """

    count: int = 0
    several: int = 0
    flat: int = 0
    means: Histogram = field(default_factory=Histogram)
    _lowest: list[tuple[float, int, Group]] = field(default_factory=list)
    _named: Named[Group] = field(default_factory=lambda: Named(limit=MOST_GROUPS))
    _last: Group | None = None

    @property
    def share(self) -> float:
        return self._named.share

    def add(self, group: int | str, row: int, score: float | None) -> None:
        """Count a sample."""
        if isinstance(group, str):
            one = self._named.of(group, lambda: Group(cut(group, _SHORT), row))
            if one is not None:
                one.add(score)
            return
        if self._last is None or self._last.name != group:
            self._count(self._last)
            self._last = Group(group, row)
        self._last.add(score)

    def settle(self) -> None:
        """Count the groups that are being added up; what comes next are others."""
        for one in (self._last, *self._named.kept.values()):
            self._count(one)
        self._last = None
        self._named.kept.clear()

    def _count(self, group: Group | None) -> None:
        if group is None:
            return
        self.count += 1
        mean = group.scores.value
        if mean is None:
            return
        several = group.scores.count > 1
        self.several += several
        self.flat += several and group.low == group.high
        self.means.add(mean)
        heapq.heappush(self._lowest, (-mean, -self.count, group))
        if len(self._lowest) > _LOWEST:
            heapq.heappop(self._lowest)

    @property
    def lowest(self) -> list[Group]:
        """Those with the lowest means, the lowest first."""
        return [group for *_, group in sorted(self._lowest, reverse=True)]
