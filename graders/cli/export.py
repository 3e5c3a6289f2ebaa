"""`graders export`: what another tool needs to grade as a config does."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from graders.cli.options import chosen_profile, profile_options, refuse_overwriting, show_findings
from graders.terminal import printable, wrap

if TYPE_CHECKING:
    from graders.moving.exported import Exported, Source

_EPILOG = """\b
Examples:
  graders export grader.json --to promptfoo -o promptfoo/promptfooconfig.yaml
      --rows rows.jsonl
  graders export grader.json --to inspect -o graded.py --rows rows.jsonl
  graders export grade.py --to promptfoo -o p.yaml --pass-threshold 0.5

Where the tool computes the same, its own assertion or scorer is used; where it
does not, the file asks local-graders, which must be installed there. What is
otherwise there is said here, and in the file. Of rows with outputs promptfoo
gets tests, and grades these outputs; Inspect asks a model about the items.
"""


@click.command(epilog=_EPILOG)
@click.argument("config", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--to", "tool", required=True, type=click.Choice(["promptfoo", "inspect"]))
@click.option(
    "-o",
    "output",
    required=True,
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A promptfoo config, or an Inspect task.",
)
@click.option(
    "--pass-threshold",
    type=float,
    metavar="X",
    help="A score from X on passes, where CONFIG does not say.",
)
@click.option(
    "--rows",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Rows to write as tests (promptfoo), or to name in the command (Inspect).",
)
@click.option("--overwrite", is_flag=True, help="Replace the files.")
@profile_options
def command(config: Path, tool: str, output: Path, **given: Any) -> int:
    """Write the assertions or the task that grade as CONFIG does, and say what is otherwise."""
    from graders.moving.to_inspect import to_inspect
    from graders.moving.to_promptfoo import to_promptfoo

    if tool == "inspect" and given["pass_threshold"] is not None:
        raise click.UsageError("--pass-threshold is for promptfoo; Inspect knows none.")
    rows, threshold = given["rows"], given["pass_threshold"]
    if (
        tool == "inspect" and rows is not None and rows.suffix != ".jsonl"
    ):  # a .json is an array there
        raise click.UsageError(f"--rows {rows}: Inspect reads JSON Lines. Let it end in .jsonl.")
    if threshold is not None and not isfinite(threshold):
        raise click.BadParameter(f"{threshold} is not a number", param_hint="--pass-threshold")
    source = _source(config, output, given)
    made = {"promptfoo": to_promptfoo, "inspect": to_inspect}[tool](source, output.name)
    _write(made, [config, rows], output.parent, overwrite=given["overwrite"])
    _say_all(made, output)
    return 0


def _say_all(made: Exported, output: Path) -> None:
    from graders.report.text import count

    for how in made.carried:
        said = (
            f"{how.native}, the same on texts" if how.native else f"asks local-graders: {how.why}"
        )
        _say(f"{how.name}: {said}")
    click.echo("otherwise there:")
    for one in made.lost:
        _say(f"- {one}")
    if made.left_out:
        number, why = made.left_out[0]
        _say(f"left out: {count(len(made.left_out), 'row')}, the first is row {number}: {why}")
    command = [str(output) if part == output.name else part for part in made.next]
    if made.before:
        click.echo(f"next: {made.before}")
    click.echo(printable(f"{'then' if made.before else 'next'}: {shlex.join(command)}"))


def _say(text: str) -> None:
    for line in wrap(printable(text), indent=2, lines=6):
        click.echo(line)


def _source(config: Path, output: Path, given: dict[str, Any]) -> Source:
    """The config, checked, and how it is found from what is written."""
    from graders.checks import check_document
    from graders.config.parse import load_config
    from graders.errors import ConfigError, findings_of
    from graders.moving.exported import Source
    from graders.row_files import read_rows

    document = load_config(config)
    profile = chosen_profile(given["profile_name"], given["settings"])
    findings = check_document(document, profile)
    if errors := findings_of("error", findings):
        raise ConfigError(*errors)
    show_findings([*document.findings, *findings])
    options: dict[str, Any] = {}
    if given["profile_name"] != "openai":
        options["profile"] = given["profile_name"]
    if given["settings"]:
        pairs = (setting.partition("=") for setting in given["settings"])
        options["settings"] = {key.strip(): value.strip() for key, _, value in pairs}
    return Source(
        document=document,
        path=Path(os.path.relpath(config, output.parent)).as_posix(),
        profile=profile,
        options=options,
        threshold=given["pass_threshold"],
        rows_path=str((given["rows"] or Path("rows.jsonl")).resolve()),
        rows=read_rows(given["rows"]) if given["rows"] else None,
    )


def _write(
    made: Exported, inputs: Sequence[Path | str | None], folder: Path, *, overwrite: bool
) -> None:
    """Write all files, or none.

    Raises:
        click.UsageError: One is there already, or is read.
    """
    paths = {folder / name: text for name, text in made.files.items()}
    for path in paths:
        refuse_overwriting(str(path), inputs)
        if path.exists() and not overwrite:
            raise click.UsageError(f"{path} exists; --overwrite replaces it.")
    folder.mkdir(parents=True, exist_ok=True)
    for path, text in paths.items():
        path.write_text(text, encoding="utf-8")
        click.echo(printable(f"wrote {path}"))
