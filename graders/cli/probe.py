"""`graders probe`: how can this grader be cheated?"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from graders.cli.clients import client_options, clients_for, judges, with_judge
from graders.cli.embeddings import embedding_profile
from graders.cli.options import chosen_profile, profile_options, show_findings
from graders.cli.sandbox import sandbox_for, sandbox_options
from graders.terminal import WIDTH, printable, shorten

if TYPE_CHECKING:
    from graders.config.parse import Document
    from graders.grades import Grader
    from graders.ledger import Ledger
    from graders.row_files import RowFormat
    from graders.rows import Row
    from graders.template import Slot
    from graders.testing.probe import ProbeReport

_EPILOG = """\b
Examples:
  graders probe grader.json rows.jsonl
  graders probe grade.py rows.jsonl --reference item.answer --budget 200
  graders probe grader.json rows.jsonl.gz --limit 50 --seed 1 --json
  graders probe judge.json rows.jsonl --limit 5 --cache kept.db

\b
ROWS have honest samples, as `graders run` reads them; several for each item
make a better bar. An attack wins on a row if it scores above the median of
the honest samples, or as high as the reference, without the answer; or above
the reference. Attacks that are the reference itself are left out. A grader
that fails on an attack is a finding too, and a failure is never a score.
Without --limit, 200 rows are drawn, and 20 where a judge or a service is
asked; without --budget the search grades 100 edits a row, 25 in the sandbox,
and none where a judge or a service is asked.
Exit codes: 0 nothing above --threshold, 1 a finding or a line that is no row,
2 unusable input.
"""


@click.command(epilog=_EPILOG)
@click.argument("config", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("rows", type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@click.option(
    "--reference",
    "references",
    multiple=True,
    metavar="PATH",
    help="Where the reference answer stands: item.answer.  [default: as the config says]",
)
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Draw N rows.")
@click.option(
    "--budget",
    type=click.IntRange(min=0),
    metavar="N",
    help="Gradings of the search for each row; 0 for none.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Decides all that is drawn.")
@click.option(
    "--threshold",
    type=click.FloatRange(0, 1),
    default=0.05,
    show_default=True,
    metavar="X",
    help="Share of rows on which an attack may win, or break the grader.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@click.option("--output", metavar="KEY", help="Where a flat row has its output.")
@click.option("--judge", metavar="MODEL", help="Ask this model instead of the config's.")
@client_options
@sandbox_options
@profile_options
def command(config: Path, rows: str, **given: Any) -> int:
    """Try to cheat the grader in CONFIG, on ROWS (JSON Lines, - for stdin)."""
    from graders.config.parse import load_config
    from graders.ledger import Ledger
    from graders.row_files import RowFormat
    from graders.testing.probe import ProbeOptions, probe
    from graders.testing.probe.targets import reference_slots

    document = load_config(config)
    show_findings(document.findings)
    if given["judge"] is not None:
        document = with_judge(document, given["judge"])
    told = tuple(_slot(path) for path in given["references"])
    options = ProbeOptions(
        references=told or reference_slots(document),
        limit=given["limit"],
        budget=given["budget"],
        seed=given["seed"],
    )
    bad_lines: list[str] = []
    ledger = Ledger()
    with _grader(document, given, ledger) as grader:
        honest = _honest(rows, RowFormat(output=given["output"]), bad_lines)
        report = probe(grader, honest, options, ledger=ledger)
    if not report.tally.rows:
        first = f": {bad_lines[0]}" if bad_lines else "."
        raise click.UsageError(f"{rows} holds no rows{first}")
    _print(report, f"{document.describe()}, from {config}", bad_lines, given)
    if bad_lines or not report.tally.says_something:
        return 1
    return int(any(one.share > given["threshold"] for one in report.tally.findings()))


@contextmanager
def _grader(document: Document, given: dict[str, Any], ledger: Ledger) -> Iterator[Grader]:
    from graders.compile import Tools, compile_grader
    from graders.config.graders import EndpointConfig, walk

    profile = chosen_profile(given["profile_name"], given["settings"], base_url=given["base_url"])
    endpoints = any(isinstance(part, EndpointConfig) for _, part in walk(document.grader))
    with (
        sandbox_for(document, given) as sandbox,
        embedding_profile(document, profile, given, ledger) as asking,
        clients_for(judges(document), given, ledger, endpoints=endpoints) as (client, endpoint),
    ):
        tools = Tools(sandbox=sandbox, client=client, endpoint=endpoint)
        yield compile_grader(document, tools=tools, profile=asking)


def _slot(path: str) -> Slot:
    """A path of `--reference`.

    Raises:
        click.BadParameter: It is none, or leads to no item.
    """
    from graders.errors import TemplateError
    from graders.template import parse_path

    try:
        slot = parse_path(path)
    except TemplateError as error:
        raise click.BadParameter(str(error), param_hint="--reference") from None
    if slot.namespace != "item" or not slot.steps:
        problem = f"{path!r} is no path to a value of the item, such as item.answer"
        raise click.BadParameter(problem, param_hint="--reference")
    return slot


def _honest(rows: str, shape: RowFormat, bad_lines: list[str]) -> Iterator[Row]:
    """The rows of a file; lines that are none go into the list."""
    from graders.row_files import read_rows
    from graders.rows import Row

    for row in read_rows(rows, shape):
        if isinstance(row, Row):
            yield row
        else:
            bad_lines.append(str(row))


def _print(report: ProbeReport, title: str, bad_lines: list[str], given: dict[str, Any]) -> None:
    from graders.report.probed import to_json, to_lines
    from graders.report.text import bad_line_lines

    first = bad_lines[:5]
    if given["as_json"]:
        lines = {"bad_lines": len(bad_lines), "first_bad_lines": first}
        click.echo(
            json.dumps({**to_json(report), **lines, "threshold": given["threshold"]}, indent=2)
        )
        return
    click.echo(shorten(printable(title), WIDTH))
    for line in (*to_lines(report), *bad_line_lines(len(bad_lines), first)):
        click.echo(line)
