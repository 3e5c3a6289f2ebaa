"""The ways text is split into tokens, each named for what it imitates.

| name | imitates |
| --- | --- |
| `nltk_word` | nltk 3.10 `NLTKWordTokenizer` over the whole text, no sentence split |
| `split` | `str.split` |
| `13a` | sacrebleu's `13a` (mteval-v13a.pl), what most published BLEU uses |
| `nist_intl` | nltk 3.10 `NISTTokenizer.international_tokenize` (mteval-v14.pl) |
| `azure` | azure-ai-evaluation: `nltk_word` for ASCII texts, `nist_intl` for all others |
| `unicode` | ours: words of any script, folded; each Han, kana or Thai character by itself |
| `char` | sacrebleu's `char`: every character but whitespace |
| `google` | rouge-score 0.1.2: lower-case runs of [a-z0-9]; every other script is lost |
| `google_stem` | the same with its Porter stemmer |

All of them are *local*: once `prepare` has rewritten the text, what a piece between two separators
becomes does not depend on its neighbours, so each distinct piece is split once per process
(`interning`). For the whole-text regexes of nltk and mteval that is not obvious; the tests hold it
to the libraries with hypothesis.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from metrics import alphanumeric, mteval, nltk_word
from metrics.porter import stem


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokenizer:
    """One way of splitting text.

    Attributes:
        name: What settings and signatures call it.
        pieces: Tokens of one piece of prepared text.
        prepare: Rewrites the whole text first, where its ends or its case matter.
        separator: What divides pieces, as `str.split` takes it; None is any whitespace.
        encode: Token strings of many texts at once, where there is a way quicker than pieces.
    """

    name: str
    pieces: Callable[[str], Sequence[str]]
    prepare: Callable[[str], str] = str
    separator: str | None = None
    encode: Callable[[Sequence[str]], list[str]] | None = None

    def __call__(self, text: str) -> list[str]:
        """Split a text.

        Example:
            >>> TOKENIZERS["nltk_word"]("Don't panic.")
            ['Do', "n't", 'panic', '.']
        """
        prepared = self.prepare(text).split(self.separator)
        return [token for piece in prepared for token in self.pieces(piece)]


_ALPHANUMERIC: Final = re.compile("[a-z0-9]+")


def _google_stem(piece: str) -> list[str]:
    return [stem(word) if len(word) > 3 else word for word in _ALPHANUMERIC.findall(piece)]


# No spaces between words, so that a run of letters would be a whole sentence.
_UNSPACED: Final = re.compile(
    "[\u0e00-\u0e7f\u2e80-\u2fdf\u3005\u3007\u3021-\u3029\u3038-\u30ff\u31f0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U0001b000-\U0001b16f\U00020000-\U000323af]"
)
_UNICODE_TOKEN: Final = re.compile("SM*|W[WM]*")


@lru_cache(maxsize=1 << 16)
def _shape(character: str) -> str:
    """S stands alone, W continues a word, M is a mark and continues either, - divides."""
    kind = unicodedata.category(character)[0]
    if kind in "LN":
        return "S" if _UNSPACED.match(character) else "W"
    return "M" if kind == "M" else "-"


def _unicode(piece: str) -> list[str]:
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", piece).casefold())
    shape = "".join(map(_shape, folded))
    return [folded[slice(*found.span())] for found in _UNICODE_TOKEN.finditer(shape)]


def _azure_prepare(text: str) -> str:
    # Which of the two splits a text is a property of the whole text: a line separator, which
    # ASCII text cannot hold and nist_intl drops, carries it into each piece.
    if text.isascii():
        return nltk_word.prepare(text)
    return text.replace(" ", "\u2028 ") + "\u2028"


def _azure(piece: str) -> list[str]:
    return mteval.international(piece) if piece.endswith("\u2028") else nltk_word.pieces(piece)


TOKENIZERS: Final[Mapping[str, Tokenizer]] = {
    tokenizer.name: tokenizer
    for tokenizer in (
        Tokenizer(
            name="nltk_word",
            pieces=nltk_word.pieces,
            prepare=nltk_word.prepare,
            separator=" ",
        ),
        Tokenizer(name="split", pieces=lambda piece: [piece]),
        Tokenizer(name="13a", pieces=mteval.western, prepare=str.rstrip, separator=" "),
        Tokenizer(name="nist_intl", pieces=mteval.international, separator=" "),
        Tokenizer(name="azure", pieces=_azure, prepare=_azure_prepare, separator=" "),
        Tokenizer(name="unicode", pieces=_unicode),
        Tokenizer(name="char", pieces=list),
        Tokenizer(
            name="google",
            pieces=_ALPHANUMERIC.findall,
            prepare=str.lower,
            encode=alphanumeric.encode,
        ),
        Tokenizer(name="google_stem", pieces=_google_stem, prepare=str.lower),
    )
}
