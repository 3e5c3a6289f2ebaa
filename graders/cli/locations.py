"""Files of this machine, or addresses of a storage that fsspec reads and writes."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import click

from graders.formats.remote import check_url, is_url

if TYPE_CHECKING:
    from graders.rows import Row


class _FileOrUrl(click.Path):
    """A file that is there, standard input, or an address."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if not is_url(value):
            return super().convert(value, param, ctx)
        check_url(value)
        return value


FILE_OR_URL = _FileOrUrl(exists=True, dir_okay=False, allow_dash=True)


def results_here(results: str | None, rows: str | None, row: Row | None) -> str | None:
    """Where results are made that `-o` has at an address: here, under their last name.

    Raises:
        click.UsageError: That is the address of the rows, or no name.
        FormatError: It cannot be written to.
    """
    if results is None or not is_url(results):
        return results
    check_url(results)
    name = PurePosixPath(results.partition("://")[2]).name
    if results == rows:
        raise click.UsageError(f"-o {results} would overwrite the input.")
    if row is not None or results.endswith("/") or "/" not in results.partition("://")[2]:
        raise click.UsageError(f"-o {results}: name a file, for the results of a file of rows.")
    if rows is not None and Path(name).resolve() == Path(rows).resolve():
        raise click.UsageError(f"-o {results} is made in {name} first, which is the input.")
    return name
