"""Will it teach? Every study of one set of results, over the samples that were observed.

Rewards are those of the results, so a failure that a run made 0.0 is one. Scores and thresholds are
of samples that were graded; but a sample that failed did not pass, in a run's pass rate, on the
hosted service and in pass@k. What a study needs and the results do not have is None, or a
`Statistic` that says why there is none.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import numpy as np

from graders.errors import GradersError, RowError
from graders.rows import Row
from graders.studies.statistics.signal import GroupSignal, group_signal
from graders.studies.statistics.statistic import Floats, Ints
from graders.studies.teach.failing import FailureRate, failure_rates
from graders.studies.teach.humanwise import HumanStudy, human_of
from graders.studies.teach.lengthwise import Lengthwise, length_of
from graders.studies.teach.memberwise import MemberStudy, judge_noise, members_within
from graders.studies.teach.noise import Noise, noise
from graders.studies.teach.observed import NO_VERDICT, Observed
from graders.studies.teach.observed_columns import KINDS
from graders.studies.teach.passing import PassAtK, ThresholdSuggestion, pass_at_k, suggest_threshold
from graders.studies.teach.rewards import Distribution, distribution
from graders.studies.teach.samples import Samples, samples_of
from graders.studies.teach.traits import Explained, explained_by
from graders.studies.teach.written import Written, read_written

REPEATS: Final = "|repeats:"
"""In the signature of a judge that is asked several times, or of what has one for a member."""

_QUICK_DRAWS: Final = 200_000
_QUICK_RESAMPLES: Final = 200
_FEWEST: Final = 100  # resamples that an interval can be taken from
_LARGEST: Final = 1e100  # its square is a number, and the sum of many of them
_BARS: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How a study is made.

    Attributes:
        resamples: Of items, for each interval; 0 for none.
        seed: The same seed gives the same numbers.
        failing: The least and the greatest share of samples that should fail.
    """

    resamples: int = 1_000
    seed: int = 0
    failing: tuple[float, float] = (0.25, 0.5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """All that one set of results says of how it will teach.

    Attributes:
        samples: What it rests on.
        settings: How it was made.
        rewarded: Samples with a reward.
        undefined: Why there is nothing to say of rewards; None where there is.
        distribution: Of rewards.
        histogram: The edges of bars over the rewards, and how many are in each.
        signal: What items' samples tell apart.
        passing: pass@k for k = 1, 2, 4, ...; empty where nothing says what passes.
        pass_threshold: The score from which on samples passed, or just above the highest where none
            did; None where nothing says so.
        threshold: A suggestion, by the samples that have a score.
        length: Where outputs have a length.
        members: Of a multi grader.
        failures: All, and each kind.
        noise: Of judges that were asked several times, by member; "" is the grader itself.
        again: Of the grader, where an item has equal outputs; None where texts are not known.
        form: Share of rewards from traits of texts; None where texts are not known.
        human: Agreement with people; None where nobody was asked for.
    """

    samples: Samples
    settings: Settings
    rewarded: int = 0
    undefined: str | None = None
    distribution: Distribution | None = None
    histogram: tuple[tuple[float, ...], tuple[int, ...]] | None = None
    signal: GroupSignal | None = None
    passing: tuple[PassAtK, ...] = ()
    pass_threshold: float | None = None
    threshold: ThresholdSuggestion | None = None
    length: Lengthwise | None = None
    members: MemberStudy | None = None
    failures: tuple[FailureRate, ...] = ()
    noise: Mapping[str, Noise] | None = None
    again: Noise | None = None
    form: Explained | None = None
    human: HumanStudy | None = None

    @property
    def scores(self) -> Floats:
        """Of the samples that were graded."""
        return self.samples.rewards[self.samples.graded]

    @property
    def failing_now(self) -> float | None:
        """The share of samples that do not pass, failures too; None where nothing says so."""
        return _failing(self.samples.passed)

    @property
    def failing_scored(self) -> float | None:
        """The same of samples that have a score."""
        return _failing(self.samples.passed[self.samples.graded])

    @property
    def failed_to_pass(self) -> int:
        """How many of those that do not pass have no score."""
        return int(np.count_nonzero(self.samples.passed[~self.samples.graded] == 0))

    @property
    def lowest_passing(self) -> float | None:
        """The lowest score that passes; None where none does, or nothing says so."""
        return None if self.failing_now in {None, 1.0} else self.pass_threshold


def quick_study(
    observed: Observed, signature: str, rows: Iterable[Row | RowError] = ()
) -> Study | None:
    """Whether a run that just ended will teach; None where no item has two samples.

    It costs little: intervals rest on few resamples, and are left out where there are so many
    items that they are narrow.

    Args:
        observed: What its results say.
        signature: The grader's.
        rows: What was graded, for its texts; without them, or where they are not what was graded,
            form is not studied.
    """
    if not observed.has_groups:
        return None
    samples = samples_of(observed)
    resamples = min(_QUICK_RESAMPLES, resamples_for(len(samples.names), _QUICK_DRAWS))
    written = None
    with suppress(GradersError, OSError):  # a run that has ended reports what it can
        written = read_written(samples, rows)
    return study_of(
        samples,
        Settings(resamples=resamples if resamples >= _FEWEST else 0),
        repeated=REPEATS in signature,
        written=written,
    )


def resamples_for(items: int, draws: int) -> int:
    """How often items are resampled where so many draws are affordable: 1,000 times at most.

    Example:
        >>> resamples_for(100, 200_000), resamples_for(1_000, 200_000)
        (1000, 200)
    """
    return min(1_000, draws // max(items, 1))


def study_of(
    samples: Samples,
    settings: Settings | None = None,
    *,
    repeated: bool = False,
    written: Written | None = None,
) -> Study:
    """Study the rewards of samples.

    Args:
        samples: What was observed.
        settings: How; None is the usual way.
        repeated: Whether parts that are called 1, 2, ... are repeats of a judge.
        written: What their texts are like, where they are known.
    """
    settings = settings or Settings()
    draws = {"resamples": settings.resamples, "seed": settings.seed}
    if not len(samples):
        reason = f"an item has more than all the samples that a study keeps, of {samples.seen:,}"
        return Study(samples=samples, settings=settings, undefined=reason)
    kinds = [None if kind == 0 else str(KINDS[kind]) for kind in samples.kinds.tolist()]
    failures = failure_rates(kinds, samples.items, **draws)
    there, graded = samples.rewarded, samples.graded
    numbers = [samples.rewards, *samples.members.values()]
    if written is not None and written.human is not None:
        numbers.append(written.human)
    if wrong := _unusable(numbers):
        return Study(
            samples=samples,
            settings=settings,
            rewarded=int(there.sum()),
            undefined=wrong,
            failures=failures,
        )
    rewards, items = samples.rewards[there], samples.items[there]
    threshold = pass_threshold(samples) if graded.any() else None
    return Study(
        samples=samples,
        settings=settings,
        rewarded=len(rewards),
        distribution=distribution(rewards, ends=_ends(rewards)),
        histogram=_histogram(rewards),
        signal=group_signal(rewards, items, **draws),
        passing=_passing(samples, draws),
        pass_threshold=threshold,
        threshold=suggest_threshold(
            samples.rewards[graded], samples.items[graded], band=settings.failing, **draws
        )
        if graded.any()
        else None,
        length=length_of(samples, written, draws),
        members=members_within(samples, repeated=repeated),
        failures=failures,
        noise=judge_noise(samples, threshold) if repeated else None,
        again=_again(samples, written, threshold),
        form=_form(samples, written, draws),
        human=human_of(samples, written, draws),
    )


def _unusable(numbers: list[Floats]) -> str | None:
    """Why there is nothing to say of columns; the first is rewards."""
    if np.isnan(numbers[0]).all():
        return "no sample has a reward"
    largest = max(float(np.nanmax(np.abs(x), initial=0.0)) for x in numbers)
    return f"a score of {largest:g} is too large to be squared" if largest > _LARGEST else None


def _ends(rewards: Floats) -> tuple[float, float]:
    return min(0.0, float(rewards.min())), max(1.0, float(rewards.max()))


def _histogram(rewards: Floats) -> tuple[tuple[float, ...], tuple[int, ...]]:
    counts, edges = np.histogram(rewards, bins=_BARS, range=_ends(rewards))
    return tuple(edges.tolist()), tuple(counts.tolist())


def pass_threshold(samples: Samples) -> float | None:
    """The score from which on samples passed, as far as they tell; None where nothing says so."""
    scores, passed = samples.rewards[samples.graded], samples.passed[samples.graded]
    if (passed == 1).any():
        return float(scores[passed == 1].min())
    if (passed == 0).any():
        return float(np.nextafter(scores[passed == 0].max(), np.inf))
    return None


def _failing(passed: Ints) -> float | None:
    known = passed[passed != NO_VERDICT]
    return float((known == 0).mean()) if len(known) else None


def _passing(samples: Samples, draws: Mapping[str, int]) -> tuple[PassAtK, ...]:
    known = samples.passed != NO_VERDICT
    if not known.any():
        return ()
    passed, items = samples.passed[known] == 1, samples.items[known]
    most = int(np.bincount(items).max())
    ks = [1 << power for power in range(most.bit_length())]
    return tuple(pass_at_k(passed, items, k, **draws) for k in ks)


def _again(samples: Samples, written: Written | None, threshold: float | None) -> Noise | None:
    if written is None:
        return None
    kept = samples.graded & (written.digests >= 0)
    if not kept.any():
        return None
    pairs = zip(samples.items[kept].tolist(), written.digests[kept].tolist(), strict=True)
    return noise(samples.rewards[kept], list(pairs), threshold=threshold)


def _form(samples: Samples, written: Written | None, draws: Mapping[str, int]) -> Explained | None:
    if written is None:
        return None
    kept = samples.rewarded & (written.digests >= 0)
    if not kept.any():
        return None
    traits = {name: column[kept] for name, column in written.traits.items()}
    return explained_by(traits, samples.rewards[kept], samples.items[kept], **draws)
