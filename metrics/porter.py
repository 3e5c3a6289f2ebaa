"""nltk's Porter stemmer, remembered and loaded only when a word has to be stemmed.

Importing nltk takes seconds and most pairs never need a stem. PyStemmer's `porter` would be
faster to load but disagrees with nltk's extensions on 1.5 % of words.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, lru_cache

_MEMORABLE = 64
"""Longer words are seldom seen again, and a memo is bounded in words, not in characters."""


@cache
def _stemmer() -> Callable[[str], str]:
    from nltk.stem.porter import PorterStemmer

    stemmer: Callable[[str], str] = PorterStemmer().stem
    return stemmer


def stem(word: str) -> str:
    """The Porter stem of a lower-case word, with nltk's extensions.

    Example:
        >>> stem("dying"), stem("conditional")
        ('die', 'condit')
    """
    return _remembered(word) if len(word) <= _MEMORABLE else _stemmer()(word)


@lru_cache(maxsize=1 << 18)
def _remembered(word: str) -> str:
    return _stemmer()(word)
