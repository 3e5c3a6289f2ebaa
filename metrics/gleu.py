"""GLEU: the shared n-grams of 1 to 4 tokens, over those of the longer text.

Source: Wu et al., "Google's Neural Machine Translation System", 2016, section 4.3,
https://arxiv.org/abs/1609.08144. Oracle: nltk 3.10 `sentence_gleu`. It is the smaller of precision
and recall, hence symmetric; identical texts score 1.0, empty ones 0.0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from metrics.overlap import Formula, Shared, SharedBatch

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

ORDERS: Final = 4


def gleu(shared: Shared) -> float:
    """GLEU of one pair.

    Example:
        >>> gleu(Shared(candidate=3, reference=2, ngrams=[2, 1, 0, 0], lcs=0))
        0.5
    """
    longer = max(shared.candidate, shared.reference)
    total = sum(max(longer - n, 0) for n in range(ORDERS))
    return sum(shared.ngrams[:ORDERS]) / total if total else 0.0


def gleu_batch(batch: SharedBatch) -> NDArray[np.float64]:
    """`gleu` of each pair."""
    import numpy as np

    longer = np.maximum(batch.candidate, batch.reference)
    total = np.maximum(longer[:, None] - np.arange(ORDERS), 0).sum(axis=1)
    matches: NDArray[np.int64] = batch.ngrams[:, :ORDERS].sum(axis=1)
    scores: NDArray[np.float64] = matches / np.maximum(total, 1)
    return scores


def formula(tokens: str) -> Formula:
    """The formula of gleu."""
    return Formula(
        name="gleu",
        signature=f"gleu|tok:{tokens}|lib:nltk-3.10",
        orders=ORDERS,
        score=gleu,
        scores=gleu_batch,
    )
