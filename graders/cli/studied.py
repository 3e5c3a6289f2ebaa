"""What `graders study` does without a formula: results in, findings out."""

from __future__ import annotations

import gc
import json
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from graders.cli.options import show_findings
from graders.cli.progress import progress_bar
from graders.cli.reports import check_report, made_from, write_report
from graders.cli.studied_rows import doubt_earlier, rows_of_results, shape_of
from graders.lines import is_lasting
from graders.terminal import WIDTH, printable, shorten

if TYPE_CHECKING:
    from collections.abc import Iterator

    from graders.report.html.run_rows import RunRows
    from graders.results import Result
    from graders.studies.teach.between import Between
    from graders.studies.teach.observed import Observed
    from graders.studies.teach.samples import Samples
    from graders.studies.teach.teaching import Settings, Study
    from graders.studies.teach.written import Written

_SHOWN = 5
_DRAWS = 10_000_000
_AT_ONCE = 256


@dataclass(slots=True)
class _Read:
    """What a results file holds.

    Attributes:
        observed: The samples, for a study.
        rows: The same, for a page; None without one.
        signatures: Of the graders, some of many.
        bad_lines: Lines that are no results.
        first_bad_lines: The first of them.
    """

    observed: Observed
    rows: RunRows | None = None
    signatures: set[str] = field(default_factory=set)
    bad_lines: int = 0
    first_bad_lines: list[str] = field(default_factory=list)

    def bad_line(self, error: object) -> None:
        self.bad_lines += 1
        if len(self.first_bad_lines) < _SHOWN:
            self.first_bad_lines.append(str(error))

    def take(self, path: str, lines: list[Result]) -> None:
        """Observe lines, and forget them."""
        if self.rows is not None:
            for line in lines:
                self.rows.see(line)
        if len(self.signatures) < _SHOWN:
            self.signatures.update(line.signature for line in lines)
        try:
            self.observed.add_lines(lines)
        except OverflowError as error:
            if len(lines) == 1:
                self.bad_line(f"{path}: {error}")
            else:
                for line in lines:
                    self.take(path, [line])
        lines.clear()


def study_results(results: str, given: dict[str, Any]) -> int:
    """Study results and report; returns the exit code.

    Raises:
        click.UsageError: There are no results, or options contradict each other.
        OtherRowsError: The rows, or earlier results, are not of what was graded.
        OSError: A file cannot be read to its end.
    """
    from graders.studies.teach.samples import samples_of
    from graders.studies.teach.teaching import REPEATS, study_of

    band = _band(given["failing"] or "0.25:0.5")
    _check(results, given)
    gc.freeze()  # what is loaded by now stays; results come and go by the million
    read = _read(results, for_page=given["report"] is not None)
    samples = samples_of(read.observed)
    _doubt(results, read, samples)
    written = rows_of_results(results, samples, given)
    repeated = any(REPEATS in signature for signature in read.signatures)
    settings = _settings(samples, band, given)
    study = study_of(samples, settings, repeated=repeated, written=written)
    moved = None
    if given["against"] is not None:
        moved = _between(samples, read, given["against"])
        doubt_earlier(results, given["against"])
    _report(results, given, read, (study, moved, written))
    if given["report"] is not None:
        _write(results, given, read, (study, moved))
    return 1 if read.bad_lines or (given["strict"] and _is_bad(study, moved)) else 0


def _doubt(results: str, read: _Read, samples: Samples) -> None:
    """Say where results look like those of two runs, which would be studied as one."""
    from graders.report.text import count

    places = zip(samples.rows.tolist(), samples.indexes.tolist(), strict=True)
    if (graders := len(read.signatures)) > 1:
        many = f"{graders}" if graders < _SHOWN else f"{_SHOWN} or more"
        click.echo(f"warning: {printable(results)}: results of {many} graders, as one", err=True)
    if again := len(samples) - len(set(places)):
        said = f"{count(again, 'sample')} of it counted a second time: the same row and place"
        click.echo(f"warning: {printable(results)}: {said}", err=True)


def _settings(samples: Samples, band: tuple[float, float], given: dict[str, Any]) -> Settings:
    from graders.studies.teach.teaching import Settings, resamples_for

    resamples = given["resamples"]
    if resamples is None:
        resamples = max(200, resamples_for(len(samples.names), _DRAWS))
    return Settings(resamples=resamples, seed=given["seed"] or 0, failing=band)


def _band(text: str) -> tuple[float, float]:
    low, colon, high = text.partition(":")
    try:
        band = float(low), float(high)
    except ValueError:
        band = (1.0, 0.0)
    if not colon or not 0 <= band[0] <= band[1] <= 1:
        message = f"{text!r} is not LOW:HIGH, two shares from 0 to 1 such as 0.25:0.5"
        raise click.BadParameter(message, param_hint="--failing")
    return band


