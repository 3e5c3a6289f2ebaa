"""ROUGE by rouge-score-rs, a port of rouge-score to Rust: the backend `fast`, extra `fast`.

The same numbers, held to the same tests. Batches use all cores, unless the environment has
RAYON_NUM_THREADS=1. Its LCS takes about 25 times as long as ours on long texts, and the work limit
counts that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from metrics.limits import check_work

_SLOWER: Final = 25
_STATISTICS: Final = {"f1": "fmeasure", "precision": "precision", "recall": "recall"}


class BackendMissingError(ImportError):
    """The backend `fast` was asked for and is not installed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RougeRs:
    """rouge_1 .. rouge_5 and rouge_l by rouge-score-rs; a `Family`. `load` makes it."""

    signatures: Mapping[str, str]
    kinds: Sequence[str]
    statistic: str
    scorer: Any
    work_limit: int

    def pair(self, candidate: str, reference: str) -> list[float]:
        """Each member's score of one pair."""
        self._check(candidate, reference)
        score = self.scorer.score(reference, candidate)
        return [float(getattr(score[kind], self.statistic)) for kind in self.kinds]

    def batch(self, candidates: Sequence[str], references: Sequence[str]) -> list[list[float]]:
        """Each member's scores of all pairs."""
        for candidate, reference in zip(candidates, references, strict=True):
            self._check(candidate, reference)
        scores = self.scorer.score_batch(references, candidates)
        return [
            [float(getattr(score[kind], self.statistic)) for score in scores] for kind in self.kinds
        ]

    def _check(self, candidate: str, reference: str) -> None:
        if "rouge_l" in self.signatures:
            # A token has a character and a separator at least; counting exactly would be the work.
            cells = (len(candidate) // 2 + 1) * (len(reference) // 2 + 1)
            check_work("rouge_l fast", _SLOWER * cells, self.work_limit)


def load(
    signatures: Mapping[str, str], statistic: str, *, stem: bool, lsum: bool, work_limit: int
) -> RougeRs:
    """Set up the scorer.

    Raises:
        BackendMissingError: The extra `fast` is not installed.
    """
    try:
        from rouge_score_rs import RougeScorer
    except ImportError as error:
        raise BackendMissingError(
            "Settings(backend='fast'): rouge-score-rs is not installed; "
            "pip install 'local-graders[fast]', or leave the backend 'own'"
        ) from error
    long = "rougeLsum" if lsum else "rougeL"
    kinds = [long if name == "rouge_l" else name.replace("_", "") for name in signatures]
    return RougeRs(
        signatures={name: f"{text}|backend:rouge-score-rs" for name, text in signatures.items()},
        kinds=kinds,
        statistic=_STATISTICS[statistic],
        scorer=RougeScorer(kinds, use_stemmer=stem),
        work_limit=work_limit,
    )
