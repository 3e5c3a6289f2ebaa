"""`--report FILE`: a page for people, or its data, and the commands that it names."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from graders.formats.saved import files_of

if TYPE_CHECKING:
    from graders.report.html.page import Page
    from graders.runs.manifest import Data, Manifest

F = TypeVar("F", bound=Callable[..., object])
_PAGES, _DATA = (".html", ".htm"), ".json"
_LONGEST = 4_000
"""Characters of what made a report: signatures may be long."""
_NOT_FOR_ONE_ROW = frozenset({"as_json", "item", "row", "sample", "sample_index", "record"})


def report_option(command: F) -> F:
    """`--report FILE`, for every command that has findings."""
    return click.option(
        "--report",
        metavar="FILE",
        help="Write a page of it all: FILE.html for people, FILE.json for programs.",
    )(command)


def check_report(report: str | None, others: Iterable[Path | str | None]) -> None:
    """Refuse a `--report` that could not be written, before anything is done for it.

    Args:
        report: What `--report` names; None is nothing.
        others: Files that are read or written; None and `-` are none.

    Raises:
        click.UsageError: Its name says neither HTML nor JSON, its folder is not there, or it would
            overwrite another file.
    """
    if report is None:
        return
    path = Path(report)
    if path.suffix.lower() not in {*_PAGES, _DATA}:
        raise click.UsageError(
            f"--report {report}: name a file that ends in .html, or in .json for the page's data."
        )
    if path.is_dir():
        raise click.UsageError(f"--report {report}: Is a directory.")
    if not path.resolve().parent.is_dir():
        raise click.UsageError(f"--report {report}: there is no folder {path.parent}.")
    named = [other for other in others if other is not None and str(other) != "-"]
    for other in (file for path in named for file in files_of(path)):
        same = path.exists() and Path(other).exists() and path.samefile(other)
        if same or path.resolve() == Path(other).resolve():
            raise click.UsageError(f"--report {report} would overwrite {other}.")


def write_report(report: str, page: Page) -> None:
    """Write a page, or its data where the name ends in .json.

    Raises:
        OSError: It cannot be written.
    """
    from graders.report.html.embedded import written
    from graders.report.html.page import to_html

    is_data = Path(report).suffix.lower() == _DATA
    Path(report).write_bytes(written(page.data) if is_data else to_html(page).encode())


def shown_arguments(base_url: str | None) -> list[str]:
    """The arguments as they were given, without what is secret in the address of a server."""
    from graders.clients.masked import masked_url

    arguments = list(click.get_current_context().find_root().obj or ())
    if not base_url or (shown := masked_url(base_url)) == base_url:
        return arguments
    return [one.replace(base_url, shown) for one in arguments]


def made_by(base_url: str | None, manifest: Manifest) -> Mapping[str, str]:
    """What made the report of rows that were graded, by name, for its end.

    Args:
        base_url: As `--base-url` has it.
        manifest: Of what was graded.
    """
    from graders.clients.masked import masked_url

    settings, environment = manifest.settings, manifest.environment
    layers = environment.get("layers")
    return made_from(
        manifest.data,
        base_url=base_url,
        signature=str(settings.get("signature") or ""),
        profile=str(settings.get("profile") or ""),
        config=f"sha256 {manifest.config_sha256}",
        isolation="" if layers is None else ", ".join(layers) or "none: unsafe",
        judges=masked_url(str(environment.get("judges") or "")),
    )


def made_from(
    files: Sequence[Data], *, base_url: str | None = None, **named: str
) -> Mapping[str, str]:
    """What made a report, by name, for its end: the command, what is named, files and versions.

    Args:
        files: What was read, `graders.runs.manifest.data_of` of each.
        base_url: As `--base-url` has it, where the command has the option.
        named: What else made it; "" is left out.
    """
    from graders.markup import cut
    from graders.runs.manifest import versions

    hashes = {
        f"file {file.path}": f"sha256 {file.sha256}, {file.bytes:,} bytes"
        for file in files
        if file.sha256
    }
    numbers = ", ".join(f"{name} {number}" for name, number in versions().items())
    command = shlex.join(["graders", *shown_arguments(base_url)])
    others = {name.replace("_", " "): text for name, text in named.items()}
    made = {"command": command, **others, **hashes, "versions": numbers}
    return {cut(name, _LONGEST): cut(text, _LONGEST) for name, text in made.items() if text}


def explain_command(config: Path, rows: str, base_url: str | None) -> tuple[str, ...]:
    """The command that shows all of a row, as a `RowsTable` has it; none for standard input.

    It has the options of the current command that `graders explain` has too.
    """
    from graders.cli.explain import command
    from graders.clients.masked import masked_url

    if rows == "-":
        return ()
    words = ["graders", "explain", str(config), rows]
    given = _given({one.name for one in command.params if one.name})
    for option, value in given:
        masked = masked_url(base_url) if base_url and value == base_url else value
        words += [option] if value is None else [option, str(masked)]
    return (f"{shlex.join(words)} --row ", "row", " --sample-index ", "sample")


def _given(names: set[str]) -> Iterable[tuple[str, str | None]]:
    """The options of the command line that are among some, with their values; of flags, none."""
    context = click.get_current_context()
    for one in context.command.params:
        name = one.name or ""
        source = context.get_parameter_source(name)
        if (
            not isinstance(one, click.Option)
            or name not in names - _NOT_FOR_ONE_ROW
            or source is not click.core.ParameterSource.COMMANDLINE
        ):
            continue
        option, value = max(one.opts, key=len), context.params[name]
        if one.is_flag:
            yield option, None
        else:
            for single in value if one.multiple else [value]:
                yield option, str(single)
