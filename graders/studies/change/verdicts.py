"""What a change of grader does, in words; `diff` has the numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from graders.studies.change.diff import Diff, Passing, Teaching
from graders.studies.statistics.drift import Drift
from graders.studies.statistics.statistic import Interval
from graders.studies.verdict import Tone, Verdict, number_within, percent, percent_within

_CHANCE: Final = 0.05
_ALIKE: Final = 0.95  # Spearman's rho
_KEPT: Final = 0.9  # of pairs
_MOST: Final = 0.5  # of samples


def verdicts(diff: Diff) -> tuple[Verdict, ...]:
    """Every finding: samples that newly fail, then the most general first."""
    return tuple(_verdicts(diff))


def _verdicts(diff: Diff) -> Iterator[Verdict]:
    yield from _new_failures(diff)
    if diff.drift is None:
        yield Verdict(code="no-pairs", tone="bad", text=_nothing(diff.samples), value=0.0)
    else:
        yield from _moved(diff, diff.drift)
        yield from _flips(diff.passing)
        yield from _teaching(diff.teaching)
    yield from _other_failures(diff)


def file_verdicts(
    others: Sequence[str], compared: int, alone: int, mismatched: int
) -> Iterator[Verdict]:
    """What is to be known of two results files before what they say.

    Args:
        others: What speaks for results of different rows, in words.
        compared: Samples that are the same in both files.
        alone: Samples of one.
        mismatched: Places at which they have different samples.
    """
    if others:
        text = f"The files may be results of different rows: {'; '.join(others)}."
        yield Verdict(code="other-rows", tone="warning", text=text)
    left_out = alone + mismatched
    if left_out and compared:  # of none `verdicts` says that there is nothing to compare
        share = compared / (compared + left_out)
        reasons = ["in one file alone"] * bool(alone) + ["not the same in both"] * bool(mismatched)
        text = (
            f"Only {compared:,} of {_samples(compared + left_out)} can be compared: the others "
            f"are {' or '.join(reasons)}."
        )
        tone: Tone = "warning" if share >= _MOST else "bad"
        yield Verdict(code="left-out", tone=tone, text=text, value=share)


def _nothing(samples: int) -> str:
    """Why there is nothing to compare."""
    if not samples:
        return "There is nothing to compare: no sample is the same in both files."
    none = "the only sample does not have" if samples == 1 else f"none of {samples:,} samples has"
    return f"There is nothing to compare: {none} a score on both sides."


def _moved(diff: Diff, found: Drift) -> Iterator[Verdict]:
    if not found.changed:
        kept = "the only sample" if diff.pairs == 1 else f"each of {diff.pairs:,} samples"
        text = f"No score changed: {kept} with both scores has the same."
        yield Verdict(code="changed", tone="good", text=text, value=0.0)
        return
    text = (
        f"{percent(found.changed)} of {_samples(diff.pairs)} "
        f"{'has' if diff.pairs == 1 else 'have'} another score; the farthest moved by "
        f"{found.farthest:.4g}."
    )
    yield Verdict(code="changed", tone="note", text=text, value=found.changed)
    within = found.mean_change_interval
    way = "rises" if found.mean_change > 0 else "falls" if found.mean_change < 0 else "stays"
    yield Verdict(
        code="mean-change",
        tone="note",
        text=f"The mean score {way}: {_signed(found.mean_change, within)}{_chance(within)}.",
        value=found.mean_change,
        interval=within,
    )
    yield _order(found)
    yield _order_within(found)


def _order(found: Drift) -> Verdict:
    rho, tau = found.spearman.value, found.kendall.value
    if rho is None or tau is None:
        text = f"The order of all samples cannot be compared: {found.spearman.undefined}."
        return Verdict(code="order", tone="warning", text=text)
    alike = rho >= _ALIKE
    text = (
        f"The order of all samples {'stays' if alike else 'changes'}: Spearman {rho:.3f}, "
        f"Kendall {tau:.3f}."
    )
    return Verdict(code="order", tone="good" if alike else "warning", text=text, value=rho)


def _order_within(found: Drift) -> Verdict:
    """What a trainer sees that compares the samples of one group."""
    kept, within = found.pairs_kept.value, found.pairs_kept_interval
    if kept is None:
        text = f"Whether groups keep their order is not known: {found.pairs_kept.undefined}."
        return Verdict(code="group-order", tone="note", text=text)
    tone: Tone = "good" if kept >= _KEPT else "warning"
    what = "stays" if kept >= _KEPT else "changes"
    if 2 * found.pairs_turned > found.pairs:
        tone, what = "bad", "is turned round"
    text = (
        f"The order within groups {what}: {percent_within(kept, within)} of {found.pairs:,} "
        f"pair{'' if found.pairs == 1 else 's'} of samples kept, {found.pairs_turned:,} turned "
        f"round, {found.pairs_tied:,} tied."
    )
    return Verdict(code="group-order", tone=tone, text=text, value=kept, interval=within)


def _flips(found: Passing) -> Iterator[Verdict]:
    if found.flips.value is None or found.p.value is None:
        text = f"Flips are not known: {found.flips.undefined}; --pass-threshold gives one."
        yield Verdict(code="flips", tone="note", text=text)
        return
    if not found.flips.value:
        text = f"No sample crosses the threshold; {percent(found.new.value or 0.0)} pass."
        yield Verdict(code="flips", tone="good", text=text, value=0.0)
        return
    p, change = found.p.value, found.change_interval
    # The test takes samples for independent, and those of a group may flip together.
    chance = p >= _CHANCE or change is None or change.low <= 0 <= change.high
    way = "the direction may be chance" if chance else "the direction is not chance"
    yield Verdict(
        code="flips",
        tone="warning",
        text=(
            f"{percent_within(found.flips.value, found.flips_interval)} of samples cross the "
            f"threshold: {found.now_passing:,} now pass, {found.now_failing:,} now fail it; {way} "
            f"(sign test, p = {p:.2g})."
        ),
        value=found.flips.value,
        interval=found.flips_interval,
    )


def _teaching(found: Teaching) -> Iterator[Verdict]:
    old, new, change = found.old.value, found.new.value, found.change.value
    if old is None or new is None or change is None:
        text = f"Whether more or fewer groups teach is not known: {found.old.undefined}."
        yield Verdict(code="zero-variance", tone="note", text=text)
        return
    if not found.now_equal and not found.now_different:
        same = f"the same {percent(old)} of {found.groups:,} groups have"
        if not old or found.groups == 1:
            same = "the only group has" if old else "no group has"
        text = f"As many groups teach as before: {same} one score for all samples."
        yield Verdict(code="zero-variance", tone="good", text=text, value=0.0)
        return
    what = "Fewer groups teach" if change > 0 else "More groups teach"
    if not change:
        what = "As many groups teach as before, but others"
    tone: Tone = "warning" if change > 0 else "good" if change < 0 else "note"
    yield Verdict(
        code="zero-variance",
        tone=tone,
        text=(
            f"{what}: {percent(old)} of {found.groups:,} groups had one score for all "
            f"samples, now {percent(new)} "
            f"(change {_signed(change, found.change_interval)}{_chance(found.change_interval)})."
        ),
        value=change,
        interval=found.change_interval,
    )


def _new_failures(diff: Diff) -> Iterator[Verdict]:
    if new := diff.failed("new"):
        text = f"{_samples(new)} newly {'fails' if new == 1 else 'fail'}: no reward at all."
        yield Verdict(code="new-failures", tone="bad", text=text, value=float(new))


def _other_failures(diff: Diff) -> Iterator[Verdict]:
    if mended := diff.failed("mended"):
        text = f"{_samples(mended)} that failed {'has' if mended == 1 else 'have'} a score."
        yield Verdict(code="mended-failures", tone="good", text=text, value=float(mended))
    if both := diff.failed("both"):
        text = f"{_samples(both)} {'fails' if both == 1 else 'fail'} as before."
        yield Verdict(code="still-failing", tone="note", text=text, value=float(both))


def _samples(number: int) -> str:
    return f"{number:,} sample{'' if number == 1 else 's'}"


def _signed(value: float, within: Interval | None) -> str:
    return ("+" if value > 0 else "") + number_within(value, within, 3)


def _chance(within: Interval | None) -> str:
    """What an interval says of a change, in words."""
    if within is None:
        return ""
    return ", which may be chance" if within.low <= 0 <= within.high else ""
