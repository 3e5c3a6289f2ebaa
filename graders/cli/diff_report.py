"""What `graders diff` found, and how it is shown: lines, Markdown, JSON, and a page."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from graders.cli.grading import row_format
from graders.cli.reports import explain_command, made_from, write_report
from graders.errors import GradersError
from graders.lines import is_lasting
from graders.terminal import printable

if TYPE_CHECKING:
    from graders.errors import RowError
    from graders.ledger import Ledger
    from graders.report.diffed import Diffed
    from graders.report.html.diff_rows import Items
    from graders.studies.change.pairs import Pairs

Named = tuple[Path, Path, str | None]
"""OLD, NEW and ROWS."""


@dataclass(slots=True)
class Found:
    """What was compared, and what was not.

    Attributes:
        pairs: Samples graded twice.
        bad_lines: Lines that are none.
        only: Places that only the old, or the new, results have.
        mismatched: Places at which the results are of different samples.
        others: What speaks for results of different rows, in words.
        signatures: Of the old grader, and the new one.
        layers: What isolated python graders; None where none ran.
        stopped: What ended it early.
        ledger: What models were asked; None where none was.
    """

    pairs: Pairs
    bad_lines: list[str] = field(default_factory=list)
    only: tuple[list[tuple[int, int]], list[tuple[int, int]]] = field(
        default_factory=lambda: ([], [])
    )
    mismatched: int = 0
    others: list[str] = field(default_factory=list)
    signatures: tuple[str, str] = ("", "")
    layers: list[str] | None = None
    stopped: BaseException | None = None
    ledger: Ledger | None = None

    def bad_line(self, error: RowError) -> None:
        self.bad_lines.append(str(error))


def show_diff(diffed: Diffed, found: Found, named: Named, given: dict[str, Any]) -> None:
    """Print a diff, and write its page where one is asked for.

    Raises:
        OSError: The page cannot be written.
    """
    worst = diffed.diff.worst[: given["worst"]]
    _print(replace(diffed, diff=replace(diffed.diff, worst=worst)), found, given)
    if given["report"] is not None:
        _write(diffed, found, named, given)
        apart = given["as_json"] or given["as_markdown"]
        click.echo(f"  report   {printable(given['report'])}", err=apart)


def _print(diffed: Diffed, found: Found, given: dict[str, Any]) -> None:
    from graders.report import spending
    from graders.report.diffed import to_lines
    from graders.report.diffed_json import to_json
    from graders.report.diffed_markdown import to_markdown

    if given["as_json"]:
        spent = spending.to_json(found.ledger) if found.ledger else {}
        click.echo(json.dumps({**to_json(diffed), **spent}, indent=2))
        return
    for line in to_markdown(diffed) if given["as_markdown"] else to_lines(diffed):
        click.echo(line)
    if found.ledger and not given["as_markdown"]:
        for line in ("", *spending.to_lines(found.ledger)):
            click.echo(line)


def _write(diffed: Diffed, found: Found, named: Named, given: dict[str, Any]) -> None:
    from graders.report.html.diff_page import DiffFindings, diff_page
    from graders.runs.manifest import data_of

    old, new, rows = named
    old_signature, new_signature = found.signatures
    layers = found.layers
    made = made_from(
        [data_of(one) for one in (*named, given["outputs"]) if one is not None],
        base_url=given["base_url"],
        old_signature=old_signature,
        new_signature=new_signature,
        profile=given["profile_name"] if rows is not None else "",
        isolation="" if layers is None else ", ".join(layers) or "none: unsafe",
    )
    stopped = found.stopped
    ended = "" if stopped is None else str(stopped) or "it was interrupted."
    page = diff_page(
        DiffFindings(
            title=f"{old} → {new}",
            diffed=diffed,
            command=explain_command(new, rows, given["base_url"]) if rows is not None else (),
            items=_items(diffed, rows, given),
            stopped=ended,
            ledger=found.ledger,
            made=made,
        )
    )
    write_report(given["report"], page)


def _items(diffed: Diffed, rows: str | None, given: dict[str, Any]) -> Items:
    """The items of the samples that are shown, from the file that was graded."""
    from graders.report.html.items import items_at
    from graders.row_files import read_rows

    if rows is None or not is_lasting(rows):
        return {}
    places = {(one.row, one.sample_index) for one in diffed.diff.worst}
    places |= {(one.row, one.sample_index) for one in diffed.diff.broken}
    with suppress(OSError, GradersError):  # what could not be read to its end still cannot
        return items_at(read_rows(rows, row_format(rows, given)), places)
    return {}
