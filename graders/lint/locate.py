r"""From a finding's path to the line and column of a file where that value stands.

JSON is decoded by `graders.strict_json`, which keeps no places. What is read here is text that it
took, so nothing is checked again; and it is read without recursion, for a config may be nested as
deep as Python's own decoder goes.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
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
    _literals: dict[Location, Literal] = field(default_factory=dict)

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
        at = span.start + self.literal(location).offset(position)
        return Span(at, at + 1)

    def literal(self, location: Location) -> Literal:
        """The string at a location, taken apart once however often it is asked for."""
        if location not in self._literals:
            span = self.values[location]
            self._literals[location] = Literal(self.text[span.start : span.end])
        return self._literals[location]


@dataclass(frozen=True, slots=True)
class Lines:
    """The lines of a text, which end as editors end them.

    Attributes:
        text: The whole of it.
        starts: Where each line begins.
    """

    text: str
    starts: tuple[int, ...]

    @classmethod
    def of(cls, text: str) -> Lines:
        return cls(text, (0, *(end.end() for end in _LINE_END.finditer(text))))

    def place(self, offset: int) -> Place:
        r"""Line and column of a character.

        Example:
            >>> Lines.of("a\nbc").place(3)
            Place(line=2, column=2)
        """
        line = bisect_right(self.starts, offset)
        return Place(line, offset - self.starts[line - 1] + 1)

    def line(self, number: int) -> str:
        """A line without its end; the last one for a number that is too large."""
        here = min(number, len(self.starts))
        following = self.starts[here] if here < len(self.starts) else len(self.text)
        return self.text[self.starts[here - 1] : following].rstrip("\r\n")

    def first_letter(self, number: int) -> int:
        """Where the first character that is no white space stands in a line."""
        shown = self.line(number)
        start = self.starts[min(number, len(self.starts)) - 1]
        return start + len(shown) - len(shown.lstrip())


class Literal:
    r"""A JSON string, and where each of its characters stands in it.

    Example:
        >>> literal = Literal(r'"a\nb"')
        >>> literal.value, literal.offset(2)
        ('a\nb', 4)
    """

    def __init__(self, text: str) -> None:
        self.value: str = json.loads(text)
        self._length = len(text)
        self._behind, self._offsets = [0], [1]  # of each escape: what follows it, here and there
        for escape in _ESCAPE.finditer(text, 1, len(text) - 1):
            before = escape.start() - self._offsets[-1]
            self._behind.append(self._behind[-1] + before + 1)
            self._offsets.append(escape.end())

    def offset(self, position: int) -> int:
        """Where the character at a position of the value stands in the literal."""
        i = bisect_right(self._behind, position) - 1
        offset = self._offsets[i] + position - self._behind[i]
        return min(offset, self._length - 1)


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
