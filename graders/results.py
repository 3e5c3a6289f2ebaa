"""Result lines: what a grade looks like on disk.

A line holds only what config, row, profile and versions determine, so that a file is the same
bytes for any batch size, worker count or engine. Times go to a second file beside it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple

import msgspec

from graders.errors import Failure, Finding, RowError
from graders.formats.forms import form_of
from graders.formats.packed import CutShortError
from graders.grade_table import Grades
from graders.grades import Grade, Graded, Usage
from graders.lines import decode_line, numbered, open_lines
from graders.result_table import from_row
from graders.rows import Row, output_texts
from graders.strict_json import NotJSONError, decode, encode
from graders.table_lines import plain_lines
from sandbox import JSON

SCHEMA: Final = 1
DetailPolicy = Literal["none", "failures", "all"]

_ADDRESS = re.compile(r"\b0x[0-9a-fA-F]{6,16}\b")


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """A member's grade inside a result."""

    score: float | None
    passed: bool | None = None
    failure: Failure | None = None
    parts: dict[str, Part] = {}
    detail: dict[str, Any] | None = None


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a results file.

    Attributes:
        schema: Version of this form.
        row: 1-based line of the rows file.
        group: What the sample is compared within.
        sample_index: 0-based place among the samples of its line.
        score: The grader's score; null for a failure.
        reward: What a trainer would get: the score, and for a failure null or 0.0 by policy.
        passed: Whether it passes; null where nothing says when it would.
        failure: Why there is no score.
        parts: Members' grades by key.
        usage: Tokens per model.
        signature: The settings that determine the numbers.
        output_chars: Length of the sample's output_text, if it has one.
        reference_chars: Length of the rendered reference, of the first member that has one.
        detail: Rendered inputs (of a judge that answered `messages`, once for all its repeats) and
            replies, as far as the run keeps them; and `warning`, always.
    """

    schema: int = SCHEMA
    row: int
    group: int | str
    sample_index: int
    score: float | None
    reward: float | None
    passed: bool | None
    failure: Failure | None
    parts: dict[str, Part]
    usage: dict[str, Usage] | None
    signature: str
    output_chars: int | None
    reference_chars: int | None
    detail: dict[str, Any] | None  # JSON; msgspec cannot read a recursive alias


_decode = msgspec.json.Decoder(Result).decode


def to_result(
    row: Row,
    grade: Grade,
    *,
    signature: str,
    reward: float | None,
    detail: DetailPolicy = "failures",
) -> Result:
    """The line that a graded row becomes."""
    keep = detail == "all" or (detail == "failures" and grade.failure is not None)
    (output,) = output_texts([row])
    return Result(
        row=row.row,
        group=row.group,
        sample_index=row.sample_index,
        score=grade.score,
        reward=reward,
        passed=grade.passed,
        failure=_masked(grade.failure),
        parts={key: _part(part, keep=keep) for key, part in grade.parts.items()},
        usage=dict(grade.usage) if grade.usage else None,
        signature=signature,
        output_chars=len(output) if isinstance(output, str) else None,
        reference_chars=reference_chars(grade),
        detail=dict(grade.detail) if keep else _warning(grade.detail),
    )


def _warning(detail: Mapping[str, JSON]) -> dict[str, JSON] | None:
    """What is always kept of a detail: a score that means nothing must say so."""
    warning = detail.get("warning")
    return {"warning": warning} if isinstance(warning, str) else None


def _part(grade: Grade, *, keep: bool) -> Part:
    return Part(
        score=grade.score,
        passed=grade.passed,
        failure=_masked(grade.failure),
        parts={key: _part(part, keep=keep) for key, part in grade.parts.items()},
        detail=dict(grade.detail) if keep else _warning(grade.detail),
    )


def _masked(failure: Failure | None) -> Failure | None:
    """A failure without object addresses, which differ from run to run."""
    if failure is None or "0x" not in failure.message:
        return failure
    return msgspec.structs.replace(failure, message=_ADDRESS.sub("0x...", failure.message))


def reference_chars(grade: Grade) -> int | None:
    """Length of the rendered reference of a grade, or of the first part that has one."""
    for one in (grade, *grade.parts.values()):
        reference = one.detail.get("reference")
        if isinstance(reference, str):
            return len(reference)
    return None


class Lines(NamedTuple):
    """Lines of a results file, and those of its times, as many and in the same order."""

    results: list[bytes]
    times: list[bytes]


def to_lines(graded: Graded, *, signature: str, detail: DetailPolicy) -> Lines:
    """The lines that graded rows become, each with its end."""
    rows, grades, rewards = graded.rows, graded.grades, graded.rewards
    if type(grades) is Grades and rows and detail != "all":
        with suppress(UnicodeEncodeError):
            results, times = plain_lines(graded.columns, grades, rewards, signature)
            for i in grades.remarkable():
                one = Graded([rows[i]], [grades[i]], [rewards[i]])
                (results[i],), _ = to_lines(one, signature=signature, detail=detail)
            return Lines(results, times)
    results, times = [], []
    for row, grade, reward in graded:
        result = to_result(row, grade, signature=signature, reward=reward, detail=detail)
        results.append(encode(result) + b"\n")
        times.append(encode(_timing(row, grade)) + b"\n")
    return Lines(results, times)


def timing_path(results: Path) -> Path:
    """Where the times of a results file stand: `out.jsonl` → `out.timing.jsonl`.

    Example:
        >>> timing_path(Path("runs/out.jsonl.gz")).name
        'out.timing.jsonl.gz'
    """
    stem, dot, suffix = results.name.partition(".jsonl")
    return results.with_name(f"{stem}.timing{dot or '.jsonl'}{suffix}")


def _timing(row: Row, grade: Grade) -> Mapping[str, object]:
    return {"row": row.row, "sample_index": row.sample_index, **_took(grade)}


def _took(grade: Grade) -> Mapping[str, object]:
    """What one grade took, and its members where they took more than time."""
    parts = {key: _took(part) for key, part in grade.parts.items() if part.resources}
    took = {"seconds": round(grade.seconds, 9), **grade.resources}
    return {**took, "parts": parts} if parts else took


def read_results(path: Path) -> Iterator[Result | RowError | Finding]:
    """Stream a results file, of lines or of columns.

    A last line without its newline, or a gzip file without its end, is what a killed run leaves:
    it is dropped, with a note in the stream. A damaged line elsewhere comes as its error.

    Raises:
        OSError: The file cannot be read.
    """
    if form_of(path).is_columnar:
        yield from _read_table(path)
        return
    number = 0
    try:
        with open_lines(path) as lines:
            for number, line in numbered(lines):
                if not line.endswith(b"\n"):
                    yield _cut(path, number)
                    return
                yield _read_line(path, number, line)
    except CutShortError:
        yield _cut(path, number + 1)


def _cut(path: Path, number: int) -> Finding:
    return Finding(
        code="cut-line",
        severity="note",
        path=f"{path}:{number}",
        message="the last line has no end: a run was killed while writing it; dropped",
    )


def read_line(line: bytes) -> Result:
    """A result line of our own.

    Raises:
        NotJSONError: It is damaged.
        msgspec.ValidationError: It is something else.
    """
    return msgspec.convert(decode(line), Result)


def _read_table(path: Path) -> Iterator[Result | RowError]:
    """The rows of a file of columns, each as the line that it was made of."""
    from graders.formats.arrow import open_rows

    with open_rows(path) as rows:
        for number, row in enumerate(rows, start=1):
            if isinstance(row, str):
                yield _bad(path, number, row)
            else:
                yield _read_row(path, number, row)


def _read_row(path: Path, number: int, row: dict[str, JSON]) -> Result | RowError:
    try:
        return _of_this_version(path, number, msgspec.convert(from_row(row), Result))
    except NotJSONError as error:
        return _bad(path, number, f"its detail is not JSON: {error.problem}")
    except msgspec.ValidationError as error:
        return _bad(path, number, f"not a result line: {error}")


def _read_line(path: Path, number: int, line: bytes) -> Result | RowError:
    try:
        result = _decode(line)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        # The slow way knows the place, or can read it after all.
        try:
            result = msgspec.convert(decode_line(str(path), number, line), Result)
        except RowError as error:
            return error
        except msgspec.ValidationError as error:
            return _bad(path, number, f"not a result line: {error}")
    return _of_this_version(path, number, result)


def _of_this_version(path: Path, number: int, result: Result) -> Result | RowError:
    if result.schema == SCHEMA:
        return result
    return _bad(path, number, f"its schema is {result.schema}, and this version reads {SCHEMA}")


def _bad(path: Path, number: int, problem: str) -> RowError:
    return RowError(f"{path}:{number}:1", problem)
