"""fuzzy_match: similarity of two texts as strings of characters, by rapidfuzz 3.14.

The hosted grader is `ratio`, proven bit for bit. The other scorers forgive more and are easier to
game: under `wratio_dp` "the" fifty times outscores the best human summary. A variant whose name
ends in `_dp` applies rapidfuzz's `default_process` first: lower case, everything but letters and
digits replaced by spaces, trimmed.

Two empty texts: `ratio`, `partial` and `levenshtein` give 1.0, the others 0.0.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from rapidfuzz import fuzz
from rapidfuzz.distance import Levenshtein
from rapidfuzz.utils import default_process

from metrics.limits import check_work
from metrics.types import check_lengths

Scorer = Callable[[str, str], float]


def wratio(a: str, b: str) -> float:
    """WRatio of rapidfuzz, 0 to 100, up to 15 times sooner on long texts.

    The same maximum over the same parts, the cheap ones first: `partial_ratio`, which slides one
    text along the other, may then give up on what cannot beat them.
    """
    if not a or not b:
        return 0.0
    best = fuzz.ratio(a, b)
    lengths = max(len(a), len(b)) / min(len(a), len(b))
    if lengths < 1.5:
        return max(best, fuzz.token_ratio(a, b) * 0.95)
    scale = 0.9 if lengths <= 8.0 else 0.6
    tokens = fuzz.partial_token_ratio(a, b, score_cutoff=_below(best / 0.95 / scale))
    best = max(best, tokens * 0.95 * scale)
    return max(best, fuzz.partial_ratio(a, b, score_cutoff=_below(best / scale)) * scale)


def _below(score: float) -> float:
    # A little lower, so that rounding never cuts off what would win by the last bit.
    return min(100.0, score * (1 - 1e-9))


@dataclass(frozen=True, slots=True)
class _Kind:
    """A scorer, its best score, and whether it slides one text along the other."""

    scorer: Scorer
    best: float = 100.0
    slides: bool = False

    def cells(self, ours: int, theirs: int) -> int:
        """The work of texts of so many characters."""
        return ours * theirs * (min(ours, theirs) if self.slides else 1)


_KINDS: Final[Mapping[str, _Kind]] = {
    "ratio": _Kind(fuzz.ratio),
    "wratio": _Kind(wratio, slides=True),
    "token_set": _Kind(fuzz.token_set_ratio),
    "token_sort": _Kind(fuzz.token_sort_ratio),
    "partial": _Kind(fuzz.partial_ratio, slides=True),
    "levenshtein": _Kind(Levenshtein.normalized_similarity, best=1.0),
}
PROCESSED: Final = "_dp"
VARIANTS: Final = (*_KINDS, *(kind + PROCESSED for kind in _KINDS))


@dataclass(frozen=True, slots=True)
class FuzzyMatch:
    """fuzzy_match in one of its variants."""

    variant: str
    work_limit: int

    @property
    def name(self) -> str:
        return "fuzzy_match"

    @property
    def signature(self) -> str:
        return f"fuzzy_match|v:{self.variant}|lib:rapidfuzz-3.14"

    def pair(self, candidate: str, reference: str) -> float:
        """Score one pair.

        Raises:
            TooMuchWork: The texts are too long for the variant.
        """
        a, b = self.process(candidate), self.process(reference)
        kind = _KINDS[self.variant.removesuffix(PROCESSED)]
        check_work(f"fuzzy_match {self.variant}", kind.cells(len(a), len(b)), self.work_limit)
        return kind.scorer(a, b) / kind.best

    def batch(self, candidates: Sequence[str], references: Sequence[str]) -> list[float]:
        """Score each candidate against the reference at the same position."""
        check_lengths(candidates, references)
        kind = _KINDS[self.variant.removesuffix(PROCESSED)]
        longest = [max(map(len, texts), default=0) for texts in (candidates, references)]
        if self.variant.endswith(PROCESSED) or kind.cells(*longest) > self.work_limit:
            return [self.pair(c, r) for c, r in zip(candidates, references, strict=True)]
        # No pair can be too much: half of the time went into asking.
        return [score / kind.best for score in map(kind.scorer, candidates, references)]

    def process(self, text: str) -> str:
        """What of a text is compared."""
        return default_process(text) if self.variant.endswith(PROCESSED) else text
