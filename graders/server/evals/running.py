"""Grading the rows of an eval's run, in the background.

Runs wait for their turn in the order in which they were made. A row that cannot be graded counts
among the failed and among the errored, as on the service.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, aclosing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from graders.engine import RunOptions, grade_stream
from graders.errors import GradersError, RowError
from graders.grades import Grade, Graded, Grader, Usage
from graders.server.evals.items import Items
from graders.server.evals.output_items import Criterion, Place, to_bad_item, to_item
from graders.server.evals.rows import longest_line, read_rows
from graders.server.recent import Weight
from graders.server.shared import Shared
from graders.server.transport.answers import ApiError
from sandbox import JSON

if TYPE_CHECKING:
    from graders.server.files import StoredFile

Status = Literal["queued", "in_progress", "completed", "failed", "canceled"]

_BATCH_ROWS: Final = 64
_BATCH_GRADES: Final = 2_048
_BATCH_BYTES: Final[Mapping[str, int]] = {"never": 1 << 14, "batches": 1 << 14, "rows": 1 << 22}
"""Of rows that are graded together, by what their grader waits for: what computes is at it for no
longer than for one large row, and of what only waits memory could hold many."""
_BAD_LINES: Final = 2_048
"""More than can stand among the rows that the engine has ahead of what it handed on."""


@dataclass(slots=True)
class Counts:
    """What came of the rows of a run.

    Attributes:
        passed: Rows that passed every criterion.
        failed: All others.
        errored: Those of them that could not be graded, by one criterion at least.
        criteria: Of each criterion, how many passed and how many failed.
        usage: Of each model, how often it was asked, and the tokens that took.
    """

    criteria: list[list[int]]
    passed: int = 0
    failed: int = 0
    errored: int = 0
    usage: dict[str, tuple[int, Usage]] = field(default_factory=dict)

    def add(self, grade: Grade) -> None:
        """Count a row."""
        self.passed += bool(grade.passed)
        self.failed += not grade.passed
        self.errored += grade.failure is not None
        for counts, part in zip(self.criteria, grade.parts.values(), strict=True):
            counts[not part.passed] += 1
            self._add_usage(part)

    def add_bad(self, rows: int) -> None:
        """Count lines that are no rows."""
        self.failed += rows
        self.errored += rows

    def _add_usage(self, grade: Grade) -> None:
        if grade.parts:  # several answers
            for part in grade.parts.values():
                self._add_usage(part)
            return
        for model, used in (grade.usage or {}).items():
            times, before = self.usage.get(model, (0, Usage()))
            self.usage[model] = times + 1, before + used


@dataclass(slots=True, kw_only=True)
class Run:
    """A run of an eval.

    Attributes:
        id: Its own.
        eval_id: Of the eval.
        name: What people call it.
        metadata: Of its maker.
        created_at: In seconds since 1970.
        file: With the rows.
        inline: Whether they came with the request, and are shown with the run.
        grader: Judges them.
        weight: Of its templates.
        criteria: What it judges by.
        items: What came of the rows.
        counts: The same in numbers.
        held: What is let go of when the run is removed.
        status: How far it is.
        error: Its code and message, where it failed.
        task: What grades it.
    """

    id: str
    eval_id: str
    name: str
    metadata: dict[str, JSON] | None
    created_at: int
    file: StoredFile
    inline: bool
    grader: Grader
    weight: Weight
    criteria: Sequence[Criterion]
    items: Items
    counts: Counts
    held: ExitStack = field(default_factory=ExitStack)
    status: Status = "queued"
    error: dict[str, JSON] | None = None
    task: asyncio.Task[None] | None = None

    @property
    def ended(self) -> bool:
        """Whether nothing more comes of it."""
        return self.status not in {"queued", "in_progress"}

    def fail(self, code: str | None, message: str) -> None:
        """Say why it did not come to its end; what was graded before is kept."""
        self.status, self.error = "failed", {"code": code or "error", "message": message}


async def grade_run(server: Shared, run: Run) -> None:
    """Grade a run when it is its turn; its status says what came of it."""
    try:
        async with server.turns:
            run.status = "in_progress"
            await _grade(server, run)
        if not run.items:
            run.fail("no-rows", f"{run.file.name} has no rows")
        else:
            run.status = "completed"
    except asyncio.CancelledError:
        run.status = "canceled"
        raise
    except ApiError as error:
        run.fail(error.code, error.message)
    except GradersError as error:
        run.fail("grading", str(error))
    except OSError as error:
        run.fail("storage", f"a file cannot be read or kept: {error.strerror}")
    except Exception:  # a grader that is broken; nobody awaits the task
        logging.getLogger(__name__).exception("the run %s failed", run.id)
        run.fail("server-error", "the server failed, and its log says why")


async def _grade(server: Shared, run: Run) -> None:
    path, limits = run.file.path, server.limits
    most = (limits.rendered_bytes - run.weight.letters) // max(run.weight.slots, 1)
    rows = read_rows(path, run.file.name, min(most, limits.body_bytes))
    written = _Written(run)
    size = await _batch_size(run, path, min(most, limits.body_bytes))
    options = RunOptions(failures="zero", batch_size=size)
    stream = grade_stream(run.grader, rows, options, bad_line=written.add_bad)
    async with aclosing(stream):
        async for graded in stream:
            written.add(graded)
            await asyncio.sleep(0)  # others are answered between batches
    written.add(Graded([], [], []))


async def _batch_size(run: Run, path: Path, most: int) -> int:
    """How many rows are graded together: as many of the longest as may be under way."""
    longest = min(await asyncio.to_thread(longest_line, path), most)
    by_bytes = _BATCH_BYTES[run.grader.waits] // max(longest, 1)
    return max(1, min(_BATCH_ROWS, by_bytes, _BATCH_GRADES // len(run.criteria)))


class _Written:
    """Puts down what came of a run's rows, in their order."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._bad: list[tuple[int, RowError]] = []

    def add_bad(self, error: RowError) -> None:
        """A line that is no row; it stands before the end of what is added next."""
        self._bad.append((int(error.place.rsplit(":", 2)[1]), error))
        if len(self._bad) >= _BAD_LINES:  # none of them can stand behind a row to come
            self.add(Graded([], [], []))

    def add(self, graded: Graded) -> None:
        """Rows that were graded."""
        entries: list[tuple[int, Graded | RowError, int]] = []
        entries += [(row.row, graded, i) for i, row in enumerate(graded.rows)]
        entries += [(line, error, 0) for line, error in self._bad]
        self._bad = []
        entries.sort(key=lambda entry: entry[0])
        run, first = self._run, len(self._run.items)
        lines, passed = [], []
        grades = list(graded.grades)
        for position, (line, what, i) in enumerate(entries, start=first):
            place = Place(run.eval_id, run.id, run.items.name(position))
            if isinstance(what, RowError):
                lines.append(to_bad_item(place, line, what))
                passed.append(False)
            else:
                lines.append(to_item(place, what.rows[i], grades[i], run.criteria))
                passed.append(bool(grades[i].passed))
        run.items.add(lines, passed)
        run.counts.add_bad(len(entries) - len(grades))
        for grade in grades:
            run.counts.add(grade)
