"""Files and saved datasets of this machine, or addresses of a storage that fsspec has."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import click

from graders.formats.remote import beside, check_target, check_url, is_same, is_url
from graders.formats.saved import is_folder, saved_files

if TYPE_CHECKING:
    from graders.rows import Row


class _Rows(click.Path):
    """A file that is there, the folder of a saved dataset, standard input, or an address."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if is_url(value):
            check_url(value)
            return value
        if is_folder(value):
            saved_files(value)
            return str(Path(value))
        return super().convert(value, param, ctx)


ROWS = _Rows(exists=True, dir_okay=False, allow_dash=True)


def results_here(
    results: str | None, rows: str | None, row: Row | None, inputs: Iterable[Path | str | None]
) -> str | None:
    """Where results are made that `-o` has at an address: here, under their last name.

    Args:
        results: What `-o` names.
        rows: The file or the address of the rows.
        row: The one sample that is graded instead.
        inputs: Files and addresses that must stay, the rows among them; None and `-` are none.

    Raises:
        click.UsageError: That is the address of an input, or no name.
        FormatError: It cannot be written to.
    """
    from graders.results import timing_path

    if results is None or not is_url(results):
        return results
    check_target(results)
    name = PurePosixPath(results.partition("://")[2]).name
    kept = [path for path in inputs if path is not None and str(path) != "-"]
    for written in (results, beside(results, timing_path(Path(name)).name) if name else results):
        for path in kept:
            if is_same(written, path):
                raise click.UsageError(f"-o {results} would overwrite the input {path}.")
    nameless = name in {"", "-", ".."} or results.endswith(("/", "/."))
    if row is not None or nameless or "/" not in results.partition("://")[2]:
        raise click.UsageError(f"-o {results}: name a file, for the results of a file of rows.")
    if rows is not None and Path(name).resolve() == Path(rows).resolve():
        raise click.UsageError(f"-o {results} is made in {name} first, which is the input.")
    return name
