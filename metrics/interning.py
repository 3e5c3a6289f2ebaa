"""Texts as strings with one character per token, so that C code written for strings does the work.

Interning makes a text's n-grams its substrings, ROUGE-L the LCS of two strings, and equality of
tokens that of characters. Both texts of a pair must be encoded by one `Vocabulary`.

A vocabulary remembers every piece between separators it has seen (tokenizers are local, see
`tokens`), so the regexes and the stemmer run once per distinct word of the process.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import count
from secrets import token_hex
from typing import Final

from metrics.limits import TooMuchWork
from metrics.tokens import TOKENIZERS, Tokenizer

# A vocabulary of this many tokens, or this many characters in them, is dropped before the next
# pair: about 100 MB of ordinary words.
FULL: Final = 500_000
FULL_CHARACTERS: Final = 16_000_000
# Longer pieces are seldom seen again: a line of Chinese, a base64 blob.
MEMORABLE: Final = 64
_CHARACTERS: Final = 0x110000
# A piece that no text has, and the character that no token gets.
_MARK: Final = token_hex(16)
_MARKED: Final = "\0"


class Vocabulary(dict[str, str]):
    """From piece to token characters, filled as it is asked. Safe to share between threads."""

    __slots__ = ("_characters", "_fresh", "_length", "_tokenizer")

    def __init__(self, tokenizer: Tokenizer) -> None:
        super().__init__()
        self._tokenizer = tokenizer
        self._characters: dict[str, str] = {}
        self._fresh = count(1)
        self._length = 0
        self[_MARK] = _MARKED

    def __missing__(self, piece: str) -> str:
        encoded = "".join(map(self._character, self._tokenizer.pieces(piece)))
        if len(piece) <= MEMORABLE:
            self[piece] = encoded
        return encoded

    def _character(self, token: str) -> str:
        known = self._characters.get(token)
        if known is not None:
            return known
        number = next(self._fresh)
        if number >= _CHARACTERS:
            raise TooMuchWork(
                f"{self._tokenizer.name}: more than {_CHARACTERS:,} different tokens at once"
            )
        self._length += len(token)
        # setdefault, because another thread may have met the token meanwhile.
        return self._characters.setdefault(token, chr(number))

    def encode(self, text: str) -> str:
        """The text with one character per token."""
        pieces = self._tokenizer.prepare(text).split(self._tokenizer.separator)
        return "".join(map(self.__getitem__, pieces))

    def encode_all(self, texts: Sequence[str]) -> list[str]:
        """Encode many texts, at least one."""
        # In one go, with a mark between the texts: a few calls instead of a few for each.
        joined = f" {_MARK} ".join(map(self._tokenizer.prepare, texts))
        pieces = joined.split(self._tokenizer.separator)
        return "".join(map(self.__getitem__, pieces)).split(_MARKED)

    @property
    def full(self) -> bool:
        """Whether it is time for a new one."""
        return max(len(self), len(self._characters)) > FULL or self._length > FULL_CHARACTERS


class Encoder:
    """Hands out the vocabulary of one tokenizer, and a new one when that has grown too large."""

    __slots__ = ("_vocabulary", "tokenizer")

    def __init__(self, tokenizer: Tokenizer) -> None:
        self.tokenizer = tokenizer
        self._vocabulary = Vocabulary(tokenizer)

    def pair(self, candidate: str, reference: str) -> tuple[str, str]:
        """Both texts with one character per token."""
        encode = self.vocabulary().encode
        try:
            return encode(candidate), encode(reference)
        except TooMuchWork:  # perhaps only because of what was seen before
            self._vocabulary = Vocabulary(self.tokenizer)
            encode = self._vocabulary.encode
            return encode(candidate), encode(reference)

    def batch(
        self, candidates: Sequence[str], references: Sequence[str]
    ) -> tuple[list[str], list[str]]:
        """All texts with one character per token. Groups repeat their reference: it costs once."""
        distinct = list(dict.fromkeys((*candidates, *references)))
        encode = self.tokenizer.encode or self.vocabulary().encode_all
        encoded = dict(zip(distinct, encode(distinct), strict=True)).__getitem__
        return list(map(encoded, candidates)), list(map(encoded, references))

    def vocabulary(self) -> Vocabulary:
        """The vocabulary for one pair or batch. Take it once: the next call may return another."""
        if self._vocabulary.full:
            self._vocabulary = Vocabulary(self.tokenizer)
        return self._vocabulary


@cache
def encoder(tokens: str) -> Encoder:
    """The process's one encoder for a tokenizer, by name."""
    return Encoder(TOKENIZERS[tokens])
