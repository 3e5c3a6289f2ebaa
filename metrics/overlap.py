"""BLEU, GLEU and ROUGE are formulas over the same counts: what two token strings share.

`Overlap` counts once for all the formulas asked of a pair. Six ROUGE scores cost 1.6 times one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final, NamedTuple

from metrics import lcs, ngrams
from metrics.interning import Encoder
from metrics.limits import check_work
from metrics.types import check_lengths

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# Below this many pairs numpy's fixed cost is more than it saves.
_BATCH: Final = 8
# Pairs that are counted together: enough for numpy, few enough for the processor's cache.
_CHUNK: Final = 512
# What a batch may hold so that tokens have a character each and codes fit into an integer. A
# character is seldom more than one token: "\u3316", normalised, is six.
_CHUNK_CHARACTERS: Final = 1 << 19
_CHUNK_TOKENS: Final = (1 << 20) - 2 * _CHUNK


class Shared(NamedTuple):
    """What a candidate and a reference share.

    Attributes:
        candidate: Its tokens.
        reference: Its tokens.
        ngrams: Shared n-grams, n = 1 first, each clipped to its count on the other side.
        lcs: Length of the longest common subsequence; 0 if no formula asked for it.
    """

    candidate: int
    reference: int
    ngrams: Sequence[int]
    lcs: int


class SharedBatch(NamedTuple):
    """`Shared` of many pairs, each field an array with one row a pair."""

    candidate: NDArray[np.int64]
    reference: NDArray[np.int64]
    ngrams: NDArray[np.int64]
    lcs: NDArray[np.int64]

    def rows(self) -> Iterator[Shared]:
        """The pairs one by one."""
        fields = (field.tolist() for field in self)
        return map(Shared, *fields)


@dataclass(frozen=True, slots=True, kw_only=True)
class Formula:
    """One metric over the counts.

    Attributes:
        name: The metric's name.
        signature: What determines its number.
        orders: Length of the longest n-grams it looks at; 0 if it needs none.
        lcs: Whether it needs the longest common subsequence.
        score: The number for one pair.
        scores: The same numbers, bit for bit, from arrays; None to go through `score`.
    """

    name: str
    signature: str
    orders: int
    lcs: bool = False
    score: Callable[[Shared], float]
    scores: Callable[[SharedBatch], NDArray[np.float64]] | None = None

    def column(self, batch: SharedBatch) -> list[float]:
        """Score every pair of a batch."""
        if self.scores is None:
            return list(map(self.score, batch.rows()))
        column: list[float] = self.scores(batch).tolist()
        return column


@dataclass(frozen=True, kw_only=True)
class Overlap:
    """Formulas that share a tokenizer, computed together."""

    encoder: Encoder
    formulas: Sequence[Formula]
    work_limit: int

    @cached_property
    def signatures(self) -> Mapping[str, str]:
        return {formula.name: formula.signature for formula in self.formulas}

    @cached_property
    def _orders(self) -> int:
        return max(formula.orders for formula in self.formulas)

    @cached_property
    def _lcs(self) -> bool:
        return any(formula.lcs for formula in self.formulas)

    def pair(self, candidate: str, reference: str) -> list[float]:
        """Each formula's score of one pair."""
        counts = self._count(*self.encoder.pair(candidate, reference))
        return [formula.score(counts) for formula in self.formulas]

    def batch(self, candidates: Sequence[str], references: Sequence[str]) -> list[list[float]]:
        """Each formula's scores of all pairs: one column a formula."""
        check_lengths(candidates, references)
        columns: list[list[float]] = [[] for _ in self.formulas]
        for start in range(0, len(candidates), _CHUNK):
            chunk = slice(start, start + _CHUNK)
            scores = self._chunk(candidates[chunk], references[chunk])
            for column, more in zip(columns, scores, strict=True):
                column.extend(more)
        return columns

    def _chunk(self, candidates: Sequence[str], references: Sequence[str]) -> list[list[float]]:
        pairs = len(candidates)
        if pairs < _BATCH:
            rows = [self.pair(c, r) for c, r in zip(candidates, references, strict=True)]
            return [[row[i] for row in rows] for i in range(len(self.formulas))]
        if sum(map(len, candidates)) + sum(map(len, references)) > _CHUNK_CHARACTERS:
            half = pairs // 2
            first = self._chunk(candidates[:half], references[:half])
            second = self._chunk(candidates[half:], references[half:])
            return [a + b for a, b in zip(first, second, strict=True)]
        counts = self._count_batch(*self.encoder.batch(candidates, references))
        return [formula.column(counts) for formula in self.formulas]

    def _count(self, a: str, b: str) -> Shared:
        shared = ngrams.shared(a, b, self._orders) if self._orders else ()
        common = 0
        if self._lcs:
            check_work("rouge_l", len(a) * len(b), self.work_limit)
            common = lcs.length(a, b)
        return Shared(len(a), len(b), shared, common)

    def _count_batch(self, a: Sequence[str], b: Sequence[str]) -> SharedBatch:
        import numpy as np

        ours, theirs = np.array(list(map(len, a))), np.array(list(map(len, b)))
        if self._lcs:
            check_work("rouge_l", int((ours * theirs).max()), self.work_limit)
        if not self._orders:
            shared = np.zeros((len(a), 0), np.int64)
        elif ours.sum() + theirs.sum() > _CHUNK_TOKENS:
            pairs = [ngrams.shared(x, y, self._orders) for x, y in zip(a, b, strict=True)]
            shared = np.array(pairs)
        else:
            shared = ngrams.shared_batch(a, b, self._orders)
        common = lcs.lengths(a, b) if self._lcs else np.zeros_like(ours)
        return SharedBatch(ours, theirs, shared, common)
