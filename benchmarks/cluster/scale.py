"""A billion gradings on paper: measured costs of a row and of a shard, and a simulation of a run.

Measured: CPU seconds of a row by kind of grader (the whole command over many rows less the same
over few, each in a control group, which takes root), and CPU seconds of the driver for a shard
(cutting, pickling there and back, writing the part, joining it), by a crew that answers at once
with lines made before; what Ray takes beside that is by `engines.py`. Simulated: one driver and
many processors, shards in flight as `graders.cluster.tasks` bounds them, nodes that die and what
was under way on them graded again. What asks a model or a service is in `asked.py`.

    PYTHONPATH=. python benchmarks/cluster/scale.py [--cores 64 256 1024 4096] [--dollars 0.04]
"""

from __future__ import annotations

import argparse
import contextlib
import heapq
import io
import itertools
import json
import os
import pickle
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from engines import CONFIG, HERE, _samples

from graders.cli import main as graders
from graders.cluster import tasks
from graders.engine import RunOptions
from graders.report.summary import Summary
from graders.row_files import RowFormat
from graders.runs.crew import AHEAD
from graders.runs.folder import Folder, State
from graders.runs.grading import Done, Work
from graders.runs.output import NOTHING, Files
from graders.runs.parts import Pair, Part
from graders.runs.run import run_by
from graders.runs.shards import Shard

PER_SHARD = 4096
TASK_SECONDS = 0.011
"""What a shard takes on its node beyond its rows, by `engines.py`: Ray, and lines that travel."""
RAY_SECONDS = 0.009
"""What it takes in the driver beyond what is measured here, by `engines.py`: Ray."""
MEMBERS = CONFIG["graders"]
ONE = ["--workers", "1"]
PYTHON = {
    "type": "python",
    "name": "code",
    "source": "def grade(sample, item):\n    return float(len(sample['output_text']))\n",
}
KINDS: dict[str, tuple[dict[str, Any], int, list[str]]] = {
    "string_check": (MEMBERS["exact"], 100_000, ONE),
    "text_similarity, fuzzy_match": (MEMBERS["fuzzy"], 100_000, ONE),
    "text_similarity, rouge_l": (
        {**MEMBERS["fuzzy"], "evaluation_metric": "rouge_l"},
        100_000,
        ONE,
    ),
    "multi of string_check and fuzzy_match": (CONFIG, 100_000, ONE),
    "python, a process a row": (PYTHON, 4_000, ONE),
    "python, a process 32 rows": (PYTHON, 20_000, [*ONE, "--isolation", "batch:32"]),
}


class Driver(NamedTuple):
    """What one shard costs the driver, and how long its lines are."""

    seconds: float
    shard_bytes: int
    result_bytes: int


