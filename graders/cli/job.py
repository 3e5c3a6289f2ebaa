"""Doing what `graders run` asks: rows through the grader, lines to files, a summary to people."""

from __future__ import annotations

import gc
import json
import os
import sys
import tempfile
import textwrap
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, BinaryIO, Final

import click

from graders.cli.interrupts import stopped_by_signals
from graders.cli.progress import progress_bar
from graders.cli.run_report import Copied, Ended, RunReport, copy_for, write_run_report
from graders.cli.taught import as_json, as_lines, study_of_run
from graders.engine import RunStoppedError
from graders.errors import RowError
from graders.formats.remote import beside, is_url, upload
from graders.grades import Grader
from graders.ledger import Ledger
from graders.report import spending
from graders.report.summary import Summary
from graders.report.text import to_lines
from graders.results import timing_path
from graders.row_files import Reader, read_lines
from graders.runs.crew import Hire
from graders.runs.folder import Folder, State
from graders.runs.grading import Progress, Work
from graders.runs.opening import Way, open_folder
from graders.runs.output import Stream
from graders.runs.run import Outcome, run_by, run_here, run_streamed
from graders.runs.workers import Workers
from graders.terminal import WIDTH, printable, printable_lines, shorten
from sandbox import JSON

if TYPE_CHECKING:
    from graders.config.graders import AnyConfig
    from graders.runs.manifest import Manifest
    from graders.studies.teach.teaching import Study

_WORTH_WORKERS: Final = 1 << 18
"""Bytes of rows from which on starting workers pays, where nobody says how many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A grader and how it is to be run.

    Attributes:
        grader: What judges.
        recipe: Makes another of it, in a worker; None where it waits for somebody.
        work: What to do with each row.
        config: What the grader was made of.
        profile: The name of its settings, for the record.
        title: What the summary says was run.
        as_json: Whether output is for programs.
        settings: What else decides a result: limits of the sandbox.
        workers: How many processes grade; None is one for each core.
        on_ray: Whether a cluster grades.
        address: Where that is; None starts one here.
        layers: What isolates python graders; None where none runs.
        ledger: What models were asked, and what it took; None where none is asked.
    """

    grader: Grader
    recipe: Callable[[], Grader]
    work: Work
    config: AnyConfig
    profile: str
    title: str
    as_json: bool
    settings: Mapping[str, JSON] = field(default_factory=dict)
    workers: int | None = None
    on_ray: bool = False
    address: str | None = None
    layers: list[str] | None = None
    ledger: Ledger | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where results go, and how a run into them begins.

    Attributes:
        results: The path, `-` for standard output, or None.
        way: Whether to begin or go on.
        again: The command that goes on with it.
        report: The page to write at its end; None for none.
        upload: An address to copy the results to at the end; None for none.
    """

    results: str | None
    way: Way
    again: str
    report: RunReport | None = None
    upload: str | None = None

    @property
    def has_folder(self) -> bool:
        """Whether the run can be gone on with: its results are a file."""
        return is_kept(self.results)


def is_kept(results: str | None) -> bool:
    """Whether results go to a file, not to a stream or a device.

    Example:
        >>> is_kept("-"), is_kept("/dev/null"), is_kept("out.jsonl")
        (False, False, True)
    """
    if results is None or results == "-":
        return False
    return not Path(results).exists() or Path(results).is_file()


def grade_file(job: Job, target: Target) -> int:
    """Grade a file and report; returns the exit code.

    Raises:
        OSError: The rows cannot be read to their end; raised after the report.
        KeyboardInterrupt: The same for an interrupted run.
    """
    gc.freeze()  # what is loaded by now stays; rows come and go by the million
    with copy_for(None if target.has_folder else target.report) as copy:
        with ExitStack() as stack:
            show = stack.enter_context(
                progress_bar(job.work.rows, limited=job.work.options.limit is not None)
            )
            stack.enter_context(stopped_by_signals(at_once=job.grader.waits == "never"))
            outcome, seconds = _graded(job, target, show, stack, copy)
        study = study_of_run(outcome.summary, job.work, job.grader.signature)
        _report(job, outcome.summary, study, seconds=seconds, results=target.results)
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
            )
            write_run_report(target.report, job, ended)
    if target.upload is not None:
        _upload(Path(target.results or ""), target.upload, outcome)
    if target.has_folder and not outcome.as_asked and all(map(_is_there, _data(job))):
        click.echo(f"graders: go on with: {printable(target.again)}", err=True)
    if isinstance(outcome.error, (RunStoppedError, RowError)):
        click.echo(f"graders: {printable_lines(str(outcome.error))}", err=True)
        return 1
    if outcome.error is not None:
        raise outcome.error
    if not outcome.summary.samples and not outcome.summary.bad_lines:
        raise click.UsageError(f"{job.work.rows} holds no rows.")
    return 1 if outcome.summary.failed or outcome.summary.bad_lines else 0


def _is_there(path: Path | str) -> bool:
    """Whether a file can be read a second time."""
    return is_url(path) or Path(path).is_file()


def _upload(results: Path, url: str, outcome: Outcome) -> None:
    """Copy the results and their times to where they were asked for, once they are whole."""
    if not outcome.as_asked:
        _note(f"{url} is written at the end of the run; until then results are in {results}")
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
    if target.has_folder:
        results = Path(target.results or "")
        hire = stack.enter_context(_hired(job))  # before old results are gone, too
        opened = open_folder(results, _manifest(job, results), target.way, _note)
        folder = stack.enter_context(opened)
        if hire:
            outcome = run_by(hire, job.work, folder, show)
        else:
            outcome = run_here(job.grader, job.work, folder, job.ledger, show)
        return outcome, folder.seconds
    started = perf_counter()
    stream = stack.enter_context(open_stream(target.results))
    out = Copied(stream, copy) if copy else stream
    hire = stack.enter_context(_hired(job))
    if hire:
        aside = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="graders-")))
        folder = Folder(aside, Stream(out), State(), durable=False)
        outcome = run_by(hire, job.work, folder, show)
    else:
        outcome = run_streamed(job.grader, job.work, out, job.ledger, show)
    return outcome, perf_counter() - started


@contextmanager
def _hired(job: Job) -> Iterator[Hire | None]:
    """Who grades, if it is not this process alone."""
    if job.on_ray:
        from graders.cluster.tasks import hired

        cores = job.workers or _cores()
        with hired(
            job.recipe, address=job.address, cores=cores, most=job.workers, note=_note
        ) as hire:
            yield hire
        return
    count = _workers(job)
    yield (lambda work, parts: Workers(count, work, job.recipe, parts)) if count > 1 else None


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


def _workers(job: Job) -> int:
    """How many processes grade: one, where the grader waits or rows are counted or few."""
    if job.grader.waits != "never" or job.work.options.limit is not None:
        if job.workers is not None and job.workers > 1:
            why = "counts rows" if job.grader.waits == "never" else "waits for others"
            _note(f"--workers {job.workers}: a run that {why} takes one process")
        return 1
    if job.workers is not None:
        return job.workers
    rows = Path(job.work.rows)
    few = job.work.rows == "-" or (rows.is_file() and rows.stat().st_size < _WORTH_WORKERS)
    return 1 if few else _cores()


def _cores() -> int:
    """The cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _note(text: str) -> None:
    click.echo(f"note: {printable(text)}", err=True)


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


