"""`graders pack`: a Python file becomes a grader config, its source escaped right."""

from __future__ import annotations

import json
from pathlib import Path

import click

from graders.cli.options import show_findings
from graders.terminal import printable

_EPILOG = """\b
Examples:
  graders pack grade.py -o grader.json
  graders pack grade.py --image-tag 2025-05-08 > grader.json
"""


@click.command(epilog=_EPILOG)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("-o", "output", type=click.Path(dir_okay=False, path_type=Path), help="Where to.")
@click.option("--name", help="The grader's name.  [default: the file's]")
@click.option("--image-tag", metavar="TAG", help="The hosted image it is written for.")
@click.option("--force", is_flag=True, help="Overwrite the output file.")
def command(
    file: Path,
    output: Path | None,
    name: str | None,
    image_tag: str | None,
    force: bool,  # noqa: FBT001 - click's way
) -> int:
    """Make a python grader's config from FILE, and print it or write it to a file.

    A source that could not run is refused, with every reason.
    """
    from graders.checks import check_source
    from graders.config.parse import read_python
    from graders.errors import findings_of

    source = read_python(file)
    findings = check_source(source)
    show_findings(findings)
    if findings_of("error", findings):
        return 2
    config = {"type": "python", "name": name or file.stem, "source": source}
    if image_tag:
        config["image_tag"] = image_tag
    text = json.dumps(config, indent=2) + "\n"
    if output is None:
        click.echo(text, nl=False)
        return 0
    try:
        with output.open("w" if force else "x", encoding="utf-8") as out:
            out.write(text)
    except FileExistsError:
        raise click.UsageError(f"{output} exists; --force overwrites it.") from None
    click.echo(printable(f"{output}: a python grader named {config['name']!r}"))
    return 0
