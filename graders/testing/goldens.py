"""Expectations that are rewritten to what a grader makes of them now.

Only scores, ranges and failures' kinds and reasons, which are numbers someone noted. A pass, an
order or words in a message say what must hold, and no run of a grader changes that. In the file
only the characters of these values change; the new text is read again before it is kept.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from graders.config.explain import show_path
from graders.config.graders import Location
from graders.errors import ConfigError
from graders.grades import Grade
from graders.lint.edits import Edit, diff, edited, write_atomically
from graders.terminal import printable
from graders.testing.case_file import Expect
from graders.testing.cases import Cases
from graders.testing.check import NOT_THE_GRADERS, Checked
from graders.testing.located import Located, located, refused
from sandbox import JSON


@dataclass(frozen=True, slots=True)
class Golden:
    """A value of a case file that is to be another."""

    location: Location
    value: JSON


def goldens_of(cases: Cases, index: int, checked: Checked) -> Iterator[Golden]:
    """What would make a case hold, as far as it may be rewritten."""
    case = cases.file.cases[index]
    if not case.samples:
        location: Location = ("cases", index, "expect")
        written = cases.located.value["cases"][index]["expect"]  # type: ignore[index, call-overload]
        yield from _goldens(case.expect, written, checked.grades[0], location)


def _goldens(expect: Expect, written: Any, grade: Grade, location: Location) -> Iterator[Golden]:
    """Of one expectation and those of its parts."""
    if grade.failure is not None and grade.failure.kind in NOT_THE_GRADERS:
        return
    if grade.failure is not None and (expect.score is not None or expect.range is not None):
        yield from _instead(written, {"score", "range", "tolerance"}, grade.failure.kind, location)
    elif grade.score is not None and (expect.failure is not None or expect.reason is not None):
        yield from _instead(written, {"failure", "reason", "message"}, grade.score, location)
    elif grade.failure is not None:
        for key, given in (("failure", grade.failure.kind), ("reason", grade.failure.reason)):
            if getattr(expect, key) not in (None, given):
                yield Golden((*location, key) if isinstance(written, dict) else location, given)
    else:
        yield from _numbers(expect, written, grade.score or 0.0, location)
    for key, part in expect.parts.items():
        if key in grade.parts:
            below = (*location, "parts", key)
            yield from _goldens(part, written["parts"][key], grade.parts[key], below)


def _instead(written: Any, keys: set[str], value: JSON, location: Location) -> Iterator[Golden]:
    """A score where a failure was expected, or the other way round, if that is all there was."""
    if not isinstance(written, dict) or written.keys() <= keys:
        yield Golden(location, _noted(value, 1e-9) if isinstance(value, float) else str(value))


def _numbers(expect: Expect, written: Any, score: float, location: Location) -> Iterator[Golden]:
    """Another score, and a range that is wide enough."""
    if expect.score is not None and abs(score - expect.score) > expect.tolerance:
        noted = _noted(score, expect.tolerance)
        yield Golden((*location, "score") if isinstance(written, dict) else location, noted)
    if expect.range is not None and not expect.range[0] <= score <= expect.range[1]:
        end = 0 if score < expect.range[0] else 1
        below = (*location, "range") if isinstance(written, dict) else location
        yield Golden((*below, end), score)


def rewritten(file: Located, goldens: Sequence[Golden]) -> tuple[str, list[str]]:
    """A case file's text with other values in it, and what could not be put there.

    Args:
        file: What was read.
        goldens: Values, none within another.
    """
    edits: list[Edit] = []
    wanted = deepcopy(file.value)
    left: list[str] = []
    for golden in goldens:
        if edit := _edit(file, golden):
            edits.append(edit)
            wanted = _put(wanted, golden)
        else:
            left.append(
                f"{show_path(golden.location, {})}: write {_text(golden.value)} by hand: "
                "it is an alias or a block of YAML"
            )
    text = edited(file.text, edits)
    try:
        sound = located(text.encode(), file.path).value == wanted
    except ConfigError:
        sound = False
    if not sound:
        places = ", ".join(show_path(golden.location, {}) for golden in goldens)
        return file.text, [f"{places}: cannot be rewritten where it stands"]
    return text, left


def _edit(file: Located, golden: Golden) -> Edit | None:
    """The characters to change; None where they mean more than this value, or have no end."""
    span = file.spans.values.get(golden.location)
    if span is None or [*file.spans.values.values()].count(span) > 1:
        return None
    written = file.text[span.start : span.end]
    if written[:1] in {"|", ">"} or written != written.rstrip():
        return None
    return Edit(span, _text(golden.value))


def _noted(score: float, tolerance: float) -> float:
    """A score with no more digits than are looked at.

    Example:
        >>> _noted(0.1 + 0.2, 1e-9), _noted(0.1 + 0.2, 0)
        (0.3, 0.30000000000000004)
    """
    rounded = (float(f"{score:.{digits}g}") for digits in range(1, 18))
    return next(one for one in rounded if abs(one - score) <= min(tolerance, 1e-9) / 2)


def _text(value: JSON) -> str:
    """A value as JSON and as YAML 1.1 has it, which reads `1e-05` as a text.

    Example:
        >>> _text(1e-05), _text(0.5), _text("other_error")
        ('1.0e-05', '0.5', '"other_error"')
    """
    if not isinstance(value, float):
        return json.dumps(value)
    text = repr(value)
    return text.replace("e", ".0e") if "e" in text and "." not in text else text


def _put(value: Any, golden: Golden) -> JSON:
    """The value with the golden's in it."""
    here = value
    for step in golden.location[:-1]:
        here = here[step]
    here[golden.location[-1]] = json.loads(_text(golden.value))
    return value  # type: ignore[no-any-return]


def write(file: Located, text: str) -> None:
    """Put a text into a case file.

    Raises:
        ConfigError: It is another file by now.
        OSError: It cannot be written.
    """
    if file.path.read_bytes().decode("utf-8-sig", "replace") != file.text:
        raise refused(file.path, "changed", "has changed since it was read, and stays as it is")
    write_atomically(file.path, text)


def update(file: Located, by_case: Mapping[str, Sequence[Golden]], name: str) -> Iterator[str]:
    """Rewrite a case file, and say so: the diff, then what was not done and why.

    Args:
        file: What was read of it.
        by_case: What would make each case hold that does not; nothing where it may not be.
        name: What the file is called.
    """
    for case in [case for case, goldens in by_case.items() if not goldens]:
        yield printable(
            f"{name}: {case}: stays; only scores, ranges and failures of the grader are rewritten"
        )
    text, left = rewritten(file, [golden for goldens in by_case.values() for golden in goldens])
    yield from (printable(f"{name}: {sentence}") for sentence in left)
    if text == file.text:
        return
    yield from map(printable, diff(file.text, text, name, by="updated").splitlines())
    try:
        write(file, text)
    except (ConfigError, OSError) as error:
        yield printable(f"not written: {error}")
    else:
        yield printable(f"{name}: rewritten; read the diff, and run again")
