"""The rows that results are of: their texts, references and labels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from graders.cli.grading import row_format

if TYPE_CHECKING:
    from graders.row_files import RowFormat
    from graders.studies.teach.samples import Samples
    from graders.studies.teach.written import Written
    from graders.template import Slot


def rows_of_results(samples: Samples, given: dict[str, Any]) -> Written | None:
    """What rows say of samples; None without --rows.

    Raises:
        click.BadParameter: --human or --reference is no path, or no row has anything there.
        OtherRowsError: The rows are not those that were graded.
        OSError: They cannot be read.
    """
    from graders.row_files import read_rows
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
