"""What rewards go with, in sentences: length, form, members, chance, and what people say."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final

from graders.studies.statistics.statistic import Interval
from graders.studies.teach.lengthwise import Lengthwise
from graders.studies.teach.limits import FEW, quoted, tone_of, unknown
from graders.studies.teach.memberwise import MemberStudy
from graders.studies.teach.noise import Noise
from graders.studies.teach.teaching import Study
from graders.studies.teach.traits import TRAITS, Explained
from graders.studies.verdict import Verdict, number_within, percent, percent_within

_SHOWN: Final = 3  # members, and pairs of them
_NEARLY_ALL: Final = 0.995


def _lengths(study: Study) -> Iterator[Verdict]:
    if study.length is None:
        if study.undefined is None:
            yield unknown("length", "Nothing can be said of length", "no output has a text")
        return
    yield _with_length(study.length)
    share = study.length.explained.share
    if share.value is not None:
        text = f"Length explains {_explained(study.length.explained)}."
        yield Verdict(
            code="length-share",
            tone=tone_of("length-share", share.value, "note"),
            text=text,
            value=share.value,
            interval=study.length.explained.interval,
        )


def _with_length(length: Lengthwise) -> Verdict:
    rho, wins = length.bias.with_length, length.bias.longer_wins
    if rho.value is None:
        return unknown(
            "length", "Whether rewards go with length cannot be said", rho.undefined or ""
        )
    shown = number_within(rho.value, length.with_length)
    text = f"{_way(rho.value, length.with_length)}: Spearman {shown}"
    if wins.value is not None:
        within = percent_within(wins.value, length.longer_wins)
        text += f"; the longer of two samples of an item wins in {within}"
    worst = max(abs(rho.value), abs(2 * (wins.value if wins.value is not None else 0.5) - 1))
    tone = tone_of("length", worst, "note") if length.bias.rows >= FEW else "note"
    return Verdict(
        code="length", tone=tone, text=f"{text}.", value=rho.value, interval=length.with_length
    )


def _way(rho: float, within: Interval | None) -> str:
    """What rewards do with length, as far as an interval lets it be said."""
    if within is not None and within.low <= 0 <= within.high:
        return "Whether rewards rise or fall with length is not sure"
    if not rho:
        return "Rewards neither rise nor fall with length"
    return f"Rewards {'rise' if rho > 0 else 'fall'} with length"


def _explained(found: Explained) -> str:
    """A share of what a trainer sees; it may be below 0, where nothing is explained."""
    share, within = found.share.value or 0.0, found.interval
    if within is not None:
        within = replace(within, low=max(0.0, within.low), high=max(0.0, within.high))
    shown = percent_within(share, within) if share > 0 else "none"
    return f"{shown} of the differences in reward within items"


def _form(study: Study) -> Iterator[Verdict]:
    form = study.form
    if form is None:
        return
    if form.share.value is None:
        what = "Whether form explains rewards cannot be said"
        yield unknown("form", what, form.share.undefined or "")
        return
    text = f"The form of texts explains {_explained(form)}"
    if form.share.value > 0:
        text += f". {strongest(form)}"
    yield Verdict(
        code="form",
        tone=tone_of("form", form.share.value, "note"),
        text=f"{text}.",
        value=form.share.value,
        interval=form.interval,
    )


def strongest(form: Explained, most: int = 2) -> str:
    """The strongest traits in words, with what they add to a reward."""
    first, *more = [
        (TRAITS[trait.name][0], f"{trait.slope.value or 0.0:+.2g}") for trait in form.traits[:most]
    ]
    said = [f"A text that {first[0]} gets {first[1]}"]
    return ", ".join([*said, *(f"one that {what} {slope}" for what, slope in more)])


def _members(study: Study) -> Iterator[Verdict]:
    if study.members is None:
        return
    found = study.members
    for name, score in list(found.dead.items())[:_SHOWN]:
        text = f"Member {quoted(name)} gives every sample {score:.4g}: it tells nothing apart."
        yield Verdict(code="dead-member", tone="warning", text=text, value=score)
    if (more := len(found.dead) - _SHOWN) > 0:
        give = "member gives" if more == 1 else "members give"
        text = f"{more:,} more {give} every sample one score."
        yield Verdict(code="dead-members", tone="warning", text=text, value=more)
    yield from _same(found)
    yield from _decides(found)


def _same(found: MemberStudy) -> Iterator[Verdict]:
    known = [(names, r.value) for names, r in found.within.correlations.items() if r.value]
    close = [one for one in known if tone_of("same-members", abs(one[1])) != "good"]
    close.sort(key=lambda one: -abs(one[1]))
    for (one, other), r in close[:_SHOWN]:
        text = (
            f"Members {quoted(one)} and {quoted(other)} say nearly the "
            f"{'same' if r > 0 else 'opposite'}: their correlation within items is {r:.2f}."
        )
        yield Verdict(code="same-members", tone="warning", text=text, value=r)
    if (more := len(close) - _SHOWN) > 0:
        text = f"{more:,} more {'pair of members does' if more == 1 else 'pairs of members do'}."
        yield Verdict(code="more-same-members", tone="warning", text=text, value=more)


def _decides(found: MemberStudy) -> Iterator[Verdict]:
    within = found.within
    explained = within.explained.value
    if explained is None or len(within.members) < 2:
        return
    if within.decides is None:
        text = (
            "Which member decides cannot be said: a linear formula of members explains "
            f"{percent(explained)} of the differences within items."
        )
        yield Verdict(code="members-not-linear", tone="note", text=text, value=explained)
        return
    share = max(member.share.value or 0.0 for member in within.members)
    brings = f"{100 * share:.0f} %"  # more than all of it, where others pull the other way
    what = "the differences within items"
    if explained < _NEARLY_ALL:
        what = f"what a linear formula explains, {percent(explained)} of {what}"
    text = f"Member {quoted(within.decides)} decides most: it brings {brings} of {what}."
    tone = tone_of("member-decides", share, "note")
    yield Verdict(code="member-decides", tone=tone, text=text, value=share)


def _noise(study: Study) -> Iterator[Verdict]:
    for name, found in (study.noise or {}).items():
        yield _judge(f"of {quoted(name)}" if name else "of the judge", found)
    if study.again is not None and study.again.rows:
        yield _equal_outputs(study.again)


def _judge(whose: str, found: Noise) -> Verdict:
    single, mean = found.reliability.value, found.mean_reliability.value
    if single is None:
        why = found.reliability.undefined or ""
        return unknown("judge-noise", f"The reliability {whose} cannot be said", why)
    sd = found.sd.value or 0.0
    text = f"Single answers {whose} to one sample differ by {sd:.2g} (standard deviation)"
    text += f": the reliability of one is {single:.2f}"
    if mean is not None:
        text += f", that of the mean of {found.repeats.value:.3g} {mean:.2f}"
    tone = tone_of("judge-noise", 1 - single, "note")
    return Verdict(code="judge-noise", tone=tone, text=f"{text}.", value=single)


def _equal_outputs(found: Noise) -> Verdict:
    unstable = found.unstable.value or 0.0
    if not unstable:
        text = "Equal outputs of an item always got the same score."
        return Verdict(code="equal-outputs", tone="good", text=text, value=0.0)
    text = (
        f"In {percent(unstable)} of {found.rows:,} cases equal outputs of an item got different "
        f"scores, {found.widest.value or 0.0:.2g} apart at most."
    )
    tone = tone_of("equal-outputs", unstable, "note")
    return Verdict(code="equal-outputs", tone=tone, text=text, value=unstable)


def _human(study: Study) -> Iterator[Verdict]:
    if study.human is None:
        return
    found, intervals = study.human.found, study.human.intervals
    if found.auc.value is None:
        yield unknown("human", "Agreement with people cannot be said", found.auc.undefined or "")
        return
    text = "Held against what people say, scores have an AUC of "
    text += f"{number_within(found.auc.value, intervals['auc'])}, where 0.5 is chance"
    pairs = found.pairwise_accuracy.value
    if pairs is not None:
        within = percent_within(pairs, intervals["pairwise_accuracy"])
        text += f"; {within} of an item's pairs are in people's order"
    yield Verdict(
        code="human",
        tone=tone_of("human", 1 - found.auc.value),
        text=f"{text}.",
        value=found.auc.value,
        interval=intervals["auc"],
    )


CAUSES: Final[tuple[Callable[[Study], Iterator[Verdict]], ...]] = (
    _lengths,
    _form,
    _members,
    _noise,
    _human,
)
"""Each says what it found of a study."""
