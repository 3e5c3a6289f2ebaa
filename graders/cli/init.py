"""`graders init`: a starter to copy, run and change."""

from __future__ import annotations

from pathlib import Path

import click

from graders.terminal import printable


@click.command(epilog="\b\nExample:\n  graders init starter")
@click.argument("directory", type=click.Path(file_okay=False, path_type=Path))
def command(directory: Path) -> int:
    """Write a grader config and a few rows into DIRECTORY. Files that exist are kept."""
    from graders.starter import FILES

    directory.mkdir(parents=True, exist_ok=True)
    existing = [name for name in FILES if (directory / name).exists()]
    if existing:
        message = f"{directory / existing[0]} exists already; choose another directory"
        raise click.UsageError(message)
    for name, text in FILES.items():
        (directory / name).write_text(text, encoding="utf-8")
        click.echo(printable(f"wrote {directory / name}"))
    click.echo(printable(f"next: graders run {directory}/grader.json {directory}/rows.jsonl"))
    return 0
