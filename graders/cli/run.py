"""`graders run`: grade a file of rows, or one sample."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from graders.cli.clients import client_options, judges, with_judge
from graders.cli.cluster import check_engine, engine_options, node_recipe
from graders.cli.embeddings import asks_embeddings
from graders.cli.grading import (
    given_row,
    grouping_option,
    row_format,
    row_options,
    sound,
    tools_for,
    with_threshold,
)
from graders.cli.locations import ROWS, results_here
from graders.cli.options import chosen_profile, profile_options, refuse_overwriting, show_findings
from graders.cli.reports import check_report, report_option, shown_arguments
from graders.cli.sandbox import sandbox_options
from graders.formats.remote import is_url

if TYPE_CHECKING:
    from graders.cli.job import Job, Target
    from graders.config.parse import Document
    from graders.engine import RunOptions
    from graders.errors import RowError
    from graders.profile import Profile
    from graders.rows import Row
    from graders.runs.grading import Work
    from graders.runs.opening import Way

_EPILOG = """\b
Examples:
  graders run grader.json rows.jsonl -o results.jsonl
  graders run grader.json rows.jsonl.gz --group-by item.prompt_id --json
  graders run grader.json items.jsonl --outputs outputs.jsonl --key id
  graders run grader.json rows.jsonl --report report.html
  graders run grade.py rows.jsonl --sandbox strict --sandbox-limit wall=10s
  graders run grader.json rows.jsonl -o results.jsonl --resume
  graders run grader.json rows.csv --column item.answer=gold -o out.parquet
  graders run grader.json saved_dataset/train -o results.jsonl
  graders run judge.json rows.jsonl -o results.jsonl --retry failures
  cat rows.jsonl | graders run grader.json - --failures stop
  graders run grader.json s3://data/rows.jsonl.zst -o s3://data/results.jsonl
  graders run grade.py rows.jsonl -o results.jsonl --engine ray --address auto
  graders run judge.json rows.jsonl --dry-run
  graders run judge.json rows.jsonl --base-url http://localhost:8080/v1
  graders run judge.json rows.jsonl --judge gpt-4.1-mini --cache kept.db
  graders run grader.json --sample "Paris" --item '{"answer": "Paris"}'

