r"""From a finding's path to the line and column of a file where that value stands.

JSON is decoded by `graders.strict_json`, which keeps no places. What is read here is text that it
took, so nothing is checked again; and it is read without recursion, for a config may be nested as
deep as Python's own decoder goes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from graders.config.graders import Location

_TOKEN: Final = re.compile(r'"(?:[^"\\]|\\.)*+"|[{}\[\],:]|[^\s{}\[\],:"]++', re.DOTALL)
_STEP: Final = re.compile(r'\.?([A-Za-z_]\w*)|\[(\d+)\]|\[("(?:[^"\\]|\\.)*+")\]', re.ASCII)
_LINE: Final = re.compile(r"(?:^|[.:] ?)line (\d+)$")
_ESCAPE: Final = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\.", re.DOTALL
)
_LINE_END: Final = re.compile(r"\r\n|\r|\n")


class Span(NamedTuple):
    """From a character of a text up to another, which is not in it."""

    start: int
    end: int


class Place(NamedTuple):
    """A line and a column, both from 1; columns count characters."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Spans:
    """Where each value of a JSON text stands.

    Attributes:
        text: The whole text.
        values: Each value's characters, by its location; quotes included.
        keys: Each member's key, the same.
    """

    text: str
    values: Mapping[Location, Span]
    keys: Mapping[Location, Span]

    def find(self, location: Location, position: int | None = None) -> Span:
        """The characters of a value, or of what it would stand in where it is missing.

        Args:
            location: Of the value.
            position: Of one character in the text that the value is, to point at that alone.
        """
        while location not in self.values:
            location = location[:-1]
        span = self.values[location]
        if position is None or self.text[span.start] != '"':
            return span
        at = raw_offset(self.text[span.start + 1 : span.end - 1], position) + span.start + 1
        return Span(at, at + 1)


def place_of(text: str, offset: int) -> Place:
    r"""Line and column of a character.

    Example:
        >>> place_of("a\nbc", 3)
        Place(line=2, column=2)
    """
    before = text[:offset]
    ends = [*_LINE_END.finditer(before)]
    return Place(len(ends) + 1, offset - (ends[-1].end() if ends else 0) + 1)


def line_offset(text: str, line: int) -> int:
    """Where the first character that is no white space stands in a line, counted from 1."""
    starts = [0, *(end.end() for end in _LINE_END.finditer(text))]
    start = starts[min(line, len(starts)) - 1]
    end = _LINE_END.search(text, start)
    shown = text[start : end.start() if end else len(text)]
    return start + len(shown) - len(shown.lstrip())


def raw_offset(literal: str, position: int) -> int:
    r"""Where the character at `position` of a string stands in its JSON literal.

    Example:
        >>> raw_offset(r"a\nb", 2)
        3
    """
    taken = end = 0
    for escape in _ESCAPE.finditer(literal):
        before = escape.start() - end
        if taken + before >= position:
            break
        taken, end = taken + before + 1, escape.end()
    return min(end + position - taken, len(literal))


def to_location(path: str) -> tuple[Location, int | None]:
    """A finding's path as keys and positions, and the line in a source that it ends with.

    Example:
        >>> to_location('graders["my key"].source.line 3')
        (('graders', 'my key', 'source'), 3)
        >>> to_location("input[0].content")
        (('input', 0, 'content'), None)
    """
    line = _LINE.search(path)
    rest, location = path[: line.start()] if line else path, list[str | int]()
    while step := _STEP.match(rest):
        name, index, quoted = step.groups()
        location.append(name or (int(index) if index else json.loads(quoted)))
        rest = rest[step.end() :]
    return tuple(location), int(line[1]) if line else None


def locate(text: str) -> Spans:
    """Find every value of a JSON text.

    Args:
        text: One JSON value, known to be that.

    Example:
        >>> spans = locate('{"a": [1, "x"]}')
        >>> spans.find(("a", 1)), spans.keys[("a",)]
        (Span(start=10, end=13), Span(start=1, end=4))
    """
    reader = _Reader(text)
    for token in _TOKEN.finditer(text):
        reader.take(token[0], Span(*token.span()))
    return Spans(text, reader.values, reader.keys)


@dataclass(slots=True)
class _Open:
    """An object or list whose end is not reached: where it began, and what stands next in it."""

    start: int
    step: str | int | None


@dataclass(slots=True)
class _Reader:
    text: str
    open: list[_Open] = field(default_factory=list)
    values: dict[Location, Span] = field(default_factory=dict)
    keys: dict[Location, Span] = field(default_factory=dict)

    def take(self, word: str, span: Span) -> None:
        match word:
            case "{" | "[":
                self.open.append(_Open(span.start, 0 if word == "[" else None))
            case "}" | "]":
                self.value(Span(self.open.pop().start, span.end))
            case ",":
                last = self.open[-1]
                last.step = last.step + 1 if isinstance(last.step, int) else None
            case ":":
                pass
            case _ if self.open and self.open[-1].step is None:
                self.open[-1].step = json.loads(word)
                self.keys[self.location()] = span
            case _:
                self.value(span)

    def value(self, span: Span) -> None:
        self.values[self.location()] = span

    def location(self) -> Location:
        return tuple(self.steps())

    def steps(self) -> Iterator[str | int]:
        for opened in self.open:
            if opened.step is not None:
                yield opened.step
