"""Doing what `graders run` asks: rows through the grader, lines to files, a summary to people."""

from __future__ import annotations

import gc
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, BinaryIO

import click

from graders.cli.hiring import hired
from graders.cli.interrupts import stopped_by_signals
from graders.cli.job import Job, Target
from graders.cli.options import note
from graders.cli.progress import progress_bar
from graders.cli.run_details import noted
from graders.cli.run_report import Copied, Ended, copy_for, write_run_report
from graders.cli.run_summary import say_summary
from graders.cli.taught import study_of_run
from graders.engine import RunStoppedError
from graders.errors import RowError
from graders.formats.reals import lacking_in
from graders.formats.remote import beside, upload
from graders.lines import is_lasting
from graders.results import timing_path
from graders.row_files import Reader, read_lines
from graders.runs.folder import Folder, State
from graders.runs.grading import Progress
from graders.runs.opening import open_folder
from graders.runs.output import Stream
from graders.runs.run import Outcome, run_by, run_here, run_streamed
from graders.terminal import printable, printable_lines
from sandbox import JSON

if TYPE_CHECKING:
    from graders.runs.manifest import Manifest


def grade_file(job: Job, target: Target) -> int:
    """Grade a file and report; returns the exit code.

    Raises:
        OSError: The rows cannot be read to their end; raised after the report.
        KeyboardInterrupt: The same for an interrupted run.
    """
    gc.freeze()  # what is loaded by now stays; rows come and go by the million
    with (
        copy_for(None if target.has_folder else target.report) as copy,
        noted(job, asked=target.report is not None) as (noting, notes),
    ):
        with ExitStack() as stack:
            show = stack.enter_context(
                progress_bar(job.work.rows, limited=job.work.options.limit is not None)
            )
            stack.enter_context(stopped_by_signals(at_once=job.grader.waits == "never"))
            outcome, seconds = _graded(noting, target, show, stack, copy)
        study = study_of_run(outcome.summary, job.work, job.grader.signature)
        say_summary(job, outcome.summary, study, seconds=seconds, results=target.results)
        try:
            if target.upload is not None:
                _upload(Path(target.results or ""), target.upload, outcome)
        finally:
            if target.report is not None:
                if copy:
                    copy.flush()
                results = Path(copy.name if copy else target.results or "")
                ended = Ended(
                    outcome=outcome,
                    manifest=_manifest(job, results),
                    results=results,
                    seconds=seconds,
                    study=study,
                    notes=notes,
                )
                write_run_report(target.report, job, ended)
    if target.has_folder and not outcome.as_asked and all(map(is_lasting, _data(job))):
        click.echo(f"graders: go on with: {printable(target.again)}", err=True)
    if isinstance(outcome.error, (RunStoppedError, RowError)):
        click.echo(f"graders: {printable_lines(str(outcome.error))}", err=True)
        return 1
    if outcome.error is not None:
        raise outcome.error
    if not outcome.summary.samples and not outcome.summary.bad_lines:
        raise click.UsageError(f"{job.work.rows} holds no rows.")
    return 1 if outcome.summary.failed or outcome.summary.bad_lines else 0


def _upload(results: Path, url: str, outcome: Outcome) -> None:
    """Copy the results and their times to where they were asked for, once they are whole."""
    if not outcome.as_asked:
        note(f"{url} is written at the end of the run; until then results are in {results}")
        return
    times = timing_path(results)
    upload(results, url)
    if times.exists():
        upload(times, beside(url, times.name))
    click.echo(f"graders: copied to {printable(url)}", err=True)


def _graded(
    job: Job, target: Target, show: Progress, stack: ExitStack, copy: BinaryIO | None
) -> tuple[Outcome, float]:
    """Run it, and say how long that took; a copy gets results that are in no file."""
    # What is wrong with how lines are read comes before old results are gone.
    Reader(job.work.rows, job.work.shape)
    read_lines(job.work.rows, job.work.shape)
    for lacking in lacking_in(job.work.rows):
        note(f"{job.work.rows}: {lacking}")
    if target.has_folder:
        results = Path(target.results or "")
        hire = stack.enter_context(hired(job))  # before old results are gone, too
        opened = open_folder(results, _manifest(job, results), target.way, note)
        folder = stack.enter_context(opened)
        if hire:
            outcome = run_by(hire, job.work, folder, show)
        else:
            outcome = run_here(job.grader, job.work, folder, job.ledger, show)
        return outcome, folder.seconds
    started = perf_counter()
    stream = stack.enter_context(open_stream(target.results))
    out = Copied(stream, copy) if copy else stream
    hire = stack.enter_context(hired(job))
    if hire:
        aside = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="graders-")))
        folder = Folder(aside, Stream(out), State(), durable=False)
        outcome = run_by(hire, job.work, folder, show)
    else:
        outcome = run_streamed(job.grader, job.work, out, job.ledger, show)
    return outcome, perf_counter() - started


def _manifest(job: Job, results: Path) -> Manifest:
    """What decides the results of a job."""
    from graders.runs.manifest import make_manifest

    work, shape = job.work, job.work.shape
    settings: dict[str, JSON] = {
        "profile": job.profile,
        "signature": work.signature,
        "failures": work.options.failures,
        "detail": work.options.detail,
        "output": shape.output,
        "key": shape.key,
        "group_by": shape.group_by,
        "columns": repr(shape.columns) if shape.columns else None,
        "lines_per_shard": work.per_shard,
        "results": results.name,
        **job.settings,
    }
    layers: list[JSON] | None = [*job.layers] if job.layers else None
    asked = job.ledger.base_url if job.ledger else None
    environment: dict[str, JSON] = {"layers": layers, "judges": asked or None}
    return make_manifest(job.config, _data(job), settings, environment)


def _data(job: Job) -> list[Path | str]:
    """The files that are read."""
    outputs = job.work.shape.outputs
    return [job.work.rows, *([outputs] if outputs else [])]


@contextmanager
def open_stream(results: str | None) -> Iterator[BinaryIO | None]:
    """Where results go that are in no file: standard output, a device, or nowhere."""
    if results is None:
        yield None
    elif results == "-":
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
    else:
        with Path(results).open("wb") as device:
            yield device
