"""What a comparison says in words: whom to use, whom not to, and why.

Whoever agrees most with people is recommended, unless it is dead as a reward: then the next one
is. Beside it stand the cheaper one that is about as good, and the one that is harder to cheat,
because a reward that is trained against needs that more than a last point of agreement.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from graders.studies.choice.caveats import (
    CHANCE,
    NAMES,
    caveats,
    flat_share,
    is_dead,
    listed,
    says_nothing,
)
from graders.studies.choice.compare import Comparison, Standing
from graders.studies.choice.offers import Offers, Weakness
from graders.studies.choice.pareto import pareto
from graders.studies.statistics.differences import LEVEL, enough_resamples, least_holm
from graders.studies.statistics.resampled import Measure
from graders.studies.verdict import Verdict, number_within, percent, percent_within

_SILENT: Final = 0.5  # of items, without a gradient: nothing to recommend
_CLOSE: Final = 0.01  # of agreement
_CHEAP: Final = 1 / 3
_WEAK: Final = 0.25  # of rows, on which an attack wins
_SAFER: Final = 0.5  # times the best one's
_KEEPS: Final = 2 / 3  # of the best one's distance from chance
_LONG: Final = 0.3
_FEW_ROWS: Final = 30  # of fewer, a rank correlation of .3 is no rare chance


def advise(found: Comparison, offers: Offers) -> list[Verdict]:
    """Every finding in words, what to use first."""
    return [*_findings(found, offers)]


def _findings(found: Comparison, offers: Offers) -> Iterator[Verdict]:
    best = found.best
    if best is None:
        reason = found.standings[0].of(found.by).undefined
        yield Verdict(
            code="no-agreement",
            tone="bad",
            text=f"Nothing can be recommended: {NAMES[found.by]} does not exist, for {reason}.",
        )
    elif (use := _first_alive(found)) is None or says_nothing(use, found.by):
        yield _none(found, best)
    else:
        yield _recommended(found, use)
        yield from _within_items(use)
        yield from _cheaper(found, use, offers)
        yield from _gameable(found, use, offers)
        yield from _length(use)
    yield from caveats(found)


def recommended(found: Comparison) -> Standing | None:
    """The one to use: of those that are not dead it agrees most, and that is not by chance.

    On one item nothing says that it is not.
    """
    first = _first_alive(found)
    if first is None or says_nothing(first, found.by) or first.intervals[found.by] is None:
        return None
    return first


def _first_alive(found: Comparison) -> Standing | None:
    known = (one for one in found.standings if one.of(found.by).value is not None)
    return next((one for one in known if not is_dead(one)), None)


def _none(found: Comparison, best: Standing) -> Verdict:
    """Why there is nothing to use, though one agrees most."""
    said, chance = f"{best.name} agrees most, {_shown(best, found.by)}", "no better than chance"
    if by_chance := says_nothing(best, found.by):
        text = f"Use none of these: {said}, and on these rows that is {chance}."
    else:
        first = _first_alive(found)
        others = "no other is alive"
        if first is not None:
            others = f"{first.name} is next, and {chance}: {_shown(first, found.by)}"
        text = f"Use none of these as a reward: {said}, but is dead as one; {others}."
    return Verdict(
        code="best-by-chance" if by_chance else "best-dead",
        tone="bad",
        text=text,
        value=best.of(found.by).value,
        interval=best.intervals[found.by],
    )


def _shown(one: Standing, by: Measure) -> str:
    value = one.of(by).value
    assert value is not None, "it was compared by it"
    return f"{NAMES[by]} {number_within(value, one.intervals[by])}"


def _recommended(found: Comparison, use: Standing) -> Verdict:
    if use.intervals[found.by] is None:
        return Verdict(
            code="recommendation",
            tone="warning",
            text=f"Nothing can be recommended on one item: {use.name} agrees most there, "
            f"{_shown(use, found.by)}.",
            value=use.of(found.by).value,
        )
    return Verdict(
        code="recommendation",
        tone="good",
        text=f"Use {use.name}: {_shown(use, found.by)}; {_beside(found, use)}.",
        value=use.of(found.by).value,
        interval=use.intervals[found.by],
    )


def _beside(found: Comparison, use: Standing) -> str:
    """What is said of the others: those that agree more, or as much and come first, are dead."""
    dead = found.standings[: found.standings.index(use)]
    if dead:
        level = [one.name for one in dead if not _away(use, found.by, one.of(found.by).value)]
        more = [one.name for one in dead if one.name not in level]
        said = [
            f"{listed(names)} agree{'s' if len(names) == 1 else ''} {much}"
            for names, much in ((more, "more"), (level, "as much"))
            if names
        ]
        what = "is dead as a reward" if len(dead) == 1 else "are dead as rewards"
        return f"{' and '.join(said)}, but {what}"
    compared = [one for one in found.standings[1:] if one.of(found.by).value is not None]
    return f"no other is better{_tested(found, compared)}" if compared else "nothing is beside it"


def _within_items(use: Standing) -> Iterator[Verdict]:
    """Whether it may not tell the samples of an item apart, where enough items have several."""
    value, within = use.agreement.pairwise_accuracy.value, use.intervals["pairwise_accuracy"]
    if flat_share(use) is None or value is None or within is None:
        return
    if within.low <= CHANCE["pairwise_accuracy"]:
        yield Verdict(
            code="chance-within-items",
            tone="warning",
            text=f"Within items {use.name} is no better than chance, as far as these rows tell: "
            f"{NAMES['pairwise_accuracy']} {number_within(value, within)}. A method that compares "
            "the samples of an item may learn nothing from it.",
            value=value,
            interval=within,
        )


def _tested(found: Comparison, others: Sequence[Standing]) -> str:
    """What Holm's test says of those that are not the best, at least one."""
    least = least_holm([one.behind[found.by] for one in others])
    if least is None:
        return ", but there is no test of that"
    if least >= LEVEL:
        return (
            f", but {found.resamples:,} resamples are too few to test {len(others)} against it: "
            f"Holm's p cannot be below {least:.3f}. {enough_resamples(len(others)):,} would do"
        )
    level = [one.name for one in others if not _behind(one, found.by)]
    if not level:
        behind = "the other" if len(others) == 1 else f"each of the {len(others)}"
        return f": {behind} is behind, Holm included"
    if len(level) < len(others):
        return f", and after Holm {listed(level)} may be as good"
    if len(others) == 1:
        return ", but Holm's test does not tell the other apart from it"
    return f", but Holm's test tells none of the {len(others)} others apart from it"


