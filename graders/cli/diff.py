"""`graders diff`: what does a change of grader do to the same samples?"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
from click.core import ParameterSource

from graders.cli.bounds import BOUNDS, bound_options, chosen_bounds
from graders.cli.clients import client_options
from graders.cli.diff_report import Found, show_diff
from graders.cli.grading import grouping_option, row_format, row_options
from graders.cli.interrupts import stopped_by_signals
from graders.cli.locations import ROWS
from graders.cli.options import chosen_profile, profile_options, show_findings
from graders.cli.progress import Show, progress_bar
from graders.cli.reports import check_report, report_option
from graders.cli.sandbox import sandbox_options
from graders.cli.two_configs import both_graders, read_two
from graders.terminal import printable_lines

if TYPE_CHECKING:
    from graders.errors import RowError
    from graders.ledger import Ledger
    from graders.report.diffed import Diffed
    from graders.rows import Row
    from graders.studies.change.bounds import Bounds
    from graders.studies.change.pairs import Pair
    from graders.testing.both import Both

_EPILOG = """\b
Examples:
  graders diff old.json new.json rows.jsonl
  graders diff main/grade.py grade.py rows.jsonl.gz --max-flips 0.02
  graders diff old.json new.json rows.jsonl --markdown > comment.md
  graders diff old.json new.json rows.jsonl --report diff.html
  graders diff before.jsonl after.jsonl --json

\b
OLD and NEW are configs of any kind, which both grade the samples of ROWS as
`graders run` reads them; or, without ROWS, two files that `graders run -o`
wrote, joined by row and sample. A sample that fails on one side is no pair
and counts as a new or a mended failure. Intervals resample groups; they are
shown, and bounds alone decide.

