"""How many requests a second `graders serve` answers, at what cost, and whether its memory grows.

The server and the load generator share the machine. First interleaved rounds over every task,
then one long run over one of them, with the memory of all the server's processes as it goes.

    PYTHONPATH=. python benchmarks/server/load.py [--rounds 3] [--seconds 5] [--only TASK ...]
    PYTHONPATH=. python benchmarks/server/load.py --long string_check --requests 500000
    PYTHONPATH=. python benchmarks/server/load.py --long "python, 40 sources" --requests 50000

It needs `wrk` (`apt-get install wrk`) and Linux, whose /proc tells times and memory.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

SERVE = [
    sys.executable,
    "-c",
    "import sys; from graders.cli import main; sys.exit(main())",
    "serve",
]
SCRIPT = Path(__file__).with_name("wrk.lua")
RUN = "/v1/fine_tuning/alpha/graders/run"
TARGETS = {"string_check": 4_000, "python": 500}
PAGE = os.sysconf("SC_PAGE_SIZE")
TICK = os.sysconf("SC_CLK_TCK")
WARM = 16

EXACT = {
    "type": "string_check",
    "name": "exact",
    "operation": "eq",
    "input": "{{ sample.output_text }}",
    "reference": "{{ item.answer }}",
}
TEXTS = [
    "The capital of France is Paris.",
    "Paris is the largest city of France, and its capital since the Middle Ages.",
    "It is Lyon, I think, but I am not sure of it.",
    "France has its seat of government in Paris, on the Seine.",
]
ANSWER = "Paris has been the capital of France since the Middle Ages."


def similar(metric: str) -> dict[str, Any]:
    """A text_similarity grader."""
    return {
        "type": "text_similarity",
        "name": metric,
        "evaluation_metric": metric,
        "input": EXACT["input"],
        "reference": EXACT["reference"],
    }


MULTI = {
    "type": "multi",
    "name": "five",
    "graders": {
        "exact": EXACT,
        "part": {**EXACT, "name": "part", "operation": "ilike", "reference": "paris"},
        **{name: similar(name) for name in ("fuzzy_match", "bleu", "rouge_l")},
    },
    "calculate_output": "0.2 * (exact + part + fuzzy_match + bleu + rouge_l)",
}


def python(number: int = 0) -> dict[str, Any]:
    """A lean python grader; each number is another source."""
    source = (
        f"WEIGHT = {number}\n\ndef grade(sample, item):\n"
        "    words = sample['output_text'].lower().split()\n"
        "    wanted = set(item['answer'].lower().split())\n"
        "    return sum(word in wanted for word in words) / max(len(words), 1)\n"
    )
    return {"type": "python", "name": "code", "source": source}


def runs(*graders: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """A run request for each grader and text."""
    return [
        (RUN, {"grader": grader, "model_sample": text, "item": {"answer": ANSWER}})
        for grader in graders
        for text in TEXTS
    ]


def skewed(sources: int) -> list[tuple[str, dict[str, Any]]]:
    """Requests for many sources, the first of them the most often, as it is with users."""
    chance, numbers = random.Random(1), range(sources)
    picked = chance.choices(numbers, [1 / (number + 1) for number in numbers], k=2_000)
    return [runs(python(number))[i % len(TEXTS)] for i, number in enumerate(picked)]


BATCH = {
    "grader": MULTI,
    "rows": [{"item": {"answer": ANSWER}, "sample": TEXTS[i % len(TEXTS)]} for i in range(100)],
}
TASKS: Mapping[str, list[tuple[str, dict[str, Any]]]] = {
    "string_check": runs(EXACT),
    "text_similarity": runs(similar("fuzzy_match"), similar("bleu"), similar("rouge_l")),
    "multi of five": runs(MULTI),
    "python": runs(python()),
    "python, 40 sources": skewed(40),
    "batches of 100 rows": [("/grade", BATCH)],
    "mixed": [*runs(EXACT) * 5, *runs(MULTI), *runs(python())],
}


class Loaded(NamedTuple):
    """What a load came to.

    Attributes:
        requests: That were answered.
        seconds: By the clock.
        p50: Milliseconds that half of the answers took at most.
        p99: The same of 99 in 100.
        wrong: Answers that were no 2xx, and requests without one.
        cpu_seconds: Of all the server's processes.
    """

    requests: int
    seconds: float
    p50: float
    p99: float
    wrong: int
    cpu_seconds: float


class Server(NamedTuple):
    """A server that answers."""

    url: str
    pid: int

    def processes(self) -> list[int]:
        """It and all that it has started, and these."""
        parents = dict(_parents())
        tree = {self.pid}
        while more := {pid for pid, parent in parents.items() if parent in tree} - tree:
            tree |= more
        return sorted(tree)

    def cpu_seconds(self) -> dict[int, float]:
        """Of each of its processes so far, with those that it has waited for."""
        return {pid: sum(map(int, _stat(pid)[11:15])) / TICK for pid in self.processes()}

    def memory(self) -> tuple[float, float, int]:
        """Megabytes of itself and of all its processes, shared ones counted once; and how many."""
        own, everything, tree = 0, 0, self.processes()
        for pid in tree:
            pss = _pss(pid)
            own += pss if pid == self.pid else 0
            everything += pss
        return own / 1e3, everything / 1e3, len(tree)


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat behind the name; zeros where the process is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ["0"] * 50


def _parents() -> Iterator[tuple[int, int]]:
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            yield int(folder.name), int(_stat(int(folder.name))[1])


def _pss(pid: int) -> int:
    """Kilobytes of a process, what it shares with others divided among them."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)


