"""The same samples graded twice, by an old grader and a new one: what a change does to rewards.

A sample that fails on one side is no pair: a failure is never a score. It is counted by kind, as a
new failure or a mended one, and all other figures are of samples with both scores. Samples of one
group are alike, so intervals resample groups; the sign test of flips (`drift.sign_test`) does not
know of groups, and is the milder of the two where samples of a group flip together.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from graders.studies.change.pairs import Broken, Failed, Failing, Moved, Pairs
from graders.studies.statistics.bootstrap import ratio_interval, share_interval
from graders.studies.statistics.drift import Drift, drift, sign_test
from graders.studies.statistics.signal import TOLERANCE, by_item
from graders.studies.statistics.statistic import (
    Floats,
    Interval,
    Ints,
    Items,
    Statistic,
    item_codes,
)

_NONE: Final = Statistic(undefined="old and new do not both have a threshold")


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberChange:
    """A member that both graders have, over samples with both of its scores.

    Attributes:
        name: Its key.
        samples: How many, at least 1.
        old: Its mean before.
        new: And after.
        changed: Share of these samples whose score by it changed.
    """

    name: str
    samples: int
    old: float
    new: float
    changed: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Passing:
    """What passes before and after. All shares are in [0, 1].

    Attributes:
        samples: Those of which both sides say whether they pass.
        old: Share that passed.
        new: Share that passes.
        change: New minus old.
        change_interval: Of it, groups resampled; None of one group.
        now_passing: Samples that failed the threshold and pass.
        now_failing: Samples that passed and fail it.
        flips: Share of samples that do either.
        flips_interval: Of it, groups resampled.
        p: McNemar's exact test: the chance of flips so one-sided if either way were as likely.
    """

    samples: int
    old: Statistic
    new: Statistic
    change: Statistic
    change_interval: Interval | None
    now_passing: int
    now_failing: int
    flips: Statistic
    flips_interval: Interval | None
    p: Statistic


@dataclass(frozen=True, slots=True, kw_only=True)
class Teaching:
    """Groups whose samples all have one score, which teach nothing.

    Attributes:
        groups: Those with at least two samples.
        old: Share of them with one score before.
        new: And after.
        change: New minus old.
        change_interval: Of it, groups resampled.
        now_equal: Groups that had different scores and have one.
        now_different: Groups that had one and have different ones.
    """

    groups: int
    old: Statistic
    new: Statistic
    change: Statistic
    change_interval: Interval | None
    now_equal: int
    now_different: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Diff:
    """What a change of grader does to the same samples.

    Attributes:
        samples: All that were graded twice.
        groups: That they are of.
        pairs: Those with both scores.
        old_failed: Samples without an old score.
        new_failed: Samples without a new one.
        old_mean: The mean of old scores, over pairs; None of none.
        new_mean: And of new ones.
        drift: How far scores and their order moved; None where there is no pair.
        passing: What became of passes.
        teaching: What became of groups with one score.
        failures: Samples that fail on a side, by what became of them and by kind.
        members: Those that both graders have.
        only_old: Members that only the old one has.
        only_new: Members that only the new one has.
        worst: The samples that moved the farthest, farthest first.
        broken: The first samples that newly fail.
    """

    samples: int
    groups: int
    pairs: int
    old_failed: int
    new_failed: int
    old_mean: float | None
    new_mean: float | None
    drift: Drift | None
    passing: Passing
    teaching: Teaching
    failures: Mapping[Failed, Mapping[str, Failing]]
    members: tuple[MemberChange, ...]
    only_old: tuple[str, ...]
    only_new: tuple[str, ...]
    worst: tuple[Moved, ...]
    broken: tuple[Broken, ...]

    def failed(self, what: Failed) -> int:
        """How many samples did that."""
        return sum(one.count for one in self.failures[what].values())


def diff(pairs: Pairs) -> Diff:
    """What the pairs say that were taken in so far."""
    old, new = np.array(pairs.scores, float).reshape(-1, 2).T
    means = (float(old.mean()), float(new.mean())) if len(old) else (None, None)
    return Diff(
        samples=pairs.samples,
        groups=len(pairs.groups),
        pairs=len(old),
        old_failed=pairs.failed[0],
        new_failed=pairs.failed[1],
        old_mean=means[0],
        new_mean=means[1],
        drift=drift(old, new, pairs.items, worst=0) if len(old) else None,
        passing=_passing(pairs.passes),
        teaching=_teaching(old, new, pairs.items),
        failures={what: dict(sorted(kinds.items())) for what, kinds in pairs.failures.items()},
        members=tuple(_changes(pairs.members)),
        only_old=tuple(sorted(pairs.names[0] - pairs.names[1])),
        only_new=tuple(sorted(pairs.names[1] - pairs.names[0])),
        worst=tuple(one.moved for one in sorted(pairs.nearest, reverse=True)),
        broken=tuple(pairs.broken),
    )


def _changes(members: Mapping[str, Sequence[tuple[float, float]]]) -> Iterator[MemberChange]:
    for name in sorted(members):
        if scores := members[name]:
            old, new = np.array(scores, float).T
            yield MemberChange(
                name=name,
                samples=len(scores),
                old=float(old.mean()),
                new=float(new.mean()),
                changed=float((np.abs(new - old) > TOLERANCE).mean()),
            )


def _passing(passes: Sequence[tuple[bool, bool, int | str]]) -> Passing:
    if not passes:
        return Passing(
            samples=0, old=_NONE, new=_NONE, change=_NONE, change_interval=None,
            now_passing=0, now_failing=0, flips=_NONE, flips_interval=None, p=_NONE,
        )  # fmt: skip
    passed, now = np.array([one[:2] for one in passes], float).T
    codes = item_codes([one[2] for one in passes], len(passes))
    up, down = int((now > passed).sum()), int((passed > now).sum())
    samples = np.bincount(codes).astype(float)
    return Passing(
        samples=len(passes),
        old=Statistic(value=float(passed.mean())),
        new=Statistic(value=float(now.mean())),
        change=Statistic(value=(up - down) / len(passes)),
        change_interval=ratio_interval(_sums(codes, now - passed), samples),
        now_passing=up,
        now_failing=down,
        flips=Statistic(value=(up + down) / len(passes)),
        flips_interval=share_interval(_sums(codes, np.abs(now - passed)), samples),
        p=Statistic(value=sign_test(up, down)),
    )


def _sums(codes: Ints, values: Floats) -> Floats:
    return np.bincount(codes, values).astype(np.float64)


def _teaching(old: Floats, new: Floats, items: Items) -> Teaching:
    none = Statistic(undefined="no group has two samples with both scores")
    before, after = (by_item(scores, items) if len(scores) else None for scores in (old, new))
    if before is None or after is None or not (before.sizes > 1).any():
        return Teaching(
            groups=0, old=none, new=none, change=none, change_interval=None,
            now_equal=0, now_different=0,
        )  # fmt: skip
    grouped = (before.sizes > 1).astype(float)
    was, is_now = (grouped * (one.highs - one.lows <= TOLERANCE) for one in (before, after))
    groups = float(grouped.sum())
    return Teaching(
        groups=int(groups),
        old=Statistic(value=float(was.sum() / groups)),
        new=Statistic(value=float(is_now.sum() / groups)),
        change=Statistic(value=float((is_now - was).sum() / groups)),
        change_interval=ratio_interval(is_now - was, grouped),
        now_equal=int((is_now > was).sum()),
        now_different=int((was > is_now).sum()),
    )
