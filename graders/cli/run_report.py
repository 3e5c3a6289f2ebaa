"""The page of a run, made at its end from its results.

Results are read again, rather than collected as they come: that is the same for one process and for
workers, and has the rows of sessions before this one too. It costs the grading nothing but what
`run_details` notes, up to 256 MB on the disk. Results that go to no file are copied to one that is
deleted at the end.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import click

from graders.cli.interrupts import stopped_by_signals
from graders.cli.reports import explain_command, made_by, write_report
from graders.cli.run_details import Notes, add_details
from graders.errors import GradersError
from graders.lines import is_lasting
from graders.terminal import printable

if TYPE_CHECKING:
    from graders.cli.job import Job, RunReport
    from graders.report.html.run_rows import RunRows
    from graders.runs.manifest import Manifest
    from graders.runs.output import Sink
    from graders.runs.run import Outcome
    from graders.studies.teach.teaching import Study


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A run that has ended.

    Attributes:
        outcome: What came of it.
        manifest: What decided its results.
        results: A file that has them.
        seconds: Wall time it took.
        study: Whether it will teach; None where no item has two samples.
        notes: What its rows rest on, where that was noted.
    """

    outcome: Outcome
    manifest: Manifest
    results: Path
    seconds: float
    study: Study | None = None
    notes: Notes | None = None


class Copied:
    """A stream, and a file that gets the same bytes."""

    def __init__(self, out: Sink | None, copy: BinaryIO) -> None:
        """Write to both; without a stream, to the file alone."""
        self._sinks = [copy] if out is None else [out, copy]

    def write(self, data: bytes) -> None:
        for sink in self._sinks:
            sink.write(data)

    def flush(self) -> None:
        for sink in self._sinks:
            sink.flush()


@contextmanager
def copy_for(report: RunReport | None) -> Iterator[BinaryIO | None]:
    """A file for results that would be in none, as long as a report needs them."""
    if report is None:
        yield None
        return
    with (
        tempfile.TemporaryDirectory(prefix="graders-") as folder,
        (Path(folder) / "results.jsonl").open("wb") as copy,
    ):
        yield copy


def write_run_report(report: RunReport, job: Job, ended: Ended) -> None:
    """Write the page of a run that has ended, or was ended.

    Raises:
        OSError: It cannot be written.
    """
    from graders.report.html.run_page import RunFindings, run_page
    from graders.report.html.run_rows import RunRows
    from graders.results import read_results
    from graders.row_files import read_rows

    work = job.work
    rows = RunRows()
    rows.add(read_results(ended.results))
    if ended.notes is not None or is_lasting(work.rows):
        _add_details(rows, job, ended)
    if is_lasting(work.rows):
        with suppress(OSError, GradersError):
            rows.read(read_rows(work.rows, work.shape))
    found = RunFindings(
        name=job.config.name,
        lead=f"{job.title}, on {work.rows}",
        summary=ended.outcome.summary,
        rows=rows,
        seconds=ended.seconds,
        study=ended.study,
        command=explain_command(report.config, work.rows, report.base_url),
        ended="" if ended.outcome.error is None else _why(ended.outcome.error),
        ledger=job.ledger,
        made=made_by(report.base_url, ended.manifest),
        settings={"layers": job.layers},
        config=ended.manifest.config,
    )
    write_report(report.path, run_page(found))
    click.echo(f"  report   {printable(report.path)}", err=report.apart)


def _add_details(rows: RunRows, job: Job, ended: Ended) -> None:
    """Give rows what they rest on; Ctrl-C and what cannot be read leave it out."""
    again = not isinstance(ended.outcome.error, KeyboardInterrupt)
    with suppress(OSError, GradersError, KeyboardInterrupt), stopped_by_signals(at_once=True):
        add_details(rows, job, ended.notes, again=again)


def _why(error: BaseException) -> str:
    return "it was interrupted." if isinstance(error, KeyboardInterrupt) else str(error)
