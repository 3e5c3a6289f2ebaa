"""`graders mutate`: which small changes to a grader do its cases notice?"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from graders.cli.interrupts import stopped_by_signals
from graders.cli.sandbox import changed_sandbox, sandbox_options

if TYPE_CHECKING:
    from graders.testing.cases import Cases
    from graders.testing.mutate import Baseline, Judged
    from graders.testing.mutation_report import MutationReport

_EPILOG = """\b
Examples:
  graders mutate starter/grade.cases.json
  graders mutate grade.cases.json --limit 100 --threshold 0.9
  graders mutate grade.cases.json --json > mutants.json

\b
Ctrl-C reports the mutants that are judged by then.
Exit codes: 0 judged, 1 the score is below --threshold, 2 unusable input, or
the grader does not pass its cases as it is.
"""


@click.command(epilog=_EPILOG)
@click.argument("cases", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Draw N changes at most.")
@click.option(
    "--seed",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    metavar="N",
    help="What --limit draws by.",
)
@click.option(
    "--threshold",
    type=click.FloatRange(0, 1),
    metavar="X",
    help="Exit with 1 where the score is lower, of 0 to 1.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@sandbox_options
def command(cases: Path, **given: Any) -> int:
    """Change the grader of CASES in small ways, and say which changes no case notices.

    CASES is a *.cases.json or *.cases.yaml file. Each change is one mutant: a comparison turned
    round, a boundary or a weight moved, a call, a statement or a member left out. A mutant that
    every case passes is a survivor: a bug like it would go unseen.
    """
    from graders.testing import SUFFIXES
    from graders.testing.cases import read_cases
    from graders.testing.mutation_report import to_json, to_lines

    if not cases.name.endswith(SUFFIXES):
        beside = cases.with_suffix(SUFFIXES[0])
        also = f"; its cases are in {beside}" if beside.exists() else ""
        problem = f"{cases} is no case file ({', '.join(SUFFIXES)}){also}"
        raise click.BadParameter(problem, param_hint="CASES")
    read = read_cases(cases)
    baseline = _baseline(read, given)
    if baseline.problems:
        _refuse(baseline, cases)
        return 2
    report = _report(read, baseline, given)
    if given["as_json"]:
        click.echo(json.dumps(to_json(report), indent=2))  # ASCII: nothing a terminal obeys
    else:
        click.echo("\n".join(to_lines(report)))
    if report.not_reached:
        raise KeyboardInterrupt
    return int(given["threshold"] is not None and report.score < given["threshold"])


def _baseline(cases: Cases, given: dict[str, Any]) -> Baseline:
    from graders.engine import run_sync
    from graders.testing.mutate import run_baseline

    with changed_sandbox(cases.document, given) as sandbox:
        return run_sync(lambda: run_baseline(cases, sandbox))


def _refuse(baseline: Baseline, cases: Path) -> None:
    """Say which cases the grader does not pass as it is."""
    from graders.terminal import printable, printable_lines

    for name, problems in baseline.problems.items():
        for problem in problems:
            click.echo(f"{printable(name)}: {printable_lines(problem)}", err=True)
    count = len(baseline.problems)
    failing = f"{count} case{'s' if count > 1 else ''} of {cases}"
    click.echo(
        f"graders: the grader as it is fails {printable(failing)}; mend that first", err=True
    )


def _report(cases: Cases, baseline: Baseline, given: dict[str, Any]) -> MutationReport:
    """What became of the mutants, as far as they are judged.

    Raises:
        KeyboardInterrupt: None is.
    """
    from graders.config.graders import PythonConfig, walk
    from graders.engine import run_sync
    from graders.testing.mutants import chosen, mutants_of
    from graders.testing.mutate import run_mutants
    from graders.testing.mutation_report import MutationReport, place_of

    mutants = mutants_of(cases.document)
    drawn = chosen(mutants, given["limit"], given["seed"])
    seconds = baseline.deadline_seconds
    with (
        changed_sandbox(cases.document, given, wall_seconds=seconds) as sandbox,
        _progress(len(drawn)) as progress,
        stopped_by_signals(at_once=sandbox is None),
    ):
        known: dict[int, Judged | None] = {}

        def done(index: int, judged: Judged | None) -> None:
            known[index] = judged
            progress()

        try:
            run_sync(lambda: run_mutants(cases, drawn, baseline, sandbox, done))
        except KeyboardInterrupt:
            if not known:
                raise
    name = _name(cases)
    covered = {
        place_of(name, at, "source"): baseline.coverage(part.source)
        for at, part in walk(cases.document.grader)
        if isinstance(part, PythonConfig)
    }
    return MutationReport(
        name=name,
        judged=[one for _, one in sorted(known.items()) if one is not None],
        drawn_from=len(mutants),
        coverage=covered,
        not_reached=len(drawn) - len(known),
    )


def _name(cases: Cases) -> str:
    """The file that the grader stands in, as the case file has it."""
    given = cases.file.grader
    if given is not None:
        return given if isinstance(given, str) else cases.path.name
    stem = cases.path.name.partition(".cases.")[0]
    beside = (cases.path.with_name(f"{stem}.{kind}") for kind in ("py", "json"))
    return next(path.name for path in beside if path.exists())


@contextmanager
def _progress(total: int) -> Iterator[Callable[[], None]]:
    """A bar on standard error, if that is a terminal."""
    if not sys.stderr.isatty():
        yield lambda: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    columns = (BarColumn(bar_width=24), MofNCompleteColumn(), TimeRemainingColumn(compact=True))
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, auto_refresh=False) as bar:
        task = bar.add_task("", total=total)

        def advance() -> None:
            bar.advance(task)
            bar.refresh()

        yield advance
