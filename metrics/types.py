"""What a metric is: a name, and a similarity in [0, 1] for a pair or a batch of texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol


def check_lengths(candidates: Sequence[str], references: Sequence[str]) -> None:
    """Refuse a batch whose sides do not belong together.

    Raises:
        ValueError: The two sequences differ in length.
    """
    if len(candidates) != len(references):
        raise ValueError(
            f"{len(candidates)} candidates but {len(references)} references: lengths differ, and "
            "each candidate needs the reference at its position"
        )


class Metric(Protocol):
    """Similarity of a candidate text to a reference text, in [0, 1].

    `pair` is the definition; `batch` is the same numbers, bit for bit, computed together because
    some metrics are far cheaper that way. Implementations hold no mutable state but memos.

    Attributes:
        name: What a grader config calls it: `rouge_l`.
        signature: The settings that determine the number:
            `rouge_l|v:f1|tok:google|lib:rouge-score-0.1.2`.
    """

    @property
    def name(self) -> str: ...

    @property
    def signature(self) -> str: ...

    def pair(self, candidate: str, reference: str) -> float:
        """Score one pair.

        Raises:
            TooMuchWork: The texts are so long that it would take minutes.
        """
        ...

    def batch(self, candidates: Sequence[str], references: Sequence[str]) -> list[float]:
        """Score each candidate against the reference at the same position.

        Raises:
            ValueError: The two sequences differ in length.
            TooMuchWork: Some pair is too much. `pair` says which.
        """
        ...


class Family(Protocol):
    """Metrics that are computed in one pass over a pair, because they share tokens and counts.

    Attributes:
        signatures: The signature of each member by its name; scores come in this order.
    """

    @property
    def signatures(self) -> Mapping[str, str]: ...

    def pair(self, candidate: str, reference: str) -> Sequence[float]:
        """Each member's score of one pair."""
        ...

    def batch(
        self, candidates: Sequence[str], references: Sequence[str]
    ) -> Sequence[Sequence[float]]:
        """Each member's scores of all pairs: one sequence a member."""
        ...
