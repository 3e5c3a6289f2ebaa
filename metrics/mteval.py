r"""The tokenizers of NIST's BLEU script: `13a` (western) and the international one of v14.

`western` is sacrebleu 2.6's `13a`; `international` is nltk 3.10's
`NISTTokenizer.international_tokenize`, which azure-ai-evaluation uses for texts beyond ASCII.

The international one pads *runs of ASCII* and splits punctuation from what is next to it only where
nltk_data's tables know both characters. Those hold the named characters of the basic plane, so no
Chinese ideograph and no Hangul syllable: "中\uff0c国" stays one token. We take the properties from
`unicodedata`, which adds the characters assigned since Unicode 6.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from functools import cache
from typing import Final

_WESTERN: Final = (
    (re.compile(r"([\{-\~\[-\` -\&\(-\+\:-\@\/])"), r" \1 "),
    # Periods and commas, unless between digits ...
    (re.compile(r"([^0-9])([.,])"), r"\1 \2 "),
    (re.compile(r"([.,])([^0-9])"), r" \1 \2"),
    # ... and a dash after a digit.
    (re.compile(r"([0-9])(-)"), r"\1 \2 "),
)
_WESTERN_ENTITIES: Final = (("&quot;", '"'), ("&amp;", "&"), ("&lt;", "<"), ("&gt;", ">"))
_ENTITIES: Final = (
    *(("&apos;", "'"), ("&quot;", '"'), ("&#124;", "|"), ("&#91;", "["), ("&#93;", "]")),
    *(("&gt;", ">"), ("&lt;", "<"), ("&amp;", "&")),
)


def _unescape(text: str, entities: tuple[tuple[str, str], ...]) -> str:
    # One after the other, as upstream: `&amp;lt;` becomes `<` for one tokenizer, not for the other.
    if "&" in text:
        for entity, character in entities:
            text = text.replace(entity, character)
    return text


def western(text: str) -> list[str]:
    """Split as `13a` does: punctuation by itself, numbers kept whole.

    Example:
        >>> western("It cost $3.50, twice.")
        ['It', 'cost', '$', '3.50', ',', 'twice', '.']
    """
    text = text.replace("<skipped>", "").replace("-\n", "").replace("\n", " ")
    text = f" {_unescape(text, _WESTERN_ENTITIES)} "
    for pattern, replacement in _WESTERN:
        text = pattern.sub(replacement, text)
    return text.split()


def international(text: str) -> list[str]:
    """Split as mteval-v14 does for any language: Unicode punctuation and symbols by themselves.

    Example:
        >>> international("Rakuten, Inc. (楽天株式会社)")
        ['Rakuten', ',', 'Inc', '.', '(', '楽天株式会社', ')']
    """
    text = text.replace("<skipped>", "").replace("\u2028", " ")
    text = _unescape(text, _ENTITIES)
    for pattern, replacement in _international():
        text = pattern.sub(replacement, text)
    return text.split()


# Characters without a name of their own, which the tables upstream leave out.
_UNNAMED: Final = re.compile("[\u3400-\u4db5\u4e00-\u9fff\uac00-\ud7a3]")


@cache
def _international() -> tuple[tuple[re.Pattern[str], str], ...]:
    """Compile the patterns on first use: their classes list thousands of characters."""
    kinds: defaultdict[str, list[str]] = defaultdict(list)
    for character in map(chr, range(0x10000)):
        if not _UNNAMED.match(character):
            kinds[unicodedata.category(character)[0]].append(character)
    punctuation, symbol = ("\n" + re.escape("".join(kinds[kind])) for kind in "PS")
    other = "".join(kinds["L"] + kinds["M"]) + punctuation + symbol  # all but numbers
    return (
        (re.compile("([\\x00-\\x7f]+)"), r" \1 "),
        (re.compile(f"([{other}])([{punctuation}])"), r"\1 \2 "),
        (re.compile(f"([{punctuation}])([{other}])"), r" \1 \2"),
        (re.compile(f"([{symbol}])"), r" \1 "),
    )
