"""What a comparison warns of in words, whoever is best."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from graders.studies.choice.compare import Comparison, Standing
from graders.studies.statistics.resampled import Measure
from graders.studies.verdict import Verdict, percent, percent_within

NAMES: Final[Mapping[Measure, str]] = {
    "auc": "AUC",
    "pairwise_accuracy": "pairwise accuracy",
    "pearson": "Pearson's r",
    "spearman": "Spearman's rho",
    "kendall": "Kendall's tau-b",
    "f1": "F1",
}
"""What measures are called."""

CHANCE: Final[Mapping[Measure, float]] = {
    "auc": 0.5,
    "pairwise_accuracy": 0.5,
    "pearson": 0.0,
    "spearman": 0.0,
    "kendall": 0.0,
}
"""What they are where scores say nothing."""
_DEAD: Final = 0.9  # of items, without a gradient
_GROUPS: Final = 5  # items with several samples, below which nothing is said of them
_FEW_ITEMS: Final = 30
_LISTED: Final = 5


def caveats(found: Comparison) -> Iterator[Verdict]:
    """What is dead, what says nothing, what is left out, and how little it may rest on."""
    yield from _one_class(found)
    yield from _dead(found)
    yield from _chance(found)
    yield from _passing_all(found)
    yield from _left_out(found)
    yield from _few(found)


def flat_share(one: Standing, least: float = 0.0) -> float | None:
    """The share of items that it gives no gradient; None below some share, or of too few items."""
    share = one.signal.zero_variance.value
    return share if share is not None and share >= least and one.signal.groups >= _GROUPS else None


def is_dead(one: Standing) -> bool:
    """Whether it gives nearly no item a gradient."""
    return flat_share(one, _DEAD) is not None


def _one_class(found: Comparison) -> Iterator[Verdict]:
    labels = found.labels
    if found.best is not None and labels.good in {0, labels.rows}:
        said = "no row is good" if labels.good == 0 else "all rows are good"
        yield Verdict(
            code="one-class",
            tone="warning",
            text=f"From {labels.good_from:g} on {said}: there is no AUC, and F1 says nothing.",
            value=labels.good / labels.rows,
        )


def _dead(found: Comparison) -> Iterator[Verdict]:
    dead = [one for one in found.standings if is_dead(one)]
    if not dead:
        return
    first, share = dead[0].signal, dead[0].signal.zero_variance.value
    assert share is not None, "it is dead"
    within = first.zero_variance_interval
    if len(dead) == 1:
        said = f"{dead[0].name} is dead as a reward: {percent_within(share, within)} of items"
        text = f"{said} give every sample the same score."
    else:
        shares = [f"{one.name} on {percent(one.signal.zero_variance.value or 0)}" for one in dead]
        said = "Dead as rewards, for they give every sample of nearly all items the same score"
        text = f"{said}: {listed(shares)}."
    yield Verdict(
        code="dead",
        tone="bad",
        text=text,
        value=share if len(dead) == 1 else float(len(dead)),
        interval=within if len(dead) == 1 else None,
    )


def says_nothing(one: Standing, by: Measure) -> bool:
    """Whether its agreement may be chance; of F1, whether it is that of calling all good."""
    value, within = one.of(by).value, one.intervals[by]
    if value is None or by == "f1":
        return by == "f1" and one.passes_all
    return (value if within is None else within.low) <= CHANCE[by]


def _chance(found: Comparison) -> Iterator[Verdict]:
    named = [one.name for one in found.standings if says_nothing(one, found.by)]
    if named:
        yield Verdict(
            code="chance",
            tone="bad",
            text=f"No better than chance by {NAMES[found.by]}, as far as these rows tell: "
            f"{listed(named)}.",
            value=float(len(named)),
        )


def _passing_all(found: Comparison) -> Iterator[Verdict]:
    passing = [one for one in found.standings if one.passes_all]
    if passing and found.labels.good < found.labels.rows:
        lowest = {f"{_threshold(one):.3g}" for one in passing}
        said = lowest.pop() if len(lowest) == 1 else "each its lowest score"
        yield Verdict(
            code="threshold-passes-all",
            tone="warning",
            text=f"The best threshold lets everything pass ({said}): no threshold of "
            f"{listed([one.name for one in passing])} has a better F1 than calling all good.",
            value=float(len(passing)),
        )


def _threshold(one: Standing) -> float:
    threshold = one.agreement.threshold.value
    assert threshold is not None, "it lets everything pass"
    return threshold


def _left_out(found: Comparison) -> Iterator[Verdict]:
    for name in found.unscored:
        yield Verdict(
            code="no-score",
            tone="bad",
            text=f"{name} failed on every row and is not compared.",
            value=1.0,
        )
    left = found.rows - len(found.kept)
    if not left:
        return
    blamed = [
        f"{name} failed on {percent(failed / found.rows)}"
        for name, failed in sorted(found.failed.items(), key=lambda pair: -pair[1])
        if failed and name not in found.unscored
    ]
    yield Verdict(
        code="left-out",
        tone="warning",
        text=f"{left:,} of {found.rows:,} rows are left out, for not all have a score there: "
        f"{listed(blamed)}. A failure is no score.",
        value=left / found.rows,
    )


def _few(found: Comparison) -> Iterator[Verdict]:
    signal = found.standings[0].signal
    if signal.groups < _GROUPS:
        yield Verdict(
            code="single-samples",
            tone="note",
            text=f"{_several(signal.groups, found.labels.items)} several samples: what a method "
            "that compares the samples of an item would learn is not known.",
            value=signal.single / found.labels.items,
        )
    if found.labels.items < _FEW_ITEMS:
        items = found.labels.items
        yield Verdict(
            code="few-items",
            tone="warning",
            text="All this rests on one item, which says nothing of others: there are no intervals "
            "and no tests."
            if items == 1
            else f"All this rests on {items} items: intervals of fewer than {_FEW_ITEMS} are too "
            "narrow, and tests find little.",
            value=float(items),
        )


def _several(groups: int, items: int) -> str:
    """Who has several samples, with the verb.

    Example:
        >>> _several(0, 9), _several(1, 9), _several(2, 2)
        ('No item has', 'Only 1 of 9 items has', 'Only 2 items have')
    """
    if not groups:
        return "No item has"
    if groups == items:
        return "The only item has" if items == 1 else f"Only {items} items have"
    return f"Only {groups} of {items:,} items {'has' if groups == 1 else 'have'}"


def listed(names: Sequence[str]) -> str:
    """The first of some names, and how many more there are.

    Example:
        >>> listed(["a", "b", "c", "d", "e", "f", "g"])
        'a, b, c, d, e and 2 more'
    """
    shown = ", ".join(names[:_LISTED])
    return shown if len(names) <= _LISTED else f"{shown} and {len(names) - _LISTED} more"
