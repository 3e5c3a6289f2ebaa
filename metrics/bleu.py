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

# The precision of an order without shared n-grams, from its n-grams in the candidate (at least
# 1), how many orders were empty so far, this one included, and the candidate's length in tokens.
Smoothing = Callable[[int, int, int], float]


def _none(_total: int, _empty: int, _length: int) -> float:
    return sys.float_info.min


def _method1(total: int, _empty: int, _length: int) -> float:
    return 0.1 / total


def _method3(total: int, empty: int, _length: int) -> float:
    return 1 / ((1 << empty) * total)


def _method4(total: int, empty: int, length: int) -> float:
    # One token has no logarithm to divide by: 0.0, and nltk leaves the order out of the mean.
    return 1 / ((1 << empty) * 5 / log(length)) / total if length > 1 else 0.0


# `method2` is none of these: it adds one to the counts of every order but the first.
SMOOTHINGS: Final[Mapping[str, Smoothing]] = {
    "none": _none,
    "method1": _method1,
    "method2": _none,
    "method3": _method3,
    "method4": _method4,
}


def nltk_bleu(shared: Shared, smoothing: str) -> float:
    """BLEU of one pair as nltk has it, before any clamping.

    Example:
        >>> nltk_bleu(Shared(candidate=2, reference=2, ngrams=[2, 1, 0, 0], lcs=0), "method4")
        0.2213885886251307
    """
    if not shared.ngrams[0]:
        return 0.0
    length, empty, logs = shared.candidate, 0, []
    for n, hits in enumerate(shared.ngrams[:ORDERS]):
        total = max(length - n, 1)
        if n and smoothing == "method2":
            precision = (hits + 1) / (total + 1)
        elif hits:
            precision = hits / total
        else:
            empty += 1
            precision = SMOOTHINGS[smoothing](total, empty, length)
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


def formula(variant: str, tokens: str) -> Formula:
    """The formula of bleu, clamped to [0, 1]."""
    raw: Callable[[Shared], float]
    if variant == "sacrebleu":
        raw, library = sacrebleu, "sacrebleu-2.6"
    else:
        raw, library = partial(nltk_bleu, smoothing=variant), "nltk-3.10"

    def score(shared: Shared) -> float:
        return min(1.0, raw(shared))

    return Formula(
        name="bleu",
        signature=f"bleu|v:{variant}|tok:{tokens}|lib:{library}",
        orders=ORDERS,
        score=score,
    )
