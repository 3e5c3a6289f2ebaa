"""`graders study`: what else results say, without grading again."""

from __future__ import annotations

import gc
import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from math import isfinite
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final

import click

from graders.cli.grading import FILE, row_options
from graders.cli.locations import ROWS
from graders.cli.options import refuse_overwriting, show_findings
from graders.cli.progress import progress_bar
from graders.cli.reports import check_report, made_from, report_option, write_report
from graders.terminal import WIDTH, printable, shorten

if TYPE_CHECKING:
    from graders.report.html.run_rows import RunRows
    from graders.report.rescored import Comparison

_EPILOG = """\b
Examples:
  graders study results.jsonl
  graders study results.jsonl --rows rows.jsonl --human sample.human --json
  graders study results.jsonl --rows rows.jsonl --reference item.gold
  graders study results.jsonl --rows rows.jsonl --report study.html
  graders study results.jsonl --against old.jsonl --failing 0.2:0.4 --strict
  graders study results.jsonl --formula "0.3 * exact + 0.7 * similar"
  graders study results.jsonl.gz --formula "max(exact, similar)" --json
  graders study old.jsonl --formula exact --pass-threshold 1 -o new.jsonl
  graders study results.parquet --formula exact -o new.parquet
  graders run g.json rows.jsonl -o - | graders study - --formula exact

\b
RESULTS is what `graders run -o` wrote. A study says whether the samples of an
item differ, which a trainer learns from, and what rewards go with. Exit
codes: 0 fine, 1 a line was no result (or a finding is bad, with --strict),
2 unusable input.

\b
With --formula, RESULTS are those of a multi grader or an Evals body, and the
exit code is 1 if a row failed, too. The formula is what could stand in
calculate_output, over the same names. A member that failed does to its row
what it did in the run. The results' own threshold stays unless
--pass-threshold is given; an Evals body has none.
"""


_OF_FORMULAS: Final = ("rescored", "pass_threshold", "failures")
_OF_STUDIES: Final = (
    *("rows", "output", "outputs", "key", "column", "reference", "human", "against"),
    *("failing", "resamples", "seed", "strict"),
)


