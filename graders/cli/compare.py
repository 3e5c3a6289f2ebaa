"""`graders compare`: which metric or grader agrees best with people?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from graders.cli.clients import client_options
from graders.cli.compare_report import show_comparison
from graders.cli.fit import fit_options, fitted, fitting, write_config
from graders.cli.grading import grouping_option, row_format, row_options, sound
from graders.cli.locations import ROWS
from graders.cli.options import chosen_profile, profile_options, show_findings
from graders.cli.reports import check_report, report_option
from graders.cli.sandbox import sandbox_options

if TYPE_CHECKING:
    from graders.cli.contest import Contest
    from graders.config.parse import Document
    from graders.profile import Profile
    from graders.report.compared import Compared
    from graders.template import Slot
    from graders.testing.contestants import Contestant
    from graders.testing.labelled import Labelled

_EPILOG = """\b
Examples:
  graders compare rows.jsonl --reference item.answer --human sample.human
  graders compare rows.jsonl --reference item.answers --human sample.human \\
      --metrics all
  graders compare rows.jsonl --reference item.answer --human sample.score \\
      --metrics rouge_l,partial --graders a.json grade.py --good-from 4
  graders compare rows.jsonl --reference item.answer --human sample.human \\
      --fit partial,rouge_l,meteor -o fitted.json
  graders compare rows.jsonl --reference item.answer --human sample.human \\
      --report compare.html
  graders compare rows.jsonl.gz --reference item.answer --human sample.human --json

\b
ROWS are as `graders run` reads them, with a label that a person gave at
--human, and at --reference a text or a list of texts, of which the best
counts. Rows without a label, a reference or an output are counted and left
out, and so is a row that some contestant fails on: a failure is no score.
Judges are asked once for each row, and attacked only with --probe-judges.
Nothing is found where a budget is used up; --cache keeps what was paid.
Costs are CPU times of this run, which stars and advice on cost follow; all
else is the same in every run.
--fit makes one reward of several: weights that are never below 0 and sum to
1, tested on items left out, and held against the best member by itself. It
needs the extra `fit`.
Exit codes: 0 compared, 1 a row failed, is none, or has a label or reference
of a wrong type, 2 unusable input, or no row with a label, a reference and an
output.
"""


class _Compare(click.Command):
    """A command whose `--graders` takes every file up to the next option."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        return super().parse_args(ctx, _one_each(args, "--graders"))


def _one_each(args: Sequence[str], option: str) -> list[str]:
    """Arguments in which an option of several values stands before each of them.

    Example:
        >>> _one_each(["rows", "--graders", "a.json", "b.json", "--json"], "--graders")
        ['rows', '--graders', 'a.json', '--graders', 'b.json', '--json']
    """
    told: list[str] = []
    several = False
    for arg in args:
        if several and not arg.startswith("-") and told[-1] != option:
            told.append(option)
        several = arg == option or (several and not arg.startswith("-"))
        told.append(arg)
    return told


@click.command(cls=_Compare, epilog=_EPILOG)
@click.argument("rows", type=ROWS)
@click.option(
    "--reference",
    required=True,
    metavar="PATH",
    help="Where a reference stands, or a list of them: item.answers.",
)
@click.option(
    "--human", required=True, metavar="PATH", help="Where a person's label stands: sample.human."
)
@click.option(
    "--metrics",
    metavar="NAMES",
    help="Metrics, with commas; all; none.  [default: the eleven of the profile]",
)
@click.option(
    "--graders",
    "configs",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE...",
    help="Graders beside them; ROWS stands before.",
)
@fit_options
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
@report_option
@click.option(
    "--good-from",
    type=float,
    metavar="X",
    help="A label from X on is good.  [default: .5 of labels in 0 to 1, else their median]",
)
@click.option(
    "--by",
    type=click.Choice(["auc", "pairwise_accuracy", "pearson", "spearman", "kendall", "f1"]),
    help="Who is best.  [default: auc where labels are two, else spearman]",
)
@click.option(
    "--resamples",
    type=click.IntRange(min=100),  # of fewer, the ends of an interval are single draws
    metavar="N",
    help="Resamples of items for each interval.  [default: 2000, or what Holm's test takes]",
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
    "--probe",
    "probed",
    type=click.IntRange(min=0),
    default=50,
    show_default=True,
    metavar="N",
    help="Items on which each is attacked; 0 for none.",
)
@click.option("--probe-judges", is_flag=True, help="Attack graders that ask a model or a server.")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Compare N samples at most.")
@row_options
@grouping_option
@client_options
@sandbox_options
@profile_options
def command(rows: str, **given: Any) -> int:
    """Say which metric or grader agrees best with the human labels in ROWS (- for stdin)."""
    from graders.cli.contest import Contest

    profile = chosen_profile(given["profile_name"], given["settings"], base_url=given["base_url"])
    if given["good_from"] is not None and not isfinite(given["good_from"]):
        raise click.BadParameter(f"{given['good_from']} is no label", param_hint="--good-from")
    kept = (rows, given["outputs"], *given["configs"], given["fit_config"])
    check_report(given["report"], kept)
    chosen = _metrics(given["metrics"], profile)
    documents = _documents(given, profile)
    wanted = fitting(given, rows, (chosen, documents), profile)
    chosen = _each_once([*chosen, *(wanted.metrics if wanted else ())])
    if not chosen and not documents:
        raise click.UsageError("--metrics none, and no --graders: there is nothing to compare.")
    reference, human = _slot(given["reference"], "--reference"), _slot(given["human"], "--human")
    if reference.namespace != "item":
        problem = f"{given['reference']!r} is no path to a value of the item, such as item.answer"
        raise click.BadParameter(problem, param_hint="--reference")
    labelled = _labelled(rows, (reference, human), given)
    contest = Contest(labelled, profile, reference, given)
    contest.enter_metrics(chosen)
    for name, document in documents.items():
        contest.enter_grader(name, document)
    compared = _compared(contest, rows)
    made = None
    try:
        made = fitted(wanted, compared, profile, given) if wanted else None
    finally:  # a comparison stands, whether or not there is something to fit
        show_comparison(compared, made, rows, given)
    if made and wanted and wanted.output:
        write_config(made, wanted.output)
    return int(bool(labelled.bad_lines) or any(compared.found.failed.values()))