def _check(results: str, given: dict[str, Any]) -> None:
    for name in ("output", "outputs", "key", "column", "reference", "human"):
        if given[name] not in {None, ()} and given["rows"] is None:
            raise click.UsageError(f"--{name} says how --rows is read, and there is no --rows.")
    files = [results, given["rows"], given["outputs"], given["against"]]
    if files.count("-") > 1:
        raise click.UsageError("Only one file can be standard input.")
    check_report(given["report"], files)


def _read(path: str, *, for_page: bool = False) -> _Read:
    from graders.errors import Finding, RowError
    from graders.report.html.run_rows import RunRows
    from graders.results import read_results
    from graders.studies.teach.observed import Observed

    read = _Read(Observed(), RunRows() if for_page else None)
    waiting: list[Result] = []
    with progress_bar(path, limited=False) as show:
        for number, line in enumerate(read_results(Path(path)), start=1):
            if isinstance(line, Finding):
                show_findings([line])
            elif isinstance(line, RowError):
                read.bad_line(line)
            else:
                waiting.append(line)
                if len(waiting) == _AT_ONCE:
                    read.take(path, waiting)
                    show(number, _AT_ONCE, 0)
        read.take(path, waiting)
    if not read.observed.seen:
        first = next(iter(read.first_bad_lines), "")
        raise click.UsageError(f"{path} holds no results{f': {first}' if first else '.'}")
    return read


def _between(samples: Samples, read: _Read, against: str) -> Between:
    from graders.studies.teach.between import between
    from graders.studies.teach.samples import samples_of
    from graders.studies.teach.written import OtherRowsError

    old = _read(against)
    same = read.signatures == old.signatures and len(read.signatures) == 1
    try:
        return between(samples, samples_of(old.observed), same_grader=same)
    except OtherRowsError as error:
        raise OtherRowsError(f"{against}: {error}") from None


def _is_bad(study: Study, moved: Between | None) -> bool:
    from graders.report.studied_json import all_verdicts

    return any(verdict.tone == "bad" for verdict in all_verdicts(study, moved))


def _report(
    results: str,
    given: dict[str, Any],
    read: _Read,
    found: tuple[Study, Between | None, Written | None],
) -> None:
    from graders.report.studied_json import to_json

    study, moved, written = found
    if given["as_json"]:
        texts = (
            None if written is None else {"found": written.found, "bad_lines": written.bad_lines}
        )
        about = {
            "results": results,
            "signatures": sorted(read.signatures),
            "bad_lines": read.bad_lines,
            "first_bad_lines": read.first_bad_lines,
            "rows": given["rows"],
            "texts": texts,
            "against": given["against"],
        }
        click.echo(json.dumps({**to_json(study, moved), **about}, indent=2))
        return
    click.echo(shorten(printable(f"{results}, studied"), WIDTH))
    for line in _lines(study, moved, written, read):
        click.echo(line)


def _write(
    results: str, given: dict[str, Any], read: _Read, found: tuple[Study, Between | None]
) -> None:
    from graders.report.html.study_page import StudyFindings, study_page
    from graders.report.text import count
    from graders.row_files import read_rows
    from graders.runs.manifest import data_of
    from graders.studies.teach.written import label_at
    from graders.template import parse_path

    study, moved = found
    assert read.rows is not None, "made for it"
    if given["rows"] is not None and is_lasting(given["rows"]):
        human = given["human"]
        label = None if human is None else partial(label_at, parse_path(human))
        read.rows.read(read_rows(given["rows"], shape_of(given)), label)
    files = [results, given["rows"], given["outputs"], given["against"]]
    data = [data_of(one) for one in files if one is not None]
    kept = f"{count(len(study.samples), 'sample')} of {count(len(study.samples.names), 'item')}"
    page = study_page(
        StudyFindings(
            name=results,
            lead=f"{kept}, {study.rewarded:,} with a reward",
            study=study,
            moved=moved,
            rows=read.rows,
            bad_lines=read.bad_lines,
            first_bad_lines=read.first_bad_lines,
            made=made_from(data, signature="; ".join(sorted(read.signatures))),
            settings={"signatures": sorted(read.signatures)},
        )
    )
    write_report(given["report"], page)
    click.echo(f"  report   {printable(given['report'])}", err=given["as_json"])


def _lines(
    study: Study, moved: Between | None, written: Written | None, read: _Read
) -> Iterator[str]:
    from graders.report.studied import to_lines
    from graders.report.text import bad_line_lines

    yield from to_lines(study, moved)
    yield from bad_line_lines(read.bad_lines, read.first_bad_lines)
    if written is None:
        yield ""
        yield "  --rows ROWS, the file that was graded, tells what form has to do with it"
    elif written.found < len(study.samples):
        yield ""
        yield f"  texts of {written.found:,} of {len(study.samples):,} samples were found"
    if written is not None and study.length is not None and not study.length.has_reference:
        yield ""
        yield "  --reference PATH says where rows have the reference, for its length"
