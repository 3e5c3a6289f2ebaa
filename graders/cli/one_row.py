"""Grading one row, and showing everything about it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import click

from graders.cli.grade_file import open_stream
from graders.cli.job import Job, is_kept
from graders.engine import reward_of, run_sync
from graders.grades import Grade, Graded
from graders.report import spending
from graders.rows import Row
from graders.runs.opening import refuse_unfinished
from graders.runs.output import NOTHING, Stream, files_for
from graders.strict_json import decode
from graders.terminal import printable, printable_lines


def grade_one(job: Job, row: Row, results: str | None) -> int:
    """Grade one row and show everything about it; returns the exit code.

    Raises:
        RunFolderError: Its line would stand over the results of a run that is not finished.
    """
    if is_kept(results):
        refuse_unfinished(Path(results or ""))

    async def judge() -> Sequence[Grade]:
        return await job.grader.grade([row])

    (grade,) = run_sync(judge)
    options = job.work.options
    graded = Graded([row], [grade], [reward_of(grade, options.failures)])
    lines = job.work.lines(graded)
    if is_kept(results):
        with (
            TemporaryDirectory(prefix="graders-") as aside,
            closing(files_for(Path(results or ""), Path(aside), NOTHING)) as files,
        ):
            files.append(lines.results[0], lines.times[0])
            files.finish()
    else:
        with open_stream(results) as out:
            Stream(out).append(lines.results[0], lines.times[0])
    if job.as_json:
        click.echo(json.dumps(decode(lines.results[0])))  # ASCII: nothing a terminal obeys
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
