"""What a study of rewards found, in sentences: whether samples of items differ."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from graders.studies.statistics.short import exactly, short_threshold, threshold_within
from graders.studies.statistics.signal import GroupSignal
from graders.studies.teach.causes import CAUSES
from graders.studies.teach.limits import FEW, sorted_verdicts, tone_of, unknown
from graders.studies.teach.teaching import Study
from graders.studies.verdict import Tone, Verdict, percent, percent_within

_LOW_WITHIN: Final = 0.1


def verdicts_of(study: Study) -> tuple[Verdict, ...]:
    """Every finding of a study; see `sorted_verdicts`."""
    found = list(_failures(study))
    if study.undefined is not None:
        found.append(unknown("rewards", "Nothing can be said of rewards", study.undefined))
    for about in (_signal, _passing, _threshold, _rewards, *CAUSES):
        found += about(study)
    return sorted_verdicts(found)


def _failures(study: Study) -> Iterator[Verdict]:
    every, *kinds = study.failures or (None,)
    if every is None or not kinds:
        return
    named = f"{'most' if len(kinds) > 1 else 'all'} of them {kinds[0].kind}"
    yield Verdict(
        code="failures",
        tone=tone_of("failures", every.share, "note"),
        text=f"{percent_within(every.share, every.interval)} of samples failed, {named}.",
        value=every.share,
        interval=every.interval,
    )


def _signal(study: Study) -> Iterator[Verdict]:
    signal = study.signal
    if signal is None:
        return
    share = signal.zero_variance
    if share.value is None:
        what = "Whether samples of an item differ cannot be said"
        yield unknown("zero-variance", what, share.undefined or "")
        return
    yield Verdict(
        code="zero-variance",
        tone="note" if signal.single > signal.groups else tone_of("zero-variance", share.value),
        text=_flat(signal, share.value),
        value=share.value,
        interval=signal.zero_variance_interval,
    )
    if not _is_one_reward(study):
        yield from _ends_of_groups(signal)
    if share.value < 1:
        yield from _spread(signal)
    yield from _few(signal)


def _flat(signal: GroupSignal, share: float) -> str:
    """How many items' samples do not differ, and what is left."""
    several = " with several samples" if signal.single else ""
    within = percent_within(share, signal.zero_variance_interval)
    text = f"{within} of items{several} give every sample the same reward: they teach nothing."
    if not share:
        text = f"Samples of every item{several} differ in reward: there is something to learn "
        text += f"from {'these' if several else 'each'}."
    elif batch := signal.effective_batch.value:
        text += f" What is left to learn from, the effective batch, is {percent(batch)} of samples."
    return text


def _few(signal: GroupSignal) -> Iterator[Verdict]:
    """Of how few items all this is."""
    if signal.single:
        alone = percent(signal.single / (signal.single + signal.groups))
        text = f"{alone} of items have one sample, which there is none to compare with."
        yield Verdict(code="single", tone="note", text=text, value=signal.single)
    if signal.groups < FEW:
        items = "1 item has" if signal.groups == 1 else f"{signal.groups} items have"
        text = f"Only {items} several samples: shares of them are rough."
        yield Verdict(code="few-items", tone="note", text=text, value=signal.groups)


def _is_one_reward(study: Study) -> bool:
    """Whether each sample has it: it is the lowest, and no less the highest."""
    return study.distribution is not None and study.distribution.distinct == 1


def _ends_of_groups(signal: GroupSignal) -> Iterator[Verdict]:
    for code, which, statistic, meaning in (
        ("too-hard", "lowest", signal.all_low, "too hard, or the grader misses what is right"),
        ("too-easy", "highest", signal.all_high, "too easy, nothing is left to learn"),
    ):
        if share := statistic.value:
            text = f"In {percent(share)} of items all samples get the {which} reward: {meaning}."
            yield Verdict(code=code, tone=tone_of(code, share, "note"), text=text, value=share)


def _spread(signal: GroupSignal) -> Iterator[Verdict]:
    """How far samples differ, where those of some item do."""
    if ties := signal.tied_pairs.value:
        text = f"{percent(ties)} of pairs of an item's samples have equal rewards."
        yield Verdict(code="ties", tone=tone_of("ties", ties, "note"), text=text, value=ties)
    within = signal.within_share.value
    if within is not None and within < _LOW_WITHIN:
        text = (
            f"{percent(within)} of the variance of rewards is within items: they tell easy items "
            "from hard ones more than good samples from bad ones."
        )
        yield Verdict(code="within-share", tone="warning", text=text, value=within)


def _passing(study: Study) -> Iterator[Verdict]:
    known = [found for found in study.passing if found.value.value is not None]
    if not known:
        return
    # Of many samples an item only where most items have as many.
    first, last = known[0], [found for found in known if found.items >= found.left_out][-1]
    text = f"A sample passes in {percent_within(first.value.value or 0.0, first.interval)}"
    if last.k > 1:
        several = percent_within(last.value.value or 0.0, last.interval)
        text += f", at least one of {last.k} in {several} (pass@{last.k})"
    if failed := study.failed_to_pass:
        counts = "1 failure counts" if failed == 1 else f"{failed:,} failures count"
        text += f"; {counts} as not passed"
    yield Verdict(
        code="pass-at-k",
        tone="note" if last.value.value else "bad",
        text=f"{text}.",
        value=first.value.value,
        interval=first.interval,
    )


def _threshold(study: Study) -> Iterator[Verdict]:
    found, (low, high) = study.threshold, study.settings.failing
    if found is None:
        return
    band = f"{percent(low)} to {percent(high)}"
    fails, scored = study.failing_now, study.failing_scored
    if fails is not None and scored is not None and low <= scored <= high:
        tone: Tone = "good" if low <= fails <= high else "note"
        text = _kept_threshold(study, fails, scored)
        yield Verdict(code="threshold", tone=tone, text=f"{text}, within {band}.", value=fails)
        return
    value, within = found.threshold, percent_within(found.failing, found.failing_interval)
    if found.in_band:
        at = threshold_within(value, found.interval, study.scores)
        text = f"For {band} to fail, let samples pass from {at} on: {within} fail there"
    else:
        text = (
            f"No threshold lets {band} of samples fail, too many scores are equal: at "
            f"{exactly(short_threshold(value, study.scores))}, the nearest, {within} do"
        )
    if failed := len(study.samples) - len(study.scores):
        text += f", of those with a score, beside {failed:,} that failed"
    yield Verdict(
        code="threshold", tone="note", text=f"{text}.", value=value, interval=found.interval
    )


def _kept_threshold(study: Study, fails: float, scored: float) -> str:
    """How many do not pass the threshold that there is."""
    if not study.failed_to_pass:
        return f"{percent(fails)} of samples fail the threshold"
    return (
        f"{percent(fails)} of samples do not pass: {study.failed_to_pass:,} of them failed, and "
        f"{percent(scored)} of those with a score are below the threshold"
    )


def _rewards(study: Study) -> Iterator[Verdict]:
    found = study.distribution
    if found is None or _is_one_reward(study):
        return
    for end, share in (("highest", found.at_ceiling), ("lowest", found.at_floor)):
        tone = tone_of("saturation", share)
        if tone != "good":
            text = f"{percent(share)} of samples have the {end} reward that there is."
            yield Verdict(code="saturation", tone=tone, text=text, value=share)
