"""A run and a study of it in Python: numbers, and what a notebook shows of them.

Both are made of a results file, so that they are the same for whatever graded it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
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
from graders.studies.teach.observed import Observed
from graders.studies.teach.samples import samples_of
from graders.studies.teach.teaching import REPEATS, Settings, Study, quick_study, study_of

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
    """

    path: str
    summary: Summary
    study: Study | None
    signature: str
    rows: RunRows

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


def read_run(results: Path | str) -> Run:
    """A run that has ended, by the file that `graders run -o` wrote.

    Args:
        results: The file.

    Raises:
        OSError: It cannot be read to its end.

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
    summary, rows, signature = Summary(observed=Observed()), RunRows(), ""
    for batch in _batches(results, summary):
        summary.add_lines(batch, [0.0] * len(batch))
        signature = signature or batch[0].signature
        for one in batch:
            rows.see(one)
    rows.groups.settle()
    assert summary.observed is not None, "made with it"
    study = quick_study(summary.observed, signature)
    return Run(path=str(results), summary=summary, study=study, signature=signature, rows=rows)


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


def study(results: Path | str | Run, settings: Settings | None = None) -> Studied:
    """Whether rewards will teach: what `graders study` says of results.

    Args:
        results: The file that `graders run -o` wrote, or a run of `read_run`.
        settings: Resamples, seed, and the share that a threshold should let fail; None is the
            usual way.

    Raises:
        OSError: The file cannot be read to its end.
        RowError: It holds no results.
    """
    run = results if isinstance(results, Run) else read_run(results)
    summary = run.summary
    if summary.observed is None or not summary.samples:
        first = next((f": {line}" for line in summary.first_bad_lines), "")
        raise RowError(run.path, f"it holds no results{first}")
    repeated = REPEATS in run.signature
    return Studied(
        path=run.path,
        found=study_of(samples_of(summary.observed), settings, repeated=repeated),
        bad_lines=summary.bad_lines,
        first_bad_lines=tuple(summary.first_bad_lines[:_BAD_LINES_SHOWN]),
        rows=run.rows,
    )