def _behind(one: Standing, by: Measure) -> bool:
    p = one.behind[by].p_holm
    return p is not None and p < LEVEL


def _cheaper(found: Comparison, best: Standing, offers: Offers) -> Iterator[Verdict]:
    """The cheapest of those that are about as good, if it is much cheaper."""
    top, cost = best.of(found.by).value, offers.costs.get(best.name)
    near = [
        one
        for one in found.standings
        if one.name in offers.costs and _away(one, found.by, top) <= _CLOSE and not is_dead(one)
    ]
    cheapest = min(near, key=lambda one: offers.costs[one.name], default=best)
    if not cost or offers.costs.get(cheapest.name, cost) > _CHEAP * cost:
        return
    share = offers.costs[cheapest.name] / cost
    yield Verdict(
        code="cheaper",
        tone="note",
        text=f"{cheapest.name} costs {percent(share)} of {best.name} and is within "
        f"{_CLOSE:g} of it: {_shown(cheapest, found.by)}.",
        value=share,
    )


def _away(one: Standing, by: Measure, top: float | None) -> float:
    value = one.of(by).value
    return float("inf") if value is None or top is None else top - value


def _gameable(found: Comparison, best: Standing, offers: Offers) -> Iterator[Verdict]:
    """How easily the best is cheated, and who is harder to cheat."""
    weak = offers.weaknesses.get(best.name)
    if weak is None:
        yield Verdict(
            code="not-probed",
            tone="note",
            text=f"How gameable {best.name} is, was not tried: probe it before you train on it.",
        )
        return
    shown = percent_within(weak.share, weak.interval)
    most = f", {weak.attack} on {percent(weak.attack_share)}" if weak.attack else ""
    finds = ": a model that is trained on it finds that" if weak.share > _WEAK else ""
    yield Verdict(
        code="gameable",
        tone="bad" if weak.share > _WEAK else "note",
        text=f"{best.name} falls for some attack on {shown} of {_rows(weak)}{most}{finds}."
        if weak.share
        else f"No attack that was tried wins on {best.name}, on {_rows(weak)}.",
        value=weak.share,
        interval=weak.interval,
    )
    if weak.share > _WEAK:
        yield from _safer(found, best, offers, weak.share)


def _rows(weak: Weakness) -> str:
    return f"{weak.rows:,} row{'' if weak.rows == 1 else 's'}"


def _safer(found: Comparison, best: Standing, offers: Offers, share: float) -> Iterator[Verdict]:
    """The one that agrees most of those that attacks win on half as often at most."""
    efficient = pareto(offers.points(found))
    for one in found.standings:
        own = offers.weaknesses.get(one.name)
        if own is None or own.share > _SAFER * share or one.name not in efficient:
            continue
        if flat_share(one, _SILENT) is not None or _strength(one, found.by) < _KEEPS * _strength(
            best, found.by
        ):
            continue
        yield Verdict(
            code="safer",
            tone="note",
            text=f"To train on, {one.name} is harder to cheat: attacks win on {percent(own.share)} "
            f"of {_rows(own)}. It has {_shown(one, found.by)}.",
            value=own.share,
            interval=own.interval,
        )
        return
    yield Verdict(
        code="none-safer",
        tone="warning",
        text="None that agrees about as well is cheated half as often: put more than one thing "
        "into the reward.",
        value=share,
    )


def _strength(one: Standing, by: Measure) -> float:
    """How far its agreement is from chance; below 0 where it has none."""
    value = one.of(by).value
    return -1.0 if value is None else value - CHANCE.get(by, 0.0)


def _length(best: Standing) -> Iterator[Verdict]:
    bias = best.length.beyond_labels.value
    if bias is not None and abs(bias) >= _LONG and best.length.rows >= _FEW_ROWS:
        kind = "longer" if bias > 0 else "shorter"
        yield Verdict(
            code="length",
            tone="warning",
            text=f"{best.name} likes {kind} outputs, whatever people say of them: its rank "
            f"correlation with length is {bias:.2f}, labels held constant.",
            value=bias,
        )
