"""How often grading fails, by kind. A failure is no score: what a trainer makes of it is policy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from graders.studies.statistics.bootstrap import share_interval
from graders.studies.statistics.statistic import Interval, Items, item_codes


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureRate:
    """Failures of one kind, or of all.

    Attributes:
        kind: Which; None for all of them.
        count: How many.
        share: Of all samples, in [0, 1].
        interval: Of that, items resampled.
    """

    kind: str | None
    count: int
    share: float
    interval: Interval | None


def failure_rates(
    kinds: Sequence[str | None], items: Items, *, resamples: int = 1_000, seed: int = 0
) -> tuple[FailureRate, ...]:
    """The rate of all failures, and that of each kind that there is, most frequent first.

    Args:
        kinds: Of each sample, how it failed; None where it has a score.
        items: Which item it is a sample of.
        resamples: For the intervals; 0 for none.
        seed: The same seed gives the same intervals.

    Raises:
        ValueError: There are no samples, or not one item each.

    Example:
        >>> found = failure_rates([None, "timeout", None, None], ["a", "a", "b", "b"])
        >>> [(rate.kind, rate.count, rate.share) for rate in found]
        [(None, 1, 0.25), ('timeout', 1, 0.25)]
    """
    if not kinds:
        raise ValueError("kinds: there are no samples")
    codes, listed = item_codes(items, len(kinds)), np.array([kind or "" for kind in kinds])
    samples = np.bincount(codes).astype(np.float64)
    found = []
    for kind in (None, *sorted({kind for kind in kinds if kind is not None})):
        failed = listed != "" if kind is None else listed == kind
        found.append(
            FailureRate(
                kind=kind,
                count=int(failed.sum()),
                share=float(failed.mean()),
                interval=share_interval(
                    np.bincount(codes, failed).astype(np.float64),
                    samples,
                    resamples=resamples,
                    seed=seed,
                ),
            )
        )
    return tuple(sorted(found, key=lambda rate: (rate.kind is not None, -rate.count)))
