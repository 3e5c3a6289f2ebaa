"""BLEU of one sentence: the geometric mean of n-gram precisions, n = 1 to 4, times a penalty.

Source: Papineni et al., "BLEU", ACL 2002, https://aclanthology.org/P02-1040. For a single sentence
some precision is usually 0, so everything depends on the smoothing: Chen and Cherry, "A Systematic
Comparison of Smoothing Techniques for Sentence-Level BLEU", WMT 2014,
https://aclanthology.org/W14-3346. Oracles: nltk 3.10 `sentence_bleu` with the `SmoothingFunction`
of the same name, sacrebleu 2.6 `BLEU(effective_order=True)` for `sacrebleu`.

Short texts: with `method4` identical texts of 1, 2, 3 tokens score 1.0, 0.22, 0.58. nltk smooths
the orders that the candidate is too short to have as if it had got them wrong; the single token
escapes because ln(1) = 0 switches the smoothing off. `sacrebleu` leaves such orders out, and is the
better reward.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from functools import partial
from math import exp, fsum, log
from typing import Final

from metrics.overlap import Formula, Shared

ORDERS: Final = 4

# From shared n-grams, all n-grams (at least 1), the order n, the candidate's length and how many
# orders had to be smoothed so far to a precision; 0.0 leaves the order out of the mean.
Smoothing = Callable[[int, int, int, int, int], float]


def _none(hits: int, total: int, _n: int, _length: int, _zeros: int) -> float:
    return hits / total if hits else sys.float_info.min


def _method1(hits: int, total: int, _n: int, _length: int, _zeros: int) -> float:
    return (hits or 0.1) / total


def _method2(hits: int, total: int, n: int, _length: int, _zeros: int) -> float:
    return hits / total if n == 1 else (hits + 1) / (total + 1)


def _method3(hits: int, total: int, _n: int, _length: int, zeros: int) -> float:
    return hits / total if hits else 1 / (2 ** (zeros + 1) * total)


def _method4(hits: int, total: int, _n: int, length: int, zeros: int) -> float:
    if hits:
        return hits / total
    # The candidate's single token has no logarithm to divide by; nltk then skips the order.
    return 1 / (2 ** (zeros + 1) * 5 / log(length)) / total if length > 1 else 0.0


SMOOTHINGS: Final[Mapping[str, Smoothing]] = {
    "none": _none,
    "method1": _method1,
    "method2": _method2,
    "method3": _method3,
    "method4": _method4,
}


def nltk_bleu(shared: Shared, smoothing: Smoothing) -> float:
    """BLEU of one pair as nltk has it, before any clamping.

    Example:
        >>> nltk_bleu(Shared(candidate=2, reference=2, ngrams=[2, 1, 0, 0], lcs=0), _method4)
        0.2213885886251307
    """
    if not shared.ngrams[0]:
        return 0.0
    length, zeros, logs = shared.candidate, 0, []
    for n in range(1, ORDERS + 1):
        hits = shared.ngrams[n - 1]
        precision = smoothing(hits, max(length - n + 1, 1), n, length, zeros)
        zeros += not hits
        if precision:
            logs.append(0.25 * log(precision))
    return brevity_penalty(shared) * exp(fsum(logs))


def sacrebleu(shared: Shared) -> float:
    """BLEU of one pair as sacrebleu has it, / 100 and before any clamping.

    Smoothing `exp`, effective order: only as many orders as the candidate has tokens.

    Identical texts give 1.0000000000000004.
    """
    if not shared.ngrams[0]:
        return 0.0
    smoothed, logs = 1.0, []
    for n in range(1, min(shared.candidate, ORDERS) + 1):
        hits, total = shared.ngrams[n - 1], shared.candidate - n + 1
        if not hits:
            smoothed *= 2
        logs.append(log(100.0 * hits / total if hits else 100.0 / (smoothed * total)))
    return brevity_penalty(shared) * exp(sum(logs) / len(logs)) / 100


def brevity_penalty(shared: Shared) -> float:
    """What a candidate shorter than its reference is multiplied with: 1.0 if it is not."""
    if shared.candidate >= shared.reference:
        return 1.0
    return exp(1 - shared.reference / shared.candidate) if shared.candidate else 0.0


def tokens(variant: str, setting: str) -> str:
    """The tokenizer of a variant: sacrebleu's is part of its name, nltk has none of its own."""
    return "13a" if variant == "sacrebleu" else setting


def formula(variant: str, tokens: str) -> Formula:
    """The formula of bleu, clamped to [0, 1]."""
    if variant == "sacrebleu":
        raw, library = sacrebleu, "sacrebleu-2.6"
    else:
        raw, library = partial(nltk_bleu, smoothing=SMOOTHINGS[variant]), "nltk-3.10"

    def score(shared: Shared) -> float:
        return min(1.0, raw(shared))

    return Formula(
        name="bleu",
        signature=f"bleu|v:{variant}|tok:{tokens}|lib:{library}",
        orders=ORDERS,
        score=score,
    )
