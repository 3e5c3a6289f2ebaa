"""Texts as strings with one character per token, so that C code written for strings does the work.

Interning makes a text's n-grams its substrings, ROUGE-L the LCS of two strings, and equality of
tokens that of characters. Both texts of a pair must be encoded by one `Vocabulary`.

A vocabulary remembers every piece between separators it has seen (tokenizers are local, see
`tokens`), so the regexes and the stemmer run once per distinct word of the process.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from itertools import count
from typing import Final

from metrics.limits import TooMuchWork
from metrics.tokens import TOKENIZERS, Tokenizer

# A vocabulary this large is dropped before the next pair: about 100 MB.
FULL: Final = 500_000
# Longer pieces are seldom seen again: a line of Chinese, a base64 blob.
MEMORABLE: Final = 64
_CHARACTERS: Final = 0x110000


class Vocabulary(dict[str, str]):
    """From piece to token characters, filled as it is asked. Safe to share between threads."""

    __slots__ = ("_characters", "_fresh", "_tokenizer")

    def __init__(self, tokenizer: Tokenizer) -> None:
        super().__init__()
        self._tokenizer = tokenizer
        self._characters: dict[str, str] = {}
        self._fresh = count(1)  # 0 is left to callers who need a separator

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
        # setdefault, because another thread may have met the token meanwhile.
        return self._characters.setdefault(token, chr(number))

    def encode(self, text: str) -> str:
        """The text with one character per token."""
        pieces = self._tokenizer.prepare(text).split(self._tokenizer.separator)
        return "".join(map(self.__getitem__, pieces))

    def encode_all(self, texts: Iterable[str]) -> list[str]:
        """Encode many texts, each distinct one once: groups repeat their reference."""
        known: dict[str, str] = {}
        encoded = []
        for text in texts:
            tokens = known.get(text)
            if tokens is None:
                tokens = known[text] = self.encode(text)
            encoded.append(tokens)
        return encoded

    @property
    def full(self) -> bool:
        """Whether it is time for a new one."""
        return len(self) > FULL or len(self._characters) > FULL


class Encoder:
    """Hands out the vocabulary of one tokenizer, and a new one when that has grown too large."""

    __slots__ = ("_vocabulary", "tokenizer")

    def __init__(self, tokenizer: Tokenizer) -> None:
        self.tokenizer = tokenizer
        self._vocabulary = Vocabulary(tokenizer)

    def vocabulary(self) -> Vocabulary:
        """The vocabulary for one pair or batch. Take it once: the next call may return another."""
        if self._vocabulary.full:
            self._vocabulary = Vocabulary(self.tokenizer)
        return self._vocabulary


@cache
def encoder(tokens: str) -> Encoder:
    """The process's one encoder for a tokenizer, by name."""
    return Encoder(TOKENIZERS[tokens])
