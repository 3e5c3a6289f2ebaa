"""`graders plan`: what a fine-tuning job would take, and what its service would refuse."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from graders.cli.grading import column_option, item_columns_of
from graders.cli.locations import ROWS
from graders.cli.options import chosen_profile, profile_options, show_findings
from graders.cli.sandbox import chosen_python, sandbox_for, sandbox_options

if TYPE_CHECKING:
    from graders.config.parse import Document
    from graders.jobs.datasets import Dataset
    from graders.jobs.job import Job
    from graders.jobs.plan import Plan
    from graders.jobs.trial import Measured
    from graders.profile import Profile
    from graders.rows import Row

_EPILOG = """\b
Examples:
  graders plan method.json train.jsonl
  graders plan job.json train.jsonl --validation test.jsonl --for azure-rft
  graders plan method.json train.jsonl --samples-per-item 16 --assume n_epochs=2
  graders plan method.json train.jsonl --samples samples.jsonl --measure 100
  graders plan method.json train.parquet --column item.messages=prompt
  graders plan method.json train.jsonl --json

\b
METHOD is a method object (supervised, dpo or reinforcement) or a job's body
with `method` in it. ROWS are chat rows, preference pairs or training rows
with keys for the grader, as the method wants them. What the service decides
and hides is a range or unknown, and so is every total that rests on it.
Exit code 0 fine, 1 errors found, 2 unusable input.
"""

_FILE = click.Path(exists=True, dir_okay=False, allow_dash=True)
_DEFAULT_MEASURED = 20
_MOST_SAMPLES = 1_000_000


@click.command(epilog=_EPILOG)
@click.argument("method", type=_FILE)
@click.argument("rows", type=ROWS)
@click.option("--validation", type=ROWS, metavar="ROWS", help="Rows that the job evaluates on.")
@click.option(
    "--for",
    "target",
    type=click.Choice(["openai-rft", "azure-rft"]),
    default="openai-rft",
    show_default=True,
    help="The service whose limits hold.",
)
@click.option("--model", metavar="NAME", help="The base model.  [default: that of a job's body]")
@click.option(
    "--samples-per-item",
    type=click.IntRange(1, _MOST_SAMPLES),
    metavar="N",
    help="Assume N samples for each row and epoch.  [default: 2 or more, the service hides it]",
)
@click.option(
    "--assume",
    "assumed",
    multiple=True,
    metavar="NAME=N",
    help="Assume N where the hyperparameter NAME is auto.",
)
@click.option(
    "--samples",
    type=ROWS,
    metavar="FILE",
    help="Rows with outputs, as `graders run` reads them, to measure with.",
)
@click.option(
    "--measure",
    type=click.IntRange(min=0),
    default=_DEFAULT_MEASURED,
    show_default=True,
    metavar="N",
    help="Grade N rows to take the time; judges are not asked.",
)
@column_option
@click.option("--json", "as_json", is_flag=True, help="Print the plan as JSON.")
@sandbox_options
@profile_options
def command(method: str, rows: str, **given: Any) -> int:
    """Plan the fine-tuning job that METHOD would start on ROWS (- for stdin)."""
    from graders.errors import findings_of
    from graders.jobs.job import read_job
    from graders.report.plan_lines import to_lines
    from graders.report.planned import to_json

    if [method, rows, given["validation"], given["samples"]].count("-") > 1:
        raise click.UsageError("Only one of the files can be standard input.")
    profile = chosen_profile(given["profile_name"], given["settings"])
    job = read_job(method, _bytes(method), profile, chosen_python(given["python"]))
    plan = _plan(job, rows, profile, given)
    if given["as_json"]:
        click.echo(json.dumps(to_json(plan), indent=2))
    else:
        for line in to_lines(plan):
            click.echo(line)
        show_findings(plan.findings)
    return 1 if findings_of("error", plan.findings) else 0


def _bytes(path: str) -> bytes:
    return sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()


def _plan(job: Job, rows: str, profile: Profile, given: dict[str, Any]) -> Plan:
    from graders.jobs.bounds import most_tokens
    from graders.jobs.datasets import TRIED, read_dataset
    from graders.jobs.plan import Given, plan_job
    from graders.jobs.trial import try_job

    target, model = given["target"], given["model"] or job.model
    assumed = _assumed(job, given["assumed"])
    most = most_tokens(job.kind, model)
    columns = item_columns_of(given)
    training = read_dataset(rows, job.kind, target, most_tokens=most, columns=columns)
    validation = None
    if given["validation"] is not None:
        validation = read_dataset(
            given["validation"], job.kind, target, most_tokens=most, columns=columns
        )
    samples: list[Row] = []
    measured = None
    if job.gradable is not None:
        samples = _samples(given["samples"], max(TRIED, given["measure"]))
    tried = try_job(job, training, samples, profile)
    if job.gradable is not None:
        measured = _measured(job.gradable, samples, training, profile, given)
    return plan_job(
        Given(
            job=job,
            target=target,
            model=model,
            training=training,
            validation=validation,
            tried=tried,
            measured=measured,
            samples=given["samples"],
            assumed=assumed,
            samples_per_item=given["samples_per_item"],
        )
    )


def _assumed(job: Job, pairs: Sequence[str]) -> dict[str, float]:
    """The numbers to take where a hyperparameter is auto.

    Raises:
        click.BadParameter: One is set, unknown or out of bounds.
    """
    from graders.errors import did_you_mean
    from graders.jobs.bounds import AUTO, HYPERPARAMETERS

    numbers: dict[str, float] = {}
    for pair in pairs:
        name, _, text = pair.partition("=")
        try:
            number: float = int(text) if text.strip().isdecimal() else float(text)
            HYPERPARAMETERS[job.kind].model_validate({name: number})
        except ValueError as error:
            problem = _problem(error)
            raise click.BadParameter(f"{pair!r}: {problem}", param_hint="--assume") from None
        known = [one for one in AUTO if one in HYPERPARAMETERS[job.kind].model_fields]
        if name not in known:
            said = f"{name!r} is no hyperparameter of {job.kind}. {did_you_mean(name, known)}"
            raise click.BadParameter(said, param_hint="--assume")
        if job.settings.get(name, "auto") != "auto":
            said = f"{name} is {job.settings[name]} in the method, and not auto"
            raise click.BadParameter(said, param_hint="--assume")
        numbers[name] = number
    return numbers


def _problem(error: ValueError) -> str:
    from pydantic import ValidationError

    if isinstance(error, ValidationError):
        return error.errors()[0]["msg"]
    return "is not NAME=NUMBER"


def _samples(path: str | None, most: int) -> list[Row]:
    """The first rows of `--samples`.

    Raises:
        click.UsageError: There are none.
    """
    from graders.row_files import read_rows
    from graders.rows import Row

    if path is None:
        return []
    rows: list[Row] = []
    first = ""
    for row in read_rows(path):
        if isinstance(row, Row):
            rows.append(row)
        else:
            first = first or f": {row}"
        if len(rows) == most:
            break
    if not rows:
        raise click.UsageError(f"--samples {path} holds no rows{first}")
    return rows


def _measured(
    document: Document,
    samples: list[Row],
    training: Dataset,
    profile: Profile,
    given: dict[str, Any],
) -> Measured | None:
    """How long gradings take here; None where nothing is to be graded, or nothing can be."""
    from graders.jobs.trial import measure, stand_ins

    number = given["measure"]
    rows = samples[:number] or stand_ins(training.kept.spread(number))
    if not rows:
        return None
    try:
        with sandbox_for(document, given) as sandbox:
            return measure(document, rows, sandbox, profile)
    except click.UsageError:
        raise
    except click.ClickException as error:  # this machine cannot isolate
        source = click.get_current_context().get_parameter_source("measure")
        if source is not ParameterSource.DEFAULT:
            raise
        click.echo(f"warning: nothing is measured: {error.message}", err=True)
        return None
