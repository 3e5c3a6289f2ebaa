"""A verdict as lines of a terminal: how good or bad, in a word, and the sentence beside it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from graders.studies.verdict import Verdict
from graders.terminal import printable, wrap

_WORD: Final = 8
"""Columns of the word and the space behind it; a note has none."""
_LINES: Final = 6
_JOINED: Final = "\N{NO-BREAK SPACE}"
_INTERVAL: Final = re.compile(r"\[[^]\[ ]{1,12}, [^]\[ ]{1,12}\]")


def verdict_lines(verdict: Verdict, *, indent: int = 2) -> Iterator[str]:
    """The lines of a verdict, in which no interval is broken and no line begins with a %.

    Example:
        >>> found = Verdict(code="dead", tone="bad", text="100 % of items teach nothing.")
        >>> list(verdict_lines(found))
        ['  bad     100 % of items teach nothing.']
    """
    text = printable(verdict.text).replace(" %", f"{_JOINED}%")
    text = _INTERVAL.sub(lambda found: found[0].replace(" ", _JOINED), text)
    first, *rest = wrap(text, indent=indent + _WORD, lines=_LINES)
    word = "" if verdict.tone == "note" else verdict.tone
    yield f"{' ' * indent}{word:<{_WORD}}{first.strip()}".replace(_JOINED, " ")
    yield from (line.replace(_JOINED, " ") for line in rest)
