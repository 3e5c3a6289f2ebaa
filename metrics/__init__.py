"""How alike are two texts? Eleven metrics with the numbers of the libraries everyone quotes.

Exact (bit-equal to pinned versions), offline (no download, ever) and fast (one pass computes all
metrics asked of a pair). `README.md` beside this file defines every variant.

Example:
    >>> similarity("rouge_l", "the cat sat down", "the cat ran")
    0.5714285714285715
    >>> METRICS["bleu"].signature
    'bleu|v:method4|tok:nltk_word|lib:nltk-3.10'
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from metrics import families
from metrics.explanation import Explanation, explain
from metrics.limits import TooMuchWork
from metrics.lost import LostTokens, lost_tokens
from metrics.settings import DEFAULT, Settings
from metrics.types import Metric, check_lengths

__all__ = [
    "METRICS",
    "Explanation",
    "LostTokens",
    "Metric",
    "Settings",
    "TooMuchWork",
    "best",
    "best_batch",
    "explain",
    "lost_tokens",
    "metric",
    "similarities",
    "similarity",
]


def metric(name: str, settings: Settings = DEFAULT) -> Metric:
    """The metric of that name, in the variant the settings ask for.

    Raises:
        ValueError: There is no such metric; the message names all and the nearest.
        ImportError: The setting needs an extra that is not installed.
    """
    return families.metric(name, settings)


METRICS: Final[Mapping[str, Metric]] = {name: metric(name) for name in families.NAMES}


def similarity(name: str, candidate: str, reference: str, settings: Settings = DEFAULT) -> float:
    """Score one pair with one metric, in [0, 1].

    Raises:
        ValueError: There is no such metric.
        TooMuchWork: The texts are too long for it.
    """
    return metric(name, settings).pair(candidate, reference)


def similarities(
    names: Iterable[str],
    candidates: Sequence[str],
    references: Sequence[str],
    settings: Settings = DEFAULT,
) -> dict[str, list[float]]:
    """Score each candidate against the reference at the same position, with several metrics.

    One pass: metrics that share tokens and counts compute them once.

    Raises:
        ValueError: A name is no metric's, or the sequences differ in length.
        TooMuchWork: Some pair is too much for some metric.

    Example:
        >>> similarities(["rouge_1", "rouge_l"], ["the cat sat down"], ["down the cat sat"])
        {'rouge_1': [1.0], 'rouge_l': [0.75]}
    """
    wanted = list(dict.fromkeys(names))
    check_lengths(candidates, references)
    columns: dict[str, list[float]] = {}
    for family in families.families(wanted, settings):
        scores = family.batch(candidates, references)
        columns |= dict(zip(family.signatures, map(list, scores), strict=True))
    return {name: columns[name] for name in wanted}


def best(metric: Metric, candidate: str, references: Sequence[str]) -> tuple[float, int]:
    """Score a candidate against several references: the best score, and its reference's position.

    The first of several equally good ones.

    Raises:
        ValueError: There are no references.

    Example:
        >>> best(METRICS["rouge_1"], "a red fox", ["a dog", "the red fox"])
        (0.6666666666666666, 1)
    """
    return best_batch(metric, [candidate], [references])[0]


def best_batch(
    metric: Metric, candidates: Sequence[str], references: Sequence[Sequence[str]]
) -> list[tuple[float, int]]:
    """`best` of each candidate against the list of references at the same position."""
    for place, several in enumerate(references):
        if not several:
            raise ValueError(f"best: candidate {place} has no reference; give it at least one")
    pairs = [(c, r) for c, rs in zip(candidates, references, strict=True) for r in rs]
    scores = iter(metric.batch([c for c, _ in pairs], [r for _, r in pairs]))
    found = []
    for several in references:
        own = [next(scores) for _ in several]
        top = max(own)
        found.append((top, own.index(top)))
    return found
