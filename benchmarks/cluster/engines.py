"""The same rows by local workers and by Ray on the same machine: wall and CPU time.

Rows: Natural Questions answers (EVOUNA, see benchmarks/README.md), one sample a row, over and over.
CPU time is that of the command and of all that it has started, looked at ten times a second, since
Ray's processes are nobody's to wait for. The bytes of both are compared. Each command runs in a
network of its own where that can be had, because Ray listens.

    PYTHONPATH=. python benchmarks/cluster/engines.py [--rows 1000000] [--workers 2]
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).resolve()
DATA = HERE.parents[3] / "shared" / "data" / "evouna_nq.jsonl"
RUN = """
import fcntl, socket, struct, sys
fcntl.ioctl(socket.socket(), 0x8914, struct.pack("16sH14x", b"lo", 0x41))
from graders.cli import main
sys.exit(main(sys.argv[1:]))
"""
CONFIG = {
    "type": "multi",
    "name": "both",
    "graders": {
        "exact": {
            "type": "string_check",
            "name": "exact",
            "operation": "eq",
            "input": "{{ sample.output_text }}",
            "reference": "{{ item.reference_answer }}",
        },
        "fuzzy": {
            "type": "text_similarity",
            "name": "fuzzy",
            "evaluation_metric": "fuzzy_match",
            "input": "{{ sample.output_text }}",
            "reference": "{{ item.reference_answer }}",
        },
    },
    "calculate_output": "0.5 * exact + 0.5 * fuzzy",
}
_LOOK_SECONDS = 0.1
_TICKS = os.sysconf("SC_CLK_TCK")


class Took(NamedTuple):
    """What a command took, the most memory its own process had, and the hash of its results."""

    wall: float
    cpu: float
    peak_mb: float
    sha256: str


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--workers", type=int, default=2)
    args = parser.parse_args()
    print(f"{args.rows:,} rows, {args.workers} processes, load {os.getloadavg()[0]:.1f}\n")
    print("| engine | wall s | 100 rows | CPU s | 100 rows | rows per CPU-second beyond | "
          "driver's peak MB | results |")  # fmt: skip
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: | --- |")
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        Path("grader.json").write_text(json.dumps(CONFIG))
        samples = list(_samples())
        for engine in ("local", "ray"):
            took = []
            for count in (100, args.rows):
                with Path("rows.jsonl").open("wb") as file:
                    file.writelines(itertools.islice(itertools.cycle(samples), count))
                took.append(_run(engine, args.workers))
            few, all_ = took
            rate = (args.rows - 100) / (all_.cpu - few.cpu)
            print(
                f"| {engine} | {all_.wall:.1f} | {few.wall:.1f} | {all_.cpu:.1f} | {few.cpu:.1f} | "
                f"{rate:,.0f} | {all_.peak_mb:.0f} | {all_.sha256[:12]} |",
                flush=True,
            )


def _samples() -> list[bytes]:
    rows = map(json.loads, DATA.read_text("utf-8").splitlines())
    return [
        json.dumps({"item": row["item"], "sample": one["output_text"]}).encode() + b"\n"
        for row in rows
        for one in row["samples"]
    ]


def _run(engine: str, workers: int) -> Took:
    apart = ["unshare", "--net"] if os.getuid() == 0 else []
    command = [*apart, sys.executable, "-c", RUN if apart else RUN.splitlines()[-2]]
    command += ["run", "grader.json", "rows.jsonl", "-o", "out.jsonl", "--overwrite", "--json"]
    command += ["--engine", engine, "--workers", str(workers)]
    environment = {**os.environ, "PYTHONPATH": str(HERE.parents[2])}
    started = time.monotonic()
    with Path("said.txt").open("wb") as said:
        process = subprocess.Popen(command, stdout=said, stderr=said, env=environment)
        spent: dict[int, float] = {}
        peak = 0.0
        while process.poll() is None:
            for pid in (process.pid, *_children(process.pid)):
                spent[pid] = max(spent.get(pid, 0.0), _cpu(pid))
            peak = max(peak, _peak_mb(process.pid))
            time.sleep(_LOOK_SECONDS)
    wall = time.monotonic() - started
    if process.returncode not in {0, 1}:
        raise SystemExit(Path("said.txt").read_text("utf-8"))
    digest = hashlib.sha256(Path("out.jsonl").read_bytes()).hexdigest()
    return Took(wall, sum(spent.values()), peak, digest)


def _children(pid: int) -> list[int]:
    found: list[int] = []
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            listed = [int(child) for child in path.read_text().split()]
        except OSError:
            continue
        for child in listed:
            found += [child, *_children(child)]
    return found


def _peak_mb(pid: int) -> float:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


def _cpu(pid: int) -> float:
    """CPU seconds of a process that is there."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / _TICKS


if __name__ == "__main__":
    main()
