"""What failed, as annotations that GitHub shows at the lines of a pull request."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePath
from typing import Any, Final

from graders.lint.render import annotation
from graders.testing import SUFFIXES

_PLACED: Final = re.compile(r"(?P<file>.*?):(?P<line>\d+)(?::\d+)?: (?P<said>.*)")

_COMMAND: Final = re.compile(r"^(\s*):(?=:)|#(?=#\[)", re.MULTILINE)
"""What GitHub takes for a command to itself, in whatever a step prints: `::` first, or `##[`."""


def inert(text: str) -> str:
    r"""A text of which GitHub obeys no line: a model may answer `::stop-commands::`, and be shown.

    Example:
        >>> print(inert("  ::error::no\na ##[group] of a::b"))
          \u003a:error::no
        a \u0023#[group] of a::b
    """
    return _COMMAND.sub(lambda found: f"{found[1] or ''}\\u{ord(found[0][-1]):04x}", text)


def to_github(reports: Iterable[Any], root: Path) -> Iterator[str]:
    """A line for each case that failed, and for each mistake in a case file.

    Args:
        reports: Of pytest, for tests and for collected files.
        root: The folder that their paths are relative to.
    """
    for report in reports:
        path = report.location[0]  # an id has no file where that is outside of the root
        if not path.endswith(SUFFIXES):
            continue
        file = _in_workspace(root / path)
        if report.when == "collect":
            yield from _collected(str(report.longrepr), file)
        else:
            _, line, name = report.location
            crash = getattr(report.longrepr, "reprcrash", None)
            said = crash.message if crash else str(report.longrepr).strip().rpartition("\n")[2]
            yield _error(file, (line or 0) + 1, f"{name}: {said}")


def _collected(said: str, file: str) -> Iterator[str]:
    """Each mistake at its line, where it says one."""
    for sentence in said.splitlines():
        placed = _PLACED.fullmatch(sentence)
        if placed and PurePath(placed["file"]).name == PurePath(file).name:
            yield _error(file, int(placed["line"]), placed["said"])
        else:
            yield _error(file, 1, sentence)


def _error(file: str, line: int, message: str) -> str:
    return annotation("error", {"file": file, "line": str(line)}, message)


def _in_workspace(path: Path) -> str:
    """The path in the repository that is checked out; GitHub knows no other."""
    workspace = os.environ.get("GITHUB_WORKSPACE")
    shown = os.path.relpath(path, workspace) if workspace else os.path.relpath(path)
    return PurePath(shown).as_posix()
