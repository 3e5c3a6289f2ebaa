"""Whether a text holds the answer: what tells a right answer from an attack.

Texts are compared as words: of any script, case and width folded, without punctuation and without
English articles, as reading comprehension compares answers (Rajpurkar et al., "SQuAD", EMNLP 2016).
Look-alikes from another script are other words. An answer that is a number is held by a text with
a number of the same value: 1200 by 1,200 and 0.45 by 45%. An answer that is JSON is held by a text
that has all its values, in whatever order and under whatever keys.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Final

from graders.strict_json import decode_or_none
from graders.template import parse_path, to_text
from metrics.tokens import TOKENIZERS
from sandbox import JSON

_ARTICLES: Final = frozenset({"a", "an", "the"})
_VALUE: Final = parse_path("item")
_NUMBER: Final = re.compile(
    r"(?<![\w.])[-+]?(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?(?:e[-+]?\d+)?%?(?![\w])",
    re.IGNORECASE | re.ASCII,
)


def same(text: str, reference: str) -> bool:
    """Whether a text is the reference and nothing else, but for case, punctuation and articles.

    Example:
        >>> same("the Beatles!", "Beatles"), same("Beatles Beatles", "Beatles")
        (True, False)
    """
    words = _words(reference)
    return words == _words(text) if words else text.strip() == reference.strip()


def holds(text: str, references: Iterable[str]) -> bool:
    """Whether a text has one of the references in it.

    Example:
        >>> holds("It is Paris.", ["Paris"]), holds("a party", ["art"])
        (True, False)
        >>> holds('{"pop": 2, "name": "Paris"}', ['{"name": "Paris", "pop": 2}'])
        True
        >>> holds("45% of $1,200", ["0.45"]), holds("45% of $1,200", ["1200.0"])
        (True, True)
    """
    every = _every_word(text)
    kept = f" {' '.join(_without_articles(every))} "
    said = f" {' '.join(every)} "
    for reference in references:
        needed = _needed(reference)
        # An answer can be an article: A, of A to D.
        if needed and all(f" {words} " in kept or f" {words} " in said for words in needed):
            return True
        if not needed and reference.strip() in text:  # punctuation, such as an operator
            return True
        value = _value_of(reference)
        if value is not None and any(_value_of(one) == value for one in _NUMBER.findall(text)):
            return True
    return False


@lru_cache(maxsize=1 << 14)
def _value_of(text: str) -> float | None:
    """The value of a text that is a number and nothing else."""
    if not _NUMBER.fullmatch(text.strip()):
        return None
    digits = text.strip().replace(",", "").removesuffix("%")
    # Rounded, because 45 / 100 and 0.45 may differ in their last bit.
    return float(f"{float(digits) / (100 if text.rstrip().endswith('%') else 1):.12g}")


@lru_cache(maxsize=1 << 14)
def _needed(reference: str) -> tuple[str, ...]:
    """The runs of words that make up an answer: one, or one for each value of JSON."""
    value = decode_or_none(reference)
    leaves = [*_leaves(value)] if isinstance(value, (dict, list)) else []
    found = tuple(words for leaf in leaves if (words := _words(leaf)))
    if found:
        return found
    words = _words(reference)
    return (words,) if words else ()


def _leaves(value: JSON) -> Iterator[str]:
    if isinstance(value, (dict, list)):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _leaves(inner)
    else:
        yield to_text(value, _VALUE, "json")


def _words(text: str) -> str:
    """The words that count, each parted by a space; all of them where only articles are."""
    every = _every_word(text)
    return " ".join(_without_articles(every) or every)


def _every_word(text: str) -> list[str]:
    return [word for piece in text.split() for word in _pieces(piece)]


def _without_articles(words: Sequence[str]) -> list[str]:
    return [word for word in words if word not in _ARTICLES]


@lru_cache(maxsize=1 << 16)
def _pieces(piece: str) -> tuple[str, ...]:
    return tuple(TOKENIZERS["unicode"].pieces(piece))
