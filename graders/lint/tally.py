"""Findings about many rows: how many have it, and where it is first seen."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from graders.errors import Finding, Severity
from graders.lint.codes import say

LINES_SHOWN: Final = 5
COUNTED: Final = "\0"
"""Stands in a tally's message for how many rows it is."""


@dataclass(slots=True)
class Tally:
    """Rows that have the same thing wrong with them.

    Attributes:
        message: What is wrong, with `COUNTED` in it; what it quotes went through `quoted`.
    """

    code: str
    path: str
    message: str
    fix: str = ""
    position: int | None = None
    severity: Severity | None = None
    count: int = 0
    lines: list[int] = field(default_factory=list)


class Tallies:
    """Every tally of a file; what each costs in memory does not grow with the rows."""

    def __init__(self) -> None:
        self._tallies: dict[tuple[object, ...], Tally] = {}

    def has(self, key: tuple[object, ...]) -> bool:
        """Whether something is counted under a key already, so that its words are there."""
        return key in self._tallies

    def start(self, key: tuple[object, ...], tally: Tally) -> None:
        """Begin to count under a key, with words from the first row that has it."""
        self._tallies.setdefault(key, tally)

    def add(self, key: tuple[object, ...], line: int) -> None:
        """Count a row."""
        tally = self._tallies[key]
        if not tally.lines or tally.lines[-1] != line:
            tally.count += 1
            if len(tally.lines) < LINES_SHOWN:
                tally.lines.append(line)

    def findings(self, rows: int) -> list[tuple[Finding, int]]:
        """A finding for each tally, and the first line that has it."""
        return [(_finding(tally, rows), tally.lines[0]) for tally in self._tallies.values()]


def quoted(text: str) -> str:
    """What a config or a row holds, fit to stand in a tally's message."""
    return text.replace(COUNTED, "\N{REPLACEMENT CHARACTER}")


def _finding(tally: Tally, rows: int) -> Finding:
    more = ", ..." if tally.count > len(tally.lines) else ""
    word = "line" if tally.count == 1 else "lines"
    where = f"{word} {', '.join(map(str, tally.lines))}{more}"
    counted = f"in {tally.count:,} of {rows:,} row{'' if rows == 1 else 's'} ({where})"
    return say(
        tally.code,
        tally.path,
        tally.message.replace(COUNTED, counted),
        tally.fix,
        position=tally.position,
        severity=tally.severity,
    )
