"""`graders image build`: the packages of a hosted image, in an environment of their own."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

import click

from graders.images import (
    AS_SOURCE,
    CORPORA,
    IMAGES,
    NOTE,
    image_folder,
    look_command,
    read_look,
)
from graders.terminal import printable

Run = Callable[[Sequence[str]], subprocess.CompletedProcess[str]]

_BUILDING: Final = f"{NOTE}.part"
# The list has no conflicts of its own: where pip finds one, a package of the list has no wheel.
_NO_WHEEL: Final = ("No matching distribution found", "conflicting dependencies")

_EPILOG = """\b
Examples:
  graders image build 2025-05-08
  graders image build 2025-05-08 --python python3.12 --to image
  graders run grader.json rows.jsonl --python 2025-05-08
  graders run grader.json rows.jsonl --python image/bin/python
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

    Takes a minute or two and 700 MB. What cannot be installed is named, with pip's reason.

    Exit code 0 if all is there that has a wheel for this Python, 1 if something else was in the
    way of a package (the rest can be used), 2 if there is no environment to use.
    """
    folder = (folder or image_folder(tag)).absolute()
    missing = build_image(tag, python, folder, _run)
    for requirement, reason in missing.items():
        click.echo(printable(f"missing: {requirement}: {reason}"), err=True)
    click.echo(printable(f"{folder / 'bin' / 'python'}: image {tag}, {len(missing)} missing"))
    downloader = f"{folder / 'bin' / 'python'} -m nltk.downloader -d {folder / 'lib' / 'nltk_data'}"
    click.echo(printable(f"nltk data, if you need it: {downloader} {' '.join(CORPORA)}"), err=True)
    named = [any(phrase in reason for phrase in _NO_WHEEL) for reason in missing.values()]
    return 0 if all(named) else 1


def build_image(tag: str, python: str, folder: Path, run: Run) -> dict[str, str]:
    """Make the environment, in place of one of ours; its note is written last.

    Args:
        tag: Which image.
        python: The interpreter to make it from.
        folder: Where to, absolute.
        run: Runs a command to its end.

    Returns:
        Each requirement that is missing, and pip's reason.

    Raises:
        click.ClickException: The folder is someone else's, the environment cannot be made, or
            nothing can be installed in it.
    """
    _claim(folder, tag)
    click.echo(printable(f"making {folder} with {python}"), err=True)
    done = run([python, "-m", "venv", str(folder)])
    if done.returncode:
        said = (done.stderr + done.stdout).strip()[-500:] or f"exit code {done.returncode}"
        raise click.ClickException(f"{python} -m venv {folder} failed: {said}")
    inside = str(folder / "bin" / "python")
    missing = _install(tag, inside, folder / "constraints.txt", run)
    if len(missing) == len(IMAGES[tag]):
        raise click.ClickException(f"nothing can be installed: {next(iter(missing.values()))}")
    done = run(look_command(inside))
    if done.returncode:
        raise click.ClickException(f"{inside} does not run: {_reason(done)}")
    version, _, installed = read_look(done.stdout)
    note = {"tag": tag, "python": version, "installed": installed, "missing": missing}
    _write(folder / _BUILDING, note)
    (folder / _BUILDING).replace(folder / NOTE)
    return missing


def _claim(folder: Path, tag: str) -> None:
    """Mark a folder as an image that is not finished, and clear it, nltk data excepted."""
    ours = any(_is_note(folder / name) for name in (NOTE, _BUILDING))
    empty = not folder.exists() or (folder.is_dir() and not any(folder.iterdir()))
    if not (ours or empty):
        raise click.ClickException(
            f"{folder} exists and is no image of ours; name a new or an empty folder"
        )
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder / _BUILDING, {"tag": tag})
    (folder / NOTE).unlink(missing_ok=True)
    # venv leaves links to an interpreter as they are, and there may be another one now.
    for made in (folder / "bin", *folder.glob("lib/python*")):
        shutil.rmtree(made, ignore_errors=True)


def _is_note(path: Path) -> bool:
    try:
        note = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(note, dict) and note.get("tag") in [*IMAGES]


def _write(path: Path, note: Mapping[str, object]) -> None:
    path.write_text(json.dumps(note, indent=2) + "\n", "utf-8")


def _install(tag: str, python: str, constraints: Path, run: Run) -> dict[str, str]:
    wanted = [f"{name}=={version}" for name, version in IMAGES[tag].values()]
    pip = [python, "-I", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    pip += ["--only-binary", ":all:", "--no-binary", ",".join(AS_SOURCE)]
    click.echo(f"installing {len(wanted)} packages", err=True)
    if run([*pip, *wanted]).returncode == 0:
        return {}
    missing = {}
    for requirement in wanted:  # one that has no wheel fails them all
        click.echo(f"installing {requirement}", err=True)
        # It must not move the others. Of itself pip would say that it conflicts, and not why.
        others = [other for other in wanted if other != requirement]
        constraints.write_text("\n".join(others) + "\n", "utf-8")
        done = run([*pip, "-c", str(constraints), requirement])
        if done.returncode:
            missing[requirement] = _reason(done)
    constraints.unlink()
    return missing


def _reason(done: subprocess.CompletedProcess[str]) -> str:
    """The last thing that pip calls an error and that is no mere advice."""
    lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
    errors = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR: ")]
    errors = [line for line in errors if not line.startswith("ResolutionImpossible")]
    return (errors or lines or [f"exit code {done.returncode}"])[-1]


def _run(arguments: Sequence[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - ours, and the interpreter the user chose
        arguments, check=False, capture_output=True, encoding="utf-8", errors="replace"
    )
