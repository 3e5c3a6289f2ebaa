"""A case that does not hold, for a terminal: what was graded, what came of it, and why.

Items, samples and what graders print are hostile: everything goes through `graders.terminal`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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
    lines += ["", *_values({"item": encode(case.item).decode()}, _INDENT)]
    names = [*case.samples] or [""]
    for name, row, grade in zip(names, checked.rows, checked.grades, strict=True):
        lines += ["", *_graded(row, grade, name)] if name else _graded(row, grade)
    return "\n".join(lines)


def sentence(problem: str) -> str:
    """A problem as one line that fits a summary."""
    return shorten(printable(problem), _LONGEST)


def grading(row: Row, grade: Grade) -> Iterator[str]:
    """All about the grading of one sample, in lines."""
    yield from _values({"item": encode(row.item).decode()}, _INDENT)
    yield from _graded(row, grade)


def _graded(row: Row, grade: Grade, name: str = "") -> Iterator[str]:
    """A sample and its grade, with what the grade rests on, its members, and a traceback."""
    text = row.sample.get("output_text")
    shown = text if isinstance(text, str) else encode(row.sample).decode()
    yield from _values({name or "sample": shown, "score": _outcome(grade)}, _INDENT)
    yield from _beneath(grade, 2 * _INDENT)
    if grade.failure is not None:
        yield from _block(grade.failure.message, 2 * _INDENT)


def _beneath(grade: Grade, indent: int) -> Iterator[str]:
    """What a grade rests on, and its members with the same."""
    texts = {
        key: value if isinstance(value, str) else encode(value).decode()
        for key, value in grade.detail.items()
    }
    yield from _values({k: t.strip() for k, t in texts.items() if "\n" not in t.strip()}, indent)
    for key, text in texts.items():
        if "\n" in text.strip():
            yield f"{' ' * indent}{printable(key)}"
            yield from _block(text, indent + _INDENT)
    for key, part in grade.parts.items():
        yield from _values({key: _outcome(part)}, indent)
        yield from _beneath(part, indent + _INDENT)


def _outcome(grade: Grade) -> str:
    outcome = said(grade.failure) if grade.failure is not None else repr(grade.score)
    return outcome + {True: ", passed", False: ", did not pass", None: ""}[grade.passed]


def _values(values: Mapping[str, str], indent: int) -> Iterator[str]:
    """Labels and texts side by side, each text in at most three lines."""
    labels = {label: shorten(printable(label), 24) for label in values}
    width = max((columns(label) for label in labels.values()), default=0)
    for label, text in values.items():
        pad = " " * (width - columns(labels[label]))
        first, *more = wrap(printable(text), indent=indent + width + 2)
        yield f"{' ' * indent}{labels[label]}{pad}  {first.lstrip()}".rstrip()
        yield from more


def _block(text: str, indent: int) -> Iterator[str]:
    """A text of several lines; of a long one its end."""
    lines = text.strip("\n").splitlines()
    if len(lines) > _LINES:
        yield f"{' ' * indent}... {len(lines) - _LINES:,} lines"
    for line in lines[-_LINES:]:
        yield " " * indent + shorten(printable(line), _WIDEST)
