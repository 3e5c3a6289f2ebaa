"""A reward made of several: `calculate_output` weights fitted to what people said.

`weights` says how they are fitted. The whole procedure, dropping and rounding too, is done anew on
each fold of items, for samples of one item are alike; so what the cross-validated scores say is
said of all of it, and they are held against the best member by itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from graders.studies.choice.weights import (
    WHOLE,
    FitError,
    Fold,
    Spans,
    combined,
    cross_validated,
    hundredths_of,
    reward,
    spans_of,
)
from graders.studies.statistics.agreement import Agreement, agreement, best_threshold
from graders.studies.statistics.bootstrap import bootstrap, interval
from graders.studies.statistics.correlation import pearson
from graders.studies.statistics.differences import two_sided_p
from graders.studies.statistics.resampled import Measure, prepare
from graders.studies.statistics.short import short_threshold
from graders.studies.statistics.statistic import (
    Bools,
    Floats,
    Interval,
    Ints,
    Items,
    Statistic,
    columns,
    item_codes,
)

MEASURED: Final[tuple[Measure, ...]] = ("auc", "pairwise_accuracy", "spearman")


@dataclass(frozen=True, slots=True, kw_only=True)
class Weight:
    """A member's part in the reward.

    Attributes:
        name: The member's.
        share: Its weight in [0, 1], in hundredths; all sum to 1. 0 of one that was dropped.
        scale: What its score is divided by, so that it is at most 1: 1 of a metric.
        low: The least share that any fold gave it.
        high: The greatest.
        why: Why it was dropped; empty where it was not.
    """

    name: str
    share: float
    scale: float
    low: float
    high: float
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gain:
    """The fitted reward on items that it was not fitted to, against the best member by itself.

    The best member is chosen on all rows, which favours it a little.

    Attributes:
        measure: What is compared.
        fitted: Of the fitted reward, cross-validated.
        best: The best member by this measure; None where there is no such number.
        alone: Of that member.
        value: The first minus the second.
        interval: Of it, items resampled; weights are not fitted again in each.
        p: Of "no difference", two-sided; None where there is no interval.
    """

    measure: Measure
    fitted: Statistic
    best: str | None
    alone: Statistic
    value: Statistic
    interval: Interval | None = None
    p: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """A fitted reward.

    Attributes:
        rows: Rows it was fitted to.
        items: Items that they are of.
        folds: Parts of items, each of which was left out once.
        weights: Of all members given, the greatest first.
        clamped: Whether the reward is held to [0, 1], because a member can leave it.
        by: The measure that decides whether it is worth it: AUC of two labels, else Spearman's.
        gains: By each measure.
        good_from: A label from here on is good.
        threshold: From which reward on to call a sample good for the best F1; in as few digits as
            part the same rows.
        f1: F1 there, chosen and measured on the same rows, so a little too high.
        unseen_f1: F1 on items left out, cross-validated: of each fold at the threshold that the
            items of the others choose, with the weights fitted to them.
    """

    rows: int
    items: int
    folds: int
    weights: tuple[Weight, ...]
    clamped: bool
    by: Measure
    gains: tuple[Gain, ...]
    good_from: float
    threshold: Statistic
    f1: Statistic
    unseen_f1: Statistic

    @property
    def kept(self) -> tuple[Weight, ...]:
        """The members of the reward."""
        return tuple(one for one in self.weights if one.share)

    @property
    def gain(self) -> Gain:
        """That by the measure that decides."""
        return next(one for one in self.gains if one.measure == self.by)

    def formula(self, keys: Mapping[str, str] | None = None) -> str:
        """The `calculate_output`.

        Args:
            keys: What members are called in it; None is their names.
        """
        names = keys or {}
        summed = " + ".join(_term(one, names.get(one.name, one.name)) for one in self.kept)
        return f"min(1, max(0, {summed}))" if self.clamped else summed

    def predict(self, scores: Mapping[str, ArrayLike]) -> Floats:
        """The rewards that the formula gives; float by float in its order.

        Args:
            scores: By member, one score a row; more members than are kept may be there.

        Raises:
            ValueError: Columns are empty, of different length, or not finite.
        """
        taken = columns(**{one.name: scores[one.name] for one in self.kept})
        shares = [one.share for one in self.kept]
        return combined(taken, shares, [one.scale for one in self.kept], clamped=self.clamped)


def _term(weight: Weight, name: str) -> str:
    """A member in the formula.

    Example:
        >>> _term(Weight(name="judge", share=0.31, scale=10, low=0.3, high=0.4), "judge")
        '0.31 * judge / 10'
    """
    times = "" if weight.share == 1 else f"{weight.share:g} * "
    return f"{times}{name}" + ("" if weight.scale == 1 else f" / {weight.scale:g}")


@dataclass(frozen=True, slots=True, kw_only=True)
class FitOptions:
    """How a reward is fitted and measured.

    Attributes:
        good_from: A label from here on is good.
        folds: Parts of items, each left out once; at most as many as there are items.
        resamples: For intervals, at least 1.
        seed: The same seed gives the same intervals; weights go by no chance.
    """

    good_from: float = 0.5
    folds: int = 5
    resamples: int = 1_000
    seed: int = 0


def fit(
    scores: Mapping[str, ArrayLike],
    labels: ArrayLike,
    items: Items,
    options: FitOptions | None = None,
) -> Fit:
    """Fit a reward of several members to labels, and say whether it is worth it.

    Args:
        scores: By member, one score a row, finite.
        labels: What a person said of the row, on any scale; the higher the better.
        items: Which item the row is a sample of.
        options: How to fit and to measure.

    Raises:
        FitError: scikit-learn is not installed, or these rows have nothing to fit to.
        ValueError: Columns are empty, of different length, or not finite.
    """
    options = options or FitOptions()
    if not scores:
        raise FitError("there is no member to make a reward of")
    y, *taken = columns(**{"the labels": labels, **scores})
    codes = item_codes(items, len(y))
    number = int(codes.max()) + 1
    if number < 2:
        raise FitError("all rows are of one item, and nothing would be left to test a fit on")
    if y.min() == y.max():
        raise FitError(f"labels do not vary: all {len(y):,} are {y[0]:g}")
    x = np.stack(taken, axis=1)
    spans = spans_of(x)
    whole = hundredths_of(x / spans.scales, y)
    if whole is None:
        raise FitError("no member rises with the labels, so there is no reward to make of them")
    folds, unseen = cross_validated(x, y, codes, spans, min(options.folds, number))
    rewards, good = reward(x, whole, spans), y >= options.good_from
    threshold, f1 = best_threshold(rewards, good)
    members = dict(zip(scores, taken, strict=True))
    return Fit(
        rows=len(y),
        items=number,
        folds=len(folds),
        weights=_described(members, y, whole, [fold.hundredths for fold in folds], spans),
        clamped=spans.clamp(whole),
        by="auc" if len(np.unique(y)) <= 2 else "spearman",
        gains=_gains(members, unseen, y, codes, options),
        good_from=options.good_from,
        threshold=_readable(threshold, rewards),
        f1=f1,
        unseen_f1=f1 if f1.value is None else _unseen_f1(x, good, folds, spans),
    )


def _unseen_f1(x: Floats, good: Bools, folds: Sequence[Fold], spans: Spans) -> Statistic:
    """F1 on items left out, where some row is good."""
    passed = np.zeros_like(good)
    for fold in folds:
        rewards = reward(x, fold.hundredths, spans)
        seen = np.delete(rewards, fold.left_out)
        threshold, _ = best_threshold(seen, np.delete(good, fold.left_out))
        least = _readable(threshold, seen).value
        if least is not None:  # where all good rows are left out, none is known to pass
            passed[fold.left_out] = rewards[fold.left_out] >= least
    return Statistic(value=2 * float((passed & good).sum() / (passed.sum() + good.sum())))


def _described(
    members: Mapping[str, Floats], y: Floats, whole: Ints, parts: Sequence[Ints], spans: Spans
) -> tuple[Weight, ...]:
    over_folds = np.stack(parts)
    described = [
        Weight(
            name=name,
            share=int(whole[i]) / WHOLE,
            scale=float(spans.scales[i]),
            low=int(over_folds[:, i].min()) / WHOLE,
            high=int(over_folds[:, i].max()) / WHOLE,
            why="" if whole[i] else _why(column, y),
        )
        for i, (name, column) in enumerate(members.items())
    ]
    return tuple(sorted(described, key=lambda one: -one.share))


def _why(column: Floats, y: Floats) -> str:
    r = pearson(column, y).value
    if r is None:
        return "does not vary"
    return "falls as labels rise" if r <= 0 else "adds little to the others"


def _gains(
    members: Mapping[str, Floats], unseen: Floats, y: Floats, codes: Ints, options: FitOptions
) -> tuple[Gain, ...]:
    def measured(column: Floats) -> Agreement:
        return agreement(column, y, codes, good_from=options.good_from)

    fitted = measured(unseen)
    alone = {name: measured(column) for name, column in members.items()}
    best = {one: _best(one, alone) for one in MEASURED}
    compared = {"": unseen} | {f"={name}": members[name] for name in best.values() if name}
    prepared = prepare(compared, y, codes, good_from=options.good_from)
    drawn = bootstrap(prepared, resamples=options.resamples, seed=options.seed)
    gains = []
    for one, name in best.items():
        here: Statistic = getattr(fitted, one)
        there: Statistic = getattr(alone[name], one) if name else here
        if name is None or here.value is None or there.value is None:
            gains.append(Gain(measure=one, fitted=here, best=name, alone=there, value=here))
            continue
        differences = drawn.of(one, "") - drawn.of(one, f"={name}")
        gains.append(
            Gain(
                measure=one,
                fitted=here,
                best=name,
                alone=there,
                value=Statistic(value=here.value - there.value),
                interval=interval(differences),
                p=two_sided_p(differences),
            )
        )
    return tuple(gains)


def _best(measure: Measure, alone: Mapping[str, Agreement]) -> str | None:
    values = ((name, getattr(one, measure).value) for name, one in alone.items())
    known = {name: value for name, value in values if value is not None}
    return max(known, key=known.__getitem__) if known else None


def _readable(threshold: Statistic, rewards: Floats) -> Statistic:
    """The shortest number that lets the same rewards pass."""
    if threshold.value is None:
        return threshold
    return Statistic(value=short_threshold(threshold.value, rewards))
