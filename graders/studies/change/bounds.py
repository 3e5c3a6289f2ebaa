"""How far a change of grader may move rewards before somebody has to look at it.

The defaults stop what should never pass unseen, and let through what changes nothing that a
trainer would notice: a sample that newly fails (it has no reward at all), more than 1 % of samples
across the threshold (what is called right changed), an order of samples that is not nearly the
same, and a mean that moved by .05 of the usual range from 0 to 1 (curves before and after cannot be
compared). The order has two bounds, for each is blind to what the other sees: Spearman's rho of all
samples below .95, which easy and hard prompts alone can hold up; and less than 90 % in the same
order of the pairs within groups that differed, which are all that a group-relative trainer sees.
Where all scores are normal, a rho of .95 keeps as many pairs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from graders.studies.change.diff import Diff
from graders.studies.statistics.drift import Drift
from graders.studies.statistics.signal import TOLERANCE
from graders.studies.statistics.statistic import Statistic


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What a change may do; None is no bound. At a bound is within it.

    Attributes:
        max_new_failures: Samples that had a score and fail.
        max_flips: Share of samples across the threshold, either way, in [0, 1].
        min_spearman: Rank correlation of old and new scores, in [-1, 1].
        min_pairs: Share of pairs within groups that keep their order, in [0, 1].
        max_mean_change: How far the mean score moved, either way, in scores.
        max_changed: Share of samples with another score, in [0, 1].
    """

    max_new_failures: int | None = 0
    max_flips: float | None = 0.01
    min_spearman: float | None = 0.95
    min_pairs: float | None = 0.9
    max_mean_change: float | None = 0.05
    max_changed: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A bound, and what it is held against.

    Attributes:
        name: As the option is called, without its dashes: `max-flips`.
        bound: The most or the least there may be.
        value: What there is; None where there is no such number.
        broken: Whether it lies beyond.
        why: Why there is no number; empty where there is one.
    """

    name: str
    bound: float
    value: float | None
    broken: bool
    why: str = ""

    def to_json(self) -> Mapping[str, object]:
        """The check for programs."""
        return {
            "name": self.name,
            "bound": self.bound,
            "value": self.value,
            "broken": self.broken,
            "why": self.why or None,
        }


def check_bounds(diff: Diff, bounds: Bounds) -> tuple[Check, ...]:
    """Hold what a change does against what it may do, bound by bound.

    Where all new scores are one score and the old ones were not, the order is gone, which breaks
    `min_spearman` though there is no number; where the old ones had no order, it holds nothing.
    """
    return tuple(_checks(diff, bounds))


def _checks(diff: Diff, bounds: Bounds) -> Iterator[Check]:
    if bounds.max_new_failures is not None:
        yield _at_most("max-new-failures", bounds.max_new_failures, diff.failed("new"))
    if bounds.max_flips is not None:
        flips = diff.passing.flips
        yield _at_most("max-flips", bounds.max_flips, flips.value, flips.undefined or "")
    found = diff.drift
    if bounds.min_spearman is not None:
        yield _order(bounds.min_spearman, found)
    none = "" if found else "no sample has both scores"
    if bounds.min_pairs is not None:
        kept = found.pairs_kept if found else Statistic(undefined=none)
        yield _at_least("min-pairs", bounds.min_pairs, kept.value, kept.undefined or "")
    if bounds.max_mean_change is not None:
        value = abs(found.mean_change) if found else None
        yield _at_most("max-mean-change", bounds.max_mean_change, value, none)
    if bounds.max_changed is not None:
        yield _at_most("max-changed", bounds.max_changed, found.changed if found else None, none)


def _at_most(name: str, bound: float, value: float | None, why: str = "") -> Check:
    broken = value is not None and value > bound + TOLERANCE
    return Check(name=name, bound=bound, value=value, broken=broken, why=why)


def _at_least(name: str, bound: float, value: float | None, why: str) -> Check:
    broken = value is not None and value < bound - TOLERANCE
    return Check(name=name, bound=bound, value=value, broken=broken, why=why)


def _order(bound: float, found: Drift | None) -> Check:
    if found is None:
        return _at_least("min-spearman", bound, None, "no sample has both scores")
    why = found.spearman.undefined or ""
    check = _at_least("min-spearman", bound, found.spearman.value, why)
    return replace(check, broken=True) if why.startswith("new scores") else check
