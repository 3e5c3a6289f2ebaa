"""`hash_char`: texts as counts of hashed character n-grams. No data, no model, every script.

The vectors are those of scikit-learn's `HashingVectorizer(analyzer="char_wb", ngram_range=(3, 5),
n_features=2**18, alternate_sign=False)`: the text in lower case, cut at white space; each word
between two spaces; its runs of 3, 4 and 5 characters hashed (MurmurHash3 of their UTF-8) into 2**18
places and counted; the counts scaled to length 1. Lone surrogates, which scikit-learn refuses, are
hashed as the three bytes that UTF-8 would give them.

Cosines are taken from the counts, in whole numbers: nothing is rounded before the one square root
and the one division, so neither order nor batch can show.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain, pairwise
from math import sqrt
from operator import mul
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

DIMENSIONS = 2**18
_GRAM_SIZES = (3, 4, 5)

_PAIRS_AT_ONCE = 500
_MEMO_WORDS = 1 << 16  # about 20 MB
_MEMO_CHARACTERS = 40  # per word: what is longer is hardly seen twice
_UNKNOWN = array("i")  # no word is without n-grams


class Bag(NamedTuple):
    """A text's vector before scaling.

    Attributes:
        counts: Places that are not 0, and how many n-grams fell there.
        square: The sum of the counts' squares.
    """

    counts: Counter[int]
    square: int


@dataclass(frozen=True, slots=True)
class HashChar:
    """The default embedder.

    Example:
        >>> HashChar().cosines(["the cat sat", "Katze"], ["The cat sat.", "кошка"])
        [0.7807200583588266, 0.0]
    """

    name: str = field(default="hash_char", init=False)
    # N-grams never cross a word's edge, so a word is hashed once and its places kept.
    _memo: dict[str, array[int]] = field(default_factory=dict, repr=False, compare=False)

    def embed(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """Return the vectors written out: 2 MB for each text. To compare texts, use `cosines`."""
        import numpy as np

        vectors = np.zeros((len(texts), DIMENSIONS))
        for row, bag in enumerate(self._bags(texts)):
            if bag.square:
                counts = np.array(list(bag.counts.values()))
                vectors[row, list(bag.counts)] = counts / sqrt(bag.square)
        return vectors

    def cosines(self, candidates: Sequence[str], references: Sequence[str]) -> list[float]:
        """Return the cosine of each candidate and its reference, in [0, 1].

        Equal texts have exactly 1.0, a text without words 0.0.

        Raises:
            ValueError: The two sequences differ in length.
        """
        pairs = list(zip(candidates, references, strict=True))
        cosines: list[float] = []
        for start in range(0, len(pairs), _PAIRS_AT_ONCE):
            some = pairs[start : start + _PAIRS_AT_ONCE]
            texts = list(dict.fromkeys(chain.from_iterable(some)))
            bags = dict(zip(texts, self._bags(texts), strict=True))
            cosines += [_cosine(bags[candidate], bags[reference]) for candidate, reference in some]
        return cosines

    def _bags(self, texts: Sequence[str]) -> list[Bag]:
        split = [text.lower().split() for text in texts]
        places = self._places(chain.from_iterable(split))
        return [_bag(chain.from_iterable([places[word] for word in words])) for words in split]

    def _places(self, words: Iterable[str]) -> dict[str, array[int]]:
        """Return the places of all words; only those never seen before are hashed."""
        places = {word: self._memo.get(word, _UNKNOWN) for word in words}
        if new := [word for word, found in places.items() if not found]:
            hashed = dict(zip(new, hash_words(new), strict=True))
            places |= hashed
            if len(self._memo) + len(new) > _MEMO_WORDS:
                self._memo.clear()
            self._memo.update((w, at) for w, at in hashed.items() if len(w) <= _MEMO_CHARACTERS)
        return places


def hash_words(words: Sequence[str]) -> list[array[int]]:
    """Return the places of each word's n-grams, in one pass over all words.

    Needs at its peak about 300 bytes for each character.

    Args:
        words: Without white space, in lower case, none of them empty.

    Example:
        >>> hash_words(["a"])
        [array('i', [238520])]
    """
    import numpy as np

    from metrics.embed.murmur import murmur3

    text = "".join([f" {word} " for word in words])
    data = text.encode("utf-8", "surrogatepass")
    lengths = np.array([len(word) + 2 for word in words])
    ends = np.cumsum(lengths)
    # How many characters there are from each one to the end of its word.
    room = np.repeat(ends, lengths) - np.arange(len(text))
    sizes = np.array(_GRAM_SIZES)
    first, size = np.nonzero(room[:, None] >= sizes)
    # Bytes 10xxxxxx go on with a character; all others begin one.
    begins = np.flatnonzero(np.frombuffer(data, dtype=np.uint8) & 0xC0 != 0x80)
    edges = np.append(begins, len(data))
    starts = edges[first]
    hashes = murmur3(data, starts, edges[first + sizes[size]] - starts)
    places = array("i", (np.abs(hashes.astype(np.int64)) % DIMENSIONS).astype(np.intc).tobytes())
    cuts = [0, *np.searchsorted(first, ends).tolist()]
    return [places[start:end] for start, end in pairwise(cuts)]


def _bag(places: Iterable[int]) -> Bag:
    counts = Counter(places)
    numbers = counts.values()
    return Bag(counts, sum(map(mul, numbers, numbers)))


def _cosine(one: Bag, other: Bag) -> float:
    few, many = sorted((one.counts, other.counts), key=len)
    dot = sum([count * many[place] for place, count in few.items() if place in many])
    return dot / sqrt(one.square * other.square) if dot else 0.0
