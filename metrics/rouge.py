"""ROUGE: how much of a reference text a candidate text recovers.

Source: Lin, "ROUGE: A Package for Automatic Evaluation of Summaries", ACL workshop 2004,
https://aclanthology.org/W04-1013. Oracle: Google's rouge-score 0.1.2, whose tokens are lower-case
runs of [a-z0-9]. rouge_1 .. rouge_5 share n-grams, rouge_l a subsequence of words. A text with
fewer than n tokens has no n-grams: 0.0, even against itself.

`lsum` is rouge_l by lines: the union of what each line of the reference shares with any line of
the candidate. `pltrdy`, another library under the same name, is in `pltrdy`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from metrics import lcs
from metrics.interning import Encoder
from metrics.limits import check_work, kept_cells
from metrics.overlap import Formula, Shared, SharedBatch

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# The score, from tokens (or n-grams) shared, in the candidate, in the reference.
Statistic = Callable[[int, int, int], float]


def precision(hits: int, ours: int, _theirs: int) -> float:
    """Share of the candidate that is in the reference."""
    return hits / ours if hits else 0.0


def recall(hits: int, _ours: int, theirs: int) -> float:
    """Share of the reference that is in the candidate."""
    return hits / theirs if hits else 0.0


def f1(hits: int, ours: int, theirs: int) -> float:
    """Harmonic mean of the two, in rouge-score's order of operations.

    Example:
        >>> f1(2, 4, 3)
        0.5714285714285715
    """
    if not hits:
        return 0.0
    p, r = hits / ours, hits / theirs
    return 2 * p * r / (p + r)


STATISTICS: Final[Mapping[str, Statistic]] = {"f1": f1, "precision": precision, "recall": recall}


def rouge_n(n: int, statistic: str, signature: str) -> Formula:
    """The formula of rouge_1, rouge_2, ..."""
    value = STATISTICS[statistic]

    def score(shared: Shared) -> float:
        return value(
            shared.ngrams[n - 1],
            max(shared.candidate - n + 1, 1),
            max(shared.reference - n + 1, 1),
        )

    def scores(batch: SharedBatch) -> NDArray[np.float64]:
        ours, theirs = batch.candidate - (n - 1), batch.reference - (n - 1)
        return _statistics(statistic, batch.ngrams[:, n - 1], ours, theirs)

    return Formula(name=f"rouge_{n}", signature=signature, orders=n, score=score, scores=scores)


def rouge_l(statistic: str, signature: str) -> Formula:
    """The formula of rouge_l."""
    value = STATISTICS[statistic]

    def score(shared: Shared) -> float:
        return value(shared.lcs, shared.candidate, shared.reference)

    def scores(batch: SharedBatch) -> NDArray[np.float64]:
        return _statistics(statistic, batch.lcs, batch.candidate, batch.reference)

    return Formula(
        name="rouge_l", signature=signature, orders=0, lcs=True, score=score, scores=scores
    )


def _statistics(
    statistic: str,
    hits: NDArray[np.int64],
    ours: NDArray[np.int64],
    theirs: NDArray[np.int64],
) -> NDArray[np.float64]:
    """The statistic's function over arrays; the same operations in the same order."""
    import numpy as np

    p, r = hits / np.maximum(ours, 1), hits / np.maximum(theirs, 1)
    match statistic:
        case "precision":
            return p
        case "recall":
            return r
        case _:
            return np.divide(2 * p * r, p + r, out=np.zeros(len(p)), where=hits > 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class RougeLsum:
    """rouge_l line by line; a `Metric`."""

    signature: str
    encoder: Encoder
    statistic: str
    work_limit: int

    @property
    def name(self) -> str:
        return "rouge_l"

    def pair(self, candidate: str, reference: str) -> float:
        vocabulary = self.encoder.vocabulary()
        ours, theirs = (
            [line for line in map(vocabulary.encode, text.split("\n")) if line]
            for text in (candidate, reference)
        )
        check_work("rouge_l lsum", kept_cells(ours, theirs), self.work_limit)
        return lsum(ours, theirs, STATISTICS[self.statistic])

    def batch(self, candidates: Sequence[str], references: Sequence[str]) -> list[float]:
        return [self.pair(c, r) for c, r in zip(candidates, references, strict=True)]


def lsum(candidate: Sequence[str], reference: Sequence[str], value: Statistic) -> float:
    """rouge_l of texts given as lines, each a token string.

    Of each line of the reference counts the union of its longest common subsequences with every
    line of the candidate, but no token more often than both texts have it.
    """
    ours, theirs = Counter("".join(candidate)), Counter("".join(reference))
    left = ours & theirs
    hits = 0
    for line in reference:
        matched = {place for other in candidate for _, place in lcs.path(other, line)}
        for place in sorted(matched):
            if left[line[place]] > 0:
                left[line[place]] -= 1
                hits += 1
    return value(hits, ours.total(), theirs.total())
