"""The same report in Markdown, to stand in a pull request.

Model output and names are hostile there too: they could notify people, link, or close a table.
They stand in `<code>`, where GitHub looks for no mention and no issue number, and every character
in them that Markdown, HTML or an address could be made of is a numeric entity.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from graders.report.diffed import (
    FAILED,
    Diffed,
    bound_line,
    counted,
    last_line,
    number,
    only_lines,
    table,
)
from graders.studies.change.diff import Diff
from graders.studies.change.pairs import Moved
from graders.terminal import printable, shorten

_TEXT: Final = 120
"""Columns of a text."""
_ICONS: Final = {"good": "✅", "note": "▫️", "warning": "⚠️", "bad": "❌"}


def to_markdown(diffed: Diffed) -> Iterator[str]:
    """The lines of a report in GitHub's Markdown."""
    diff = diffed.diff
    within = diffed.within and diffed.whole
    yield f"### {'✅' if within else '❌'} Grader change: {_headline(diffed)}"
    yield ""
    yield f"{code(diffed.old)} → {code(diffed.new)}<br>{counted(diffed)}"
    yield ""
    yield from (f"- {_ICONS[one.tone]} {one.text}" for one in diffed.verdicts)
    yield from (f"- ❌ {line.strip()}" for line in only_lines(diffed) if line)
    yield from (f"- ❌ left out: {code(line)}" for line in diffed.bad_lines[:5])
    yield ""
    yield from _table(("", "old", "new"), _rows(diff))
    yield ""
    yield from _table(
        ("bound", ""), ((_icon(x.broken, x.value), bound_line(x)) for x in diffed.checks)
    )
    yield from _failures(diff)
    yield from _worst(diff.worst)


def _headline(diffed: Diffed) -> str:
    broken = [check.name for check in diffed.checks if check.broken]
    if broken:
        return f"beyond {', '.join(broken)}"
    return "within bounds" if diffed.whole else "not all of it could be compared"


def _icon(broken: bool, value: float | None) -> str:  # noqa: FBT001 - a cell's two halves
    return "❌" if broken else "✅" if value is not None else "▫️"


def _rows(diff: Diff) -> Iterator[tuple[str, ...]]:
    yield from table(diff)
    for one in diff.members:
        yield f"mean of {code(one.name)}", number(one.old), number(one.new)
    for name in diff.only_old:
        yield f"mean of {code(name)}", "only here", ""
    for name in diff.only_new:
        yield f"mean of {code(name)}", "", "only here"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{' --- |' * len(head)}"
    yield from (f"| {' | '.join(row)} |" for row in rows)


def _failures(diff: Diff) -> Iterator[str]:
    rows = [
        (FAILED[what], f"{one.count:,}", code(kind), f"{one.row}, {one.sample_index}",
         code(last_line(one.message)))
        for what, kinds in diff.failures.items()
        for kind, one in kinds.items()
    ]  # fmt: skip
    if rows:
        yield ""
        yield from _table(("failures", "samples", "kind", "first row, sample", "message"), rows)


def _worst(worst: Sequence[Moved]) -> Iterator[str]:
    if not worst:
        return
    yield ""
    yield "<details><summary>Worst disagreements</summary>"
    yield ""
    rows = (
        (
            f"{one.row}, {one.sample_index}",
            f"{one.old:.4g}",
            f"{one.new:.4g}",
            ", ".join(code(name) for name in one.members),
            "" if one.text is None else code(one.text),
            "" if one.reference is None else code(one.reference),
        )
        for one in worst
    )
    head = ("row, sample", "old", "new", "members that changed", "output", "reference")
    yield from _table(head, rows)
    yield ""
    yield "</details>"


def code(text: str) -> str:
    """A text that a page shows as it is, and that can do nothing there.

    Example:
        >>> code("a|b @team <img>")
        '<code>a&#124;b &#64;team &#60;img&#62;</code>'
    """
    shown = shorten(printable(text[: 4 * _TEXT]), _TEXT)
    return f"<code>{''.join(map(_harmless, shown))}</code>"


def _harmless(character: str) -> str:
    plain = character.isalnum() or character == " " or not character.isascii()
    return character if plain else f"&#{ord(character)};"
