"""What workers bring, and what memory a run takes, over files of any length.

Rows: Natural Questions answers (EVOUNA, see benchmarks/README.md), over and over, as they are with
five samples each, or with --single one sample a row. Grader: a multi of string_check and
fuzzy_match, or with --metric another one in the place of fuzzy_match. Wall and CPU time of the
whole command, median of interleaved rounds; memory is the most that all its processes had together
at a time, shared pages counted once (PSS), looked at ten times a second.

    PYTHONPATH=. python benchmarks/engine/scale.py [--rows 200000] [--workers 1 2] [--rounds 5]
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import platform
import statistics
import subprocess
import tempfile
import threading
from pathlib import Path
from typing import NamedTuple

import msgspec
from measured import CONFIG, GRADERS, Taken, data, taken_by

_LOOK_SECONDS = 0.1


class Run(NamedTuple):
    """What one run took."""

    taken: Taken
    peak_mb: float


def main() -> None:
    """Measure and print a table."""
    args = _arguments()
    config = json.loads(json.dumps(CONFIG))
    config["graders"]["fuzzy"]["evaluation_metric"] = args.metric
    print(f"{args.metric}; Python {platform.python_version()}, load {os.getloadavg()[0]:.1f}\n")
    print("| rows | workers | wall s | rows per s | of one worker | CPU s | peak MB |")
    print("| ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    with tempfile.TemporaryDirectory(dir=args.folder) as folder:
        Path(folder, "grader.json").write_text(json.dumps(config))
        for count in args.rows:
            rows = Path(folder, "rows.jsonl")
            _write(rows, count, single=args.single)
            runs: dict[int, list[Run]] = {workers: [] for workers in args.workers}
            for _, workers in itertools.product(range(args.rounds), args.workers):
                runs[workers].append(_run(Path(folder), workers))
            _print(count, runs)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, nargs="+", default=[200_000])
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--metric", default="fuzzy_match")
    parser.add_argument("--single", action="store_true", help="One sample a row, not five.")
    parser.add_argument("--folder", help="Where the files of the benchmark go for a while.")
    return parser.parse_args()


def _write(path: Path, count: int, *, single: bool) -> None:
    lines = (
        data().splitlines(keepends=True)
        if not single
        else [
            msgspec.json.encode({"item": row["item"], "sample": sample["output_text"]}) + b"\n"
            for row in map(json.loads, data().splitlines())
            for sample in row["samples"]
        ]
    )
    with path.open("wb") as file:
        file.writelines(itertools.islice(itertools.cycle(lines), count))


def _run(folder: Path, workers: int) -> Run:
    results = folder / "results.jsonl"
    command = [*GRADERS, "run", str(folder / "grader.json"), str(folder / "rows.jsonl")]
    command += ["-o", str(results), "--workers", str(workers), "--overwrite"]
    over, peaks = threading.Event(), [0.0]

    def look() -> None:
        while not over.wait(_LOOK_SECONDS):
            peaks.append(_memory_mb())

    looking = threading.Thread(target=look)
    looking.start()
    try:
        taken = taken_by(command)
    finally:
        over.set()
        looking.join()
    return Run(taken, max(peaks))


def _memory_mb() -> float:
    """What our children and theirs hold."""
    listed = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(os.getpid())],
        capture_output=True,
        text=True,
        check=False,
    )
    total, waiting = 0, [int(pid) for pid in listed.stdout.split()]
    while waiting:
        pid = waiting.pop()
        try:
            for thread in Path(f"/proc/{pid}/task").iterdir():
                waiting += map(int, (thread / "children").read_text().split())
            for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    total += int(line.split()[1])
        except (OSError, ProcessLookupError):
            continue  # it has gone
    return total / 1024


def _print(count: int, runs: dict[int, list[Run]]) -> None:
    first = statistics.median(run.taken.wall for run in next(iter(runs.values())))
    for workers, rounds in runs.items():
        wall = statistics.median(run.taken.wall for run in rounds)
        cpu = statistics.median(run.taken.cpu for run in rounds)
        peak = max(run.peak_mb for run in rounds)
        print(
            f"| {count:,} | {workers} | {wall:.2f} | {count / wall:,.0f} | {first / wall:.2f} "
            f"| {cpu:.2f} | {peak:.0f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