def _report(
    job: Job, summary: Summary, study: Study | None, *, seconds: float, results: str | None
) -> None:
    # With the results on standard output, people read standard error.
    err = results == "-"
    settings: dict[str, object] = {"profile": job.profile, "signature": job.grader.signature}
    if job.layers is not None:
        settings["layers"] = job.layers
    if job.ledger is not None:
        settings |= spending.to_json(job.ledger)
    if job.as_json:
        report = {
            **summary.to_json(),
            "signal": as_json(study),
            "seconds": round(seconds, 3),
            "results": results,
            **settings,
        }
        click.echo(json.dumps(report, indent=2), err=err)
        return
    click.echo(shorten(printable(job.title), WIDTH), err=err)
    for line in to_lines(summary, seconds=seconds):
        click.echo(line, err=err)
    for line in spending.to_lines(job.ledger) if job.ledger else ():
        click.echo(line, err=err)
    click.echo(shorten(f"  profile  {printable(job.profile)}", WIDTH), err=err)
    if job.layers is not None:
        layers = ", ".join(job.layers) or "none: unsafe"
        for line in textwrap.wrap(
            layers, WIDTH, initial_indent="  sandbox  ", subsequent_indent=" " * 11
        ):
            click.echo(line, err=err)
    where = results if results is not None else "not kept; -o RESULTS.jsonl keeps them"
    click.echo(f"  results  {printable(where)}", err=err)
    for line in as_lines(study):
        click.echo(line, err=err)
