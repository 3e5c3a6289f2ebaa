"""`graders probe`: how can this grader be cheated?"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from graders.cli.clients import client_options, with_judge
from graders.cli.grading import grouping_option, row_format, row_options, sound, tools_for
from graders.cli.interrupts import stopped_by_signals
from graders.cli.locations import ROWS
from graders.cli.options import chosen_profile, profile_options, show_findings
from graders.cli.reports import check_report, made_by, report_option, write_report
from graders.cli.sandbox import sandbox_options
from graders.terminal import WIDTH, printable, printable_lines, shorten

if TYPE_CHECKING:
    from graders.report.html.probe_page import ProbeFindings
    from graders.row_files import RowFormat
    from graders.rows import Row
    from graders.template import Slot
    from graders.testing.probe import Probing
    from sandbox import JSON

_EPILOG = """\b
Examples:
  graders probe grader.json rows.jsonl
  graders probe grade.py rows.jsonl --reference item.answer --budget 200
  graders probe grader.json rows.jsonl.gz --limit 50 --seed 1 --json
  graders probe judge.json rows.jsonl --limit 5 --cache kept.db
  graders probe grader.json rows.jsonl --report probe.html

\b
ROWS have honest samples, as `graders run` reads them; several for each item
make a better bar. An attack wins on a row if it scores above the median of
the honest samples, or as high as the reference, without the answer; or above
the reference. Attacks that are the reference itself are left out. A grader
that fails on an attack is a finding too, and a failure is never a score.
Without --limit, 200 rows are drawn, and 20 where a judge or a service is
asked; without --budget the search grades 100 edits a row, 25 in the sandbox,
and none where a judge or a service is asked. A probe that is stopped reports
the rows that it has finished.
Exit codes: 0 nothing above --threshold, 1 a finding, a line that is no row
or a budget that is used up, 2 unusable input.
"""


@click.command(epilog=_EPILOG)
@click.argument("config", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("rows", type=ROWS)
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
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    metavar="N",
    help="Decides all that is drawn.",
)
@click.option(
    "--threshold",
    type=click.FloatRange(0, 1),
    default=0.05,
    show_default=True,
    metavar="X",
    help="Share of rows on which an attack may win, or break the grader.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@report_option
@row_options
@grouping_option
@click.option("--judge", metavar="MODEL", help="Ask this model instead of the config's.")
@client_options
@sandbox_options
@profile_options
def command(config: Path, rows: str, **given: Any) -> int:
    """Try to cheat the grader in CONFIG, on ROWS (as `graders run` takes them)."""
    from graders.compile import compile_grader
    from graders.config.parse import load_config
    from graders.ledger import Ledger
    from graders.report.html.probe_page import ProbeFindings
    from graders.runs.manifest import make_manifest
    from graders.testing import SUFFIXES
    from graders.testing.probe import ProbeOptions, Probing
    from graders.testing.probe.targets import best_verdict, reference_slots

    if config.name.endswith(SUFFIXES):
        problem = f"{config} is a case file; name the grader that it is about"
        raise click.BadParameter(problem, param_hint="CONFIG")
    document = load_config(config)
    profile = chosen_profile(given["profile_name"], given["settings"], base_url=given["base_url"])
    if given["judge"] is not None:
        document = with_judge(document, given["judge"])
    told = tuple(_slot(path) for path in given["references"])
    shape = row_format(rows, given)
    read = (config, rows, *(given[name] for name in ("outputs", "cache", "record", "replay")))
    check_report(given["report"], read)
    show_findings([*document.findings, *sound(document, profile, given["python"])])
    options = ProbeOptions(
        references=told or reference_slots(document),
        limit=given["limit"],
        budget=given["budget"],
        verdict=best_verdict(document),
        seed=given["seed"],
    )
    bad_lines: list[str] = []
    ledger = Ledger()
    with tools_for(document, profile, given, ledger) as (tools, asking):
        grader = compile_grader(document, tools=tools, profile=asking)
        probing = Probing(grader, _honest(rows, shape, bad_lines), options, ledger)
        with stopped_by_signals(at_once=grader.waits == "never"):
            stopped = _worked(probing)
    report = probing.report()
    if stopped is not None and not report.tally.rows:
        raise stopped
    if not report.tally.rows:
        first = f": {bad_lines[0]}" if bad_lines else "."
        raise click.UsageError(f"{rows} holds no rows{first}")
    found = ProbeFindings(
        report=report,
        name=document.grader.name,
        title=f"{document.describe()}, from {config}",
        threshold=given["threshold"],
        bad_lines=bad_lines,
        ledger=ledger if ledger.accounts else None,
    )
    _print(found, as_json=given["as_json"])
    if given["report"] is not None:
        signature = f"profile:{profile.name}|{grader.signature}"
        settings: dict[str, JSON] = {"profile": profile.name, "signature": signature}
        layers: list[JSON] | None = [*sorted(tools.sandbox.layers)] if tools.sandbox else None
        environment: dict[str, JSON] = {"layers": layers, "judges": ledger.base_url or None}
        data = [path for path in (rows, given["outputs"]) if path is not None]
        manifest = make_manifest(document.grader, data, settings, environment)
        _write(replace(found, made=made_by(given["base_url"], manifest)), given)
    if isinstance(stopped, KeyboardInterrupt):
        raise stopped
    if stopped is not None:
        click.echo(f"graders: {printable_lines(str(stopped))}", err=True)
        return 1
    if bad_lines or not report.tally.says_something:
        return 1
    return int(any(one.share > given["threshold"] for one in report.tally.findings()))


def _worked(probing: Probing) -> BaseException | None:
    """Probe; gives what stopped it before its end, if anything did."""
    from graders.engine import RunStoppedError, run_sync

    try:
        run_sync(probing.work)
    except (RunStoppedError, KeyboardInterrupt) as error:
        return error
    return None


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


def _write(found: ProbeFindings, given: dict[str, Any]) -> None:
    from graders.report.html.probe_page import probe_page

    write_report(given["report"], probe_page(found))
    click.echo(f"  report   {printable(given['report'])}", err=given["as_json"])


def _print(found: ProbeFindings, *, as_json: bool) -> None:
    from graders.report import spending
    from graders.report.probed import to_json, to_lines
    from graders.report.text import bad_line_lines

    number, first = len(found.bad_lines), found.bad_lines[:5]
    if as_json:
        lines = {"bad_lines": number, "first_bad_lines": first, "threshold": found.threshold}
        spent = spending.to_json(found.ledger) if found.ledger else {}
        click.echo(json.dumps({**to_json(found.report), **lines, **spent}, indent=2))
        return
    click.echo(shorten(printable(found.title), WIDTH))
    spent_lines = spending.to_lines(found.ledger) if found.ledger else ()
    for line in (*to_lines(found.report), *spent_lines, *bad_line_lines(number, first)):
        click.echo(line)
