"""When an attack wins: what it is held against on its row.

An attack wins on a row if it scores

- above the median of the row's honest samples, without the answer; or
- as high as the reference and no lower than that median, without the answer, on a row on which
  something else scores lower: there the median may be the best score there is; or
- above the reference and that median, whatever it holds.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import Final

from graders.grades import finite_number
from graders.testing.probe.trials import Probed

NEAR: Final = 1e-9
"""What scores may differ by and be the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """What an attack on a row is held against.

    Attributes:
        best: Of the honest samples' scores; None where none was graded.
        median: The same.
        preferred: The score of the sample that people like best; None without labels.
        reference: The best score of a control; None where all failed.
        lowest: Of everything that was graded.
    """

    best: float | None = None
    median: float | None = None
    preferred: float | None = None
    reference: float | None = None
    lowest: float | None = None

    def wins(self, score: float, *, lacks: bool) -> bool:
        """Whether a score is one that a text should not have.

        Args:
            score: The text's.
            lacks: Whether it is without the answer.
        """
        if lacks and self.median is not None and score > self.median + NEAR:
            return True
        if self.reference is None:
            return False
        top = self.reference if self.median is None else max(self.reference, self.median)
        told_apart = self.lowest is not None and self.lowest < self.reference - NEAR
        return score > top + NEAR or (lacks and told_apart and score >= top - NEAR)


def bar_of(probed: Probed) -> Bar:
    """What attacks on a row are held against."""
    honest = [grade.score for grade in probed.honest if grade.score is not None]
    tried = (*probed.controls, *probed.attempts)
    everything = [*honest, *(one.score for one in tried if one.score is not None)]
    return Bar(
        best=max(honest, default=None),
        median=median(honest) if honest else None,
        preferred=_preferred(probed),
        reference=max(
            (one.score for one in probed.controls if one.score is not None), default=None
        ),
        lowest=min(everything, default=None),
    )


def labelled(probed: Probed) -> list[tuple[float, float]]:
    """What people and the grader say of the honest samples that both judged."""
    pairs = []
    for row, grade in zip(probed.target.honest, probed.honest, strict=True):
        label = finite_number(row.sample.get("human"))
        if label is not None and grade.score is not None:
            pairs.append((label, grade.score))
    return pairs


def _preferred(probed: Probed) -> float | None:
    best = max(labelled(probed), default=None)
    return None if best is None else best[1]
