"""A billion gradings on paper: measured costs of a row and of a shard, and a simulation of a run.

Measured: CPU seconds of a row by kind of grader (the whole command over many rows less the same
over few, each in a control group, which takes root), and CPU seconds of the driver for a shard
(reading, cutting, pickling there and back, writing the part, joining it), by a crew that answers at
once with lines made before; what Ray takes beside that is by `engines.py`. An address is one of
this machine, so what a storage's own protocol takes is not in it. Assumed: prices, deaths, the
driver's link and one stream of a storage. The rest is in `simulated.py`, and what asks a model or a
service in `asked.py`.

    PYTHONPATH=. python benchmarks/cluster/scale.py [--cores 64 256 1024 4096] [--bandwidth 10]
"""

from __future__ import annotations

import argparse
import contextlib
import gzip
import io
import itertools
import json
import os
import pickle
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
from engines import CONFIG, HERE, _samples
from pyarrow import parquet
from simulated import Source, Speeds, Took, simulate

from graders.cli import main as graders
from graders.engine import RunOptions
from graders.report.summary import Summary
from graders.row_files import RowFormat
from graders.runs.crew import AHEAD
from graders.runs.folder import Folder, State
from graders.runs.grading import Done, Work
from graders.runs.manifest import data_of
from graders.runs.output import NOTHING, Files
from graders.runs.parts import Pair, Part
from graders.runs.run import run_by
from graders.runs.shards import Shard, lines_per_shard

RAY_SECONDS = {4096: 0.009, 1024: 0.006}
"""What a shard of so many lines takes in the driver beyond what is measured here, by `engines.py`:
Ray."""
TASK_SECONDS = {4096: 0.011, 1024: 0.010}
"""What it takes on its node beyond its rows, by `engines.py`: Ray, and lines that travel."""
CONTENT = 1448 / 1538
"""What of a link's bits is no header of Ethernet's, IP's or TCP's."""
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


SOURCES = {"JSON Lines": "rows.jsonl", "an address": "", "gzip": "rows.jsonl.gz",
           "Parquet": "rows.parquet"}  # fmt: skip
"""Files by what they are; an address is that of the first."""
LOADED = 240 * 1024


