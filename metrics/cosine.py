"""Cosine: the angle between two texts' vectors, by an embedder that the signature names.

The hosted metric embeds with a model that cannot be had offline. Ours asks an `Embedder`, by
default `hash_char`, so its numbers are its own: compare them with each other, not with hosted ones.

Vectors are compared by sums that are exact (`hash_char` counts in whole numbers) or rounded once
(`math.fsum`), pair by pair, so the number of a pair does not depend on the batch it is in.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from math import fsum, sqrt
from typing import TYPE_CHECKING, NamedTuple

from metrics.embed import Embedder, SparseEmbedder, load_embedder
from metrics.embed.embedder import checked

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Cosine:
    """The metric `cosine` with one embedder; a `Metric`. `cosine` makes it.

    Blank texts (white space at most) are never embedded: a pair with one has 0.0, even when both
    are blank.

    Attributes:
        embedder: Where the vectors come from.
        cosines: Compares by that embedder.
    """

    embedder: Embedder
    cosines: Callable[[Sequence[str], Sequence[str]], list[float]] = field(
        repr=False, compare=False
    )

    @property
    def name(self) -> str:
        return "cosine"

    @property
    def signature(self) -> str:
        return f"cosine|embedder:{self.embedder.name}"

    def pair(self, candidate: str, reference: str) -> float:
        """Return the cosine, or 0.0 where it is negative.

        Raises:
            EmbeddingError: The embedder returned no finite vector for a text.
        """
        return max(0.0, self.raw(candidate, reference))

    def batch(self, candidates: Sequence[str], references: Sequence[str]) -> list[float]:
        """Score each candidate against the reference at the same position.

        Raises:
            ValueError: The two sequences differ in length.
            EmbeddingError: The embedder did not return one finite vector per text.
        """
        return [max(0.0, raw) for raw in self.raw_batch(candidates, references)]

    def raw(self, candidate: str, reference: str) -> float:
        """Return the cosine itself, in [-1, 1]: `pair` without the floor at 0."""
        return self.raw_batch([candidate], [reference])[0]

    def raw_batch(self, candidates: Sequence[str], references: Sequence[str]) -> list[float]:
        """Return the cosines themselves, in [-1, 1]: `batch` without the floor at 0.

        Raises:
            ValueError: The two sequences differ in length.
            EmbeddingError: The embedder did not return one finite vector per text.
        """
        return self.cosines(candidates, references)


def cosine(embedder: str | Embedder = "hash_char") -> Cosine:
    """Return the metric `cosine` with an embedder, given or by its name in `EMBEDDERS`.

    Raises:
        ValueError: No embedder has that name.
        EmbedderMissingError: It needs the extra `embeddings`, which is not installed.

    Example:
        >>> metric = cosine()
        >>> metric.signature
        'cosine|embedder:hash_char'
        >>> round(metric.pair("A girl is brushing her hair.", "A girl is styling her hair."), 3)
        0.674
    """
    chosen = load_embedder(embedder) if isinstance(embedder, str) else embedder
    if isinstance(chosen, SparseEmbedder):
        return Cosine(chosen, chosen.cosines)
    return Cosine(chosen, partial(_dense_cosines, chosen))


class _Direction(NamedTuple):
    """A vector at some scale, and the sum of its squares at that scale."""

    vector: NDArray[np.float64]
    square: float


def _dense_cosines(
    embedder: Embedder, candidates: Sequence[str], references: Sequence[str]
) -> list[float]:
    pairs = list(zip(candidates, references, strict=True))
    whole = [pair for pair in pairs if all(text.strip() for text in pair)]
    directions = _directions(embedder, list(dict.fromkeys(chain.from_iterable(whole))))
    cosines = {pair: _cosine(directions[pair[0]], directions[pair[1]]) for pair in whole}
    return [cosines.get(pair, 0.0) for pair in pairs]


def _directions(embedder: Embedder, texts: Sequence[str]) -> dict[str, _Direction]:
    import numpy as np

    if not texts:
        return {}
    vectors = checked(embedder.name, embedder.embed(texts), len(texts))
    # Powers of two cost no precision, and keep squares of tiny or huge numbers in range.
    exponents = np.frexp(np.abs(vectors).max(axis=1, keepdims=True, initial=0.0))[1]
    scaled = np.ldexp(vectors, -exponents)
    return {
        text: _Direction(vector, _dot(vector, vector))
        for text, vector in zip(texts, scaled, strict=True)
    }


def _cosine(one: _Direction, other: _Direction) -> float:
    if not (one.square and other.square):
        return 0.0
    cosine = _dot(one.vector, other.vector) / sqrt(one.square * other.square)
    return min(1.0, max(-1.0, cosine))  # rounding may step over by one last bit


def _dot(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    # BLAS adds in an order of its own, which may change with alignment and processor.
    return fsum((one * other).tolist())
