"""What `graders compare` shows: lines, JSON, and a page."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from graders.cli.reports import made_from, write_report
from graders.terminal import printable

if TYPE_CHECKING:
    from graders.cli.fit import Fitted
    from graders.report.compared import Compared


def show_comparison(
    compared: Compared, made: Fitted | None, rows: str, given: dict[str, Any]
) -> None:
    """Print a comparison, and write its page where one is asked for.

    Raises:
        OSError: The page cannot be written.
    """
    _print(compared, made, as_json=given["as_json"])
    if given["report"] is not None:
        _write(compared, made, rows, given)
        click.echo(f"  report   {printable(given['report'])}", err=given["as_json"])


def _print(compared: Compared, made: Fitted | None, *, as_json: bool) -> None:
    from graders.report.compared import to_lines
    from graders.report.compared_json import to_json

    if as_json:
        fit = {"fit": made.to_json()} if made else {}
        click.echo(json.dumps({**to_json(compared), **fit}, indent=2))
        return
    for line in to_lines(compared):
        click.echo(line)
    for line in ("", *made.to_lines()) if made else ():
        click.echo(line)


def _write(compared: Compared, made: Fitted | None, rows: str, given: dict[str, Any]) -> None:
    from graders.report.html.compare_page import CompareFindings, compare_page
    from graders.runs.manifest import data_of

    files = [rows, given["outputs"], *given["configs"]]
    use, layers = compared.use, compared.layers
    page = compare_page(
        CompareFindings(
            compared=compared,
            fit=made.fit if made else None,
            export=made.export if made else None,
            why=made.why if made else "",
            made=made_from(
                [data_of(one) for one in files if one is not None],
                base_url=given["base_url"],
                signature="" if use is None else compared.columns[use.name].signature,
                profile=given["profile_name"],
                isolation="" if layers is None else ", ".join(layers) or "none: unsafe",
            ),
        )
    )
    write_report(given["report"], page)
