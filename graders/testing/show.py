"""A case that does not hold, for a terminal: what was graded, what came of it, and why.

Items, samples and what graders print are hostile: everything goes through `graders.terminal`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from graders.grades import Grade
from graders.rows import Row
from graders.strict_json import encode
from graders.terminal import columns, printable, shorten, wrap
from graders.testing.case_file import Case
from graders.testing.check import Checked, said

_INDENT: Final = 2
_LINES: Final = 24
"""Of a traceback or of what was printed; of a longer one its end."""
_WIDEST: Final = 160
"""Columns of a line of these."""
_LONGEST: Final = 400
"""Columns of a sentence, which may hold a message of the grader's."""


def to_text(case: Case, checked: Checked, place: str) -> str:
    """What is not as expected, a line each that begins with the place, and everything about it.

    Args:
        case: What was expected.
        checked: What came.
        place: The case's file and line: `grade.cases.json:7`.
    """
    lines = [f"{place}: {sentence(problem)}" for problem in checked.problems]
    if not case.samples:
        return "\n".join([*lines, "", *grading(checked.rows[0], checked.grades[0])])
    lines += ["", *_values([("item", encode(case.item).decode())], _INDENT)]
    for name, row, grade in zip(case.samples, checked.rows, checked.grades, strict=True):
        lines += ["", *_values([(name, _output(row)), ("score", _outcome(grade))], _INDENT)]
        lines += _beneath(grade, 2 * _INDENT)
    return "\n".join(lines)


def sentence(problem: str) -> str:
    """A problem as one line that fits a summary."""
    return shorten(printable(problem), _LONGEST)


def grading(row: Row, grade: Grade) -> Iterator[str]:
    """All about the grading of one sample, in lines."""
    item = ("item", encode(row.item).decode())
    graded = ("sample", _output(row)), ("score", _outcome(grade))
    yield from _values([item, *graded], _INDENT)
    yield from _beneath(grade, 2 * _INDENT)


def _output(row: Row) -> str:
    """A sample's text, or of one without it all that there is."""
    text = row.sample.get("output_text")
    return text if isinstance(text, str) else encode(row.sample).decode()


def _beneath(grade: Grade, indent: int) -> Iterator[str]:
    """What a grade rests on, its members with the same, and why there is no score."""
    texts = {
        key: value if isinstance(value, str) else encode(value).decode()
        for key, value in grade.detail.items()
        if key != "messages"  # what a judge is asked is long, and in the config and the case
    }
    yield from _values([(k, t.strip()) for k, t in texts.items() if "\n" not in t.strip()], indent)
    for key, text in texts.items():
        if "\n" in text.strip():
            yield f"{' ' * indent}{printable(key)}"
            yield from _block(text, indent + _INDENT)
    for key, part in grade.parts.items():
        yield from _values([(key, _outcome(part))], indent)
        yield from _beneath(part, indent + _INDENT)
    told = any(part.failure is not None for part in grade.parts.values())
    if grade.failure is not None and "\n" in grade.failure.message and not told:
        yield from _block(grade.failure.message, indent)


def _outcome(grade: Grade) -> str:
    outcome = said(grade.failure) if grade.failure is not None else repr(grade.score)
    return outcome + {True: ", passed", False: ", did not pass", None: ""}[grade.passed]


def _values(values: Sequence[tuple[str, str]], indent: int) -> Iterator[str]:
    """Labels and texts side by side, each text in at most three lines."""
    labels = [shorten(printable(label), 24) for label, _ in values]
    width = max(map(columns, labels), default=0)
    for label, (_, text) in zip(labels, values, strict=True):
        pad = " " * (width - columns(label))
        first, *more = wrap(printable(text), indent=indent + width + 2)
        yield f"{' ' * indent}{label}{pad}  {first.lstrip()}".rstrip()
        yield from more


def _block(text: str, indent: int) -> Iterator[str]:
    """A text of several lines; of a long one its end."""
    lines = text.strip("\n").splitlines()
    if len(lines) > _LINES:
        yield f"{' ' * indent}... {len(lines) - _LINES:,} lines"
    for line in lines[-_LINES:]:
        yield " " * indent + shorten(printable(line), _WIDEST)
