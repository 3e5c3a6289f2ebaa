"""`graders image build`: the packages of a hosted image, in an environment of their own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import click

from graders.images import CORPORA, IMAGES, image_folder
from graders.terminal import printable

Run = Callable[[Sequence[str]], int]

_EPILOG = """\b
Examples:
  graders image build 2025-05-08
  graders image build 2025-05-08 --python python3.12 --to image
  graders run grader.json rows.jsonl --python 2025-05-08
"""


@click.group(epilog=_EPILOG)
def command() -> None:
    """Environments with the packages of the hosted images."""


@command.command(epilog=_EPILOG)
@click.argument("tag", type=click.Choice(list(IMAGES)))
@click.option("--python", default=sys.executable, metavar="PATH", help="Which Python to use.")
@click.option("--to", "folder", type=click.Path(path_type=Path), help="Where to.")
def build(tag: str, python: str, folder: Path | None) -> int:
    """Make a virtual environment with the packages of image TAG, as far as wheels exist.

    What cannot be installed is named, and the exit code is 1 then.
    """
    folder = folder or image_folder(tag)
    missing = build_image(tag, python, folder, _run)
    for requirement in missing:
        click.echo(f"no wheel for {requirement}", err=True)
    click.echo(printable(f"{folder / 'bin' / 'python'}: image {tag}, {len(missing)} missing"))
    corpora = " ".join(CORPORA)
    click.echo(f"nltk data, if you need it: python -m nltk.downloader {corpora}", err=True)
    return 1 if missing else 0


def build_image(tag: str, python: str, folder: Path, run: Run) -> list[str]:
    """Make the environment; returns the requirements that could not be installed.

    Args:
        tag: Which image.
        python: The interpreter to make it from.
        folder: Where to.
        run: Runs a command and returns its exit code.

    Raises:
        click.ClickException: The environment itself cannot be made.
    """
    if run([python, "-m", "venv", str(folder)]) != 0:
        raise click.ClickException(f"{python} -m venv {folder} failed")
    wanted = [f"{name}=={version}" for name, version in IMAGES[tag].values()]
    pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "-q", "--only-binary", ":all:"]
    missing: list[str] = []
    if run([*pip, *wanted]) != 0:  # one that has no wheel fails them all
        missing = [requirement for requirement in wanted if run([*pip, requirement]) != 0]
    note = {"tag": tag, "python": python, "missing": missing}
    (folder / "image.json").write_text(json.dumps(note, indent=2) + "\n", "utf-8")
    return missing


def _run(arguments: Sequence[str]) -> int:
    click.echo(printable(f"+ {' '.join(arguments)}"), err=True)
    return subprocess.run(arguments, check=False, stdout=subprocess.DEVNULL).returncode  # noqa: S603
