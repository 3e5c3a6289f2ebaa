"""Who grades a file: this process, workers on its cores, or a cluster."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from graders.cli.job import Job
from graders.cli.options import note
from graders.runs.crew import Hire
from graders.runs.workers import Workers

_WORTH_WORKERS: Final = 1 << 18
"""Bytes of rows from which on starting workers pays, where nobody says how many."""


@contextmanager
def hired(job: Job) -> Iterator[Hire | None]:
    """Who grades, if it is not this process alone."""
    if job.on_ray:
        from graders.cluster import tasks

        cores = job.workers or _cores()
        with tasks.hired(
            job.recipe, address=job.address, cores=cores, most=job.workers, note=note
        ) as hire:
            yield hire
        return
    count = _workers(job)
    yield (lambda work, parts: Workers(count, work, job.recipe, parts)) if count > 1 else None


def _workers(job: Job) -> int:
    """How many processes grade: one, where the grader waits or rows are counted or few."""
    if job.grader.waits != "never" or job.work.options.limit is not None:
        if job.workers is not None and job.workers > 1:
            why = "counts rows" if job.grader.waits == "never" else "waits for others"
            note(f"--workers {job.workers}: a run that {why} takes one process")
        return 1
    if job.workers is not None:
        return job.workers
    rows = Path(job.work.rows)
    few = job.work.rows == "-" or (rows.is_file() and rows.stat().st_size < _WORTH_WORKERS)
    return 1 if few else _cores()


def _cores() -> int:
    """The cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
