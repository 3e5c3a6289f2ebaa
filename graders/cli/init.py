"""`graders init`: a starter or an example to copy, run and change."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import click

from graders.terminal import WIDTH, broken, printable

_EPILOG = """\b
Examples:
  graders init starter
  graders init --example
  graders init --example math rewards/math
"""


@click.command(epilog=_EPILOG)
@click.option(
    "--example",
    is_flag=False,
    flag_value="",
    metavar="[NAME]",
    help="A python grader for a common reward, with its cases; without NAME, which there are.",
)
@click.argument("directory", required=False, type=click.Path(file_okay=False, path_type=Path))
def command(example: str | None, directory: Path | None) -> int:
    """Write a grader config and a few rows into DIRECTORY. Files that exist are kept.

    An example goes into the current folder, where none is named.
    """
    if example is None:
        from graders.starter import FILES

        if directory is None:
            raise click.UsageError("Missing argument 'DIRECTORY'.")
        _write(FILES, directory)
        click.echo(printable(f"next: graders run {directory}/grader.json {directory}/rows.jsonl"))
    elif example == "":
        _list()
    else:
        directory = directory or Path()
        _write(_files_of(example), directory)
        place = directory / "grade.py", directory / "rows.jsonl"
        click.echo(printable(f"next: graders run {place[0]} {place[1]}"))
    return 0


def _files_of(example: str) -> Mapping[str, str]:
    from graders.errors import did_you_mean
    from graders.examples import NAMES, read_example

    if example not in NAMES:
        hint = did_you_mean(example, NAMES)
        raise click.BadParameter(f"there is no {example!r}. {hint}", param_hint="--example")
    return read_example(example)


def _write(files: Mapping[str, str], directory: Path) -> None:
    """Write files into a folder, all of them or none.

    Raises:
        click.UsageError: One of them is there already.
    """
    existing = [name for name in files if (directory / name).exists()]
    if existing:
        message = f"{directory / existing[0]} exists already; choose another directory"
        raise click.UsageError(message)
    directory.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (directory / name).write_text(text, encoding="utf-8")
        click.echo(printable(f"wrote {directory / name}"))


def _list() -> None:
    from graders.examples import NAMES, title

    width = max(map(len, NAMES)) + 2
    for name in NAMES:
        left = name
        for line in broken(title(name), WIDTH - width):
            click.echo(f"{left:<{width}}{line}".rstrip())
            left = ""
