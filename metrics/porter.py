"""The Porter stemmer, as nltk has it: the stem of an English word.

Porter, "An algorithm for suffix stripping", Program 14.3 (1980), with the changes of his own later
versions and those of nltk, which is what METEOR and rouge-score's stems are. Written anew because
importing nltk takes more than a second; the oracle in the tests is nltk 3.10's `PorterStemmer`.
PyStemmer's `porter` disagrees with it on 1.5 % of words.

A rule takes a suffix off and looks at what is left of the word: how often a consonant follows a
vowel in it, which is its measure.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

_MEMORABLE = 64
"""Longer words are seldom seen again, and a memo is bounded in words, not in characters."""


def stem(word: str) -> str:
    """The Porter stem of a lower-case word, with nltk's extensions.

    Example:
        >>> stem("dying"), stem("conditional")
        ('die', 'condit')
    """
    return _remembered(word) if len(word) <= _MEMORABLE else _stem(word)


_IRREGULAR: Final = {
    "skies": "sky",
    "dying": "die",
    "lying": "lie",
    "tying": "tie",
    "innings": "inning",
    "outings": "outing",
    "cannings": "canning",
    **{word: word for word in ("sky", "news", "inning", "outing", "canning", "howe")},
    **{word: word for word in ("proceed", "exceed", "succeed")},
}

_LONG_SUFFIXES: Final = (
    *(("ational", "ate"), ("tional", "tion"), ("enci", "ence"), ("anci", "ance")),
    *(("izer", "ize"), ("bli", "ble"), ("alli", "al"), ("entli", "ent"), ("eli", "e")),
    *(("ousli", "ous"), ("ization", "ize"), ("ation", "ate"), ("ator", "ate")),
    *(("alism", "al"), ("iveness", "ive"), ("fulness", "ful"), ("ousness", "ous")),
    *(("aliti", "al"), ("iviti", "ive"), ("biliti", "ble"), ("fulli", "ful")),
)
_MIDDLE_SUFFIXES: Final = (
    *(("icate", "ic"), ("ative", ""), ("alize", "al"), ("iciti", "ic"), ("ical", "ic")),
    *(("ful", ""), ("ness", "")),
)
_LAST_SUFFIXES: Final = tuple(
    (suffix, "")
    for suffix in (
        *("al", "ance", "ence", "er", "ic", "able", "ible", "ant", "ement", "ment", "ent"),
        *("ou", "ism", "ate", "iti", "ous", "ive", "ize"),
    )
)


def _stem(word: str) -> str:
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    if len(word) <= 2:
        return word
    word = _without_y(_without_ed_or_ing(_singular(word)))
    word = _replaced(_long_replaced(word), _MIDDLE_SUFFIXES, 1)
    return _without_e(_last_removed(word))


_remembered = lru_cache(maxsize=1 << 18)(_stem)


def _shape(text: str) -> str:
    """A c for each consonant, a v for each vowel; y is a vowel after a consonant.

    Example:
        >>> _shape("syzygy"), _shape("yellow")
        ('cvcvcv', 'cvccvc')
    """
    shape, vowel = [], True
    for letter in text:
        vowel = letter in "aeiou" or (letter == "y" and not vowel)
        shape.append("v" if vowel else "c")
    return "".join(shape)


def _measure(text: str) -> int:
    return _shape(text).count("vc")


def _is_short(text: str) -> bool:
    """Whether it ends as -hop does, so that an e was taken from it: -hope."""
    shape = _shape(text)
    return shape == "vc" or (shape.endswith("cvc") and text[-1] not in "wxy")


def _replaced(word: str, rules: tuple[tuple[str, str], ...], least: int) -> str:
    """The word with its suffix replaced, if what is left has at least some measure."""
    for suffix, replacement in rules:
        if word.endswith(suffix):
            left = word[: -len(suffix)]
            return left + replacement if _measure(left) >= least else word
    return word


def _singular(word: str) -> str:  # step 1a
    if word.endswith("ies"):
        return word[:-1] if len(word) == 4 else word[:-2]
    if word.endswith("sses"):
        return word[:-2]
    return word[:-1] if word.endswith("s") and not word.endswith("ss") else word


def _without_ed_or_ing(word: str) -> str:  # step 1b
    if word.endswith("ied"):
        return word[:-1] if len(word) == 4 else word[:-2]
    if word.endswith("eed"):
        return word[:-1] if _measure(word[:-3]) else word
    for suffix in ("ed", "ing"):
        left = word[: -len(suffix)]
        if word.endswith(suffix) and "v" in _shape(left):
            return _mended(left)
    return word


def _mended(left: str) -> str:
    """What -ed or -ing was taken from: conflat is conflate, hopp is hop, fil is file."""
    if left.endswith(("at", "bl", "iz")):
        return left + "e"
    if left[-2:-1] == left[-1] and _shape(left)[-1] == "c":
        return left if left[-1] in "lsz" else left[:-1]
    if left.endswith("*d"):  # "*d" is Porter's sign for two equal consonants; nltk looks for it too
        return left[:-2] + "d"
    return left + "e" if _measure(left) == 1 and _is_short(left) else left


def _without_y(word: str) -> str:  # step 1c
    changes = word.endswith("y") and len(word) > 2 and _shape(word[:-1])[-1] == "c"
    return word[:-1] + "i" if changes else word


def _long_replaced(word: str) -> str:  # step 2
    if word.endswith("alli") and _measure(word[:-4]):
        word = word[:-2]
    if word.endswith("logi"):
        return word[:-1] if _measure(word[:-3]) else word
    return _replaced(word, _LONG_SUFFIXES, 1)


def _last_removed(word: str) -> str:  # step 4
    if word.endswith("ion"):
        left = word[:-3]
        return left if _measure(left) > 1 and left[-1] in "st" else word
    return _replaced(word, _LAST_SUFFIXES, 2)


def _without_e(word: str) -> str:  # step 5
    if word.endswith("e"):
        left = word[:-1]
        measure = _measure(left)
        word = left if measure > 1 or (measure == 1 and not _is_short(left)) else word
    return word[:-1] if word.endswith("ll") and _measure(word[:-1]) > 1 else word