def main() -> None:
    """Measure, simulate and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000_000)
    parser.add_argument("--cores", type=int, nargs="+", default=[64, 256, 1024, 4096])
    parser.add_argument("--dollars", type=float, default=0.04, help="Of a processor for an hour.")
    parser.add_argument("--deaths", type=float, default=0.05, help="Of a node in an hour.")
    args = parser.parse_args()
    print(f"load {os.getloadavg()[0]:.1f}\n")
    samples = list(_samples())
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        costs = {name: row_seconds(*kind, samples) for name, kind in KINDS.items()}
        driver = _driver(samples)
    print(f"driver: {driver.seconds * 1000:.1f} ms of CPU a shard of {PER_SHARD:,} rows, "
          f"{RAY_SECONDS * 1000:.0f} of them Ray's, "
          f"{driver.shard_bytes:,} bytes there, {driver.result_bytes:,} back\n")  # fmt: skip
    print("| kind | ms a row | core-hours | $ |", *(f" {c:,} cores |" for c in args.cores))
    print("| --- | ---: | ---: | ---: |", *(" ---: |" for _ in args.cores))
    for kind, seconds in costs.items():
        hours = args.rows * seconds / 3600
        cells = []
        for cores in args.cores:
            took, driven = simulate(args.rows, seconds, driver, cores, args.deaths)
            cells.append(f" {_said(took)}, driver {driven:.0%} |")
        paid = hours * args.dollars
        money = f"{paid:,.0f}" if paid >= 10 else f"{paid:.1f}"
        print(f"| {kind} | {seconds * 1000:.3f} | {hours:,.1f} | {money} |", *cells, flush=True)


def _said(seconds: float) -> str:
    return f"{seconds / 3600:.1f} h" if seconds > 5400 else f"{seconds / 60:.1f} min"


def row_seconds(
    config: dict[str, Any], count: int, options: list[str], samples: list[bytes]
) -> float:
    """CPU of a row beyond the start."""
    few = count // 20
    took = []
    for rows in (few, count):
        Path("grader.json").write_text(json.dumps(config))
        with Path("rows.jsonl").open("wb") as file:
            file.writelines(itertools.islice(itertools.cycle(samples), rows))
        command = ["run", "grader.json", "rows.jsonl", "-o", "out.jsonl", "--overwrite"]
        took.append(_cpu_of([*command, *options]))
    return (took[1] - took[0]) / (count - few)


def _cpu_of(arguments: list[str]) -> float:
    """CPU of a command in a control group: a sandbox's processes are nobody's to wait for."""
    first = Path("/sys/fs/cgroup/cpuacct")
    group = (first if first.is_dir() else first.parent) / f"graders-benchmark-{os.getpid()}"
    code = (
        "import os, sys; open(sys.argv[1], 'w').write(str(os.getpid())); "
        "from graders.cli import main; sys.exit(main(sys.argv[2:]))"
    )
    group.mkdir()
    try:
        command = [sys.executable, "-c", code, str(group / "cgroup.procs"), *arguments]
        # Not a folder that depends on where we are.
        environment = {**os.environ, "PYTHONPATH": str(HERE.parents[2])}
        subprocess.run(command, check=True, capture_output=True, env=environment)
        if first.is_dir():
            return int((group / "cpuacct.usage").read_text()) / 1e9
        usage = (group / "cpu.stat").read_text().split()
        return int(usage[usage.index("usage_usec") + 1]) / 1e6
    finally:
        group.rmdir()


class _Instant:
    """A crew that answers at once, and takes what pickling costs on the way."""

    def __init__(self, parts: Path, lines: Pair, summary: Summary) -> None:
        self.parts, self.summary = parts, summary
        self.reply = pickle.dumps((lines, summary), protocol=5)
        self.sent: list[int] = []
        self.bytes = 0

    def has_room(self, under_way: int) -> bool:
        return under_way < AHEAD * 2

    def send(self, shard: Shard) -> None:
        self.bytes += len(pickle.dumps(shard, protocol=5))
        self.sent.append(shard.number)

    def answers(self) -> Iterator[Done]:
        number = self.sent.pop(0)
        lines, summary = pickle.loads(self.reply)
        part = Part(self.parts, number)
        part.fill([lines])
        part.finish()
        yield Done(number, summary)

    def stop(self) -> None:
        """Nothing is under way."""


def _driver(samples: list[bytes], shards: int = 60) -> Driver:
    """What a shard costs the driver."""
    Path("grader.json").write_text(json.dumps(CONFIG))
    with Path("rows.jsonl").open("wb") as file:
        file.writelines(itertools.islice(itertools.cycle(samples), PER_SHARD))
    with contextlib.redirect_stdout(io.StringIO()):
        graders(["run", "grader.json", "rows.jsonl", "-o", "one.jsonl", "--overwrite", "--json"])
    lines = Pair(Path("one.jsonl").read_bytes(), Path("one.timing.jsonl").read_bytes())
    with Path("rows.jsonl").open("wb") as file:
        file.writelines(itertools.islice(itertools.cycle(samples), shards * PER_SHARD))
    work = Work(
        signature="s",
        options=RunOptions(),
        rows="rows.jsonl",
        shape=RowFormat(),
        per_shard=PER_SHARD,
    )
    crew: list[_Instant] = []

    def hire(_work: Work, parts: Path) -> _Instant:
        crew.append(_Instant(parts, lines, Summary.of_part()))
        return crew[0]

    Path("x.run").mkdir()
    started = time.process_time()
    folder = Folder(Path("x.run"), Files(Path("x.jsonl"), NOTHING), State())
    run_by(hire, work, folder, lambda *_: None)
    seconds = (time.process_time() - started) / shards + RAY_SECONDS
    return Driver(seconds, crew[0].bytes // shards, sum(map(len, lines)))


def simulate(
    rows: int, row: float, driver: Driver, cores: int, deaths: float
) -> tuple[float, float]:
    """Seconds that a run takes, and the part of them that the driver is at work.

    The driver sends and takes one shard after another; a shard takes a processor `PER_SHARD` rows
    long, a tenth more or less. When a node dies, at random, what is under way on it is lost and
    begun again at once by others; it is back at once, too.
    """
    chance = random.Random(1)
    left, total = -(-rows // PER_SHARD), 0
    most = max(1, min(AHEAD * cores, tasks._MOST_BYTES // driver.shard_bytes))
    lost = deaths / 3600  # a processor dies as often as its node does
    free = [0.0] * cores
    heapq.heapify(free)
    busy: list[tuple[float, int]] = []  # when shards are back
    now = driven = 0.0
    joined, finished = 0, set[int]()
    while left or busy:
        while left and (total - joined) < most:
            now += driver.seconds / 2
            driven += driver.seconds / 2
            begin = max(now, heapq.heappop(free))
            length = PER_SHARD * row * chance.uniform(0.9, 1.1) + TASK_SECONDS
            while chance.random() < lost * length:
                begin += length * chance.random()  # graded again from its beginning
            heapq.heappush(free, begin + length)
            heapq.heappush(busy, (begin + length, total))
            left, total = left - 1, total + 1
        back, number = heapq.heappop(busy)
        now = max(now, back) + driver.seconds / 2
        driven += driver.seconds / 2
        finished.add(number)
        while joined in finished:
            finished.remove(joined)
            joined += 1
    return now, driven / now


if __name__ == "__main__":
    main()
