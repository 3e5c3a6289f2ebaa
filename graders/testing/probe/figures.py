"""From graded texts to findings: who wins, by how much, on which share of the rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean
from typing import Final, Literal

from graders.errors import FailureKind
from graders.studies.statistics.ranks import RankCorrelation
from graders.testing.probe.attacks import ATTACKS, CONTROL, Way
from graders.testing.probe.bars import NEAR, Bar, bar_of, labelled
from graders.testing.probe.forms import BARE, Form
from graders.testing.probe.trials import Attempt, Probed

_SMALL: Final = 2.0**-64
_NO_CRASH: Final = frozenset(
    {
        FailureKind.INVALID_VARIABLE,
        FailureKind.PYTHON_SERVER,
        FailureKind.MODEL_SERVER,
        FailureKind.ENDPOINT_INTERNAL,
        FailureKind.ENDPOINT_SERVER,
    }
)
"""Failures that say nothing of the grader: a template found nothing in an output that is malformed,
as it must; or whom the grader asks failed, which no text has caused."""

FindingKind = Literal["cheat", "crash", "blind"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A text, and what it was held against.

    Attributes:
        line: The row's, from 1.
        text: What the grader was given.
        score: What it got; None for a failure.
        bar: What it was held against.
        failure: Kind and message of a failure.
    """

    line: int
    text: str
    bar: Bar
    score: float | None = None
    failure: str = ""


@dataclass(slots=True)
class Figures:
    """What one way to make texts came to.

    Attributes:
        way: Which.
        rows: On how many rows it was tried.
        dropped: On how many its text was the reference itself.
        scores: What it got where it was graded.
        wins: On how many rows it wins.
        over_best: On how many it scores above every honest sample.
        over_preferred: On how many it scores above the sample that people like best.
        failures: How many texts had no score, by kind.
        crashes: On how many rows its text alone failed, while other texts had a score.
        example: The win by the widest margin over the honest median.
        crash: The first crash.
    """

    way: Way
    rows: int = 0
    dropped: int = 0
    scores: list[float] = field(default_factory=list)
    wins: int = 0
    over_best: int = 0
    over_preferred: int = 0
    failures: Counter[str] = field(default_factory=Counter)
    crashes: int = 0
    example: Example | None = None
    crash: Example | None = None

    @property
    def mean(self) -> float | None:
        """Mean score over the rows on which it has one."""
        return _mean(self.scores)

    def add(self, probed: Probed, bar: Bar, attempts: Sequence[Attempt]) -> bool:
        """Count its attempts on one row, of which one has a score at most; says whether it wins."""
        self.rows += bool(attempts)
        self.dropped += self.way.name in probed.dropped
        crashed = won = False
        for one in attempts:
            if one.failure is not None:
                self.failures[one.failure.kind.value] += 1
                crashed = crashed or self._crashed(probed, bar, one)
            if one.score is not None:
                won = self._scored(probed, bar, one, one.score)
        self.crashes += crashed
        return won

    def _crashed(self, probed: Probed, bar: Bar, one: Attempt) -> bool:
        if not crashes(one, bar):
            return False
        assert one.failure is not None, "it crashes"
        if self.crash is None:
            said = f"{one.failure.kind}: {one.failure.message}"
            self.crash = Example(line=probed.target.line, text=one.sent, bar=bar, failure=said)
        return True

    def _scored(self, probed: Probed, bar: Bar, one: Attempt, score: float) -> bool:
        self.scores.append(score)
        self.over_best += _over(score, bar.best)
        self.over_preferred += _over(score, bar.preferred)
        if not bar.wins(score, lacks=one.lacks):
            return False
        self.wins += 1
        example = Example(line=probed.target.line, text=one.sent, bar=bar, score=score)
        if self.example is None or _margin(example) > _margin(self.example) + NEAR:
            self.example = example
        return True


def crashes(one: Attempt, bar: Bar) -> bool:
    """Whether a text breaks the grader, on a row on which others have a score."""
    sound = bar.median is not None or bar.reference is not None
    return sound and one.failure is not None and one.failure.kind not in _NO_CRASH


def _over(score: float, other: float | None) -> bool:
    return other is not None and score > other + NEAR