def main() -> None:
    """Measure, simulate and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000_000)
    parser.add_argument("--cores", type=int, nargs="+", default=[64, 256, 1024, 4096])
    parser.add_argument("--dollars", type=float, default=0.04, help="Of a processor for an hour.")
    parser.add_argument("--deaths", type=float, default=0.05, help="Of a node in an hour.")
    parser.add_argument("--bandwidth", type=float, nargs="+", default=[10, 1],
                        help="Gbit a second of the driver's link, each way.")  # fmt: skip
    parser.add_argument("--stream", type=float, default=100, help="MB a second of a storage.")
    args = parser.parse_args()
    print(f"load {os.getloadavg()[0]:.1f}\n")
    samples = list(_samples())
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        hashed, sources = _sources(samples)
        costs = {name: row_seconds(*kind, samples) for name, kind in KINDS.items()}
    links = {gbit: Speeds(gbit * 1e9 / 8 * CONTENT, args.stream * 1e6, hashed)
             for gbit in args.bandwidth}  # fmt: skip
    print(f"\nhashed: {hashed / 1e9:.1f} GB a second\n")
    cheap = costs["string_check"]
    print("| rows | Gbit/s | min to hash | to grade | to copy | rows a second | "
          "driver | link |")  # fmt: skip
    print("| --- |" + " ---: |" * 7)
    held = {"cores": args.cores[0], "deaths": args.deaths}
    for (name, source), (gbit, speeds) in itertools.product(sources.items(), links.items()):
        took = simulate(args.rows, cheap, source, speeds, **held)
        print(f"| {name} | {gbit:g} | {_limit(took, args.rows)} |", flush=True)
    first = args.bandwidth[0]
    for name in ("JSON Lines", "an address"):
        print(f"\n{name}, {first:g} Gbit/s\n")
        print("| kind | ms a row | core-hours |", *(f" {c:,} cores |" for c in args.cores))
        print("| --- | ---: | ---: |", *(" ---: |" for _ in args.cores))
        for kind, row in costs.items():
            cells = []
            for cores in args.cores:
                held = {"cores": cores, "deaths": args.deaths}
                took = simulate(args.rows, row, sources[name], links[first], **held)
                cells.append(f" {_cell(took, took.held / 3600 * cores * args.dollars)} |")
            print(f"| {kind} | {row * 1000:.3f} | {args.rows * row / 3600:,.1f} |", *cells,
                  flush=True)  # fmt: skip


def _limit(took: Took, rows: int) -> str:
    """What one driver gets through, however many processors there are."""
    minutes = (f"{seconds / 60:.1f}" for seconds in (took.before, took.grading, took.after))
    return (f"{' | '.join(minutes)} | {rows / took.grading:,.0f} | {took.driver:.0%} | "
            f"{took.link:.0%}")  # fmt: skip


def _cell(took: Took, paid: float) -> str:
    money = f"{paid:,.0f}" if paid >= 10 else f"{paid:.1f}"
    who, part = max(("driver", took.driver), ("link", took.link), key=lambda one: one[1])
    return f"{_said(took.held + took.after)}, ${money}, {who} {part:.0%}"


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


def _sources(samples: list[bytes]) -> tuple[float, dict[str, Source]]:
    """How fast rows are hashed, in bytes a second of CPU; and what shards cost the driver."""
    lines = b"".join(itertools.islice(itertools.cycle(samples), LOADED))
    Path("rows.jsonl").write_bytes(lines)
    Path("rows.jsonl.gz").write_bytes(gzip.compress(lines, 6))
    parquet.write_table(pa.Table.from_pylist(list(map(json.loads, lines.splitlines()))),
                        "rows.parquet")  # fmt: skip
    started = time.process_time()
    data_of("rows.jsonl")
    hashed = len(lines) / (time.process_time() - started)
    found = {}
    for name, path in SOURCES.items():
        found[name] = one = _source(path or Path("rows.jsonl").resolve().as_uri(), samples)
        print(f"{name}: {one.seconds * 1000:.1f} ms of the driver's CPU a shard of {one.lines:,} "
              f"rows, {RAY_SECONDS[one.lines] * 1000:.0f} of them Ray's; {one.file_bytes:,} bytes "
              f"in the file, {one.shard_bytes:,} sent, {one.result_bytes:,} and "
              f"{one.time_bytes:,} back")  # fmt: skip
    return hashed, found


def _source(rows: str, samples: list[bytes]) -> Source:
    """What a shard costs the driver, and how long its lines are."""
    # As of a file of any length.
    per_shard = 4096 if rows == "rows.jsonl" else lines_per_shard(rows)
    Path("grader.json").write_text(json.dumps(CONFIG))
    with Path("few.jsonl").open("wb") as file:
        file.writelines(itertools.islice(itertools.cycle(samples), per_shard))
    with contextlib.redirect_stdout(io.StringIO()):
        graders(["run", "grader.json", "few.jsonl", "-o", "one.jsonl", "--overwrite", "--json"])
    lines = Pair(Path("one.jsonl").read_bytes(), Path("one.timing.jsonl").read_bytes())
    work = Work(
        signature="s",
        options=RunOptions(),
        rows=rows,
        shape=RowFormat(),
        per_shard=per_shard,
    )
    crew: list[_Instant] = []

    def hire(_work: Work, parts: Path) -> _Instant:
        crew.append(_Instant(parts, lines, Summary.of_part()))
        return crew[0]

    started = time.process_time()
    with tempfile.TemporaryDirectory(dir=".") as name:
        folder = Folder(Path(name), Files(Path("x.jsonl"), NOTHING), State())
        run_by(hire, work, folder, lambda *_: None)
    shards = LOADED // per_shard
    return Source(
        lines=per_shard,
        seconds=(time.process_time() - started) / shards + RAY_SECONDS[per_shard],
        task_seconds=TASK_SECONDS[per_shard],
        file_bytes=len(Path(rows.removeprefix("file://")).read_bytes()) // shards,
        shard_bytes=crew[0].bytes // shards,
        result_bytes=len(lines.result),
        time_bytes=len(lines.times),
        by_address=rows.startswith("file://"),
    )


if __name__ == "__main__":
    main()
