"""Options and habits that several commands share."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

import click

from graders.errors import Finding
from graders.profile import PROFILES, Profile, find_profile
from graders.terminal import printable, printable_lines

F = TypeVar("F", bound=Callable[..., object])


def profile_options(command: F) -> F:
    """`--profile NAME --set KEY=VALUE`, for every command that grades."""
    command = click.option(
        "--set",
        "settings",
        metavar="KEY=VALUE",
        multiple=True,
        help="Override one setting of the profile, such as rouge=pltrdy or render=python.",
    )(command)
    return click.option(
        "--profile",
        "profile_name",
        default="openai",
        show_default=True,
        metavar="NAME",
        help=f"Settings that decide numbers: {', '.join(PROFILES)}.",
    )(command)


def chosen_profile(name: str, settings: Iterable[str], *, base_url: str | None = None) -> Profile:
    """The profile that the two options name.

    Args:
        name: That of `--profile`.
        settings: Those of `--set`.
        base_url: The server that `--set cosine=server:MODEL` asks; None is OPENAI_BASE_URL, or else
            OpenAI.

    Raises:
        click.BadParameter: A setting is not KEY=VALUE.
        ConfigError: The profile or a setting is unknown.
    """
    pairs = {}
    for setting in settings:
        key, equals, value = setting.partition("=")
        if not equals:
            raise click.BadParameter(f"{setting!r} is not KEY=VALUE", param_hint="--set")
        pairs[key.strip()] = value.strip()
    return find_profile(name).override(pairs, base_url=base_url)


def show_findings(findings: Iterable[Finding]) -> None:
    """Say what is worth saying about a config, on standard error."""
    for finding in findings:
        click.echo(f"{finding.severity}: {printable_lines(str(finding))}", err=True)


def note(text: str) -> None:
    """Say something that is worth knowing and wrong with nothing."""
    click.echo(f"note: {printable(text)}", err=True)


def refuse_overwriting(
    output: str | None,
    inputs: Iterable[Path | str | None],
    *,
    with_times: bool = False,
    columns: bool = False,
) -> None:
    """Refuse a `-o` that a command could not write, or that is a file it reads or keeps.

    Args:
        output: What `-o` names; None and `-` are no file.
        inputs: Files that must stay; None and `-` are none.
        with_times: Whether the times of results are written beside it.
        columns: Whether it may be Parquet or Arrow.

    Raises:
        click.UsageError: It is a directory, of a form that is not written, or would overwrite an
            input.
        FormatError: Its form needs an extra that is not installed.
    """
    from graders.formats.forms import form_of
    from graders.formats.packed import packer
    from graders.formats.saved import files_of
    from graders.results import timing_path

    if output is None or output == "-":
        return
    form = form_of(output)
    if form.rows != "lines" and not (columns and form.is_columnar):
        also = ", or end in .parquet or .arrow" if columns else ""
        raise click.UsageError(f"-o {output}: JSON Lines are written. Let it end in .jsonl{also}.")
    packer(output)  # says what is missing while nothing is lost yet
    if form.is_columnar:
        from graders.formats.arrow import pyarrow

        pyarrow(output)
    if Path(output).is_dir():
        raise click.UsageError(f"-o {output}: Is a directory.")
    named = [path for path in inputs if path is not None and str(path) != "-"]
    kept = [file for path in named for file in files_of(path)]
    for written in (Path(output), *([timing_path(Path(output))] if with_times else [])):
        for path in kept:
            if written.resolve() == Path(path).resolve() or (
                written.exists() and Path(path).exists() and written.samefile(path)
            ):
                raise click.UsageError(f"-o {output} would overwrite the input {path}.")
