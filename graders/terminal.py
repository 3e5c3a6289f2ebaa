"""Text for a terminal: harmless whatever it holds, and no wider than the screen.

Model output, file names and config values are hostile: an escape sequence in them could rewrite
what a person believes they see.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from typing import Final

WIDTH: Final = 80
"""Columns we write for."""


def printable(text: str) -> str:
    r"""One line of text that cannot move the cursor, ring the bell or hide what it is.

    Example:
        >>> printable("red \x1b[31m and\nnext")
        'red \\x1b[31m and\\nnext'
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def printable_lines(text: str) -> str:
    """The same for a message of several lines: its line breaks stay."""
    return "\n".join(map(printable, text.split("\n")))


def columns(text: str) -> int:
    """How many columns a printable text takes: CJK and emoji two, combining marks none.

    Example:
        >>> columns("né"), columns("漢字")
        (2, 4)
    """
    return len(text) if text.isascii() else sum(map(_character_columns, text))


def _character_columns(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def shorten(text: str, width: int) -> str:
    """At most `width` columns, the last three dots where there was more."""
    if columns(text) <= width:
        return text
    return _first_columns(text, width - 3) + "..."


def _first_columns(text: str, width: int) -> str:
    used = 0
    for i, character in enumerate(text):
        used += _character_columns(character)
        if used > width:
            return text[:i]
    return text


def wrap(text: str, *, indent: int, lines: int = 3) -> Iterator[str]:
    """A text broken between words at the margin, `lines` lines of it.

    Example:
        >>> list(wrap("one two " * 20, indent=70, lines=2))[0].strip()
        'one two'
    """
    width, margin = WIDTH - indent, " " * indent
    text = text[: lines * width + 1]  # no character takes less than no column, nearly all take one
    words = [part for word in text.split(" ") for part in broken(word, width)]
    for number in range(1, lines + 1):
        line = words.pop(0) if words else ""
        while words and columns(line) + 1 + columns(words[0]) <= width:
            line += " " + words.pop(0)
        if not words:
            yield margin + line
            return
        yield margin + (shorten(line + " " + " ".join(words), width) if number == lines else line)


def broken(text: str, width: int) -> Iterator[str]:
    """A printable text in pieces that fit, broken behind a space where there is one near the end.

    Example:
        >>> list(broken("one two three", 9))
        ['one two ', 'three']
    """
    start = used = after_space = 0
    for i, character in enumerate(text):
        taken = _character_columns(character)
        if used + taken > width:
            end = after_space if after_space > start + width // 2 else i
            yield text[start:end]
            start, used = end, columns(text[end:i])
        if character == " ":
            after_space = i + 1
        used += taken
    yield text[start:]
