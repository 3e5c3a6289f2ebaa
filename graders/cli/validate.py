"""`graders validate`: is this config one that would run?"""

from __future__ import annotations

from pathlib import Path

import click

from graders.cli.options import chosen_profile, profile_options, show_findings


@click.command(epilog="\b\nExample:\n  graders validate grader.json")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@profile_options
def command(file: Path, profile_name: str, settings: tuple[str, ...]) -> int:
    """Check a config without running it: a grader, a method, a run request or an Evals body.

    Prints every problem with its path: those of `graders lint` for a config alone. Exit code 0 if
    it would run, 2 if it would not.
    """
    from graders.errors import ConfigError
    from graders.lint import Options, lint
    from graders.report.text import count
    from graders.terminal import printable

    options = Options(profile=chosen_profile(profile_name, settings))
    try:
        report = lint(file, options=options)
    except ConfigError as error:
        show_findings(error.findings)
        return 2
    show_findings(placed.finding for placed in report.findings)
    if report.document is None or report.of("error"):
        return 2
    warnings = len(report.of("warning"))
    said = f"{file}: fine, {report.document.describe()}; {count(warnings, 'warning')}"
    click.echo(printable(said))
    return 0
