"""Doing what `graders run` asks: rows through the grader, lines to files, a summary to people."""

from __future__ import annotations

import asyncio
import gc
import json
import signal
import sys
import textwrap
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, aclosing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import NoReturn

import click
import msgspec

from graders.cli.progress import Show, progress_bar
from graders.engine import RunOptions, RunStoppedError, grade_stream, reward_of, run_sync
from graders.errors import GradersError, RowError
from graders.grades import Grade, Grader
from graders.ledger import Ledger
from graders.report import spending
from graders.report.summary import Summary
from graders.report.text import to_lines
from graders.results import Result, to_result, write_results
from graders.row_files import RowFormat, read_rows
from graders.rows import Row
from graders.strict_json import encode
from graders.terminal import WIDTH, printable, printable_lines, shorten

Write = Callable[[Result, Grade], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A grader and how it is to be run.

    Attributes:
        grader: What judges.
        profile: The name of its settings, for the record.
        signature: The profile and the grader's signature, for every line.
        options: Policies.
        title: What the summary says was run.
        as_json: Whether output is for programs.
        layers: What isolates python graders; None where none runs.
        ledger: What models were asked, and what it took; None where none is asked.
    """

    grader: Grader
    profile: str
    signature: str
    options: RunOptions
    title: str
    as_json: bool
    layers: list[str] | None = None
    ledger: Ledger | None = None

    def result(self, row: Row, grade: Grade, reward: float | None) -> Result:
        """The result line of a graded row."""
        return to_result(
            row, grade, signature=self.signature, reward=reward, detail=self.options.detail
        )


def grade_file(job: Job, rows: str, shape: RowFormat, results: str | None) -> int:
    """Grade a file and report; returns the exit code.

    Raises:
        OSError: The rows cannot be read to their end; raised after the report.
        KeyboardInterrupt: The same for an interrupted run.
    """
    summary = Summary()
    started = perf_counter()
    gc.freeze()  # what is loaded by now stays; rows come and go by the million
    stopped: BaseException | None = None
    stream = read_rows(rows, shape)  # what is wrong with `shape` comes before old results are gone
    with ExitStack() as stack:
        write = stack.enter_context(_results_to(results, flush=job.grader.waits != "never"))
        show = stack.enter_context(progress_bar(rows, limited=job.options.limit is not None))
        if job.grader.waits == "never":
            stack.enter_context(_interrupted_at_once())
        try:
            asyncio.run(_grade_all(job, stream, summary, write, show))
        except BrokenPipeError:
            raise  # nobody reads the report either
        except (RunStoppedError, RowError, OSError, KeyboardInterrupt) as error:
            stopped = error
    _report(job, summary, seconds=perf_counter() - started, results=results)
    if isinstance(stopped, GradersError):
        click.echo(f"graders: {printable_lines(str(stopped))}", err=True)
        return 1
    if stopped is not None:
        raise stopped
    if not summary.samples and not summary.bad_lines:
        raise click.UsageError(f"{rows} holds no rows.")
    return 1 if summary.failed or summary.bad_lines else 0


@contextmanager
def _interrupted_at_once() -> Iterator[None]:
    """Let Ctrl-C end a run where it is.

    asyncio only cancels the task, so that a run that waits can keep what is finished. Graders
    that compute never wait, and would go on to the end of the file.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(_signal: int, _frame: object) -> NoReturn:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, interrupt)  # one asyncio does not know, and keeps
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


async def _grade_all(
    job: Job, rows: Iterator[Row | RowError], summary: Summary, write: Write | None, show: Show
) -> None:
    stream = grade_stream(
        job.grader, rows, job.options, bad_line=summary.bad_line, ledger=job.ledger
    )
    async with aclosing(stream):
        async for batch in stream:
            if write is not None:
                for graded in batch:
                    write(job.result(*graded), graded[1])
            summary.add(batch)
            show(
                batch.rows[-1].row if batch.rows else 0,
                summary.samples,
                summary.failed + summary.bad_lines,
            )


@contextmanager
def _results_to(results: str | None, *, flush: bool = False) -> Iterator[Write | None]:
    if results is None:
        yield None
    elif results == "-":
        out = sys.stdout.buffer

        def write(result: Result, _: Grade) -> None:
            out.write(encode(result) + b"\n")
            if flush:  # the next row may take its time, and a reader goes on with this one
                out.flush()

        yield write
        out.flush()
    else:
        with write_results(Path(results)) as write_both:
            yield write_both


def _report(job: Job, summary: Summary, *, seconds: float, results: str | None) -> None:
    # With the results on standard output, people read standard error.
    err = results == "-"
    settings: dict[str, object] = {"profile": job.profile, "signature": job.grader.signature}
    if job.layers is not None:
        settings["layers"] = job.layers
    if job.ledger is not None:
        settings |= spending.to_json(job.ledger)
    if job.as_json:
        report = {**summary.to_json(), "seconds": round(seconds, 3), "results": results, **settings}
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


def grade_one(job: Job, row: Row, results: str | None) -> int:
    """Grade one row and show everything about it; returns the exit code."""

    async def judge() -> Sequence[Grade]:
        return await job.grader.grade([row])

    (grade,) = run_sync(judge)
    result = job.result(row, grade, reward_of(grade, job.options.failures))
    if results is not None:
        with _results_to(results) as write:
            assert write is not None, "there is somewhere to write"
            write(result, grade)
    if job.as_json:
        click.echo(json.dumps(msgspec.to_builtins(result)))  # ASCII: nothing a terminal obeys
    elif results != "-":
        click.echo(printable(job.title))
        click.echo("\n".join(_lines_of("reward", grade)))
        for line in spending.to_lines(job.ledger) if job.ledger else ():
            click.echo(line)
    return 0 if grade.failure is None else 1


def _lines_of(name: str, grade: Grade, indent: str = "  ") -> Iterator[str]:
    name = printable(name)
    if grade.failure is not None:
        yield f"{indent}{name:<20} {grade.failure.kind}"
        yield f"{indent}    {printable_lines(grade.failure.message)}"
    else:
        passed = {True: "passed", False: "not passed", None: ""}[grade.passed]
        yield f"{indent}{name:<20} {grade.score:.6g}  {passed}".rstrip()
    for key, part in grade.parts.items():
        yield from _lines_of(key, part, indent + "  ")