@contextmanager
def serving() -> Iterator[Server]:
    """A server of its own on a free port."""
    command = [*SERVE, "--port", "0", "--warm", str(WARM)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            if not line.startswith("serving "):
                raise SystemExit(f"the server did not start: {line}")
            yield Server(line.split()[1].removesuffix("/v1"), process.pid)
        finally:
            process.terminate()


def load(server: Server, lines: Path, seconds: float, connections: int) -> Loaded:
    """Send the lines of a file for some seconds."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds:g}s", "--timeout", "60s"]
    command += ["-s", str(SCRIPT), server.url, "--", str(lines)]
    before = server.cpu_seconds()
    after = dict(before)
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as wrk:
        while wrk.poll() is None:
            after |= server.cpu_seconds()  # nobody waits for a zygote that goes
            time.sleep(0.5)
        assert wrk.stdout is not None
        printed = wrk.stdout.read()
    after |= server.cpu_seconds()
    took = sum(after.values()) - sum(before.values())
    said = json.loads(next(line for line in printed.splitlines() if line.startswith("{")))
    wrong = said["refused"] + said["failed"]
    return Loaded(said["requests"], said["seconds"], said["p50"], said["p99"], wrong, took)


def write(folder: str, name: str) -> Path:
    """The requests of a task as the lines that wrk reads."""
    path = Path(folder) / f"{name}.txt"
    path.write_text("".join(f"{place}\t{json.dumps(body)}\n" for place, body in TASKS[name]))
    return path


def compare(names: Sequence[str], args: argparse.Namespace) -> None:
    """Interleaved rounds over the tasks, and their medians."""
    taken: dict[str, list[Loaded]] = {name: [] for name in names}
    with serving() as server, tempfile.TemporaryDirectory() as folder:
        files = {name: write(folder, name) for name in names}
        for path in files.values():  # so that nothing is met for the first time
            load(server, path, 1, args.connections)
        for _ in range(args.rounds):
            for name, path in files.items():
                taken[name].append(load(server, path, args.seconds, args.connections))
    print(f"\n{args.connections} connections, {args.rounds} rounds of {args.seconds:g} s, median\n")
    print("| requests | per s | p50 ms | p99 ms | server's CPU ms each | not 2xx | target |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    for name, rounds in taken.items():
        rate = statistics.median(one.requests / one.seconds for one in rounds)
        p50 = statistics.median(one.p50 for one in rounds)
        p99 = statistics.median(one.p99 for one in rounds)
        cost = statistics.median(1e3 * one.cpu_seconds / one.requests for one in rounds)
        wrong, target = sum(one.wrong for one in rounds), TARGETS.get(name, "")
        print(f"| {name} | {rate:,.0f} | {p50:.1f} | {p99:.1f} | {cost:.3f} | {wrong} | {target} |")


def soak(name: str, args: argparse.Namespace) -> None:
    """One task at length, with the server's memory after each tenth."""
    step, done, wrong, started = args.requests // 10, 0, 0, time.perf_counter()
    print(f"\n| {name} | per s | server MB | all processes MB | processes |")
    print("| ---: | ---: | ---: | ---: | ---: |")
    with serving() as server, tempfile.TemporaryDirectory() as folder:
        path, rate = write(folder, name), 0.0
        while done < args.requests:
            piece, begun = 0, time.perf_counter()
            while piece < step:
                wanted = (step - piece) / rate if rate else 1.0
                one = load(server, path, max(1, round(wanted)), args.connections)
                piece, wrong = piece + one.requests, wrong + one.wrong
                rate = one.requests / one.seconds
            done += piece
            own, everything, processes = server.memory()
            speed = piece / (time.perf_counter() - begun)
            print(
                f"| {done:,} | {speed:,.0f} | {own:.1f} | {everything:.1f} | {processes} |",
                flush=True,
            )
    print(f"\n{wrong} were not 2xx; {time.perf_counter() - started:.0f} s")


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--only", nargs="+", choices=TASKS, default=[*TASKS])
    parser.add_argument("--long", choices=TASKS)
    parser.add_argument("--requests", type=int, default=500_000)
    args = parser.parse_args()
    if shutil.which("wrk") is None:
        raise SystemExit("wrk is not installed: apt-get install wrk")
    if args.long:
        soak(args.long, args)
    else:
        compare(args.only, args)


if __name__ == "__main__":
    main()