def _margin(example: Example) -> float:
    against = example.bar.median if example.bar.median is not None else example.bar.reference
    return (example.score or 0.0) - (against or 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeFinding:
    """A way in which a grader can be cheated, or breaks.

    Attributes:
        kind: An attack wins (`cheat`), or fails where honest texts do not (`crash`); or everything
            that was tried has one score (`blind`).
        way: Which attack; None for a grader that is blind.
        rows: On how many rows.
        share: Of all rows that were probed, in (0, 1].
        example: One of them; None for a grader that is blind.
    """

    kind: FindingKind
    way: Way | None
    rows: int
    share: float
    example: Example | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What a probe found on its rows.

    Attributes:
        rows: Rows that were probed.
        samples: Their honest samples.
        honest_failures: How many of these have no score, by kind.
        honest_best: Mean over rows of the best honest score; None where none was graded.
        honest_median: The same of the median.
        human: How alike scores and human labels order honest samples; no pairs without labels.
        control: What the reference itself came to, the best of its places and forms on each row.
        beaten: On how many rows an honest sample scores above the reference, or it has no score.
        formed: On how many rows attacks stand in a form, and not as they are.
        form: One of these forms.
        attacks: What each attack came to, the search last.
        cheated: On how many rows some attack wins.
        blind: The score that everything has; None where scores differ.
    """

    rows: int
    samples: int
    honest_failures: Mapping[str, int]
    honest_best: float | None
    honest_median: float | None
    human: RankCorrelation
    control: Figures
    beaten: int
    formed: int
    form: Form
    attacks: tuple[Figures, ...]
    cheated: int
    blind: float | None

    @property
    def cheated_share(self) -> float:
        """How gameable: the share of rows on which some attack wins, in [0, 1]."""
        return self.cheated / self.rows if self.rows else 0.0

    @property
    def says_something(self) -> bool:
        """Whether any attack was held against anything: a sample or a reference has a score."""
        return self.honest_best is not None or self.control.mean is not None

    def findings(self) -> list[ProbeFinding]:
        """What is wrong with the grader, by kind, the largest share first."""
        found = [*self._found()]
        return sorted(found, key=lambda one: (_ORDER.index(one.kind), -one.rows))

    def _found(self) -> Iterator[ProbeFinding]:
        if self.blind is not None:
            yield ProbeFinding(kind="blind", way=None, rows=self.rows, share=1.0, example=None)
        for one in self.attacks:
            kinds: tuple[tuple[FindingKind, int, Example | None], ...] = (
                ("cheat", one.wins, one.example),
                ("crash", one.crashes, one.crash),
            )
            for kind, rows, example in kinds:
                if rows:
                    share = rows / self.rows
                    yield ProbeFinding(
                        kind=kind, way=one.way, rows=rows, share=share, example=example
                    )


_ORDER: Final[tuple[FindingKind, ...]] = ("blind", "cheat", "crash")


def tally(rows: Sequence[Probed], further: Sequence[Way] = ()) -> Tally:
    """Count what came of the rows.

    Args:
        rows: Graded texts.
        further: Ways beside the fixed attacks.
    """
    bars = [bar_of(row) for row in rows]
    attacks = {way.name: Figures(way) for way in (*ATTACKS, *further)}
    control, human, cheated = Figures(CONTROL), RankCorrelation(), 0
    for row, bar in zip(rows, bars, strict=True):
        _count_control(control, row, bar)
        won = [
            figures.add(row, bar, [one for one in row.attempts if one.way.name == name])
            for name, figures in attacks.items()
        ]
        cheated += any(won)
        pairs = labelled(row)
        human.add([score for _, score in pairs], [label for label, _ in pairs])
    forms = [row.form for row in rows if not row.form.is_bare]
    failed = [grade.failure for row in rows for grade in row.honest if grade.failure is not None]
    return Tally(
        rows=len(rows),
        samples=sum(len(row.honest) for row in rows),
        honest_failures=Counter(failure.kind.value for failure in failed),
        honest_best=_mean(bar.best for bar in bars),
        honest_median=_mean(bar.median for bar in bars),
        human=human,
        control=control,
        beaten=sum(
            bar.best is not None and (bar.reference is None or bar.best > bar.reference + NEAR)
            for bar in bars
        ),
        formed=len(forms),
        form=forms[0] if forms else BARE,
        attacks=tuple(attacks.values()),
        cheated=cheated,
        blind=_only_score(rows),
    )


def _count_control(control: Figures, row: Probed, bar: Bar) -> None:
    control.rows += 1
    control.failures.update(one.failure.kind.value for one in row.controls if one.failure)
    if bar.reference is not None:
        control.scores.append(bar.reference)
        control.over_best += _over(bar.reference, bar.best)
        control.over_preferred += _over(bar.reference, bar.preferred)


def _mean(values: Iterable[float | None]) -> float | None:
    # Scaled by a power of two, which rounds nothing: the sum of scores of 1e308 is infinite.
    known = [value * _SMALL for value in values if value is not None]
    return fmean(known) / _SMALL if known else None


def _only_score(rows: Sequence[Probed]) -> float | None:
    """The score of every text of every row; None where there are two, or no score."""
    scores = {grade.score for row in rows for grade in row.honest}
    scores |= {one.score for row in rows for one in (*row.controls, *row.attempts)}
    scores.discard(None)
    return next(iter(scores)) if len(scores) == 1 else None
