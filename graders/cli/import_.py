"""`graders import`: from dumps of a hosted API to a config and rows that run here."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from graders.cli.clients import client_options
from graders.cli.grading import FILE, sound, tools_for
from graders.cli.options import chosen_profile, profile_options, refuse_overwriting, show_findings
from graders.cli.sandbox import sandbox_options
from graders.terminal import WIDTH, printable, shorten

if TYPE_CHECKING:
    from graders.moving.forms import Found
    from graders.moving.imported import Imported
    from graders.moving.same_numbers import Agreement
    from graders.profile import Profile

_EPILOG = """\b
Examples:
  graders import eval.json output_items.jsonl -o imported
  graders import eval.json output_items.jsonl -o imported --check
  graders import requests.jsonl job.json -o imported
  graders import debug.log -o imported
  graders import azure_job.json -o imported --profile azure

What a file holds is told by its content: evals, output items, runs of evals, run
requests, fine-tuning jobs, methods, graders; one, a list or pages of them, or
JSON Lines; what Python prints of such a dict; or a log of the openai package
(OPENAI_LOG=debug). FOLDER gets grader.json and rows.jsonl, numbered where there
are several configs. Exit code 1: --check found a score that is not the hosted
one.
"""
_SHOWN: Final = 20


@click.command(name="import", epilog=_EPILOG)
@click.argument("files", nargs=-1, required=True, type=FILE)
@click.option(
    "-o",
    "folder",
    required=True,
    metavar="FOLDER",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where grader.json and rows.jsonl go.",
)
@click.option("--overwrite", is_flag=True, help="Replace files in FOLDER of the same names.")
@click.option("--with-secrets", is_flag=True, help="Copy credentials of configs too.")
@click.option("--check", is_flag=True, help="Grade, and compare with the hosted scores.")
@client_options
@sandbox_options
@profile_options
def command(files: tuple[str, ...], folder: Path, **given: Any) -> int:
    """Make a config and rows of FILES that an API or an SDK gave (JSON, JSON Lines, - for stdin).

    Headers, and queries of addresses, stay behind unless --with-secrets.
    """
    from graders.moving.imported import put_together
    from graders.moving.recognised import read_dump

    profile = chosen_profile(given["profile_name"], given["settings"], base_url=given["base_url"])
    found = [one for file in files for one in read_dump(file)]
    imported = put_together(found, with_secrets=given["with_secrets"])
    if given["check"] and not any(one.document and one.scored for one in imported):
        message = "--check compares with hosted scores, and FILES have no config with output items."
        raise click.UsageError(message)
    _say(_recognised(found))
    named = list(zip(imported, _names(folder, len(imported)), strict=True))
    _write(named, folder, files, overwrite=given["overwrite"])
    differ = False
    for one, (config, rows) in named:
        _say(_words_about(one, config))
        if one.document is not None and given["check"] and one.scored:
            differ |= _check(one, profile, given)
        _say(_next(one, config, rows, profile.name))
    return 1 if differ else 0


def _say(lines: Iterator[str]) -> None:
    for line in lines:
        click.echo(printable(line))


def _recognised(found: Sequence[Found]) -> Iterator[str]:
    from graders.moving.imported import cut_short, told_again
    from graders.report.text import count

    forms = Counter(one.form for one in found)
    said = (f"{n:,} runs of evals" if f == "run of an eval" and n > 1 else count(n, f)
            for f, n in forms.items())  # fmt: skip
    yield f"found {', '.join(said)}"
    for one in found:
        if one.skipped:
            yield f"  left out: {one.place}: {one.skipped}"
    if again := told_again(found):
        number = count(len(again), "output item")
        yield f"  left out: {number} told once more, the first at {again[0].place}"
    for page in cut_short(found):
        yield (
            f"  warning: {page.place}: has_more is true, and no page after it is here: what it "
            "lists is not whole; ask for the next with after=last_id, and import them together"
        )


def _names(folder: Path, number: int) -> list[tuple[Path, Path]]:
    """The files of each config and its rows; nothing of a dump is in a name."""
    ends = [""] if number == 1 else [f"-{i}" for i in range(1, number + 1)]
    return [(folder / f"grader{end}.json", folder / f"rows{end}.jsonl") for end in ends]


def _write(
    named: Sequence[tuple[Imported, tuple[Path, Path]]],
    folder: Path,
    inputs: Sequence[str],
    *,
    overwrite: bool,
) -> None:
    """Write all files, or none.

    Raises:
        click.UsageError: One is there already, or is read.
    """
    import json

    from graders.report.text import count
    from graders.strict_json import encode

    texts: dict[Path, tuple[bytes, str]] = {}
    for one, (config, rows) in named:
        if one.document is not None:
            text = (json.dumps(one.config, indent=2) + "\n").encode()
            texts[config] = text, one.document.describe()
        if one.rows:
            lines = b"".join(encode(row) + b"\n" for row in one.rows)
            texts[rows] = lines, count(len(one.rows), "row")
    for path in texts:
        refuse_overwriting(str(path), inputs)
        if path.exists() and not overwrite:
            raise click.UsageError(f"{path} exists; --overwrite replaces it.")
    folder.mkdir(parents=True, exist_ok=True)
    for path, (data, what) in texts.items():
        path.write_bytes(data)
        click.echo(printable(f"wrote {path}: {what}"))


def _words_about(one: Imported, config: Path) -> Iterator[str]:
    """What was changed, and what would give other numbers."""
    from graders.config.graders import LabelModelConfig, ScoreModelConfig, walk

    for left in one.left_out:
        which = f"criterion {left.position + 1}, {left.name!r:.80}"
        yield f"  left out: {which}: only Azure runs {left.kind:.80}"
    if one.left_out:
        yield "  warning: whether a whole item passes is not comparable without what is left out"
    for path in one.masked:
        yield (
            f"  warning: {config}: {path}: a credential was left behind, and *** stands there; "
            "--with-secrets copies it"
        )
    if one.azure:
        yield "  it is Azure's: see `graders lint --for azure-rft`"
    for name in one.profiles():
        yield f"  --profile {name} may be nearer to Azure's numbers: {_WHY[name]}"
    if one.azure and one.document is not None:
        parts = [part for _, part in walk(one.document.grader)]
        models = {p.model for p in parts if isinstance(p, (ScoreModelConfig, LabelModelConfig))}
        for model in sorted(models):
            yield f"  the judge {model!r} is a deployment's name in Azure; --judge names another"


_WHY: Final = {
    "azure": "it splits words as azure-ai-evaluation does",
    "azure-docs": "Azure's pages name the rouge package, not rouge_score",
}


def _check(one: Imported, profile: Profile, given: dict[str, Any]) -> bool:
    """Grade and compare; whether something differs."""
    from graders.config.graders import EvalConfig
    from graders.engine import grade
    from graders.ledger import Ledger
    from graders.moving.imported import criteria_names
    from graders.moving.same_numbers import compare
    from graders.rows import Row, to_sample

    assert one.document is not None, "checked before"
    show_findings(sound(one.document, profile, given["python"]))
    rows = [
        Row(item=row["item"], sample=to_sample(row["sample"]), row=number)
        for number, row in one.scored
    ]
    with tools_for(one.document, profile, given, Ledger()) as (tools, asking):
        grades = grade(one.document, rows, tools=tools, profile=asking)
    members = isinstance(one.document.grader, EvalConfig)
    left_out = [(criterion.name, criterion.id) for criterion in one.left_out]
    names = criteria_names(one)
    agreement = compare(one.scored, grades, names, members=members, left_out=left_out)
    _say(_compared(agreement))
    return bool(agreement.differences)


def _compared(agreement: Agreement) -> Iterator[str]:
    from graders.report.text import count

    total = f"{count(agreement.compared, 'hosted score')} of {count(agreement.rows, 'row')}"
    if agreement.left_out:
        yield f"not compared: {count(agreement.left_out, 'result')} of criteria that are left out"
    if not agreement.differences:
        yield f"checked {total}: all are the same here, to the last digit"
        return
    yield f"checked {total}: {agreement.equal:,} are the same here, to the last digit; not these:"
    for difference in agreement.differences[:_SHOWN]:
        yield shorten(f"  {difference}", WIDTH)
    if (more := len(agreement.differences) - _SHOWN) > 0:
        yield f"  and {more:,} more"


def _next(one: Imported, config: Path, rows: Path, profile: str) -> Iterator[str]:
    chosen = [] if profile == "openai" else ["--profile", profile]
    if one.document is None:
        yield f"next: {shlex.join(['graders', 'run', 'CONFIG', str(rows)])}"
    elif not one.rows:
        yield f"next: {shlex.join(['graders', 'validate', str(config), *chosen])}"
    elif not one.sampled:
        samples = str(rows.with_name("samples.jsonl"))
        drawn = ["graders", "sample", str(rows), "--model", "MODEL", "-o", samples]
        yield f"next: {shlex.join(drawn)}"
        yield f"then: {shlex.join(['graders', 'run', str(config), samples, *chosen])}"
    else:
        yield f"next: {shlex.join(['graders', 'run', str(config), str(rows), *chosen])}"