\b
The bounds stop what should not pass unseen: a sample that newly fails, more
than 1 % of samples across the threshold, another order of all samples or
within groups, another mean. To take one away, set it where nothing breaks it:
--max-flips 1, --min-spearman -1, --min-pairs 0, --max-mean-change inf. A bound
without a number, such as flips without a threshold, is not checked, and the
report says so.
Exit codes: 0 within all bounds, 1 beyond one, a bad line, or samples without
a counterpart, 2 unusable input.
"""
_FOR_RESULTS: Final = frozenset(
    {"old", "new", "rows", "as_json", "as_markdown", "report", "worst", "pass_threshold", *BOUNDS}
)
"""Options that need no grading."""
_FILES: Final = ("outputs", "cache", "record", "replay")
"""Options that name a file which must stay."""


@click.command(epilog=_EPILOG)
@click.argument("old", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("new", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("rows", required=False, type=ROWS)
@bound_options
@click.option("--pass-threshold", type=float, metavar="X", help="A score from X on passes.")
@click.option(
    "--worst",
    type=click.IntRange(min=0),
    default=5,
    show_default=True,
    metavar="N",
    help="How many disagreements to show.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@report_option
@click.option("--markdown", "as_markdown", is_flag=True, help="Print it for a pull request.")
@row_options
@grouping_option
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Grade N samples at most.")
@click.option("--judge", metavar="MODEL", help="Ask this model instead of the configs'.")
@client_options
@sandbox_options
@profile_options
def command(old: Path, new: Path, rows: str | None, **given: Any) -> int:
    """Compare NEW with OLD, two configs on ROWS or two results files; exit 1 beyond a bound."""
    from math import isfinite

    from graders.report.html.diff_rows import MOST
    from graders.studies.change.pairs import Pairs

    if given["as_json"] and given["as_markdown"]:
        raise click.UsageError("--json and --markdown are two forms of one report; leave one out.")
    threshold = given["pass_threshold"]
    if threshold is not None and not isfinite(threshold):
        raise click.BadParameter(f"{threshold} is not a number", param_hint="--pass-threshold")
    bounds = chosen_bounds(given)
    check_report(given["report"], (old, new, rows, *map(given.get, _FILES)))
    worst = given["worst"] if given["report"] is None else max(given["worst"], MOST)
    found = Found(Pairs(threshold=threshold, worst=worst))
    configs = (old, new)
    names = _joined(found, *configs) if rows is None else _graded(found, configs, rows, given)
    diffed = _diffed(found, names, bounds)
    show_diff(diffed, found, (*configs, rows), given)
    if isinstance(found.stopped, KeyboardInterrupt):
        raise found.stopped
    if found.stopped is not None:
        click.echo(f"graders: {printable_lines(str(found.stopped))}", err=True)
        return 1
    return 0 if diffed.within and diffed.whole else 1


def _joined(found: Found, old: Path, new: Path) -> tuple[str, str]:
    """Compare two results files; gives what they are called.

    Raises:
        click.UsageError: An option is for grading, or a file holds no results.
    """
    from graders.results import read_results
    from graders.studies.change.joined import join_results

    context = click.get_current_context()
    for option in context.command.params:
        name = option.name or ""
        if name not in _FOR_RESULTS:
            if context.get_parameter_source(name) is ParameterSource.DEFAULT:
                continue
            shown = option.opts[0]
            raise click.UsageError(f"{shown} is for grading ROWS, and there are none.")
    joined = join_results(read_results(old), read_results(new))
    for path, results in zip((old, new), joined.results, strict=True):
        if not results:
            first = next((f": {line}" for line in joined.bad_lines), ".")
            hint = "to grade by two configs, name ROWS"
            raise click.UsageError(f"{path} holds no results ({hint}){first}")
    show_findings(joined.notes)
    found.bad_lines += map(str, joined.bad_lines)
    if _data_differ(old, new):
        found.others.append("their runs read files that differ (SHA-256)")
    found.others += joined.others
    found.only[0].extend(joined.only_old)
    found.only[1].extend(joined.only_new)
    found.mismatched = joined.mismatched
    _take(found, joined.pairs)
    return f"results {old}", f"results {new}"


def _data_differ(*results: Path) -> bool:
    """Whether the runs that wrote results read other bytes; False where one does not say."""
    from graders.runs.opening import data_of_run

    read = [[one.sha256 for one in data_of_run(path)] for path in results]
    return read[0] != read[1] and all(hashes and None not in hashes for hashes in read)


def _take(found: Found, pairs: Iterable[Pair]) -> None:
    from graders.errors import RowError

    for pair in pairs:
        found.signatures = pair.old.signature, pair.new.signature
        try:
            found.pairs.add(pair)
        except RowError as error:
            found.bad_line(error)


def _graded(
    found: Found, configs: tuple[Path, Path], rows: str, given: dict[str, Any]
) -> tuple[str, str]:
    """Grade rows by two configs and compare; gives what they are called.

    Raises:
        click.ClickException: A config or an option cannot be used, or there are no rows.
        RunStoppedError: A budget is used up before a row was graded.
        KeyboardInterrupt: Interrupted before a row was graded.
    """
    from graders.ledger import Ledger
    from graders.row_files import read_rows

    profile = chosen_profile(given["profile_name"], given["settings"], base_url=given["base_url"])
    documents = read_two(configs, given, profile)
    lines = read_rows(rows, row_format(rows, given))
    ledger = Ledger()
    with both_graders(documents, profile, given, ledger) as (both, found.layers):
        limited = given["limit"] is not None
        with (
            progress_bar(rows, limited=limited) as show,
            stopped_by_signals(at_once=both.waits == "never"),
        ):
            found.stopped = _worked(found, both, lines, given["limit"], ledger, show)
    if found.stopped is not None and not found.pairs.samples:
        raise found.stopped
    if not found.pairs.samples:
        if found.bad_lines:
            raise click.UsageError(f"no row of {rows} can be compared: {found.bad_lines[0]}")
        raise click.UsageError(f"{rows} holds no rows.")
    found.ledger = ledger if ledger.accounts else None
    old, new = (
        f"{document.describe()}, from {path}"
        for document, path in zip(documents, configs, strict=True)
    )
    return old, new


def _worked(  # noqa: PLR0913, PLR0917 - what a run is made of
    found: Found,
    both: Both,
    lines: Iterable[Row | RowError],
    limit: int | None,
    ledger: Ledger,
    show: Show,
) -> BaseException | None:
    """Grade and compare; gives what stopped it before its end, if anything did."""
    from graders.engine import RunOptions, RunStoppedError, run_sync
    from graders.testing.both import graded_pairs

    options = RunOptions(limit=limit)

    async def compare() -> None:
        pairs = graded_pairs(both, lines, options, bad_line=found.bad_line, ledger=ledger)
        async with aclosing(pairs):
            async for pair in pairs:
                _take(found, [pair])
                show(pair.new.row, 1, int(pair.new.score is None))

    try:
        run_sync(compare)
    except (RunStoppedError, KeyboardInterrupt) as error:
        return error
    return None


def _diffed(found: Found, names: tuple[str, str], bounds: Bounds) -> Diffed:
    from graders.report.diffed import Diffed
    from graders.studies.change.bounds import check_bounds
    from graders.studies.change.diff import diff as diff_of
    from graders.studies.change.verdicts import file_verdicts, verdicts

    diff = diff_of(found.pairs)
    alone = sum(map(len, found.only))
    of_files = file_verdicts(found.others, diff.samples, alone, found.mismatched)
    return Diffed(
        old=names[0],
        new=names[1],
        diff=diff,
        verdicts=[*of_files, *verdicts(diff)],
        checks=check_bounds(diff, bounds),
        bad_lines=found.bad_lines,
        only_old=found.only[0],
        only_new=found.only[1],
        scores=found.pairs.scores,
    )