A row is {"item": {...}, "sample": ...} or {"item": {...}, "samples": [...]}, a
run request, or a flat object whose output stands under --output.
"""


@click.command(epilog=_EPILOG)
@click.argument("config", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("rows", required=False, type=ROWS)
@click.option(
    "-o",
    "results",
    metavar="RESULTS",
    help="Write results: JSON Lines (- is stdout), .parquet or .arrow; a file or a URL.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
@report_option
@click.option("--sample", metavar="TEXT", help="Grade this one output, without files.")
@click.option("--item", metavar="JSON", help="The item beside --sample.  [default: {}]")
@row_options
@grouping_option
@click.option(
    "--failures",
    type=click.Choice(["drop", "zero", "stop"]),
    default="drop",
    show_default=True,
    help="The reward of a row that cannot be graded: none, 0.0, or stop the run.",
)
@click.option(
    "--detail",
    type=click.Choice(["none", "failures", "all"]),
    default="failures",
    show_default=True,
    help="Which results keep rendered inputs and replies.",
)
@click.option("--pass-threshold", type=float, metavar="X", help="A score from X on passes.")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Grade N samples at most.")
@click.option(
    "--workers",
    type=click.IntRange(min=1),
    metavar="N",
    help="Processes for graders that compute.  [default: one for each core]",
)
@engine_options
@click.option("--resume", is_flag=True, help="Go on with the run that RESULTS is of.")
@click.option(
    "--retry",
    type=click.Choice(["failures"]),
    help="Go on, and grade again the rows of RESULTS that failed.",
)
@click.option("--overwrite", is_flag=True, help="Begin anew over a run that is not finished.")
@click.option("--strict", is_flag=True, help="Stop at the first line that is not a row.")
@click.option("--dry-run", is_flag=True, help="Count calls, tokens and cost, and send nothing.")
@click.option("--judge", metavar="MODEL", help="Ask this model instead of the config's.")
@client_options
@sandbox_options
@profile_options
def command(config: Path, rows: str | None, **given: Any) -> int:
    """Grade the samples in ROWS.

    They are JSON Lines, CSV, Parquet or Arrow, by the file's name; .gz and .zst are
    unpacked; - is JSON Lines from standard input. A URL (s3://..., gs://...) is read
    as it comes. Results for a URL are made here, and copied there at the end.
    """
    from graders.cli.dry_run import dry_run
    from graders.cli.grade_file import grade_file
    from graders.cli.one_row import grade_one
    from graders.config.parse import load_config
    from graders.runs.opening import judges_path

    document = load_config(config)
    profile = chosen_profile(given["profile_name"], given["settings"], base_url=given["base_url"])
    show_findings(document.findings)
    row = given_row(document, rows, given)
    if given["pass_threshold"] is not None:
        document, profile = with_threshold(document, profile, given["pass_threshold"])
    if given["judge"] is not None:
        document = with_judge(document, given["judge"])
    check_engine(document, profile, row, given)
    findings = sound(document, profile, given["python"])
    if given["dry_run"]:
        return dry_run(document, _rows(row, rows, given), _options(given), profile, given)
    inputs = (config, rows, *(given[name] for name in ("outputs", "cache", "record", "replay")))
    results = given["results"]
    given["results"] = results_here(results, rows, row, inputs)
    refuse_overwriting(given["results"], inputs, with_times=True, columns=True)
    check_report(given["report"], (*inputs, given["results"]))
    target = replace(
        _target(config, rows, row, given), upload=results if is_url(results or "") else None
    )
    if row is None and target.has_folder:
        given["paid"] = judges_path(Path(given["results"]))
    with _job(document, profile, config, rows, given) as job:
        show_findings(findings)
        if row is not None:
            return grade_one(job, row, given["results"])
        return grade_file(job, target)


@contextmanager
def _job(
    document: Document, profile: Profile, config: Path, rows: str | None, given: dict[str, Any]
) -> Iterator[Job]:
    from graders.cli.job import Job
    from graders.compile import compile_grader
    from graders.ledger import Ledger

    ledger = Ledger()
    with tools_for(document, profile, given, ledger) as (tools, asking):
        sandbox = tools.sandbox
        grader = compile_grader(document, tools=tools, profile=asking)
        on_ray = given["engine"] == "ray"
        yield Job(
            grader=grader,
            recipe=node_recipe(document, profile, given)
            if on_ray
            else partial(compile_grader, document, profile=profile),
            on_ray=on_ray,
            address=given["address"],
            work=_work(rows, f"profile:{profile.name}|{grader.signature}", given),
            config=document.grader,
            workers=given["workers"],
            profile=profile.name,
            title=f"{document.describe()}, from {config}",
            as_json=given["as_json"],
            settings={"limits": list(given["sandbox_limits"])} if sandbox else {},
            layers=sorted(sandbox.layers) if sandbox else None,
            ledger=ledger if judges(document) or asks_embeddings(document, profile) else None,
        )


def _work(rows: str | None, signature: str, given: dict[str, Any]) -> Work:
    from graders.runs.grading import Work
    from graders.runs.shards import lines_per_shard

    return Work(
        signature=signature,
        options=_options(given),
        rows=rows or "",
        shape=row_format(rows, given),
        per_shard=lines_per_shard(rows or ""),
        retry=given["retry"] == "failures",
    )


def _target(config: Path, rows: str | None, row: Row | None, given: dict[str, Any]) -> Target:
    """Where results go, and how a run into them begins.

    Raises:
        click.UsageError: There is no run to begin, to go on with or to report.
    """
    from graders.cli.job import RunReport, Target, is_kept

    ways = [name for name in ("resume", "retry", "overwrite") if given[name]]
    way: Way = "retry" if given["retry"] else "resume" if given["resume"] else "new"
    if ways and (row is not None or not is_kept(given["results"])):
        raise click.UsageError(f"--{ways[0]} is for a run whose results are a file: -o RESULTS.")
    if given["overwrite"]:
        if len(ways) > 1:
            raise click.UsageError(f"--overwrite begins anew; leave it or --{ways[0]} out.")
        way = "over"
    report, base_url = given["report"], given["base_url"]
    if row is None:
        _named(rows)
    elif report is not None:
        raise click.UsageError("--report is of a file of rows, and there is one sample.")
    apart = given["as_json"] or given["results"] == "-"
    page = RunReport(path=report, config=config, base_url=base_url, apart=apart) if report else None
    return Target(results=given["results"], way=way, again=_again(base_url), report=page)


def _again(base_url: str | None) -> str:
    """The command that goes on with this one; without the password of its server."""
    kept = [one for one in shown_arguments(base_url) if one not in {"--overwrite", "--resume"}]
    kept.insert(kept.index("--") if "--" in kept else len(kept), "--resume")
    return shlex.join(["graders", *kept])


def _named(rows: str | None) -> str:
    if rows is None:
        raise click.UsageError("Missing argument 'ROWS' (or give --sample).")
    return rows


def _rows(row: Row | None, rows: str | None, given: dict[str, Any]) -> Iterable[Row | RowError]:
    from graders.row_files import read_rows

    for name, option in (("results", "-o"), ("report", "--report")):
        if given[name] is not None:
            raise click.UsageError(f"--dry-run grades nothing, and {option} has nothing to hold.")
    return [row] if row else read_rows(_named(rows), row_format(rows, given))


def _options(given: dict[str, Any]) -> RunOptions:
    from graders.engine import RunOptions

    return RunOptions(
        failures=given["failures"],
        detail=given["detail"],
        strict=given["strict"],
        limit=given["limit"],
    )
