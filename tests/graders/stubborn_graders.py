"""Graders that kill the process they are in, or wait; and runs of them, by whoever is hired."""

import os
import signal
import sys
import time
from functools import partial
from pathlib import Path

from kept_runs import EXACT

from graders.config.parse import read_config
from graders.engine import RunOptions
from graders.grades import Grade
from graders.row_files import RowFormat
from graders.runs.grading import Work
from graders.runs.manifest import make_manifest
from graders.runs.opening import open_folder
from graders.runs.run import run_by
from graders.runs.workers import Workers

PER_SHARD = 32


class Killing:
    """Grades rows, and kills its own process at some."""

    name, signature, waits = "killing", "killing", "never"

    def __init__(self, rows):
        self.rows = set(rows)

    async def grade(self, rows):
        if self.rows.intersection(row.row for row in rows):
            os.kill(os.getpid(), signal.SIGKILL)
        return [Grade(name=self.name, score=1 / row.row) for row in rows]


class Holding:
    """Grades rows up to one, and those behind it once there is a file; says which it has begun."""

    name, signature, waits = "holding", "holding", "never"

    def __init__(self, folder, free):
        self.folder, self.free = Path(folder), free

    async def grade(self, rows):
        with (self.folder / "begun.txt").open("a", encoding="utf-8") as file:
            file.write(f"{rows[0].row} {os.getpid()}\n")
        while rows[-1].row > self.free and not (self.folder / "let").exists():
            time.sleep(0.01)  # noqa: ASYNC251 - nothing else is to go on
        return [Grade(name=self.name, score=1 / row.row) for row in rows]


def grade_all(hire, name, way="new"):
    """Grade rows.jsonl into a file by whoever is hired; gives how many rows failed."""
    options, shape = RunOptions(), RowFormat()
    work = Work(signature="s", options=options, rows="rows.jsonl", shape=shape, per_shard=PER_SHARD)
    config = read_config(EXACT).grader
    manifest = make_manifest(config, ["rows.jsonl"], {"lines_per_shard": PER_SHARD}, {})
    with open_folder(Path(f"{name}.jsonl"), manifest, way, lambda _: None) as folder:
        outcome = run_by(hire, work, folder, lambda *_: None)
    if outcome.error is not None:
        raise outcome.error
    return outcome.summary.failed


def grade_here(recipe, name, way="new"):
    """The same by two processes of this machine."""
    return grade_all(lambda work, parts: Workers(2, work, recipe, parts), name, way)


def grade_there(recipe, address, name, way="new"):
    """The same by a cluster."""
    from graders.cluster.tasks import hired

    note = partial(print, file=sys.stderr, flush=True)
    with hired(recipe, address=address, cores=1, most=None, note=note) as hire:
        return grade_all(hire, name, way)


if __name__ == "__main__":
    grade_there(partial(Holding, str(Path.cwd()), int(sys.argv[2])), sys.argv[1], "out")
