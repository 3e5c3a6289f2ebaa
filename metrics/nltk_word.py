r"""nltk 3.10's `NLTKWordTokenizer`, rewritten so that each word can be split by itself.

nltk applies its regexes (after Robert MacIntyre's Penn Treebank sed script) to the whole text.
Only three of them look further than the word they change, and `prepare` settles those:

* a quotation mark opens at the very start of a text or after a space, not after a newline;
* the last period of a text is split off, also from within closing brackets and quotes;
* an apostrophe before a space is split off earlier than one at the end of the text.

What remains sees at most one plain space on either side, so `pieces` gives each piece between
spaces exactly those. A newline put in by `prepare` divides tokens but, unlike a space, triggers
none of the rules.

nltk compiles all but the contractions with the `regex` module, whose `\s` and `\w` are not those of
`re`: U+001C..U+001F are no whitespace there, combining marks are letters, superscripts are not.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Final

# The White_Space property, which is what `\s` means to the `regex` module.
_WHITESPACE: Final = (
    "".join(map(chr, (*range(9, 14), 32, 133, 160, 0x1680, *range(0x2000, 0x200B), 0x2028, 0x2029)))
    + "\u202f\u205f\u3000"
)
_CLOSING: Final = "])}>\"'»\u201d\u2019" + _WHITESPACE
_AFTER_LAST_PERIOD: Final = re.compile(rf"""[\])}}>"'»\u201d\u2019 ]*+[{_WHITESPACE}]*""")


def prepare(text: str) -> str:
    """Rewrite the two ends of a text, so that each piece between spaces stands for itself."""
    body = text.rstrip(_CLOSING)
    if body.endswith(".") and body[-2:-1] not in {"", "."}:
        closing = text[len(body) :]
        # After a space a quotation mark opens, and nltk no longer sees the period as the last.
        opens = ' "' in closing or " ''" in closing
        if not opens and _AFTER_LAST_PERIOD.fullmatch(closing):
            text = f"{body[:-1]}\n.\n{closing}"
    if text.startswith('"'):
        text = "`` " + text[1:]
    elif text.startswith("''"):
        text = "\n" + text
    return text + "\n"


def pieces(piece: str) -> list[str]:
    """Tokens of a piece of prepared text that has a space, or an end, on either side."""
    if not _RULED.search(piece):
        return piece.split()  # as most are; no rule below changes it
    text = f" {piece} "
    for pattern, replacement in _OPENING:
        text = pattern.sub(replacement, text)
    text = _OPENING_APOSTROPHE.sub(_opening_apostrophe, text)
    for pattern, replacement in _REST:
        text = pattern.sub(replacement, text)
    return text.split()


_RULED: Final = re.compile(
    r"""[«»\u201c\u201d\u2018\u2019\u201e`"':,;@#$%&?!*\[\](){}<>\u2012-\u2015]|\.\.|--"""
    "|cannot|gimme|gonna|gotta|lemme|wanna",
    re.IGNORECASE,
)
"""What some rule looks for."""

_OPENING: Final = [
    (re.compile("([«\u201c\u2018\u201e]|`+)"), r" \1 "),
    (re.compile("(``)"), r" \1 "),
    (re.compile(r"""([ (\[{<])("|'{2})"""), r"\1 `` "),
]

_OPENING_APOSTROPHE: Final = re.compile(
    r"'(?=(.))(?:(?=(re|ve|ll|m|t|s|d|n)(.)))?", re.IGNORECASE | re.DOTALL
)


def _opening_apostrophe(found: re.Match[str]) -> str:
    """Put a space after an apostrophe before a word, unless what follows is a clitic."""
    before, after = found.string[found.start() - 1], found[1]
    clitic = found[2] and not _in_word(found[3])
    return "' " if _in_word(after) and not clitic and not _in_word(before) else "'"


_JOINS: Final = frozenset("\u200c\u200d")
_CIRCLED: Final = re.compile("[Ⓐ-ⓩ🄰-🅉🅐-🅩🅰-🆉]")


@lru_cache(maxsize=1 << 12)
def _in_word(character: str) -> bool:
    kind = unicodedata.category(character)
    return (
        kind[0] in "LM"
        or kind in {"Nd", "Nl", "Pc"}
        or character in _JOINS
        or bool(_CIRCLED.match(character))
    )


_REST: Final = [
    (re.compile(r"([:,])([^\d])"), r" \1 \2"),
    (re.compile(r"\.{2,}"), r" \g<0> "),
    (re.compile(r"[;@#$%&]"), r" \g<0> "),
    (re.compile(r"[\u2012-\u2015]"), r" \g<0> "),
    (re.compile(r"[?!]"), r" \g<0> "),
    (re.compile(r"([^'])' "), r"\1 ' "),
    (re.compile(r"[*]"), r" \g<0> "),
    (re.compile(r"[\]\[(){}<>]"), r" \g<0> "),
    (re.compile(r"--"), r" -- "),
    (re.compile(r"([»\u201d\u2019])"), r" \1 "),
    (re.compile(r"''|\""), r" '' "),
    (re.compile(rf"[{_WHITESPACE}]+"), r" "),
    (re.compile(r"([^' ])('[sS]|'[mM]|'[dD]|') "), r"\1 \2 "),
    (re.compile(r"([^' ])('ll|'LL|'re|'RE|'ve|'VE|n't|N'T) "), r"\1 \2 "),
    *(
        (re.compile(rf"(?i){pattern}"), r" \1 \2 ")
        for pattern in (
            r"\b(can)(not)\b",
            r"\b(d)('ye)\b",
            r"\b(gim)(me)\b",
            r"\b(gon)(na)\b",
            r"\b(got)(ta)\b",
            r"\b(lem)(me)\b",
            r"\b(more)('n)\b",
            r"\b(wan)(na)(?=\s)",
            r" ('t)(is)\b",
            r" ('t)(was)\b",
        )
    ),
]
