"""A progress bar on a terminal, nothing in a pipe."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

Show = Callable[[int, int, int], None]
"""Called with the last line read, samples graded so far, and failures so far."""


@contextmanager
def progress_bar(rows: str, *, limited: bool) -> Iterator[Show]:
    """Show how far a run is, on standard error if that is a terminal."""
    if not sys.stderr.isatty():
        yield lambda _line, _samples, _failed: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.percentage:>3.0f}%"),
        BarColumn(bar_width=24),
        TextColumn("{task.fields[samples]:,} samples  {task.fields[rate]:,.0f}/s"),
        TimeRemainingColumn(compact=True),
        TextColumn("{task.fields[failed]:,} failed"),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(
            "", total=None if limited else _line_count(rows), samples=0, rate=0.0, failed=0
        )

        def show(line: int, samples: int, failed: int) -> None:
            elapsed = progress.tasks[task].elapsed or 0.0
            rate = samples / elapsed if elapsed else 0.0
            progress.update(task, completed=line, samples=samples, rate=rate, failed=failed)

        yield show


def _line_count(rows: str) -> int | None:
    """Lines of a plain file; None where counting would cost a second read of a stream."""
    path = Path(rows)
    if rows == "-" or rows.endswith(".gz") or not path.is_file():
        return None
    with path.open("rb") as file:
        blocks = iter(lambda: file.read(1 << 20), b"")
        return sum(block.count(b"\n") for block in blocks)
