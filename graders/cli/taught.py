"""Whether what a run graded will teach: the part behind its summary."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Final

from graders.errors import RowError
from graders.lines import is_lasting
from graders.report.summary import Summary
from graders.rows import Row
from graders.runs.grading import Work

if TYPE_CHECKING:
    from graders.studies.teach.teaching import Study  # with numpy, which takes its time

_READ_AGAIN: Final = 200_000
"""Samples up to which rows are read a second time: a second or two, and a pipe has none."""


def study_of_run(summary: Summary, work: Work, signature: str) -> Study | None:
    """The study of what was graded; None where no item has two samples."""
    if summary.observed is None or not summary.observed.has_groups:
        return None
    from graders.studies.teach.teaching import quick_study

    return quick_study(summary.observed, signature, _rows_again(work, summary.samples))


def _rows_again(work: Work, samples: int) -> Iterable[Row | RowError]:
    """The rows that were graded, for their texts; none where to read them again would take long."""
    from graders.row_files import read_rows

    files = [work.rows] if work.shape.outputs is None else [work.rows, str(work.shape.outputs)]
    lasting = all(map(is_lasting, files))
    return read_rows(work.rows, work.shape) if lasting and samples <= _READ_AGAIN else ()


def as_json(study: Study | None) -> Mapping[str, object] | None:
    """All of it, for programs."""
    if study is None:
        return None
    from graders.report.studied_json import to_json

    return to_json(study)


def as_lines(study: Study | None) -> list[str]:
    """What matters most of it, for people; nothing of nothing."""
    if study is None:
        return []
    from graders.report.studied import short_lines

    return ["", *short_lines(study)]
