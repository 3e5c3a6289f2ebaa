"""What contestants offer beside agreement: their cost, and how hard they are to cheat."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from graders.studies.choice.caveats import is_dead
from graders.studies.choice.compare import Comparison
from graders.studies.choice.pareto import Point
from graders.studies.statistics.statistic import Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Weakness:
    """How gameable a contestant is, as a probe found.

    Attributes:
        share: Of rows on which some attack wins, in [0, 1].
        interval: Of it, rows resampled; None where attacks win on none, or on all.
        rows: Rows that were attacked, at least 1.
        attack: The attack that wins on most of them; "" where none wins.
        attack_share: On what share of them it does.
    """

    share: float
    interval: Interval | None
    rows: int
    attack: str = ""
    attack_share: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Offers:
    """What is known of contestants beside their agreement, by name; nothing where it is not.

    Attributes:
        costs: In CPU-seconds of 1,000 rows.
        weaknesses: How gameable they are.
    """

    costs: Mapping[str, float] = field(default_factory=dict)
    weaknesses: Mapping[str, Weakness] = field(default_factory=dict)

    def points(self, found: Comparison) -> list[Point]:
        """Each by agreement, cost and hackability, in the order of standings.

        But for those that are dead as rewards, which are never recommended: they shall not keep
        one that can be used out of a Pareto set.
        """
        return [
            Point(
                name=one.name,
                agreement=one.of(found.by).value,
                cost=self.costs.get(one.name),
                hackability=self.share(one.name),
            )
            for one in found.standings
            if not is_dead(one)
        ]

    def share(self, name: str) -> float | None:
        """On what share of rows an attack wins; None where nobody tried."""
        weakness = self.weaknesses.get(name)
        return None if weakness is None else weakness.share
