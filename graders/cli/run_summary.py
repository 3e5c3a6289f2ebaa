"""What `graders run` says at its end, for people or for programs."""

from __future__ import annotations

import json
import textwrap
from typing import TYPE_CHECKING

import click

from graders.cli.job import Job
from graders.cli.taught import as_json, as_lines
from graders.report import spending
from graders.report.summary import Summary
from graders.report.text import to_lines
from graders.terminal import WIDTH, printable, shorten

if TYPE_CHECKING:
    from graders.studies.teach.teaching import Study


def say_summary(
    job: Job, summary: Summary, study: Study | None, *, seconds: float, results: str | None
) -> None:
    """Print the summary of a run, and whether it will teach."""
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
