r"""HTML that is safe by its types: text is escaped, and only `Markup` is not.

Model output, file names and config values are hostile here as they are on a terminal. Besides what
HTML itself would obey, characters that hide or reorder what a reader sees (controls, bidirectional
overrides, joiners, halves of surrogate pairs) are shown as their escapes, marked as such.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from html import escape
from typing import Final

_VOID: Final = frozenset({"br", "hr", "input", "meta"})
_ADDRESSES: Final = frozenset({"action", "href", "src", "xlink_href"})
_HIDDEN: Final = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"})
_SPLIT: Final = re.compile(r"([^\x20-\x7e])")
_JOINED: Final = re.compile(r"(?<=[0-9]) (?=%)|(?<=[0-9%],) (?=-?[0-9.e+-]+(?: %)?\])")
"""Spaces before a "%", and between the ends of an interval."""
_NO_BREAK: Final = "\N{NO-BREAK SPACE}"


@dataclass(frozen=True, slots=True)
class Markup:
    """HTML that is right as it stands; nothing else is put into a page without being escaped.

    Attributes:
        html: The source text.
    """

    html: str


Child = Markup | str | int | Iterable["Child"] | None
"""What stands inside an element: text is escaped, None is nothing."""


def el(tag: str, *children: Child, **attributes: str | float | bool | None) -> Markup:
    """An element.

    Args:
        tag: Its name.
        children: What stands in it. No line breaks before a "%" or within an interval; texts of a
            `pre`, which readers copy, are as they were.
        attributes: Underscores become hyphens, one at the end goes (`class_`); True is an attribute
            without a value, False and None are none. An address leads to a place of the page: no
            report asks anybody for anything.

    Raises:
        ValueError: An address leads out of the page.

    Example:
        >>> el("p", "a < b", el("br"), class_="lead", aria_live="polite").html
        '<p class="lead" aria-live="polite">a &lt; b<br></p>'
    """
    text = _marked if tag == "pre" else _worded
    inside = "" if tag in _VOID else f"{_html(children, text)}</{tag}>"
    return Markup(f"<{tag}{''.join(_attributes(attributes))}>{inside}")


def _attributes(attributes: dict[str, str | float | bool | None]) -> Iterator[str]:
    for key, value in attributes.items():
        if value is None or value is False:
            continue
        if key in _ADDRESSES and not str(value).startswith("#"):
            raise ValueError(f"{key}={value!r} leads out of the page; a place in it begins with #")
        name = key.rstrip("_").replace("_", "-")
        yield f" {name}" if value is True else f' {name}="{escape(seen(str(value)))}"'


def many(*children: Child) -> Markup:
    """Children, one behind the other, without an element around them.

    Example:
        >>> many("1 & 2", None, [Markup("<hr>"), 3]).html
        '1 &amp; 2<hr>3'
    """
    return Markup(_html(children, _worded))


def _html(child: Child, text: Callable[[str], str]) -> str:
    """Children as HTML; `text` gives that of a text."""
    match child:
        case None:
            return ""
        case Markup(html):
            return html
        case str():
            return text(child)
        case int():
            return str(child)
    return "".join(_html(one, text) for one in child)


def _worded(text: str) -> str:
    return _JOINED.sub(_NO_BREAK, _marked(text))


def _marked(text: str) -> str:
    """Text as HTML; what would not be seen is its escape, in an element that says so."""
    if text.isprintable():
        return escape(text)
    return "".join(
        f'<span class="hidden-character">{escape_of(part)}</span>' if _hides(part) else escape(part)
        for part in _SPLIT.split(text)
    )


def seen(text: str) -> str:
    r"""Text without what would not be seen, for places where nothing can be marked.

    Example:
        >>> print(seen("ab\u202ecd\ud800"))
        ab\u202ecd\ud800
    """
    if text.isprintable():
        return text
    return "".join(escape_of(c) if _hides(c) else c for c in text)


def escape_of(character: str) -> str:
    r"""How a character that hides is shown.

    Example:
        >>> print(escape_of("\x00"), escape_of("\u2066"))
        \x00 \u2066
    """
    return character.encode("unicode_escape").decode("ascii")


def _hides(character: str) -> bool:
    """Whether one character would not be seen; line breaks and tabs are what they look like."""
    if len(character) != 1 or character in "\n\t":
        return False
    return unicodedata.category(character) in _HIDDEN


def cut(text: str, characters: int) -> str:
    """A text, or its beginning and how long it is.

    Example:
        >>> cut("abcdef", 3), cut("abc", 3)
        ('abc... (6 characters)', 'abc')
    """
    if len(text) <= characters:
        return text
    return f"{text[:characters]}... ({len(text):,} characters)"
