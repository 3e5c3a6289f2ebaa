"""What the rows of a report rest on, whatever `--detail` keeps in results.

Only at the end of a run is it known which rows its report shows. Where the grader waits for others,
a judge or a sandbox, the run is in this process: rendered inputs and replies are noted in a file
as they come, up to 256 MB, and it is deleted at the end. Where it computes, the rows that are shown
are graded a second time, for 2 seconds at most: less than it takes to note a million of them. Never
those that failed, which may have killed a worker, and none after Ctrl-C. What neither reaches is
stated on the page: rows behind those 256 MB or 2 seconds, of an earlier session, of standard input,
or that a cluster's nodes asked about.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, BinaryIO, Final

from graders.cli.job import Job
from graders.grades import Grade, Grader, Waits

if TYPE_CHECKING:
    from graders.report.html.run_rows import RunRows
    from graders.results import Result
    from graders.rows import Row

MOST_BYTES: Final = 256 << 20
"""Notes of a run, at most: they are of every row, and a page shows 2,000."""
SECONDS: Final = 2.0
"""Wall time in which rows are read and graded again; one that has begun is graded to its end."""
_AT_ONCE = 256


class Notes:
    """Grades in a file, until the disk is full or they are too many."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self._room = file, MOST_BYTES

    def add(self, row: Row, grade: Grade) -> None:
        """Note one, if there is room; the page says of how many rows it has nothing."""
        from graders.strict_json import encode

        if self._room <= 0:
            return
        line = encode(_whole(row, grade)) + b"\n"
        self._room -= len(line)
        if self._room < 0:
            return
        try:
            self._file.write(line)
        except OSError:
            self._room = 0

    def read(self) -> Iterator[Result]:
        """What was noted.

        Raises:
            OSError: It cannot be read, or the disk has no room for the last of it.
            NotJSONError: The rest is damaged: a disk that is full has half a line.
            msgspec.ValidationError: The same.
        """
        from graders.results import read_line

        self._file.seek(0)
        yield from map(read_line, self._file)


@dataclass(frozen=True, slots=True)
class Noted:
    """A grader whose grades are noted, whole, as they are given."""

    grader: Grader
    notes: Notes

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
        grades = await self.grader.grade(rows)
        for row, grade in zip(rows, grades, strict=True):
            self.notes.add(row, grade)
        return grades


@contextmanager
def noted(job: Job, *, asked: bool) -> Iterator[tuple[Job, Notes | None]]:
    """The job, and where its grades are noted; None where nobody asked, or they need not be."""
    all_kept = job.work.options.detail == "all"
    if not asked or all_kept or job.on_ray or job.grader.waits == "never":
        yield job, None
        return
    file = tempfile.TemporaryFile(prefix="graders-")  # noqa: SIM115 - to close it may fail
    notes = Notes(file)
    try:
        yield replace(job, grader=Noted(job.grader, notes)), notes
    finally:
        with suppress(OSError):  # a full disk has no room for the last of it either
            file.close()


def add_details(rows: RunRows, job: Job, notes: Notes | None, *, again: bool) -> None:
    """Give rows what they rest on, from what was noted or by grading them again.

    Args:
        rows: The rows of the page.
        job: What graded them.
        notes: What was noted.
        again: Whether they may be graded again.

    Raises:
        OSError: They cannot be read again.
        GradersError: The same.
    """
    import msgspec

    from graders.strict_json import NotJSONError

    if notes is not None:
        with suppress(NotJSONError, msgspec.ValidationError):
            rows.detail(notes.read())
    elif again and job.grader.waits == "never" and job.work.options.detail != "all":
        rows.detail(_again(rows, job))


def _again(rows: RunRows, job: Job) -> Iterator[Result]:
    """Rows that computing graders can grade a second time, graded."""
    from graders.engine import run_sync
    from graders.row_files import read_rows
    from graders.rows import Row

    wanted = rows.bare_scored
    last = max(wanted, default=(0, 0))
    until = monotonic() + SECONDS
    batch: list[Row] = []
    for one in read_rows(job.work.rows, job.work.shape) if wanted else ():
        place = (one.row, one.sample_index) if isinstance(one, Row) else (0, 0)
        if isinstance(one, Row) and place in wanted:
            batch.append(one)
        if len(batch) == _AT_ONCE or place >= last:
            grades = run_sync(partial(_grades, job.grader, batch, until))
            yield from map(_whole, batch, grades)
            batch = []
        if place >= last or monotonic() >= until:
            return


async def _grades(grader: Grader, rows: Sequence[Row], until: float) -> Sequence[Grade]:
    """Grades of the first rows: of all of them, if there is time."""
    grades: list[Grade] = []
    for row in rows:
        if monotonic() >= until:
            break
        grades += await grader.grade([row])
    return grades


def _whole(row: Row, grade: Grade) -> Result:
    from graders.results import to_result

    return to_result(row, grade, signature="", reward=None, detail="all")
