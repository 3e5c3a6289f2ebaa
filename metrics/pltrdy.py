"""ROUGE as the PyPI package `rouge` 1.0.1 (pltrdy) has it; Azure's documentation names that one.

Not the ROUGE of the paper, and never equal to rouge-score's: n-grams count once however often they
occur, sentences end at every period (also the one in 3.14), case and punctuation matter, rouge_l
counts distinct words on some longest common subsequence of some two sentences, and F has 1e-8 in
its denominator, so that identical texts score 0.999999995. Where the package raises (a text of
nothing but periods) we give 0.0; where it overflows the stack (sentences of about 1,000 words) we
give what it would have given.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from metrics import lcs
from metrics.limits import check_work, kept_cells

Sentences = Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pltrdy:
    """rouge_1 .. rouge_5 and rouge_l of this library; a `Family`."""

    signatures: Mapping[str, str]
    statistic: str
    work_limit: int

    def pair(self, candidate: str, reference: str) -> list[float]:
        """Each member's score of one pair."""
        ours, theirs = sentences(candidate), sentences(reference)
        return [self._score(name, ours, theirs) for name in self.signatures]

    def batch(self, candidates: Sequence[str], references: Sequence[str]) -> list[list[float]]:
        """Each member's scores of all pairs."""
        rows = [self.pair(c, r) for c, r in zip(candidates, references, strict=True)]
        return [[row[i] for row in rows] for i in range(len(self.signatures))]

    def _score(self, name: str, ours: Sentences, theirs: Sentences) -> float:
        if name != "rouge_l":
            return rouge_n(ours, theirs, int(name[-1]), self.statistic)
        check_work("rouge_l pltrdy", kept_cells(ours, theirs), self.work_limit)
        return rouge_l(ours, theirs, self.statistic)


def sentences(text: str) -> list[list[str]]:
    """Words of each sentence. A sentence of nothing but spaces has one word, the empty one.

    Example:
        >>> sentences("Pi is 3.14. ")
        [['Pi', 'is', '3'], ['14'], ['']]
    """
    return [sentence.split() or [""] for sentence in text.split(".") if sentence]


def rouge_n(candidate: Sentences, reference: Sentences, n: int, statistic: str) -> float:
    """rouge_1, rouge_2, ... of two texts given as sentences."""
    ours, theirs = _ngrams(candidate, n), _ngrams(reference, n)
    return _statistic(statistic, len(ours & theirs), len(ours), len(theirs))


def rouge_l(candidate: Sentences, reference: Sentences, statistic: str) -> float:
    """rouge_l of two texts given as sentences; the package calls it summary level."""
    ours, theirs = set(chain.from_iterable(candidate)), set(chain.from_iterable(reference))
    shared = {
        sentence[position]
        for sentence in reference
        for other in candidate
        for position, _ in lcs.path(sentence, other)
    }
    return _statistic(statistic, len(shared), len(ours), len(theirs))


def _ngrams(text: Sentences, n: int) -> set[tuple[str, ...]]:
    words = list(chain.from_iterable(text))
    return set(zip(*(words[i:] for i in range(n)), strict=False))


def _statistic(statistic: str, hits: int, ours: int, theirs: int) -> float:
    precision, recall = hits / max(ours, 1), hits / max(theirs, 1)
    match statistic:
        case "precision":
            return precision
        case "recall":
            return recall
        case _:
            return 2.0 * ((precision * recall) / (precision + recall + 1e-8))
