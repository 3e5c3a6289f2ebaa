"""Edits of a JSON file's text: single values and members, everything else as it was."""

from __future__ import annotations

import json
import os
import re
import tempfile
from codecs import BOM_UTF8
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path
from typing import Final, NamedTuple

from graders.config.graders import Location
from graders.lint.locate import Span, Spans
from sandbox import JSON

_COMMA_BEFORE: Final = re.compile(r",\s*\Z")
_COMMA_AFTER: Final = re.compile(r"\s*,\s*")


class Edit(NamedTuple):
    """Characters to replace, and what with."""

    span: Span
    text: str


@dataclass(frozen=True, slots=True)
class Config:
    """A config file that is being put right.

    Attributes:
        value: What it holds.
        spans: Where.
    """

    value: JSON
    spans: Spans

    def at(self, location: Location) -> JSON:
        """The value at a location; None where there is none."""
        here: JSON = self.value
        for step in location:
            try:
                here = here[step]  # type: ignore[index]
            except (KeyError, IndexError, TypeError):
                return None
        return here

    def write(self, location: Location, value: JSON) -> list[Edit]:
        """Put another value in the place of one."""
        return [Edit(self.spans.values[location], json.dumps(value, ensure_ascii=False))]

    def rename(self, location: Location, key: str) -> list[Edit]:
        """Give a member another key, unless there is one of that name."""
        body = self.at(location[:-1])
        if not isinstance(body, dict) or key in body or location not in self.spans.keys:
            return []
        return [Edit(self.spans.keys[location], json.dumps(key, ensure_ascii=False))]

    def drop(self, location: Location) -> list[Edit]:
        """Take out a member of an object, with the comma and the blanks that belong to it."""
        if location not in self.spans.keys:
            return []
        text = self.spans.text
        start, end = self.spans.keys[location].start, self.spans.values[location].end
        if before := _COMMA_BEFORE.search(text, 0, start):
            return [Edit(Span(before.start(), end), "")]
        after = _COMMA_AFTER.match(text, end)
        return [Edit(Span(start, after.end() if after else end), "")]


def edited(text: str, edits: Iterable[Edit]) -> str:
    """A text with edits made that do not overlap.

    Example:
        >>> edited("a + b", [Edit(Span(4, 5), "c"), Edit(Span(0, 1), "max(a, 0)")])
        'max(a, 0) + c'
    """
    for edit in sorted(edits, reverse=True):
        text = text[: edit.span.start] + edit.text + text[edit.span.end :]
    return text


def overlap(edit: Edit, other: Edit) -> bool:
    """Whether two edits touch the same characters."""
    return edit.span.start < other.span.end and other.span.start < edit.span.end


def diff(before: str, after: str, name: str, *, by: str = "fixed") -> str:
    """What changes, as a unified diff."""
    old, new = (text.splitlines(keepends=True) for text in (before, after))
    shown = unified_diff(old, new, fromfile=name, tofile=f"{name} ({by})")
    return "".join(line if line.endswith("\n") else f"{line}\n" for line in shown)


def write_atomically(path: Path, text: str) -> None:
    """Replace a file's text at once, so that whoever reads it sees the old or the new one.

    Its mode stays, and a byte order mark; a link stays a link.

    Raises:
        OSError: It cannot be written; the file is as it was.
    """
    target = path.resolve()
    mode, marked = target.stat().st_mode, target.read_bytes().startswith(BOM_UTF8)
    descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
            file.write("\ufeff" + text if marked else text)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(mode & 0o7777)
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
