"""The same rows by Ray Data, for `engines.py`: read as JSON, graded in batches, written as JSON.

It is given what suits it: rows in many files, so that reading them is shared out; tasks with the
compiled grader that rows of Python are handed to; and three numbers a row to write, in any order,
where `graders run` writes whole result lines and times in order, and can go on after a kill.

    python benchmarks/cluster/ray_data.py GRADER.json FOLDER_OF_ROWS RESULTS_FOLDER WORKERS
"""

from __future__ import annotations

import sys
from functools import cache
from typing import TYPE_CHECKING

from graders.cluster.connection import connected
from graders.compile import compile_grader
from graders.config.parse import read_config
from graders.engine import as_row, run_sync

if TYPE_CHECKING:
    import pyarrow as pa

    from graders.grades import Grader

_AT_ONCE = 4096  # rows, as in a shard


def main() -> None:
    """Grade a folder of rows."""
    config, rows, results, workers = sys.argv[1:]
    with connected(None, int(workers)):
        from ray import data

        data.DataContext.get_current().enable_progress_bars = False
        graded = data.read_json(rows, file_extensions=["jsonl"]).map_batches(
            _grade, batch_format="pyarrow", batch_size=_AT_ONCE, fn_args=[config]
        )
        graded.write_json(results)


def _grade(batch: pa.Table, config: str) -> pa.Table:
    """The reward of each row, and the scores of its parts."""
    import pyarrow as pa

    rows = [as_row(row, position) for position, row in enumerate(batch.to_pylist(), 1)]
    grades = run_sync(lambda: _grader(config).grade(rows))
    found = [
        {"reward": grade.score, **{name: part.score for name, part in grade.parts.items()}}
        for grade in grades
    ]
    return pa.Table.from_pylist(found)


@cache
def _grader(config: str) -> Grader:
    return compile_grader(read_config(config))


if __name__ == "__main__":
    main()
