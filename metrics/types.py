"""What a metric is: a name, and a similarity in [0, 1] for a pair or a batch of texts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol


class Metric(Protocol):
    """Similarity of a candidate text to a reference text, in [0, 1].

    `pair` is the definition; `batch` is the same numbers, bit for bit, computed together because
    some metrics are far cheaper that way. Implementations hold no mutable state but memos.

    Attributes:
        name: What a grader config calls it: `rouge_l`.
        signature: The settings that determine the number: `rouge_l|lib:rouge-score-0.1.2|stem:no`.
    """

    @property
    def name(self) -> str: ...

    @property
    def signature(self) -> str: ...

    def pair(self, candidate: str, reference: str) -> float: ...

    def batch(self, candidates: Sequence[str], references: Sequence[str]) -> list[float]: ...


@dataclass(frozen=True, slots=True)
class PairMetric:
    """A metric that is fully described by a function of one pair."""

    name: str
    signature: str
    pair: Callable[[str, str], float]

    def batch(self, candidates: Sequence[str], references: Sequence[str]) -> list[float]:
        """Score each candidate against the reference at the same position.

        Raises:
            ValueError: The two sequences differ in length.
        """
        pair = self.pair
        return [pair(c, r) for c, r in zip(candidates, references, strict=True)]
