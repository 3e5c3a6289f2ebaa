"""The same rows by local workers, by Ray and by Ray Data on one machine: wall and CPU time.

Rows: Natural Questions answers (EVOUNA, see benchmarks/README.md), one sample a row, over and over.
CPU time is that of the command and of all that it has started, looked at ten times a second, since
Ray's processes are nobody's to wait for; and apart by who spends it: the driver, the processes that
grade, and Ray's own servers. What a row costs is beyond the same command over 100 rows. Rounds are
interleaved, and figures are medians. The bytes of local workers and Ray are compared. Each command
runs in a network of its own where that can be had, because Ray listens.

    PYTHONPATH=. python benchmarks/cluster/engines.py [--rows 1000000] [--rounds 3] [--workers 2]
    PYTHONPATH=. python benchmarks/cluster/engines.py --rows 100000 --engines local ray data
    PYTHONPATH=. python benchmarks/cluster/engines.py --rows 400000 --address
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).resolve()
DATA = HERE.parents[3] / "shared" / "data" / "evouna_nq.jsonl"
LOOPBACK = """
import fcntl, socket, struct
fcntl.ioctl(socket.socket(), 0x8914, struct.pack("16sH14x", b"lo", 0x41))
"""
RUN = "import sys; from graders.cli import main; sys.exit(main(sys.argv[1:]))"
DATA_RUN = "import ray_data; ray_data.main()"
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
_FEW = 100
_FILES = 32
"""That Ray Data gets its rows in, so that each is a task."""
_GRADES = re.compile(r"ray::(?!\w*Agent)|.*default_worker\.py")
"""The command line of a process of Ray that runs tasks, or will."""
WHO = ("driver", "graders", "servers")


class Took(NamedTuple):
    """What a command took, the most memory its own process had, and the hash of its results."""

    wall: float
    cpu: dict[str, float]  # by who
    peak_mb: float
    sha256: str


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--engines", nargs="+", default=["local", "ray"], help="local, ray, data")
    parser.add_argument("--address", action="store_true",
                        help="Rows by an address: 1,024 lines a shard, and not 4,096.")  # fmt: skip
    args = parser.parse_args()
    took: dict[tuple[str, int], list[Took]] = {}
    loads = []
    with tempfile.TemporaryDirectory(prefix="eng") as folder:  # Ray's sockets want short names
        os.chdir(folder)
        Path("grader.json").write_text(json.dumps(CONFIG))
        samples = list(_samples())
        for _ in range(args.rounds):
            for engine, count in itertools.product(args.engines, (_FEW, args.rows)):
                loads.append(os.getloadavg()[0])
                _write(samples, count)
                took.setdefault((engine, count), []).append(_run(engine, args))
    print(f"{args.rows:,} rows, {args.rounds} rounds, {args.workers} processes, "
          f"load {min(loads):.1f} to {max(loads):.1f}\n")  # fmt: skip
    print("| engine | wall s | 100 rows | CPU s | 100 rows | µs of CPU a row beyond | driver | "
          "graders | Ray's servers | driver's peak MB | results |")  # fmt: skip
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |")
    for engine in args.engines:
        print(_line(engine, took[engine, _FEW], took[engine, args.rows], args.rows))


def _line(engine: str, few: list[Took], many: list[Took], rows: int) -> str:
    wall, wall_few = (statistics.median(one.wall for one in all_) for all_ in (many, few))
    cpu, cpu_few = (
        statistics.median(sum(one.cpu.values()) for one in all_) for all_ in (many, few)
    )
    each = {who: (_median(many, who) - _median(few, who)) / (rows - _FEW) * 1e6 for who in WHO}
    hashes = {one.sha256 for one in many}
    return (
        f"| {engine} | {wall:.1f} | {wall_few:.1f} | {cpu:.1f} | {cpu_few:.1f} | "
        f"{(cpu - cpu_few) / (rows - _FEW) * 1e6:.1f} | "
        + "".join(f"{each[who]:.1f} | " for who in WHO)
        + f"{max(one.peak_mb for one in many):.0f} | {' '.join(sorted(hashes))} |"
    )


def _median(all_: list[Took], who: str) -> float:
    return statistics.median(one.cpu[who] for one in all_)


def _samples() -> list[bytes]:
    rows = map(json.loads, DATA.read_text("utf-8").splitlines())
    return [
        json.dumps({"item": row["item"], "sample": one["output_text"]}).encode() + b"\n"
        for row in rows
        for one in row["samples"]
    ]


def _write(samples: list[bytes], count: int) -> None:
    """The rows, in one file and in many."""
    lines = itertools.islice(itertools.cycle(samples), count)
    shutil.rmtree("rows", ignore_errors=True)
    Path("rows").mkdir()
    with Path("rows.jsonl").open("wb") as whole:
        for number in range(_FILES):
            held = list(itertools.islice(lines, -(-count // _FILES)))
            whole.writelines(held)
            if held:
                Path(f"rows/{number:02}.jsonl").write_bytes(b"".join(held))


def _run(engine: str, args: argparse.Namespace) -> Took:
    workers = str(args.workers)
    rows = Path("rows.jsonl").resolve().as_uri() if args.address else "rows.jsonl"
    apart = ["unshare", "--net"] if os.getuid() == 0 else []
    code = DATA_RUN if engine == "data" else RUN
    command = [*apart, sys.executable, "-c", LOOPBACK + code if apart else code]
    if engine == "data":
        shutil.rmtree("out", ignore_errors=True)
        command += [str(Path(name).resolve()) for name in ("grader.json", "rows", "out")]
        command += [workers]
    else:
        command += ["run", "grader.json", rows, "-o", "out.jsonl", "--overwrite", "--json"]
        command += ["--engine", engine, "--workers", workers]
    environment = {**os.environ, "PYTHONPATH": f"{HERE.parents[2]}:{HERE.parent}"}
    started = time.monotonic()
    with Path("said.txt").open("wb") as said:
        process = subprocess.Popen(command, stdout=said, stderr=said, env=environment)
        spent: dict[int, tuple[str, float]] = {}
        peak = 0.0
        while process.poll() is None:
            for pid in (process.pid, *_children(process.pid)):
                who, cpu = _who(pid, process.pid, engine), _cpu(pid)
                if who and cpu:  # else it is gone by now
                    spent[pid] = who, cpu
            peak = max(peak, _peak_mb(process.pid))
            time.sleep(_LOOK_SECONDS)
    wall = time.monotonic() - started
    if process.returncode:
        raise SystemExit(Path("said.txt").read_text("utf-8"))
    cpu = {who: sum(cpu for whose, cpu in spent.values() if whose == who) for who in WHO}
    return Took(wall, cpu, peak, _digest(engine))


def _digest(engine: str) -> str:
    """Of the results; of Ray Data's it says how many there are."""
    if engine == "data":
        count = sum(path.read_bytes().count(b"\n") for path in Path("out").iterdir())
        return f"{count:,} rows"
    return hashlib.sha256(Path("out.jsonl").read_bytes()).hexdigest()[:12]


def _who(pid: int, driver: int, engine: str) -> str | None:
    """Whose a process is; None if it is gone."""
    if pid == driver:
        return "driver"
    if engine == "local":
        return "graders"
    try:
        line = Path(f"/proc/{pid}/cmdline").read_text("utf-8", "replace")
    except OSError:
        return None
    return ("graders" if _GRADES.match(line) else "servers") if line else None


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