@click.command(epilog=_EPILOG)
@click.argument("results", type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@click.option("--rows", type=ROWS, metavar="ROWS", help="The rows that were graded: their texts.")
@row_options
@click.option(
    "--reference",
    metavar="PATH",
    help="Where ROWS have the reference.  [default: that of the run; else item.answer, ...]",
)
@click.option("--human", metavar="PATH", help="Where ROWS say what a person thinks: sample.human.")
@click.option(
    "--against", type=FILE, metavar="OLD", help="Earlier results of the same rows: what moved."
)
@click.option(
    "--failing",
    metavar="LOW:HIGH",
    help="The share that a suggested threshold lets fail.  [default: 0.25:0.5]",
)
@click.option(
    "--resamples",
    type=click.IntRange(min=0),
    metavar="N",
    help="Of items, for intervals; 0 for none.  [default: 1000, of many items fewer]",
)
@click.option("--seed", type=click.IntRange(min=0), metavar="N", help="Of the draws.  [default: 0]")
@click.option("--strict", is_flag=True, help="Exit with 1 where a finding is bad.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@report_option
@click.option("--formula", metavar="F", help="Compute this from the members' scores instead.")
@click.option("-o", "rescored", metavar="RESCORED", help="Write the new results; - is stdout.")
@click.option("--pass-threshold", type=float, metavar="X", help="A score from X on passes.")
@click.option(
    "--failures",
    type=click.Choice(["drop", "zero"]),
    help="The reward of a row without a score: none, or 0.0.  [default: drop]",
)
def command(results: str, **given: Any) -> int:
    """Say whether RESULTS (- for stdin) will teach; or compute another formula from them."""
    if given["formula"] is None:
        from graders.cli.studied import study_results

        _refuse(given, _OF_FORMULAS, "is for another formula, and there is no --formula.")
        return study_results(results, given)
    _refuse(given, _OF_STUDIES, "is for a study, and --formula makes none.")
    return _rescored(results, given)


def _refuse(given: dict[str, Any], options: Sequence[str], why: str) -> None:
    for name, value in given.items():
        if name in options and value not in {None, ()} and value is not False:
            shown = "-o" if name == "rescored" else f"--{name}"
            raise click.UsageError(f"{shown.replace('_', '-')} {why}")


def _rescored(results: str, given: dict[str, Any]) -> int:
    from graders.report.html.run_rows import RunRows
    from graders.report.rescored import Comparison
    from graders.results import read_results, timing_path
    from graders.runs.opening import refuse_unfinished
    from graders.strict_json import encode
    from graders.studies.teach.rescore import Rescoring, rescore

    threshold, output = given["pass_threshold"], given["rescored"]
    if threshold is not None and not isfinite(threshold):
        raise click.BadParameter(f"{threshold} is not a number", param_hint="--pass-threshold")
    refuse_overwriting(output, (results, timing_path(Path(results))), columns=True)
    if output is not None and output != "-":
        refuse_unfinished(Path(output))
    rescoring = Rescoring(
        formula=given["formula"], threshold=threshold, failures=given["failures"] or "drop"
    )
    check_report(given["report"], (results, output, timing_path(Path(results))))
    comparison, rows, started = Comparison(), RunRows() if given["report"] else None, perf_counter()
    gc.freeze()  # what is loaded by now stays; results come and go by the million
    with _lines_to(output) as write, progress_bar(results, limited=False) as show:
        for batch in rescore(read_results(Path(results)), rescoring):
            show_findings(batch.notes)
            if write is not None:
                write(b"".join([encode(after) + b"\n" for _, after in batch.pairs]))
            comparison.add(batch)
            if rows is not None:
                for _, after in batch.pairs:
                    rows.see(after)
            samples, bad_lines = comparison.samples, comparison.bad_lines
            show(samples + bad_lines, samples, comparison.after.failed + bad_lines)
        if not comparison.samples:
            raise click.UsageError(_nothing(results, comparison))
    _report(comparison, results, given, seconds=perf_counter() - started)
    if rows is not None:
        _write(comparison, rows, results, given)
    return 1 if comparison.after.failed or comparison.bad_lines else 0


def _nothing(results: str, comparison: Comparison) -> str:
    first = next(iter(comparison.first_bad_lines), "")
    return f"{results} holds no results{f': {first}' if first else '.'}"


@contextmanager
def _lines_to(output: str | None) -> Iterator[Callable[[bytes], object] | None]:
    """What appends a line to the output, which is there when all is, or not at all."""
    from graders.formats.forms import form_of
    from graders.formats.packed import packing
    from graders.result_table import write_table

    if output is None:
        yield None
    elif output == "-":
        yield sys.stdout.buffer.write
        sys.stdout.buffer.flush()
    elif Path(output).exists() and not Path(output).is_file():  # a device or a pipe
        with Path(output).open("wb") as file:
            yield file.write
    else:
        path = Path(output).resolve()  # where a link leads, so that the link stays
        part = path.with_name(f".{path.name}.{os.getpid()}.part")
        try:
            with part.open("xb") as file, packing(file, path) as lines:
                yield lines.write
            if form_of(path).is_columnar:
                write_table(part, path)
            else:
                part.replace(path)
        finally:
            part.unlink(missing_ok=True)


def _report(comparison: Comparison, results: str, given: dict[str, Any], *, seconds: float) -> None:
    from graders.report.rescored import to_lines

    output, formula = given["rescored"], given["formula"]
    err = output == "-"  # with the results on standard output, people read standard error
    if given["as_json"]:
        settings = {"seconds": round(seconds, 3), "formula": formula, "results": output}
        click.echo(json.dumps({**comparison.to_json(), **settings}, indent=2), err=err)
        return
    click.echo(shorten(printable(f"{results}, rescored"), WIDTH), err=err)
    for line in to_lines(comparison, seconds=seconds):
        click.echo(line, err=err)
    click.echo(shorten(printable(f"  formula  {formula}"), WIDTH), err=err)
    where = output if output is not None else "not kept; -o RESCORED.jsonl keeps them"
    click.echo(f"  results  {printable(where)}", err=err)


def _write(comparison: Comparison, rows: RunRows, results: str, given: dict[str, Any]) -> None:
    from graders.report.html.rescored_page import RescoredFindings, rescored_page
    from graders.runs.manifest import data_of

    found = RescoredFindings(
        name=results,
        formula=given["formula"],
        comparison=comparison,
        rows=rows,
        made=made_from([data_of(results)], formula=given["formula"]),
    )
    write_report(given["report"], rescored_page(found))
    apart = given["as_json"] or given["rescored"] == "-"
    click.echo(f"  report   {printable(given['report'])}", err=apart)
