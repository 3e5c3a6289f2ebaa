"""The same samples in two runs: drift, or the noise of one grader that ran twice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from graders.studies.statistics.drift import Drift, Thresholds, drift
from graders.studies.statistics.statistic import Ints
from graders.studies.teach.limits import sorted_verdicts, tone_of, unknown
from graders.studies.teach.noise import Noise, noise
from graders.studies.teach.samples import Samples, first_regrouped
from graders.studies.teach.teaching import pass_threshold
from graders.studies.teach.written import OtherRowsError
from graders.studies.verdict import Verdict, number_within, percent, shown_length


class Moved(NamedTuple):
    """A sample whose score moved."""

    row: int
    sample_index: int
    group: int | str
    old: float
    new: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Between:
    """Two runs of the same samples.

    Attributes:
        joined: Samples with a score in both; all below is about these.
        left_out: Samples of either run that have none in the other.
        now_failed: Samples with a score before, and a failure now.
        drift: What changed; None where no sample is in both.
        noise: Of the grader, where both runs are of one signature.
        worst: The samples that moved the farthest, farthest first.
    """

    joined: int
    left_out: int
    now_failed: int
    drift: Drift | None
    noise: Noise | None
    worst: tuple[Moved, ...]


def between(new: Samples, old: Samples, *, same_grader: bool) -> Between:
    """Compare two runs, sample by sample.

    Args:
        new: Of the later run.
        old: Of the earlier one.
        same_grader: Whether nothing that determines numbers changed.

    Raises:
        OtherRowsError: A text that was graded has another length in the earlier run, or is of an
            item that begins in another line.
    """
    after, before = _common(new, old)
    _refuse_others(new, old, after, before)
    both = new.graded[after] & old.graded[before]
    failed = int((old.graded[before] & ~new.graded[after]).sum())
    left_out = len(new) + len(old) - 2 * len(after)
    if not both.any():
        return Between(
            joined=0, left_out=left_out, now_failed=failed, drift=None, noise=None, worst=()
        )
    after, before = after[both], before[both]
    x, y = old.rewards[before], new.rewards[after]
    thresholds = [pass_threshold(old), pass_threshold(new)]
    known = [threshold for threshold in thresholds if threshold is not None]
    found = drift(
        x,
        y,
        new.items[after],
        thresholds=Thresholds(old=known[0], new=known[1]) if len(known) == 2 else None,
    )
    twice = None
    if same_grader:
        rows = np.tile(np.arange(len(x)), 2)
        twice = noise(np.concatenate([x, y]), rows, threshold=thresholds[1])
    return Between(
        joined=len(x),
        left_out=left_out,
        now_failed=failed,
        drift=found,
        noise=twice,
        worst=tuple(
            Moved(*_place(new, int(after[at])), float(x[at]), float(y[at])) for at in found.worst
        ),
    )


def _place(samples: Samples, at: int) -> tuple[int, int, int | str]:
    """The row of a sample, its place there, and its item."""
    item = samples.names[int(samples.items[at])]
    return int(samples.rows[at]), int(samples.indexes[at]), item


def _common(new: Samples, old: Samples) -> tuple[Ints, Ints]:
    """The places of samples that are in both, in the order of the new ones."""
    keys = zip(old.rows.tolist(), old.indexes.tolist(), strict=True)
    places = {key: place for place, key in enumerate(keys)}
    pairs = [
        (place, places.pop(key))
        for place, key in enumerate(zip(new.rows.tolist(), new.indexes.tolist(), strict=True))
        if key in places
    ]
    both = np.array(pairs, np.int64).reshape(-1, 2)
    return both[:, 0], both[:, 1]


def _refuse_others(new: Samples, old: Samples, after: Ints, before: Ints) -> None:
    lengths, then = new.output_chars[after], old.output_chars[before]
    other = np.flatnonzero((lengths != then) & ~(np.isnan(lengths) & np.isnan(then)))
    if len(other):
        at = other[0]
        raise OtherRowsError(
            f"{_sample(new, after[at])}: its output had "
            f"{shown_length(then[at])} and has {shown_length(lengths[at])} now. Name earlier "
            "results of the same rows"
        )
    groups, before_groups = new.groups_by_line, old.groups_by_line
    if groups is None or before_groups is None:
        return
    at = first_regrouped(before_groups[before], groups[after])
    if at is not None:
        raise OtherRowsError(
            f"{_sample(new, after[at])}: its item began in line {before_groups[before[at]]} and "
            f"begins in line {groups[after[at]]} now. Name earlier results of the same rows; if "
            "items of them were edited since, grade them again"
        )


def _sample(samples: Samples, at: int) -> str:
    return f"row {samples.rows[at]}, sample {samples.indexes[at]}"


def between_verdicts(found: Between) -> tuple[Verdict, ...]:
    """What became of the samples, in sentences, worst first."""
    if found.drift is None:
        return (unknown("drift", "Nothing can be said of drift", "no sample is in both runs"),)
    return sorted_verdicts([*_drifted(found.drift, found.now_failed), *_unstable(found.noise)])


def _drifted(found: Drift, now_failed: int) -> Iterator[Verdict]:
    if not found.changed:
        yield Verdict(code="drift", tone="good", text="No score changed.", value=0.0)
    else:
        mean = number_within(found.mean_change, found.mean_change_interval, 3)
        text = f"{percent(found.changed)} of scores changed; the mean moved by {mean}"
        if found.spearman.value is not None:
            text += f"; old and new scores have a Spearman of {found.spearman.value:.2f}"
        tone = tone_of("drift", found.changed, "note")
        yield Verdict(code="drift", tone=tone, text=f"{text}.", value=found.changed)
    if flips := found.flips.value:
        text = (
            f"{percent(flips)} of samples crossed the threshold: {found.now_passing:,} now pass, "
            f"{found.now_failing:,} now fail it (sign test, p = {found.flips_p.value:.2g})."
        )
        yield Verdict(code="flips", tone=tone_of("flips", flips, "note"), text=text, value=flips)
    if now_failed:
        which = "1 sample" if now_failed == 1 else f"{now_failed:,} samples"
        text = f"{which} that had a score failed now."
        yield Verdict(code="now-failed", tone="warning", text=text, value=now_failed)


def _unstable(found: Noise | None) -> Iterator[Verdict]:
    if found is None:
        return
    if not found.unstable.value:
        text = "The same grader gave the same scores twice."
        yield Verdict(code="run-noise", tone="good", text=text, value=0.0)
        return
    single = found.reliability
    if single.value is None:
        what = "How far the grader agrees with itself cannot be said"
        yield unknown("run-noise", what, single.undefined or "")
        return
    text = (
        f"The same grader, run twice, agrees with itself at a reliability of {single.value:.2f}; "
        f"{percent(found.unstable.value)} of scores differ."
    )
    tone = tone_of("judge-noise", 1 - single.value, "note")
    yield Verdict(code="run-noise", tone=tone, text=text, value=single.value)
