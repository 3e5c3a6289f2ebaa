"""The rows that results are of: their texts, references and labels, and whether they are those."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from graders.cli.grading import row_format
from graders.terminal import printable

if TYPE_CHECKING:
    from graders.row_files import RowFormat
    from graders.runs.manifest import Data
    from graders.studies.teach.samples import Samples
    from graders.studies.teach.written import Written
    from graders.template import Slot


def rows_of_results(results: str, samples: Samples, given: dict[str, Any]) -> Written | None:
    """What rows say of samples; None without --rows.

    Raises:
        click.BadParameter: --human or --reference is no path, or no row has anything there.
        OtherRowsError: The rows are not those that were graded.
        OSError: They cannot be read.
    """
    from graders.row_files import read_rows
    from graders.runs.opening import data_of_run
    from graders.studies.teach.written import OtherRowsError, read_written

    if given["rows"] is None:
        return None
    human, reference = _path(given, "human"), _path(given, "reference")
    rows = read_rows(given["rows"], shape_of(given))
    try:
        written = read_written(samples, rows, human, reference)
    except OtherRowsError as error:
        raise OtherRowsError(f"{given['rows']}: {error}") from None
    if written.human is not None and (written.human != written.human).all():
        raise click.BadParameter(
            f"no row has a number or true or false at {given['human']}", param_hint="--human"
        )
    if reference is not None and written.reference is None:
        raise click.BadParameter(
            f"no row has a text at {given['reference']}", param_hint="--reference"
        )
    if then := data_of_run(Path(results)):
        _doubt("", then, _data_now(given))
    return written


def _path(given: dict[str, Any], option: str) -> Slot | None:
    from graders.errors import TemplateError
    from graders.template import parse_path

    try:
        return None if given[option] is None else parse_path(given[option])
    except TemplateError as error:
        raise click.BadParameter(str(error), param_hint=f"--{option}") from None


def shape_of(given: dict[str, Any]) -> RowFormat:
    """How rows are read; results say what their groups are."""
    return row_format(given["rows"], {**given, "group_by": None})


def doubt_earlier(results: str, earlier: str) -> None:
    """Say where two runs were of files that are not the same."""
    from graders.runs.opening import data_of_run

    _doubt(f"{earlier}: ", data_of_run(Path(earlier)), data_of_run(Path(results)))


def _doubt(where: str, then: Sequence[Data], now: Sequence[Data]) -> None:
    for before, after in zip(then, now, strict=False):
        if None not in {before.sha256, after.sha256} and before.sha256 != after.sha256:
            said = f"{where}{after.path} is not {before.path} as it was graded, by its SHA-256"
            more = "Places and lengths of texts agree, and more cannot be checked"
            click.echo(f"warning: {printable(said)}. {more}", err=True)


def _data_now(given: dict[str, Any]) -> Sequence[Data]:
    """The same of the files that are named now."""
    from graders.runs.manifest import data_of

    return [data_of(one) for one in (given["rows"], given["outputs"]) if one is not None]
