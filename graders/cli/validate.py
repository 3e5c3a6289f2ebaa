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

    Prints every problem with its path. Exit code 0 if it would run, 2 if it would not.
    """
    from graders.checks import check_document
    from graders.config.parse import load_config
    from graders.errors import ConfigError, findings_of
    from graders.report.text import count
    from graders.terminal import printable

    profile = chosen_profile(profile_name, settings)
    try:
        document = load_config(file)
    except ConfigError as error:
        show_findings(error.findings)
        return 2
    findings = list(document.findings)
    if document.has_grader:
        findings += check_document(document, profile)
    show_findings(findings)
    errors = len(findings_of("error", findings))
    if errors:
        return 2
    warnings = len(findings_of("warning", findings))
    said = f"{file}: fine, {document.describe()}; {count(warnings, 'warning')}"
    click.echo(printable(said))
    return 0
