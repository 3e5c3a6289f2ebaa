"""`graders schema`: the JSON Schema of configs, for editors."""

from __future__ import annotations

import json
from pathlib import Path

import click

from graders.terminal import printable

_EPILOG = """\b
Examples:
  graders schema
  graders schema -o grader.schema.json

\b
An editor reads it where a config says: "$schema": "./grader.schema.json"
"""


@click.command(epilog=_EPILOG)
@click.option(
    "-o", "output", type=click.Path(dir_okay=False, path_type=Path), help="Write it to a file."
)
def command(output: Path | None) -> int:
    """Write the JSON Schema of grader configs, for editors to complete and check them."""
    from graders.lint.schema import config_schema

    text = json.dumps(config_schema(), indent=2) + "\n"
    if output is None:
        click.echo(text, nl=False)
        return 0
    output.write_text(text, encoding="utf-8")
    click.echo(printable(f"wrote {output}"))
    return 0
