"""METEOR: words aligned by form, stem and synonym, and a penalty for scattered matches.

Source: Lavie and Agarwal, "METEOR", WMT 2007, https://aclanthology.org/W07-0734. Oracle: nltk 3.10
`meteor_score` (alpha .9, beta 3, gamma .5), which departs from the paper in two ways: words are
matched from the end of the text without minimising crossings, and synonyms are looked up for
*stems*, so that a word whose stem is no word (happy, "happi") has none.

The mean of precision and recall weighs recall 9 to 1. Identical texts of m words score
1 - .5 / m**3: .5 for a single word.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from itertools import chain
from typing import Final, NamedTuple

from metrics.interning import FULL, MEMORABLE
from metrics.porter import stem
from metrics.tokens import TOKENIZERS, Tokenizer
from metrics.wordnet import synonyms

ALPHA: Final = 0.9
BETA: Final = 3.0
GAMMA: Final = 0.5

Synonyms = Callable[[str], frozenset[str]]
Matches = list[tuple[int, int]]


def other_words(word: str) -> frozenset[str]:
    """The synonyms of a word but itself: the lookup of variant `wordnet`."""
    return _other_words(word) if len(word) <= MEMORABLE else synonyms(word) - {word}


@lru_cache(maxsize=1 << 17)
def _other_words(word: str) -> frozenset[str]:
    return synonyms(word) - {word}


def no_synonyms(_word: str) -> frozenset[str]:
    """The lookup of variant `no_synonyms`."""
    return frozenset()


class Alignment(NamedTuple):
    """Positions matched one to one, (candidate, reference), by the stage that found them."""

    exact: Matches
    stem: Matches
    synonym: Matches


def align(candidate: Sequence[str], reference: Sequence[str], lookup: Synonyms) -> Alignment:
    """Align two texts, given as lower-case tokens.

    Example:
        >>> align(["two", "dogs"], ["a", "dog", "two"], no_synonyms)
        Alignment(exact=[(0, 2)], stem=[(1, 1)], synonym=[])
    """
    free = _places(enumerate(reference))
    exact, left = _take(
        zip(range(len(candidate) - 1, -1, -1), reversed(candidate), strict=True), free
    )
    unmatched = sorted(chain.from_iterable(free.values()))
    if not left or not unmatched:
        return Alignment(exact, [], [])
    free = _places((place, stem(reference[place])) for place in unmatched)
    stemmed, left = _take([(place, stem(word)) for place, word in left], free)
    free = {word: places for word, places in free.items() if places}
    return Alignment(exact, stemmed, _take_synonyms(left, free, lookup))


def _places(words: Iterable[tuple[int, str]]) -> dict[str, list[int]]:
    """Where each word stands, ascending."""
    places: dict[str, list[int]] = {}
    for place, word in words:
        if word in places:
            places[word].append(place)
        else:
            places[word] = [place]
    return places


def _take(
    words: Iterable[tuple[int, str]], free: dict[str, list[int]]
) -> tuple[Matches, list[tuple[int, str]]]:
    """Match each word to the last free place of the same word; the rest is left over."""
    matches, left = [], []
    for place, word in words:
        if places := free.get(word):
            matches.append((place, places.pop()))
        else:
            left.append((place, word))
    return matches, left


def _take_synonyms(
    words: Iterable[tuple[int, str]], free: dict[str, list[int]], lookup: Synonyms
) -> Matches:
    """Match each word to the last free place of any of its synonyms."""
    matches = []
    for place, word in words:
        # Asked of each synonym: frozenset.intersection would go through the whole text.
        if shared := [synonym for synonym in lookup(word) if synonym in free]:
            last = max(shared, key=lambda synonym: free[synonym][-1])
            matches.append((place, free[last].pop()))
            if not free[last]:
                del free[last]
    return matches


def chunks(matches: Matches) -> int:
    """Runs of matches that are adjacent, and in the same order, in both texts.

    Example:
        >>> chunks([(0, 0), (1, 1), (2, 5)])
        2
    """
    partner = dict(matches)
    return sum([partner.get(i - 1) != j - 1 for i, j in matches])


def meteor(candidate: Sequence[str], reference: Sequence[str], lookup: Synonyms) -> float:
    """METEOR of two texts, given as lower-case tokens."""
    matches = list(chain.from_iterable(align(candidate, reference, lookup)))
    matched = len(matches)
    if not matched:
        return 0.0
    mean = f_mean(matched, len(candidate), len(reference))
    return (1 - penalty(chunks(matches), matched)) * mean


def f_mean(matched: int, candidate: int, reference: int) -> float:
    """Harmonic mean of precision and recall, recall weighing nine times as much."""
    precision, recall = matched / candidate, matched / reference
    return (precision * recall) / (ALPHA * precision + (1 - ALPHA) * recall)


def penalty(chunks: int, matched: int) -> float:
    """The share of the mean that is lost to matches in several runs: .5 at worst."""
    lost: float = GAMMA * (chunks / matched) ** BETA
    return lost


class _Lowered(dict[str, tuple[str, ...]]):
    """From piece to its tokens in lower case, filled as it is asked."""

    __slots__ = ("_tokenizer",)

    def __init__(self, tokenizer: Tokenizer) -> None:
        super().__init__()
        self._tokenizer = tokenizer

    def __missing__(self, piece: str) -> tuple[str, ...]:
        tokens = tuple(map(str.lower, self._tokenizer.pieces(piece)))
        if len(piece) <= MEMORABLE:
            if len(self) >= FULL:
                self.clear()
            self[piece] = tokens
        return tokens

    def __call__(self, text: str) -> list[str]:
        pieces = self._tokenizer.prepare(text).split(self._tokenizer.separator)
        return list(chain.from_iterable(map(self.__getitem__, pieces)))


@cache
def lowered(tokens: str) -> Callable[[str], list[str]]:
    """What splits a text into lower-case tokens, by the tokenizer's name."""
    return _Lowered(TOKENIZERS[tokens])


@dataclass(frozen=True, slots=True, kw_only=True)
class Meteor:
    """METEOR with one tokenizer and one lookup of synonyms; a `Metric`."""

    variant: str
    tokens: str

    @property
    def name(self) -> str:
        return "meteor"

    @property
    def signature(self) -> str:
        data = "|data:wordnet-3.0" if self.variant == "wordnet" else ""
        return f"meteor|v:{self.variant}|tok:{self.tokens}|lib:nltk-3.10{data}"

    @property
    def synonyms(self) -> Synonyms:
        """The lookup of this variant."""
        return other_words if self.variant == "wordnet" else no_synonyms

    def pair(self, candidate: str, reference: str) -> float:
        split = lowered(self.tokens)
        return meteor(split(candidate), split(reference), self.synonyms)

    def batch(self, candidates: Sequence[str], references: Sequence[str]) -> list[float]:
        split, known = lowered(self.tokens), self.synonyms
        prepared = {text: split(text) for text in set(references)}
        return [
            meteor(split(candidate), prepared[reference], known)
            for candidate, reference in zip(candidates, references, strict=True)
        ]


def metric(variant: str, tokens: str) -> Meteor:
    """METEOR by its settings. Without the synonym table `wordnet` becomes `no_synonyms`, aloud."""
    if variant == "wordnet" and not files("metrics.wordnet").joinpath("synonyms.txt.gz").is_file():
        warnings.warn("meteor: WordNet's table is not installed, no synonyms", stacklevel=2)
        variant = "no_synonyms"
    return Meteor(variant=variant, tokens=tokens)
