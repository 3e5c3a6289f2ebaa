"""`graders lint`: what would go wrong with a config and its rows?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from graders.cli.grading import column_option, columns_of
from graders.cli.locations import ROWS
from graders.cli.options import chosen_profile, profile_options, show_findings

if TYPE_CHECKING:
    from graders.lint import Options, Report

_EPILOG = """\b
Examples:
  graders lint grader.json
  graders lint grader.json rows.jsonl
  graders lint method.json train.jsonl --for openai-rft
  graders lint grader.json --fix --diff
  graders lint grader.json rows.jsonl --format sarif > lint.sarif

\b
Exit codes: 0 no errors, 1 errors (with --strict, warnings too), 2 unusable
input.
graders/lint/README.md has every code with an example.
"""


@click.command(epilog=_EPILOG)
@click.argument("config", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("rows", required=False, type=ROWS)
@click.option(
    "--for",
    "target",
    type=click.Choice(["local", "openai-rft", "openai-evals", "azure-rft"]),
    default="local",
    show_default=True,
    help="Where the config and the rows are to go.",
)
@click.option(
    "--split",
    type=click.Choice(["train", "test"]),
    default="train",
    show_default=True,
    help="What the rows are for; the limits differ.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "github", "sarif"]),
    default="text",
    show_default=True,
    help="How findings are printed.",
)
@click.option("--fix", is_flag=True, help="Put right what is certain; shows the difference.")
@click.option(
    "--diff",
    "--dry-run",
    "only_show",
    is_flag=True,
    help="Show what --fix would change, and write nothing.",
)
@click.option("--strict", is_flag=True, help="Warnings fail too.")
@click.option("--ignore", multiple=True, metavar="CODE", help="Leave out findings of a code.")
@column_option
@profile_options
def command(  # noqa: PLR0913, PLR0917 - click passes each option
    config: Path,
    rows: str | None,
    target: str,
    split: str,
    form: str,
    fix: bool,  # noqa: FBT001 - click passes it so
    only_show: bool,  # noqa: FBT001 - click passes it so
    strict: bool,  # noqa: FBT001 - click passes it so
    ignore: tuple[str, ...],
    column: tuple[str, ...],
    profile_name: str,
    settings: tuple[str, ...],
) -> int:
    """Find what would go wrong with CONFIG, and with ROWS, before anything is graded.

    CONFIG is a grader, a method, a run request or an Evals body as JSON, or a .py file. ROWS are
    JSON Lines, CSV, Parquet or Arrow, with samples or without; `-` is standard input.
    """
    from graders.errors import ConfigError
    from graders.lint import Options, lint, unreadable
    from graders.lint.codes import CODES
    from graders.lint.render import FORMATS
    from graders.lint.targets import TARGETS

    _refuse_unknown(ignore, CODES)
    options = Options(
        target=TARGETS[target],
        split=split,
        profile=chosen_profile(profile_name, settings),
        ignored=frozenset(ignore),
        columns=columns_of({"column": column}),
    )
    try:
        if fix or only_show:
            _fix(config, options, write=fix and not only_show)
        report = lint(config, rows, options)
    except ConfigError as error:
        show_findings(error.findings)
        if form != "text":
            click.echo(FORMATS[form](unreadable(config, error), str(config)), nl=False)  # type: ignore[index]
        return 2
    click.echo(FORMATS[form](report, str(config)), nl=False)  # type: ignore[index]
    return _exit_code(report, strict=strict)


def _refuse_unknown(ignored: tuple[str, ...], known: object) -> None:
    from graders.errors import did_you_mean

    names = list(known)  # type: ignore[call-overload]
    for code in ignored:
        if code not in names:
            hint = did_you_mean(code, names)
            raise click.BadParameter(f"there is no code {code!r}. {hint}", param_hint="--ignore")


def _exit_code(report: Report, *, strict: bool) -> int:
    fails = report.of("error") or (strict and report.of("warning"))
    return 1 if fails else 0


def _fix(config: Path, options: Options, *, write: bool) -> None:
    """Put right what is certain, and say on standard error what that is."""
    from graders.lint import fix_config
    from graders.lint.edits import diff, write_atomically
    from graders.terminal import printable, printable_lines

    if config.suffix == ".py":
        click.echo("a .py file is not fixed: only JSON is", err=True)
        return
    before, after, done = fix_config(config, options)
    if not done:
        click.echo("nothing to fix with certainty", err=True)
        return
    click.echo(printable_lines(diff(before, after, str(config))), nl=False, err=True)
    if write:
        write_atomically(config, after)
    said = "fixed" if write else "would fix"
    click.echo(printable(f"{said} {len(done)}: {', '.join(done)}"), err=True)
