"""What the rows of a report rest on, whatever `--detail` keeps in results.

Only at the end of a run is it known which rows its report shows. Where the grader waits for others,
a judge or a sandbox, the run is in this process: rendered inputs and replies are noted in a file
as they come, one that is deleted at the end. Where it computes, the rows that are shown are graded
a second time, which costs less than to note a million of them; never those that failed, which may
have killed a worker. What neither reaches is stated on the page: rows of an earlier session, of
standard input, or that a cluster's nodes asked about.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, BinaryIO

from graders.cli.job import Job
from graders.grades import Grade, Grader, Waits

if TYPE_CHECKING:
    from graders.report.html.run_rows import RunRows
    from graders.results import Result
    from graders.rows import Row

_AT_ONCE = 256


@dataclass(frozen=True, slots=True)
class Noted:
    """A grader whose grades are noted, whole, as they are given."""

    grader: Grader
    file: BinaryIO

    @property
    def name(self) -> str:
        return self.grader.name

    @property
    def signature(self) -> str:
        return self.grader.signature

    @property
    def waits(self) -> Waits:
        return self.grader.waits

    async def grade(self, rows: Sequence[Row]) -> Sequence[Grade]:
        from graders.strict_json import encode

        grades = await self.grader.grade(rows)
        with suppress(OSError):  # a full disk: the page says that it was not kept
            for row, grade in zip(rows, grades, strict=True):
                self.file.write(encode(_whole(row, grade)) + b"\n")
        return grades


@contextmanager
def noted(job: Job, *, asked: bool) -> Iterator[tuple[Job, BinaryIO | None]]:
    """The job, and where its grades are noted; None where nobody asked, or they need not be."""
    all_kept = job.work.options.detail == "all"
    if not asked or all_kept or job.on_ray or job.grader.waits == "never":
        yield job, None
        return
    with tempfile.TemporaryFile(prefix="graders-") as file:
        yield replace(job, grader=Noted(job.grader, file)), file


def add_details(rows: RunRows, job: Job, notes: BinaryIO | None) -> None:
    """Give rows what they rest on, from what was noted or by grading them again.

    Raises:
        OSError: They cannot be read again.
        GradersError: The same.
    """
    from graders.results import read_line

    if notes is not None:
        notes.seek(0)
        rows.detail(map(read_line, notes))
    elif job.grader.waits == "never" and job.work.options.detail != "all":
        rows.detail(_again(rows, job))


def _again(rows: RunRows, job: Job) -> Iterator[Result]:
    """Rows that computing graders can grade a second time, graded."""
    from graders.engine import run_sync
    from graders.row_files import read_rows
    from graders.rows import Row

    wanted = rows.bare_scored
    last = max(wanted, default=(0, 0))
    batch: list[Row] = []
    for one in read_rows(job.work.rows, job.work.shape) if wanted else ():
        place = (one.row, one.sample_index) if isinstance(one, Row) else (0, 0)
        if isinstance(one, Row) and place in wanted:
            batch.append(one)
        if len(batch) == _AT_ONCE or place >= last:
            grades = run_sync(partial(_grades, job.grader, batch))
            yield from map(_whole, batch, grades)
            batch = []
        if place >= last:
            return


async def _grades(grader: Grader, rows: Sequence[Row]) -> Sequence[Grade]:
    return await grader.grade(rows) if rows else ()


def _whole(row: Row, grade: Grade) -> Result:
    from graders.results import to_result

    return to_result(row, grade, signature="", reward=None, detail="all")
