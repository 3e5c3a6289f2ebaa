"""A run and a study of it in Python: numbers, and what a notebook shows of them.

Both are made of a results file, so that they are the same for whatever graded it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Final

from graders.errors import Finding, RowError
from graders.frames import frame_of
from graders.report.html.page import fragment
from graders.report.html.run_page import RunFindings, run_page
from graders.report.html.run_rows import RunRows
from graders.report.html.study_page import StudyFindings, study_page
from graders.report.studied import to_lines as study_lines
from graders.report.studied_json import to_json as study_json
from graders.report.summary import Summary
from graders.report.text import count
from graders.report.text import to_lines as run_lines
from graders.results import Result, read_results
from graders.row_files import RowFormat, read_rows
from graders.rows import Row
from graders.studies.teach.observed import Observed
from graders.studies.teach.samples import Samples, samples_of
from graders.studies.teach.teaching import REPEATS, Settings, Study, quick_study, study_of
from graders.studies.teach.written import OtherRowsError, Written, label_at, read_written
from graders.template import Slot, parse_path

_AT_ONCE: Final = 256
_BAD_LINES_SHOWN: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Run:
    """A run that has ended, by its results. A notebook shows it as `graders run --report` does.

    Attributes:
        path: Of the results.
        summary: Means, failures, and what else its end says.
        study: Whether it will teach; None where no item has two samples.
        signature: Of its first result: the settings that determine its numbers.
        rows: Its rows and groups, for a page.
        texts: Where their items and outputs are; None where nobody said it.
    """

    path: str
    summary: Summary
    study: Study | None
    signature: str
    rows: RunRows
    texts: Texts | None = None

    def __iter__(self) -> Iterator[Result]:
        """Its results, read again; lines that are none are left out."""
        return (one for one in read_results(Path(self.path)) if isinstance(one, Result))

    def to_frame(self, library: str | None = None) -> Any:
        """Its results as a frame, one row each.

        Args:
            library: `pandas` or `polars`; None is the first of them that is installed.

        Raises:
            ImportError: Neither is installed.
            ValueError: The library is another.
        """
        return frame_of([*self], library)

    def to_json(self) -> Mapping[str, object]:
        """The summary, as `graders run --json` has it."""
        return self.summary.to_json()

    def __repr__(self) -> str:
        return f"<run {self.path!r}: {count(self.summary.samples, 'sample')}>"

    def __str__(self) -> str:
        """The summary, as a terminal has it."""
        return "\n".join([self.path, *run_lines(self.summary, seconds=0.0)])

    def _repr_html_(self) -> str:
        found = RunFindings(
            name=self.path,
            lead="",
            summary=self.summary,
            rows=self.rows,
            seconds=0.0,
            study=self.study,
        )
        return fragment(run_page(found).sections)


def read_run(
    results: Path | str,
    *,
    rows: Path | str | None = None,
    human: str | None = None,
    shape: RowFormat | None = None,
) -> Run:
    """A run that has ended, by the file that `graders run -o` wrote.

    Args:
        results: The file.
        rows: The file that was graded, for items and outputs; None shows none.
        human: Where its rows have what a person said: `sample.human`.
        shape: How its lines become rows, where their names do not say it.

    Raises:
        OSError: A file cannot be read to its end.
        RowError: The file has lines, and none is a result.
        OtherRowsError: The rows are not those that were graded.
        TemplateError: The path of what a person said is none.
        ValueError: There are no rows that `human` or `shape` could be about.

    Example:
        >>> import tempfile
        >>> line = '{"row":1,"group":1,"sample_index":0,"score":0.5,"reward":0.5,"passed":null,'
        >>> line += '"failure":null,"parts":{},"usage":null,"signature":"s","output_chars":1,'
        >>> line += '"reference_chars":1,"detail":null}'
        >>> with tempfile.NamedTemporaryFile("w+", suffix=".jsonl") as file:
        ...     _ = file.write(line + chr(10))
        ...     file.flush()
        ...     run = read_run(file.name)
        >>> run.summary.graded.value, run.summary.samples
        (0.5, 1)
    """
    return _read(results, _texts(rows, human, shape))


def _read(results: Path | str, texts: Texts | None) -> Run:
    summary, shown, signature = Summary(observed=Observed()), RunRows(), ""
    for batch in _batches(results, summary):
        summary.add_lines(batch, [0.0] * len(batch))
        signature = signature or batch[0].signature
        for one in batch:
            shown.see(one)
    shown.groups.settle()
    if summary.bad_lines and not summary.samples:
        raise _no_results(results, summary)
    if texts is not None and summary.samples:
        texts.show_in(shown)
    assert summary.observed is not None, "made with it"
    return Run(
        path=str(results),
        summary=summary,
        study=quick_study(summary.observed, signature),
        signature=signature,
        rows=shown,
        texts=texts,
    )


@dataclass(frozen=True, slots=True)
class Texts:
    """Where the items and outputs of results are.

    Attributes:
        path: The file that was graded.
        shape: How its lines become rows.
        human: Where rows have what a person said; None where nobody was asked for.
    """

    path: Path | str
    shape: RowFormat
    human: Slot | None

    def rows(self) -> Iterator[Row | RowError]:
        """The rows, read anew."""
        return read_rows(self.path, self.shape)

    def show_in(self, shown: RunRows) -> None:
        """Put them beside their results.

        Raises:
            OtherRowsError: They are of others.
        """
        label_of = None if self.human is None else partial(label_at, self.human)
        with self.named():
            if not shown.read(self.rows(), label_of):
                raise OtherRowsError("no result is of a row in it. Name the file that was graded")

    @contextmanager
    def named(self) -> Iterator[None]:
        """An error says which file is of other rows."""
        try:
            yield
        except OtherRowsError as error:
            raise OtherRowsError(f"{self.path}: {error}") from None


def _texts(
    rows: Path | str | None,
    human: str | None,
    shape: RowFormat | None,
    own: Texts | None = None,
) -> Texts | None:
    """Where the texts are; of what nobody names, those that a run has of its own."""
    path = None if human is None else parse_path(human)
    if rows is None and own is not None:
        return Texts(own.path, _ungrouped(shape or own.shape), path or own.human)
    if rows is None:
        for name, given in (("human", human), ("shape", shape)):
            if given is not None:
                raise ValueError(f"{name} says how rows are read, and there are no rows")
        return None
    return Texts(rows, _ungrouped(shape or RowFormat()), path)


def _ungrouped(shape: RowFormat) -> RowFormat:
    return replace(shape, group_by=None)  # results say what their groups are


def _no_results(path: Path | str, summary: Summary) -> RowError:
    first = next((f": {line}" for line in summary.first_bad_lines), "")
    return RowError(str(path), f"it holds no results{first}")


def _batches(results: Path | str, summary: Summary) -> Iterator[list[Result]]:
    """The results of a file; lines that are none are counted."""
    batch: list[Result] = []
    for one in read_results(Path(results)):
        if isinstance(one, RowError):
            summary.bad_line(one)
        elif not isinstance(one, Finding):
            batch.append(one)
        if len(batch) == _AT_ONCE:
            yield batch
            batch = []
    if batch:
        yield batch


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Studied:
    """What a study of results found. A notebook shows it as `graders study --report` does.

    Attributes:
        path: Of the results.
        found: The study.
        bad_lines: Lines that are no results.
        first_bad_lines: The first of them.
        rows: The rows, for a page.
    """

    path: str
    found: Study
    bad_lines: int
    first_bad_lines: tuple[str, ...]
    rows: RunRows

    def to_json(self) -> Mapping[str, object]:
        """The findings, as `graders study --json` has them."""
        return study_json(self.found)

    def __repr__(self) -> str:
        return f"<study of {self.path!r}: {count(len(self.found.samples), 'sample')}>"

    def __str__(self) -> str:
        """The findings, as a terminal has them."""
        return "\n".join([self.path, *study_lines(self.found)])

    def _repr_html_(self) -> str:
        samples = self.found.samples
        kept = f"{count(len(samples), 'sample')} of {count(len(samples.names), 'item')}"
        found = StudyFindings(
            name=self.path,
            lead=kept,
            study=self.found,
            rows=self.rows,
            bad_lines=self.bad_lines,
            first_bad_lines=self.first_bad_lines,
        )
        return fragment(study_page(found).sections)


def study(
    results: Path | str | Run,
    settings: Settings | None = None,
    *,
    rows: Path | str | None = None,
    human: str | None = None,
    shape: RowFormat | None = None,
) -> Studied:
    """Whether rewards will teach: what `graders study` says of results.

    Args:
        results: The file that `graders run -o` wrote, or a run of `read_run`.
        settings: Resamples, seed, and the share that a threshold should let fail; None is the
            usual way.
        rows: The file that was graded, as `read_run` takes it; None is that of a run.
        human: As `read_run` takes it; None is that of a run, if `rows` is.
        shape: As `read_run` takes it; None is that of a run, if `rows` is.

    Raises:
        OSError: A file cannot be read to its end.
        RowError: It holds no results.
        OtherRowsError: The rows are not those that were graded.
        TemplateError: The path of what a person said is none.
        ValueError: No row has a label there, or there are no rows that it could have.
    """
    if isinstance(results, Run) and rows is None and human is None and shape is None:
        run = results
    else:
        path, own = (results.path, results.texts) if isinstance(results, Run) else (results, None)
        run = _read(path, _texts(rows, human, shape, own))
    summary = run.summary
    if summary.observed is None or not summary.samples:
        raise _no_results(run.path, summary)
    samples = samples_of(summary.observed)
    written = None if run.texts is None else _written(samples, run.texts)
    repeated = REPEATS in run.signature
    return Studied(
        path=run.path,
        found=study_of(samples, settings, repeated=repeated, written=written),
        bad_lines=summary.bad_lines,
        first_bad_lines=tuple(summary.first_bad_lines[:_BAD_LINES_SHOWN]),
        rows=run.rows,
    )


def _written(samples: Samples, texts: Texts) -> Written:
    with texts.named():
        written = read_written(samples, texts.rows(), texts.human)
    if written.human is not None and (written.human != written.human).all():
        raise ValueError(f"no row has a number or true or false at {texts.human}")
    return written
