"""A progress bar on a terminal, nothing in a pipe."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from graders.formats.forms import form_of

Show = Callable[[int, int, int], None]
"""Called with the last line that is done, and how many samples and failures came with it."""

_EVERY_SECONDS: Final = 0.1


@contextmanager
def progress_bar(rows: str, *, limited: bool) -> Iterator[Show]:
    """Show how far a run is, on standard error if that is a terminal.

    It has no thread of its own: workers are forked, and forks and threads do not go together.
    """
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
    bar = Progress(*columns, console=Console(stderr=True), transient=True, auto_refresh=False)
    with bar as progress:
        samples = failed = 0
        shown = 0.0
        task = progress.add_task(
            "", total=None if limited else _line_count(rows), samples=0, rate=0.0, failed=0
        )

        def show(line: int, more_samples: int, more_failed: int) -> None:
            nonlocal samples, failed, shown
            samples, failed = samples + more_samples, failed + more_failed
            elapsed = progress.tasks[task].elapsed or 0.0
            if elapsed - shown < _EVERY_SECONDS:
                return
            shown = elapsed
            rate = samples / elapsed
            progress.update(task, completed=line, samples=samples, rate=rate, failed=failed)
            progress.refresh()

        yield show


def _line_count(rows: str) -> int | None:
    """Lines of a plain file; None where counting would cost a second read of a stream."""
    path = Path(rows)
    if rows == "-" or not form_of(rows).is_plain or not path.is_file():
        return None
    with path.open("rb") as file:
        blocks = iter(lambda: file.read(1 << 20), b"")
        return sum(block.count(b"\n") for block in blocks)
