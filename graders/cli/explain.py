"""`graders explain`: everything about the grading of one sample, on one screen."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from graders.cli.clients import client_options, with_judge
from graders.cli.grading import (
    given_row,
    row_format,
    row_options,
    sound,
    tools_for,
    with_threshold,
)
from graders.cli.locations import ROWS
from graders.cli.options import chosen_profile, profile_options, show_findings
from graders.cli.sandbox import sandbox_options

if TYPE_CHECKING:
    from graders.config.parse import Document
    from graders.profile import Profile
    from graders.rows import Row
    from graders.testing.cases import Case, Cases
    from graders.testing.judging import CaseJudge

_EPILOG = """\b
Examples:
  graders explain grader.json rows.jsonl
  graders explain grader.json rows.jsonl --row 3 --sample-index 1
  graders explain grader.json --sample "Paris" --item '{"answer": "Paris"}'
  graders explain grade.cases.json --case exact
  graders explain judge.json rows.jsonl --base-url http://localhost:8080/v1
  graders explain grader.json rows.jsonl --full --json > grading.json

\b
Exit codes: 0 the sample was graded, 1 it could not be, 2 unusable input.
"""


@click.command(epilog=_EPILOG)
@click.argument("config", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("rows", required=False, type=ROWS)
@click.option(
    "--row", type=click.IntRange(min=1), metavar="N", help="Line of ROWS.  [default: 1st]"
)
@click.option(
    "--sample-index", type=click.IntRange(min=0), metavar="I", help="Which of its samples, from 0."
)
@click.option("--sample", metavar="TEXT", help="Grade this output, without files.")
@click.option("--item", metavar="JSON", help="The item beside --sample.  [default: {}]")
@click.option("--case", metavar="NAME", help="The case of CONFIG, a case file.  [first]")
@row_options
@click.option("--full", is_flag=True, help="Show long texts whole.")
@click.option("--json", "as_json", is_flag=True, help="Print all of it as JSON.")
@click.option("--pass-threshold", type=float, metavar="X", help="A score from X on passes.")
@click.option("--judge", metavar="MODEL", help="Ask this model instead of the config's.")
@client_options
@sandbox_options
@profile_options
def command(config: Path, rows: str | None, **given: Any) -> int:
    """Grade one sample of ROWS with CONFIG, and show everything about it.

    What each grader saw, what its metric, its judge, its endpoint or its code made of it, the
    formula with the numbers filled in, and what the hosted service would answer.
    """
    from graders.engine import run_sync
    from graders.ledger import Ledger
    from graders.report.explained import explain_row
    from graders.report.explained_json import to_json
    from graders.report.explained_lines import to_lines
    from graders.terminal import printable

    chosen = _chosen(config, rows, given)
    document = chosen.document
    show_findings([*document.findings, *sound(document, chosen.profile, given["python"])])
    with tools_for(document, chosen.profile, given, Ledger(), judge=chosen.judge) as prepared:
        explained = run_sync(lambda: explain_row(document, chosen.row, *prepared))
    if given["as_json"]:
        click.echo(json.dumps(to_json(explained), indent=2))  # ASCII: nothing a terminal obeys
    else:
        click.echo(printable(f"{document.describe()}, from {config}"))
        click.echo("\n".join(to_lines(explained, full=given["full"])))
    return 0 if explained.judged.grade.failure is None else 1


@dataclass(frozen=True, slots=True, kw_only=True)
class _Chosen:
    """What is to be explained.

    Attributes:
        document: The config.
        profile: Settings that decide numbers.
        row: What is graded.
        judge: Answers as the case or its file says; None where neither does, for whom the options
            name.
    """

    document: Document
    profile: Profile
    row: Row
    judge: CaseJudge | None = None


def _chosen(config: Path, rows: str | None, given: dict[str, Any]) -> _Chosen:
    """The grader and the row that the options mean.

    Raises:
        click.ClickException: They contradict each other, or there is no such row or case.
        GradersError: A file is not what it should be.
    """
    from graders.config.parse import load_config
    from graders.testing import SUFFIXES

    if config.name.endswith(SUFFIXES):
        return _of_a_case(config, rows, given)
    if given["case"] is not None:
        raise click.UsageError(f"--case is for a case file ({', '.join(SUFFIXES)}).")
    document = load_config(config)
    profile = chosen_profile(given["profile_name"], given["settings"], base_url=given["base_url"])
    row = given_row(document, rows, given)
    if row is None:
        row = _row_of_a_file(rows, given)
    elif given["row"] is not None or given["sample_index"] is not None:
        raise click.UsageError(
            "--row and --sample-index choose from ROWS, and there is one sample."
        )
    return _changed(_Chosen(document=document, profile=profile, row=row), given)


def _changed(chosen: _Chosen, given: Mapping[str, Any]) -> _Chosen:
    """The same under `--pass-threshold` and `--judge`."""
    document, profile = chosen.document, chosen.profile
    if given["pass_threshold"] is not None:
        document, profile = with_threshold(document, profile, given["pass_threshold"])
    if given["judge"] is not None:
        document = with_judge(document, given["judge"])
    return replace(chosen, document=document, profile=profile)


def _row_of_a_file(rows: str | None, given: dict[str, Any]) -> Row:
    from graders.errors import RowError
    from graders.row_files import read_rows

    if rows is None:
        raise click.UsageError("Missing argument 'ROWS' (or give --sample).")
    wanted, index = given["row"], given["sample_index"] or 0
    last = samples = 0
    for row in read_rows(rows, row_format(rows, {**given, "group_by": None})):
        if isinstance(row, RowError):
            if wanted is None or f":{wanted}:" in row.place:
                raise row
            continue
        last = row.row
        wanted = wanted or last
        if last > wanted:
            break
        if last == wanted:
            samples += 1
            if row.sample_index == index:
                return row
    if samples:
        problem, option = f"row {wanted} has {samples} of them, from 0", "--sample-index"
    else:
        problem, option = f"{rows} has no row {wanted or 1}; its last is {last}", "--row"
    raise click.BadParameter(problem, param_hint=option)


def _of_a_case(config: Path, rows: str | None, given: dict[str, Any]) -> _Chosen:
    from graders.testing.cases import read_cases
    from graders.testing.check import rows_of
    from graders.testing.judging import judge_of

    if rows is not None or given["sample"] is not None or given["row"] is not None:
        raise click.UsageError("A case has its own sample; leave out ROWS, --row and --sample.")
    cases = read_cases(config)
    case = _case(cases, given["case"])
    samples, index = rows_of(case), given["sample_index"] or 0
    if index >= len(samples):
        raise click.BadParameter(
            f"the case has {len(samples)} samples, from 0", param_hint="--sample-index"
        )
    spoken = case.judge is not None or cases.recorded is not None
    judge = judge_of(case, cases.recorded) if spoken else None
    chosen = _Chosen(
        document=cases.document, profile=cases.profile, row=samples[index], judge=judge
    )
    return _changed(chosen, given)


def _case(cases: Cases, name: str | None) -> Case:
    from graders.errors import did_you_mean

    names = [cases.name(i) for i in range(len(cases.file.cases))]
    if name is None:
        return cases.file.cases[0]
    if name not in names:
        raise click.BadParameter(
            f"there is no case {name!r}. {did_you_mean(name, names)}", param_hint="--case"
        )
    return cases.file.cases[names.index(name)]