def _metrics(names: str | None, profile: Profile) -> list[Contestant]:
    """The metrics of `--metrics`.

    Raises:
        click.BadParameter: A name is none.
    """
    from graders.testing.contestants import contestants

    if names == "none":
        return []
    listed = [name.strip() for name in names.split(",")] if names is not None else []
    try:
        return contestants(listed, profile.metrics)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--metrics") from None


def _each_once(chosen: Sequence[Contestant]) -> list[Contestant]:
    return list({one.name: one for one in chosen}.values())


def _documents(given: dict[str, Any], profile: Profile) -> dict[str, Document]:
    """The configs of `--graders`, sound ones, by what they are called: their file's name.

    Raises:
        click.BadParameter: A file is given twice, is of cases, or is called like a metric.
        ConfigError: One cannot be used.
    """
    from graders.config.parse import load_config
    from graders.testing import SUFFIXES
    from graders.testing.contestants import CONTESTANTS

    paths: Sequence[Path] = given["configs"]
    several = {name for name, number in Counter(path.name for path in paths).items() if number > 1}
    documents: dict[str, Document] = {}
    for path in paths:
        if path.name.endswith(SUFFIXES):
            problem = f"{path} is a case file; name the grader that it is about"
            raise click.BadParameter(problem, param_hint="--graders")
        name = str(path) if path.name in several else path.name
        if name in documents or name in CONTESTANTS:
            what = "is given twice" if name in documents else "has the name of a metric; rename it"
            raise click.BadParameter(f"{path} {what}", param_hint="--graders")
        documents[name] = load_config(path)
        findings = sound(documents[name], profile, given["python"])
        show_findings([*documents[name].findings, *findings])
    return documents


def _slot(path: str, option: str) -> Slot:
    """A path of `--reference` or `--human`.

    Raises:
        click.BadParameter: It is none, or leads to no value.
    """
    from graders.errors import TemplateError
    from graders.template import parse_path

    try:
        slot = parse_path(path)
    except TemplateError as error:
        raise click.BadParameter(str(error), param_hint=option) from None
    if not slot.steps:
        problem = f"{path!r} is no path to a value, such as item.answer or sample.human"
        raise click.BadParameter(problem, param_hint=option)
    return slot


def _labelled(rows: str, paths: tuple[Slot, Slot], given: dict[str, Any]) -> Labelled:
    """The rows with a label, at the paths of references and labels.

    Raises:
        click.UsageError: There is none.
    """
    from graders.errors import RowError
    from graders.row_files import read_rows
    from graders.testing.labelled import read_labelled

    reference, human = paths
    read = read_rows(rows, row_format(rows, given))
    try:
        return read_labelled(
            read, file=rows, reference=reference, human=human, limit=given["limit"]
        )
    except RowError as error:
        raise click.UsageError(str(error)) from None


def _compared(contest: Contest, file: str) -> Compared:
    """The comparison of the contestants.

    Raises:
        click.UsageError: There is no row that all have a score of.
    """
    from graders.report.compared import Compared
    from graders.studies.choice.compare import CompareOptions, Judged, compare
    from graders.studies.choice.offers import Offers

    rows, given = contest.rows, contest.given
    judged = Judged(
        labels=rows.labels,
        items=rows.items,
        lengths=rows.lengths,
        reference_lengths=rows.reference_lengths,
    )
    options = CompareOptions(
        good_from=given["good_from"],
        by=given["by"],
        resamples=given["resamples"],
        seed=given["seed"],
    )
    scores = {name: column.scores for name, column in contest.columns.items()}
    try:
        found = compare(scores, judged, options)
    except ValueError as error:
        raise click.UsageError(f"{error}{contest.first_failure()}") from None
    return Compared(
        file=file,
        reference=given["reference"],
        human=given["human"],
        rows=rows,
        found=found,
        columns=contest.columns,
        offers=Offers(costs=contest.costs, weaknesses=contest.weaknesses),
        layers=contest.layers,
        ledger=contest.ledger if contest.ledger.accounts else None,
    )
