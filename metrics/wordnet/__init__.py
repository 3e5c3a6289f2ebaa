"""METEOR's synonyms: what nltk reads from WordNet 3.0, in one small file and without nltk.

`synonyms` gives for every word exactly the set that `nltk.translate.meteor_score` (3.10) matches
against: the one-word lemmas of all synsets of the word, and the word itself. nltk loads 36 MB in
three seconds for that; the table here is 1.2 MB, and is read at the first question.

METEOR asks for *stems*, after Porter and lower-casing. That is nltk's quirk and the caller's
business: here a stem is a word like any other (`happi` has no synonyms, `run` has many).

The data is WordNet 3.0, Copyright 2006 by Princeton University, under the licence in the file
`LICENSE` beside this one. `build.py` makes both files out of Debian's package `wordnet-base`.
"""

from __future__ import annotations

from functools import cache, lru_cache
from pathlib import Path

from metrics.wordnet.table import LONGEST_WORD, SynonymsMissingError, Table, read_table

__all__ = ["SynonymsMissingError", "synonyms"]


def synonyms(word: str) -> frozenset[str]:
    """Return the words that METEOR's last stage lets stand for this one, itself included.

    Synonyms keep WordNet's capitals (`{"paris", "Paris"}`), which never match a lower-cased
    token: nltk's behaviour, kept. Senses are not told apart; all parts of speech count.

    Args:
        word: Any text. Looked up in lower case, and in the base forms of WordNet's morphology.

    Returns:
        At least `{word}`. About 0.2 microseconds when asked before, 6 when new; the last 65,536
        answers are kept.

    Raises:
        SynonymsMissingError: The table is not installed.

    Example:
        >>> sorted(synonyms("mice"))
        ['mice', 'mouse', 'shiner']
        >>> synonyms("happi")
        frozenset({'happi'})
    """
    # The memo is bounded in bytes, too, when no long word gets there.
    return _lookup(word) if len(word) <= LONGEST_WORD else frozenset((word,))


@lru_cache(maxsize=1 << 16)
def _lookup(word: str) -> frozenset[str]:
    return frozenset((word, *_table().lemmas(word.lower())))


@cache
def _table() -> Table:
    return read_table(Path(__file__).with_name("synonyms.txt.gz"))
